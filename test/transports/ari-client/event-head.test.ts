import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventHead } from '../../../src/transports/ari-client/event-head.js'
import { readTimestamp, writeTimestamp } from '../../../src/transports/ari-client/timestamps.js'

const KEYS = ['type', 'timestamp', 'application'] as const

/** What a parser finds, where it is a text. */
function byParser(text: string) {
  const value: unknown = JSON.parse(text)
  const found: Record<string, string> = {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return found
  for (const key of KEYS) {
    const each: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
    if (typeof each === 'string') found[key] = each
  }
  return found
}

test.each([
  { name: 'keys in any order', text: '{"channel":{"type":"no"},"application":"a","type":"T","timestamp":"x"}' },
  { name: 'keys within objects and lists', text: '{"a":[{"type":"no"}],"type":"T","b":{"application":"no"}}' },
  { name: 'texts that look like keys', text: '{"a":"\\"type\\":\\"no\\"","type":"T"}' },
  { name: 'a value that is no text', text: '{"type":5,"application":null,"timestamp":"x"}' },
  { name: 'names that every object has', text: '{"constructor":"x","__proto__":"y","toString":"z"}' },
  { name: 'blanks and line breaks', text: '{\r\n  "type" :\t"T" ,\n "timestamp":"x"\n}' },
  { name: 'nothing', text: '{}' },
  { name: 'no object', text: '"type"' },
])('reads what a parser reads: $name', ({ text }) => {
  expect(eventHead(Buffer.from(text))).toEqual(byParser(text))
})

test('reads what a parser reads of any JSON object with plain heads', () => {
  const plain = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', '{', '}', ',', ':') })
  const head = fc.record(
    Object.fromEntries(
      KEYS.map((key) => [key, fc.oneof(plain, fc.jsonValue({ maxDepth: 1, stringUnit: fc.constantFrom('a', '{') }))]),
    ),
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(head, fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (wanted, others, first) => {
      const text = JSON.stringify(first ? { ...wanted, ...others } : { ...others, ...wanted })
      expect(eventHead(Buffer.from(text))).toEqual(byParser(text))
    }),
  )
})

test('never ends badly on any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void eventHead(Buffer.from(bytes))))
})

test('times are read with their zone and written as Asterisk writes them', () => {
  expect(readTimestamp('2026-11-20T15:45:07.110+0000')).toBe(Date.UTC(2026, 10, 20, 15, 45, 7, 110))
  expect(readTimestamp('2026-11-20T15:45:07.110+0130')).toBe(Date.UTC(2026, 10, 20, 14, 15, 7, 110))
  expect(readTimestamp('2026-11-20T15:45:07-05:00')).toBe(Date.UTC(2026, 10, 20, 20, 45, 7))
  for (const wrong of ['', 'yesterday', '2026-13-20T15:45:07.110+0000', '2026-11-20T15:45:07.110']) {
    expect(readTimestamp(wrong)).toBeUndefined()
  }
  const anyTime = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(Date.UTC(9999, 0)) })
  fc.assert(fc.property(anyTime, (time) => readTimestamp(writeTimestamp(+time)) === +time))
})
