import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeEnvelope,
  type Envelope,
  encodeAsyncResult,
  encodeError,
  encodeEvent,
  encodeMessage,
  encodeRequest,
  encodeResult,
} from '../../../src/codecs/json-rpc/index.js'
import { GatewayError } from '../../../src/errors.js'
import { dictionary, fixtureLines, runs } from './made.js'

const bytes = (text: string) => Buffer.from(text)
const text = (body: Uint8Array) => Buffer.from(body).toString('utf8')
const decode = (body: string) => decodeEnvelope(bytes(body))

describe('bodies as peers send them', () => {
  const cases: { name: string; body: string; want: Envelope }[] = [
    {
      name: 'an event is a notification',
      body: '{"jsonrpc":"2.0","method":"Event.X","params":{"a":1}}',
      want: { kind: 'event', idIsNull: false, method: 'Event.X', params: { a: 1 } },
    },
    {
      name: 'an id of null is no id, and remembered',
      body: '{"jsonrpc":"2.0","id":null,"method":"Event.X","params":{}}',
      want: { kind: 'event', idIsNull: true, method: 'Event.X', params: {} },
    },
    {
      name: 'a request whose id is null keeps that',
      body: '{"jsonrpc":"2.0","id":null,"method":"XNode.Play","params":{}}',
      want: { kind: 'request', idIsNull: true, method: 'XNode.Play', params: {} },
    },
    {
      name: 'a numeric id stays a number',
      body: '{"jsonrpc":"2.0","id":7,"method":"XNode.Play","params":{}}',
      want: { kind: 'request', id: 7, idIsNull: false, method: 'XNode.Play', params: {} },
    },
    {
      name: 'an empty id is an id',
      body: '{"jsonrpc":"2.0","id":"","method":"XNode.Play","params":{}}',
      want: { kind: 'request', id: '', idIsNull: false, method: 'XNode.Play', params: {} },
    },
    {
      name: 'a request without params and one with null are the same',
      body: '{"jsonrpc":"2.0","id":"1","method":"XNode.Play","params":null}',
      want: { kind: 'request', id: '1', idIsNull: false, method: 'XNode.Play' },
    },
    {
      name: 'params of a request may be a list, which the receiver answers',
      body: '{"jsonrpc":"2.0","id":"1","method":"XNode.Play","params":[1]}',
      want: { kind: 'request', id: '1', idIsNull: false, method: 'XNode.Play', params: [1] },
    },
    {
      name: 'an event may carry an id',
      body: '{"jsonrpc":"2.0","id":"5","method":"Event.Result","params":{"code":200}}',
      want: { kind: 'event', id: '5', idIsNull: false, method: 'Event.Result', params: { code: 200 } },
    },
    {
      name: 'an event may carry its outcome as result or error',
      body: '{"id":"5","method":"Event.Result","result":{"code":200},"error":"x"}',
      want: {
        kind: 'event',
        id: '5',
        idIsNull: false,
        method: 'Event.Result',
        result: { code: 200 },
        error: { code: -32000, message: 'x' },
      },
    },
    {
      name: 'an event without params is told apart from one with',
      body: '{"jsonrpc":"2.0","method":"Event.NodeUpdate"}',
      want: { kind: 'event', idIsNull: false, method: 'Event.NodeUpdate' },
    },
    {
      name: 'a reply needs neither jsonrpc nor id',
      body: '{"result":{"code":200}}',
      want: { kind: 'response', idIsNull: false, result: { code: 200 } },
    },
    {
      name: 'a result of null is a result',
      body: '{"jsonrpc":"2.0","id":"1","result":null}',
      want: { kind: 'response', id: '1', idIsNull: false, result: null },
    },
    {
      name: 'a method that is empty is none',
      body: '{"jsonrpc":"2.0","id":"1","method":"","result":[]}',
      want: { kind: 'response', id: '1', idIsNull: false, result: [] },
    },
    {
      name: 'an error of null beside a result does not count',
      body: '{"jsonrpc":"2.0","id":"1","result":{},"error":null}',
      want: { kind: 'response', id: '1', idIsNull: false, result: {} },
    },
    {
      name: 'an error beside a result does',
      body: '{"jsonrpc":"2.0","id":"1","result":{},"error":{"code":-32601,"message":"no","data":[1]}}',
      want: { kind: 'response', id: '1', idIsNull: false, error: { code: -32601, message: 'no', data: [1] } },
    },
    {
      name: 'an error that is text',
      body: '{"jsonrpc":"2.0","id":"1","error":"broken"}',
      want: { kind: 'response', id: '1', idIsNull: false, error: { code: -32000, message: 'broken' } },
    },
    {
      name: 'an error of another form is kept as data',
      body: '{"jsonrpc":"2.0","id":"1","error":{"code":"5","message":"no"}}',
      want: {
        kind: 'response',
        id: '1',
        idIsNull: false,
        error: { code: -32000, message: 'no', data: { code: '5', message: 'no' } },
      },
    },
    {
      name: 'members nobody knows are passed over, layout and byte order mark too',
      body: '\ufeff{\n  "jsonrpc": "2.0",\r\n\t"trace": {"x": 1},\n  "method": "Event.X",\n  "params": {\n    "a": "ü"\n  }\n}\n',
      want: { kind: 'event', idIsNull: false, method: 'Event.X', params: { a: 'ü' } },
    },
  ]
  for (const { name, body, want } of cases) test(name, () => expect(decode(body)).toEqual(want))

  test('__proto__ is a member like any other', () => {
    const envelope = decode('{"method":"Event.X","params":{"__proto__":{"polluted":true},"constructor":1}}')
    if (envelope.kind !== 'event') throw new Error(envelope.kind)
    expect(Object.keys(envelope.params ?? {})).toEqual(['__proto__', 'constructor'])
    expect((envelope.params as { polluted?: unknown }).polluted).toBeUndefined()
    expect(text(encodeMessage(envelope))).toBe(
      '{"jsonrpc":"2.0","method":"Event.X","params":{"__proto__":{"polluted":true},"constructor":1}}',
    )
  })
})

describe('bodies that are refused', () => {
  const cases = [
    {
      name: 'nothing at all',
      body: '',
      code: 'codec.malformed',
      says: 'line 1, column 1: want a value, got the end of the body',
    },
    {
      name: 'a cut-off body',
      body: '{"a":1',
      code: 'codec.malformed',
      says: "line 1, column 7: want ',' or '}', got the end of the body",
    },
    {
      name: 'a comma too many',
      body: '{\n  "ä": [1,\n  ]\n}',
      code: 'codec.malformed',
      says: "line 3, column 3: want a value, got ']'",
    },
    {
      name: 'single quotes',
      body: "{'a':1}",
      code: 'codec.malformed',
      says: "line 1, column 2: want a key in double quotes, got '''",
    },
    {
      name: 'text behind the object',
      body: '{"result":1}\n{}',
      code: 'codec.malformed',
      says: "line 2, column 1: want the end of the body, got '{'",
    },
    {
      name: 'a control character',
      body: '{"a":"\t"}',
      code: 'codec.malformed',
      says: 'line 1, column 7: want an escape such as \\n instead of a control character, got U+0009',
    },
    {
      name: 'a batch',
      body: '[{"result":1}]',
      code: 'codec.malformed',
      says: 'body: want one JSON-RPC object, got a list of 1',
    },
    {
      name: 'text',
      body: '"hello"',
      code: 'codec.malformed',
      says: 'body: want one JSON-RPC object, got the string "hello"',
    },
    {
      name: 'another version',
      body: '{"jsonrpc":"1.0","result":1}',
      code: 'codec.malformed',
      says: 'jsonrpc: want "2.0", got the string "1.0"',
    },
    {
      name: 'a method that is no text',
      body: '{"method":7}',
      code: 'codec.malformed',
      says: 'method: want text, got the number 7',
    },
    {
      name: 'an id that is an object',
      body: '{"id":{},"result":1}',
      code: 'codec.malformed',
      says: 'id: want text, a whole number or null, got an object',
    },
    {
      name: 'an id that was rounded',
      body: '{"id":9007199254740993,"result":1}',
      code: 'codec.malformed',
      says: 'id: want text, a whole number or null, got the number 9007199254740992',
    },
    {
      name: 'an error that is a number',
      body: '{"error":7}',
      code: 'codec.malformed',
      says: 'error: want an object, got the number 7',
    },
    {
      name: 'neither method nor outcome',
      body: '{"jsonrpc":"2.0","id":"1"}',
      code: 'codec.malformed',
      says: 'body: want a method, a result or an error, got an object',
    },
    {
      name: 'an event whose params are a list',
      body: '{"method":"Event.X","params":[]}',
      code: 'codec.malformed',
      says: 'params: want an object in Event.X, got a list of 0',
    },
    {
      name: 'a deep nest',
      body: `{"result":\n ${'['.repeat(64)}${']'.repeat(64)}}`,
      code: 'codec.limit',
      says: 'line 2, column 65: want at most 64 levels of nesting',
    },
    {
      name: 'a nest as deep as the body is long',
      body: '['.repeat(1_000_000),
      code: 'codec.limit',
      says: 'line 1, column 65: want at most 64 levels of nesting',
    },
    {
      name: 'a body above the limit',
      body: `"${' '.repeat(4 * 1024 * 1024)}"`,
      code: 'codec.limit',
      says: '4194306 bytes: want at most 4194304',
    },
  ]
  for (const { name, body, code, says } of cases) {
    test(name, () => {
      expect(() => decode(body)).toThrow(expect.objectContaining({ code, fate: 'reject', message: says }))
    })
  }

  test('bytes that are not UTF-8', () =>
    expect(() => decodeEnvelope(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).toThrow(
      expect.objectContaining({ code: 'codec.encoding' }),
    ))
  test('limits are settings', () => {
    expect(() => decodeEnvelope(bytes('{"result":[[1]]}'), { depth: 2 })).toThrow(/column 12: want at most 2 levels/)
    expect(decodeEnvelope(bytes('{"result":[[1]]}'), { depth: 3 })).toMatchObject({ result: [[1]] })
    expect(() => decodeEnvelope(bytes('{"result":1}'), { bytes: 11 })).toThrow('12 bytes: want at most 11')
  })
  test('brackets in strings are no nesting', () =>
    expect(decode(`{"result":"${'[{'.repeat(100)}\\"${'['.repeat(100)}"}`)).toMatchObject({ kind: 'response' }))
})

describe('what is written', () => {
  const cases = [
    {
      name: 'an event',
      body: encodeEvent('Event.X', { a: 1 }),
      want: '{"jsonrpc":"2.0","method":"Event.X","params":{"a":1}}',
    },
    {
      name: 'a request',
      body: encodeRequest('1', 'XNode.Stop', { uuid: 'c' }),
      want: '{"jsonrpc":"2.0","id":"1","method":"XNode.Stop","params":{"uuid":"c"}}',
    },
    {
      name: 'a request that wants no result',
      body: encodeRequest(undefined, 'XNode.Stop', {}),
      want: '{"jsonrpc":"2.0","method":"XNode.Stop","params":{}}',
    },
    {
      name: 'a result',
      body: encodeResult('1', { code: 200 }),
      want: '{"jsonrpc":"2.0","id":"1","result":{"code":200}}',
    },
    {
      name: 'a result for an id of null',
      body: encodeResult(null, [1]),
      want: '{"jsonrpc":"2.0","id":null,"result":[1]}',
    },
    { name: 'a result of nothing', body: encodeResult(7, undefined), want: '{"jsonrpc":"2.0","id":7,"result":null}' },
    {
      name: 'an error',
      body: encodeError('1', -32601, 'no such method'),
      want: '{"jsonrpc":"2.0","id":"1","error":{"code":-32601,"message":"no such method"}}',
    },
    {
      name: 'an asynchronous result',
      body: encodeAsyncResult('1', { code: 200 }),
      want: '{"jsonrpc":"2.0","id":"1","result":{"code":200}}',
    },
    {
      name: 'an asynchronous result by name',
      body: encodeAsyncResult('1', { code: 200 }, 'Event.Result'),
      want: '{"jsonrpc":"2.0","id":"1","method":"Event.Result","params":{"code":200}}',
    },
  ]
  for (const { name, body, want } of cases) test(name, () => expect(text(body)).toBe(want))

  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const refused: { name: string; write: () => unknown; code: string }[] = [
    { name: 'a bigint', write: () => encodeEvent('Event.X', { n: 1n }), code: 'codec.value' },
    { name: 'a cycle', write: () => encodeResult('1', cyclic), code: 'codec.value' },
    { name: 'a function', write: () => encodeResult('1', () => 1), code: 'codec.value' },
    { name: 'a message that says nothing', write: () => encodeMessage({ id: '1' }), code: 'codec.value' },
    { name: 'an asynchronous result with a numeric id', write: () => encodeAsyncResult(1, {}), code: 'codec.field' },
    {
      name: 'an asynchronous result with an id of null',
      write: () => encodeAsyncResult(null, {}),
      code: 'codec.field',
    },
  ]
  for (const { name, write, code } of refused) {
    test(`refuses ${name}`, () => expect(write).toThrow(expect.objectContaining({ code })))
  }
})

describe('laws', () => {
  const json = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as never)
  const id = fc.option(
    fc.oneof(
      fc.string(),
      fc.maxSafeInteger().map((value) => value + 0),
    ),
    { nil: undefined },
  )
  const withId = (of: string | number | undefined) => ({ ...(of === undefined ? {} : { id: of }), idIsNull: false })
  const params = dictionary(json) as fc.Arbitrary<never>
  const name = fc.string({ minLength: 1 }).filter((made) => !made.startsWith('Event.'))
  const error = fc.record(
    { code: fc.maxSafeInteger().map((value) => value + 0), message: fc.string(), data: json },
    { requiredKeys: ['code', 'message'] },
  )
  const envelope: fc.Arbitrary<Envelope> = fc.oneof(
    fc.tuple(id, name, params).map(([of, method, with_]) => ({
      kind: 'event' as const,
      ...withId(of),
      method: `Event.${method}`,
      params: with_,
    })),
    fc
      .tuple(id, name, params)
      .map(([of, method, with_]) => ({ kind: 'request' as const, ...withId(of), method, params: with_ })),
    fc.tuple(id, json).map(([of, result]) => ({ kind: 'response' as const, ...withId(of), result })),
    fc.tuple(id, error).map(([of, made]) => ({ kind: 'response' as const, ...withId(of), error: made as never })),
  )

  test('decode(encode(x)) = x', () =>
    fc.assert(
      fc.property(envelope, (made) => {
        expect(decodeEnvelope(encodeMessage(made))).toEqual(made)
      }),
      runs(500),
    ))

  for (const sample of fixtureLines<object>('samples.jsonl')) {
    const line = JSON.stringify(sample)
    test(`encode(decode(w)) = w for ${line.slice(0, 90)}`, () => expect(text(encodeMessage(decode(line)))).toBe(line))
    test(`and the same message over many lines: ${line.slice(0, 90)}`, () =>
      expect(text(encodeMessage(decode(JSON.stringify(sample, null, 2))))).toBe(line))
  }

  test('any bytes give an envelope or a GatewayError', () => {
    const tokens = fc.constantFrom(
      ...'{}[]",:\\\t\n 01.-eE+xé'.split(''),
      '"id"',
      '"method"',
      '"Event.X"',
      '"params"',
      '"result"',
      '"error"',
      'null',
      'true',
      '\\u00',
      '\ufeff',
    )
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.array(tokens, { maxLength: 40 }).map((parts) => bytes(parts.join(''))),
      fc.tuple(envelope, fc.nat(), fc.nat(255)).map(([made, at, byte]) => {
        const encoded = Uint8Array.from(encodeMessage(made))
        encoded[at % encoded.length] = byte
        return encoded
      }),
    )
    fc.assert(
      fc.property(body, (made) => {
        try {
          expect(['event', 'request', 'response']).toContain(decodeEnvelope(made).kind)
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          expect(error.code).toMatch(/^codec\.(malformed|encoding|limit)$/)
        }
      }),
      runs(3000),
    )
  })
})
