import fc from 'fast-check'
import { expect, test } from 'vitest'
import { composeDocument } from '../../../src/codecs/ruby-yaml/compose.js'
import { NOT_MINE, readFast } from '../../../src/codecs/ruby-yaml/fast-reader.js'
import {
  DEFAULT_LIMITS,
  equal,
  type RubyValue,
  stringify,
  type WriterProfile,
} from '../../../src/codecs/ruby-yaml/index.js'
import { GatewayError } from '../../../src/errors.js'
import { anyValue, CLASSES, randomRuns } from './arbitrary.js'

const RULES = { classes: CLASSES, limits: DEFAULT_LIMITS }
const PROFILES: WriterProfile[] = ['psych-4', 'psych-2.0', 'compatible']

function complete(text: string): RubyValue | GatewayError {
  try {
    return composeDocument(text, RULES)?.value ?? null
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
}

/** Undefined when the fast reader leaves the text alone, else whether both readers agree. */
function agree(text: string): boolean | undefined {
  const fast = readFast(text, undefined, RULES)
  if (fast === NOT_MINE) return undefined
  const other = complete(text)
  return !(other instanceof GatewayError) && equal(fast, other)
}

function written(value: RubyValue, profile: WriterProfile): string {
  try {
    return stringify(value, { profile })
  } catch (error) {
    if (error instanceof GatewayError) return '--- refused\n'
    throw error
  }
}

test('both readers read what the writer writes, under every profile', () => {
  let taken = 0
  const property = fc.property(anyValue, fc.constantFrom(...PROFILES), (value, profile) => {
    const verdict = agree(written(value, profile))
    if (verdict === true) taken++
    return verdict !== false
  })
  fc.assert(property, randomRuns(3000))
  expect(taken).toBeGreaterThan(1000)
})

const SPLINTERS = [
  ' ',
  '  ',
  '\n',
  '\n\n',
  ':',
  ': ',
  '- ',
  '-',
  '#',
  ' #',
  "'",
  '"',
  '|',
  '>',
  '!',
  '&a ',
  '*a',
  '?',
  '? ',
  '[',
  ']',
]
const MORE_SPLINTERS = [
  '{',
  '}',
  ',',
  '\t',
  '\r',
  '0',
  'e',
  'é',
  '\u2028',
  '\u0085',
  '😀',
  '~',
  '<<: ',
  'a: b',
  '---\n',
  '...\n',
  '\\',
  '%',
]

const cut = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(6),
  put: fc.constantFrom('', ...SPLINTERS, ...MORE_SPLINTERS),
})

function damage(text: string, cuts: { at: number; length: number; put: string }[]): string {
  return cuts.reduce((left, { at, length, put }) => {
    const start = Math.floor(at * left.length)
    return left.slice(0, start) + put + left.slice(start + (put === '' ? length : 0))
  }, text)
}

test('on damaged texts the fast reader agrees with the complete one or leaves the text to it', () => {
  const property = fc.property(anyValue, fc.array(cut, { minLength: 1, maxLength: 3 }), (value, cuts) => {
    return agree(damage(written(value, 'compatible'), cuts)) !== false
  })
  fc.assert(property, randomRuns(6000))
})

const leftAlone = [
  { name: 'an anchor', text: '---\na: &1 b\nc: *1\n' },
  { name: 'a flow collection', text: '---\na: [b]\n' },
  { name: 'a comment', text: '---\na: b # c\n' },
  { name: 'a line of comment', text: '---\n# c\na: b\n' },
  { name: 'another tag', text: '---\na: !foo b\n' },
  { name: 'a merge key', text: '---\n<<: {}\n' },
  { name: 'a key behind "?"', text: '---\n? a\n: b\n' },
  { name: 'a directive', text: '%YAML 1.1\n---\na: b\n' },
  { name: 'a second document', text: '---\na: b\n---\nc: d\n' },
  { name: 'a repeated key', text: '---\na: b\na: c\n' },
  { name: 'an empty line', text: '---\na: b\n\nc: d\n' },
  { name: 'a class that is not let in', text: '--- !ruby/object:Nobody\na: b\n' },
  { name: 'a tab', text: '---\na:\tb\n' },
]
for (const { name, text } of leftAlone) {
  test(`the fast reader leaves ${name} to the complete one`, () =>
    expect(readFast(text, undefined, RULES)).toBe(NOT_MINE))
}
