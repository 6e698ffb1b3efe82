import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stasisCodec } from '../../../src/codecs/stasis/codec.js'
import { GatewayError } from '../../../src/errors.js'
import { runs } from '../json-rpc/made.js'

const codec = stasisCodec()
const read = (text: string) => codec.decode(Buffer.from(text)).root
const written = (event: unknown) => Buffer.from(codec.encode(event)).toString()

function faultOf(action: () => unknown): GatewayError {
  try {
    action()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('an event is its JSON, and back', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string({ minLength: 1 }), (members, type) => {
      const event: unknown = JSON.parse(JSON.stringify({ ...members, type }))
      expect(read(JSON.stringify(event))).toEqual(event)
      expect(JSON.parse(written(event))).toEqual(event)
    }),
    runs(300),
  )
})

test('one on many lines, with a byte order mark, is read like any other', () => {
  expect(read('\ufeff{\n  "type": "StasisEnd"\n}\n')).toEqual({ type: 'StasisEnd' })
})

describe('a body is refused', () => {
  const cases: [string, string | Uint8Array, string, RegExp][] = [
    ['that is no JSON', '{"type":', 'codec.malformed', /^line 1, column 9: want a value/],
    ['that is no object', '[1]', 'codec.malformed', /^body: want an event, got a list of 1/],
    ['without a type', '{"application":"a"}', 'codec.method', /^type: want the type of an event, got nothing/],
    ['with an empty type', '{"type":""}', 'codec.method', /got the string ""/],
    ['whose type is no text', '{"type":7}', 'codec.method', /got the number 7/],
    ['that is not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'codec.encoding', /not UTF-8/],
    ['nested too deep', `{"type":"X","a":${'['.repeat(64)}${']'.repeat(64)}}`, 'codec.limit', /at most 64 levels/],
  ]
  test.each(cases)('%s', (_, body, code, message) => {
    const fault = faultOf(() => codec.decode(typeof body === 'string' ? Buffer.from(body) : body))
    expect([fault.code, fault.fate]).toEqual([code, 'reject'])
    expect(fault.message).toMatch(message)
  })

  test('that is longer than allowed, by bytes', () => {
    const small = stasisCodec({ bytes: 20 })
    expect(faultOf(() => small.decode(Buffer.from('{"type":"StasisStart"}'))).code).toBe('codec.limit')
    expect(small.decode(Buffer.from('{"type":"StasisEnd"}')).root).toEqual({ type: 'StasisEnd' })
  })

  test('never for brackets within texts', () => {
    const text = `{"type":"X","a":"${'[{'.repeat(100)}"}`
    expect(read(text)).toEqual(JSON.parse(text))
  })
})

test('null is written where it stands', () => {
  expect(written({ type: 'X', a: null, b: 'null', n: 1.5 })).toBe('{"type":"X","a":null,"b":"null","n":1.5}')
})

describe('an event cannot be written', () => {
  const loop: Record<string, unknown> = { type: 'X' }
  loop.self = loop
  test.each([
    ['without a type', {}, 'codec.method'],
    ['that is a list', [], 'codec.malformed'],
    ['with a value JSON has not', { type: 'X', n: 1n }, 'codec.value'],
    ['inside itself', loop, 'codec.value'],
    ['with a number that is not finite', { type: 'X', a: null, b: [{ n: Number.POSITIVE_INFINITY }] }, 'codec.value'],
    ['with a number that is none', { type: 'X', n: Number.NaN }, 'codec.value'],
  ])('%s', (_, event, code) => {
    expect(faultOf(() => codec.encode(event)).code).toBe(code)
  })
})
