import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  equal,
  fromTyped,
  parse,
  parseDocument,
  RubyMap,
  type RubyValue,
  stringify,
  toTyped,
} from '../../../src/codecs/ruby-yaml/index.js'
import { readByPsych20 } from '../../../src/codecs/ruby-yaml/resolve-legacy.js'
import { isBinaryToPsych20 } from '../../../src/codecs/ruby-yaml/string-style.js'
import { GatewayError } from '../../../src/errors.js'
import { anyString, anyValue, CLASSES, randomRuns } from './arbitrary.js'

/** Whether some string in a value is one that a profile cannot carry to a reader of today. */
function holds(value: RubyValue, refused: (text: string, isKey: boolean) => boolean): boolean {
  if (typeof value === 'string') return refused(value, false)
  if (Array.isArray(value)) return value.some((item) => holds(item, refused))
  if (!(value instanceof RubyMap)) return false
  return (
    value.keys.some((key) => typeof key === 'string' && refused(key, true)) ||
    value.values.some((item) => holds(item, refused))
  )
}

/** What Psych refuses to write at all: strings on which its resolver raises. */
const RAISING = /^[-+]?0[xb][_,]+$|^[-+]?\.[eE][-+]\d+$/

/** What Psych 2.0 writes in a way that Psych 4 reads otherwise, or does not write. */
function lostByPsych20(text: string, isKey: boolean): boolean {
  if (isBinaryToPsych20(text) || RAISING.test(text)) return true
  return (isKey && text === '<<') || (!text.includes('\n') && readByPsych20(text) === 'raises')
}

const laws = [
  { profile: 'psych-4', exempt: (text: string) => RAISING.test(text) },
  { profile: 'psych-2.0', exempt: lostByPsych20 },
  { profile: 'compatible', exempt: () => false },
] as const

for (const { profile, exempt } of laws) {
  test(`what is written under ${profile} reads back as the same value`, () => {
    const property = fc.property(anyValue, (value) => {
      fc.pre(!holds(value, exempt))
      return equal(parse(stringify(value, { profile }), { classes: CLASSES }), value)
    })
    fc.assert(property, randomRuns(2500))
  })
}

test('under compatible, a string without quotes is a string to Psych 2.0 too', () => {
  const property = fc.property(anyString, (text) => {
    const found = stringify(text).slice(4, -1)
    return found !== text || readByPsych20(text) === 'string'
  })
  fc.assert(property, randomRuns(4000))
})

test('under compatible, only texts that the older reader takes otherwise differ from psych-4', () => {
  const property = fc.property(anyString, (text) => {
    const [ours, theirs] = [stringify(text), attempt(() => stringify(text, { profile: 'psych-4' }))]
    return ours === theirs || theirs === undefined || readByPsych20(text) !== 'string'
  })
  fc.assert(property, randomRuns(4000))
})

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof GatewayError) return undefined
    throw error
  }
}

test('typed JSON carries every value', () => {
  const property = fc.property(anyValue, (value) => equal(fromTyped(JSON.parse(JSON.stringify(toTyped(value)))), value))
  fc.assert(property, randomRuns(2000))
})

test('what is shared is shared again after writing and reading', () => {
  const property = fc.property(anyValue, anyValue, (a, b) => {
    const value: RubyValue = [[a], new RubyMap(undefined, ['b', 'c'], [b, b])]
    const twice: RubyValue = [value, value, a]
    const read = parseDocument(stringify(twice), { classes: CLASSES })
    return JSON.stringify(toTyped(read.value, read.shared)) === JSON.stringify(toTyped(twice))
  })
  fc.assert(property, randomRuns(1000))
})

test('a cycle is written, read and converted', () => {
  const list: RubyValue[] = [1]
  list.push(list)
  expect(stringify(list)).toBe('--- &1\n- 1\n- *1\n')
  const { value, shared } = parseDocument(stringify(list))
  expect(Array.isArray(value) && value[1] === value).toBe(true)
  expect(toTyped(value, shared)).toEqual({ $share: 1, value: [1, { $ref: 1 }] })
  expect(equal(value, list)).toBe(true)
})
