import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkEvent, EVENT_MESSAGES, eventFaults } from '../../../src/codecs/json-rpc/index.js'
import { GatewayError } from '../../../src/errors.js'
import { fixtureLines, messageOf, messageType, placesOf, runs } from './made.js'

interface Refused {
  readonly name: string
  readonly path: string
  readonly method: string
  readonly params?: unknown
}

function refusal(method: string, params: unknown): GatewayError {
  try {
    checkEvent(method, params)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error(`${method} passed: ${JSON.stringify(params)}`)
}

const channel = (params: object) => ({ node_uuid: 'n', uuid: 'c', ...params })

describe('what the real client drops is refused', () => {
  for (const { name, path, method, params } of fixtureLines<Refused>('go-client-refuses.jsonl')) {
    test(name, () => {
      const error = refusal(method, params)
      expect(error).toMatchObject({ code: 'codec.field', fate: 'reject' })
      expect(error.message).toContain(`${method} ${path}: want `)
    })
  }
})

describe('what the refusal says', () => {
  const cases = [
    {
      name: 'the wanted type and the string that came',
      method: 'Event.Channel',
      params: channel({ answer_epoch: '17' }),
      says: 'Event.Channel params.answer_epoch: want an unsigned 32-bit whole number, got the string "17"',
    },
    {
      name: 'an item of a list by its place',
      method: 'Event.Channel',
      params: channel({ peers: ['a', 7] }),
      says: 'Event.Channel params.peers[1]: want a string without lone surrogates, got the number 7',
    },
    {
      name: 'a variable with an odd name in brackets',
      method: 'Event.Channel',
      params: channel({ params: { 'a b': 1 } }),
      says: 'Event.Channel params.params["a b"]: want a string without lone surrogates, got the number 1',
    },
    {
      name: 'an own member called __proto__ like any other',
      method: 'Event.Channel',
      params: channel({ params: JSON.parse('{"__proto__":1}') as object }),
      says: 'Event.Channel params.params.__proto__: want a string without lone surrogates, got the number 1',
    },
    {
      name: 'a misspelt field',
      method: 'Event.Channel',
      params: channel({ anwser_epoch: 17 }),
      says: 'Event.Channel params.anwser_epoch: want no such field, got the number 17',
    },
    {
      name: 'a null where a value was meant',
      method: 'Event.Channel',
      params: channel({ cause: null }),
      says: 'Event.Channel params.cause: want a string without lone surrogates, got null',
    },
    {
      name: 'a required field that is missing',
      method: 'Event.Channel',
      params: { uuid: 'c' },
      says: 'Event.Channel params.node_uuid: want a value, for it is required, got nothing',
    },
    {
      name: 'several faults at once',
      method: 'Event.DTMF',
      params: { node_uuid: 'n', uuid: 'c', dtmf_digit: 5, dtmf_duration: -1 },
      says: 'Event.DTMF params.dtmf_digit: want a string without lone surrogates, got the number 5; params.dtmf_duration: want an unsigned 32-bit whole number, got the number -1',
    },
    {
      name: 'half a character',
      method: 'Event.Channel',
      params: channel({ cid_name: 'a\ud800' }),
      says: 'Event.Channel params.cid_name: want a string without lone surrogates, got the string "a\\ud800"',
    },
    {
      name: 'an object that is not plain',
      method: 'Event.Channel',
      params: channel({ params: new Map() }),
      says: 'Event.Channel params.params: want an object, got an object of class Map',
    },
    {
      name: 'params that are a list',
      method: 'Event.Channel',
      params: [],
      says: 'Event.Channel params: want an object, got a list of 0',
    },
    {
      name: 'a number in free JSON that JSON cannot say',
      method: 'Event.DetectedData',
      params: channel({ engine_data: { a: [1, { b: Number.NaN }] } }),
      says: 'Event.DetectedData params.engine_data.a[1].b: want null, true, false, a finite number or a string, got the number NaN',
    },
    {
      name: 'a number too large for 32 bits of fraction',
      method: 'Event.DetectedData',
      params: channel({ extra_info: [{ confidence: 1e39 }] }),
      says: 'Event.DetectedData params.extra_info[0].confidence: want a number that 32 bits hold, got the number 1e+39',
    },
  ]
  for (const { name, method, params, says } of cases) {
    test(name, () => expect(refusal(method, params)).toMatchObject({ code: 'codec.field', message: says }))
  }

  test('only the first five of many faults, and how many more', () => {
    const params = channel({ params: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`v${i}`, i])) })
    expect(refusal('Event.Channel', params).message).toMatch(/v4: .*; and 4 more$/)
  })
})

describe('events that pass', () => {
  const samples = fixtureLines<{ method?: string; params?: unknown }>('samples.jsonl')
  for (const { method, params } of samples) {
    if (method?.startsWith('Event.') !== true) continue
    test(`the documented sample ${method} ${JSON.stringify(params).slice(0, 90)}`, () => checkEvent(method, params))
  }

  test('an event of a name nobody listed, with any JSON object', () =>
    checkEvent('Event.acme.Door', { open: true, since: [1.5, null, { a: 'b' }] }))
  test('a member that is undefined, for JSON leaves it out', () =>
    checkEvent('Event.Channel', channel({ cause: undefined })))
  test('params without prototype', () =>
    checkEvent('Event.Channel', Object.assign(Object.create(null), channel({ answered: true }))))
})

describe('events of a name nobody listed are still JSON', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const cases: { name: string; params: unknown; path: string }[] = [
    { name: 'no params', params: undefined, path: 'params' },
    { name: 'params that are text', params: 'x', path: 'params' },
    { name: 'a function', params: { f: () => 1 }, path: 'params.f' },
    { name: 'a bigint', params: { n: 1n }, path: 'params.n' },
    { name: 'a date', params: { at: new Date(0) }, path: 'params.at' },
    { name: 'a hole in a list', params: { list: [undefined] }, path: 'params.list[0]' },
    { name: 'a cycle', params: cyclic, path: 'params.self.self' },
  ]
  for (const { name, params, path } of cases) {
    test(`refuses ${name}`, () => expect(refusal('Event.Door', params).message).toContain(`Event.Door ${path}`))
  }
})

describe('names that are no events', () => {
  for (const method of ['XNode.Play', 'Event.', 'Event', '', 'Event.a b', 'event.Channel']) {
    test(`refuses ${JSON.stringify(method)}`, () => expect(refusal(method, {})).toMatchObject({ code: 'codec.method' }))
  }
})

describe('events of others', () => {
  test('unknown members are passed over and null counts as left out', () =>
    expect(eventFaults('Event.Channel', channel({ news: 1, cause: null }))).toEqual([]))
  test('a wrong type is named', () =>
    expect(eventFaults('Event.Channel', channel({ billsec: 5 }))).toEqual([
      { path: 'params.billsec', want: 'a string without lone surrogates', got: 'the number 5' },
    ]))
})

describe('made events', () => {
  const WRONG: readonly unknown[] = [null, 'text', 1.5, -7, 2 ** 40, true, [], {}, () => 1, 1n, Number.NaN, '\udc00']
  const accepts: Readonly<Record<string, (value: unknown) => boolean>> = {
    string: (value) => value === 'text',
    bool: (value) => value === true,
    int32: (value) => value === -7,
    double: (value) => value === 1.5 || value === -7 || value === 2 ** 40,
    float: (value) => value === 1.5 || value === -7 || value === 2 ** 40,
    container: (value) => Array.isArray(value) || (typeof value === 'object' && value !== null),
  }
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

  for (const [method, name] of EVENT_MESSAGES) {
    const type = messageType(name)
    const required = ['node_uuid', 'uuid', 'name', 'cdr', 'event', 'dtmf_digit'].filter((field) => field in type.fields)
    const made = messageOf(type, { omit: ['pNATSTenantID', 'pNATSToPrefix'], required })

    test(`${method}: any that its definition allows passes, as made and as it comes back from JSON`, () =>
      fc.assert(
        fc.property(made, (params) => {
          checkEvent(method, params)
          checkEvent(method, JSON.parse(JSON.stringify(params)))
          expect(eventFaults(method, params)).toEqual([])
        }),
        runs(60),
      ))

    test(`${method}: one wrong value anywhere is refused, and the refusal names the place`, () =>
      fc.assert(
        fc.property(made, fc.nat(), fc.nat(), (params, where, what) => {
          const copy = structuredClone(params) as object
          const places = placesOf(type, copy)
          const place = places[where % places.length]!
          const right = accepts[place.type] ?? (place.type === 'uint32' ? () => false : isObject)
          const wrong = WRONG.filter((value) => !right(value))
          place.put(wrong[what % wrong.length])
          const error = refusal(method, copy)
          expect(error.code).toBe('codec.field')
          expect(error.message).toContain(`${place.path}: want `)
        }),
        runs(120),
      ))
  }
})
