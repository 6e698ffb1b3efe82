import { expect, test } from 'vitest'
import {
  equal,
  fromTyped,
  type ParseLimits,
  parse,
  RubyFloat,
  RubyMap,
  RubySymbol,
  type RubyValue,
  stringify,
  toTyped,
} from '../../../src/codecs/ruby-yaml/index.js'
import type { ErrorCode } from '../../../src/errors.js'

const refused: { name: string; body: string | Uint8Array; code: ErrorCode; says: RegExp }[] = [
  { name: 'a missing quote', body: 'a: b\nc: "d\n', code: 'codec.malformed', says: /^2:4: .*closing quote/ },
  { name: 'a key that is none', body: 'a: 1\nb\n', code: 'codec.malformed', says: /^2:1: / },
  { name: 'an indicator as a value', body: 'a: @b\n', code: 'codec.malformed', says: /^1:4: .*@/ },
  { name: 'a tab as indentation', body: 'a:\n\tb: c\n', code: 'codec.malformed', says: /^2:1: .*tab/ },
  { name: 'an alias of nothing', body: 'a: *x\n', code: 'codec.malformed', says: /^1:4: .*&x/ },
  { name: 'half a surrogate pair as escape', body: 'a: "\\ud83d"\n', code: 'codec.malformed', says: /^1:5: .*\\U/ },
  { name: 'an unknown directive', body: '%FOO bar\n---\na\n', code: 'codec.malformed', says: /^1:1: / },
  { name: 'a key too long', body: `${'k'.repeat(1025)}: v\n`, code: 'codec.malformed', says: /^1:1026: / },
  {
    name: 'bytes that are not UTF-8',
    body: Uint8Array.of(97, 58, 32, 0xe9, 10),
    code: 'codec.encoding',
    says: /^1:4: .*UTF-8/,
  },
  {
    name: 'the same behind a real U+FFFD',
    body: Uint8Array.of(0xef, 0xbf, 0xbd, 10, 0xff),
    code: 'codec.encoding',
    says: /^2:1: /,
  },
  { name: 'a control character', body: 'a: b\nc: \x01\n', code: 'codec.encoding', says: /^2:4: U\+0001/ },
  { name: 'a lone surrogate', body: 'a: \ud800\n', code: 'codec.encoding', says: /^1:4: U\+D800/ },
  {
    name: 'a class',
    body: '---\na: !ruby/object:Nobody {}\n',
    code: 'codec.tag',
    says: /^2:4: the class Nobody .*let in are Thing/,
  },
  { name: 'a class in block style', body: '--- !ruby/object:Nobody\na: 1\n', code: 'codec.tag', says: /^1:5: / },
  {
    name: 'a tag that builds something else',
    body: 'a: !ruby/regexp /x/\n',
    code: 'codec.tag',
    says: /^1:4: .*regexp/,
  },
  { name: 'a text on which Ruby raises', body: 'a: 0x_\n', code: 'codec.value', says: /^1:4: .*quotes/ },
  {
    name: 'a field that can be none',
    body: '--- !ruby/object:Thing\na b: 1\n',
    code: 'codec.value',
    says: /^1:5: .*Thing/,
  },
  { name: 'a word as !float', body: 'a: !float b\n', code: 'codec.value', says: /^1:4: / },
]
for (const { name, body, code, says } of refused) {
  test(`${name} is refused with its place`, () => {
    const read = () => parse(body, { classes: ['Thing'] })
    expect(read).toThrow(expect.objectContaining({ code, fate: 'reject', message: expect.stringMatching(says) }))
  })
}

test('without options no class is let in, with "any" every class is', () => {
  const text = '--- !ruby/object:Nobody\na: 1\n'
  expect(() => parse(text)).toThrow(/Nobody .*no class is let in/)
  expect(parse(text, { classes: 'any' })).toEqual(new RubyMap('Nobody', ['a'], [1]))
})

const limited: { limit: Partial<ParseLimits>; fits: string; exceeds: string }[] = [
  { limit: { maxBytes: 6 }, fits: 'a: bcd', exceeds: 'a: bcde' },
  { limit: { maxBytes: 6 }, fits: 'a: é', exceeds: 'a: éé' },
  { limit: { maxDepth: 2 }, fits: 'a: [1]', exceeds: 'a: [[1]]' },
  { limit: { maxDepth: 2 }, fits: '---\na:\n- 1\n', exceeds: '---\na:\n- - 1\n' },
  { limit: { maxNodes: 5 }, fits: '---\na: b\nc: d\n', exceeds: '---\na: b\nc: d\ne: f\n' },
  { limit: { maxNodes: 4 }, fits: '[a, b, c]', exceeds: '[a, b, c, d]' },
  { limit: { maxAliases: 1 }, fits: '[&a b, *a]', exceeds: '[&a b, *a, *a]' },
]
for (const { limit, fits, exceeds } of limited) {
  const [name = '', value] = Object.entries(limit)[0] ?? []
  test(`${name} ${value} takes ${JSON.stringify(fits)} and refuses ${JSON.stringify(exceeds)}`, () => {
    expect(() => parse(fits, { limits: limit })).not.toThrow()
    const told = { code: 'codec.limit', message: expect.stringContaining(name) }
    expect(() => parse(exceeds, { limits: limit })).toThrow(expect.objectContaining(told))
  })
}

const unwritable: { name: string; value: RubyValue; code: ErrorCode }[] = [
  { name: 'a string on which the resolver raises', value: ['0x_'], code: 'codec.value' },
  { name: 'a fraction that is no RubyFloat', value: 1.5, code: 'codec.value' },
  { name: 'a lone surrogate', value: 'a\ud800', code: 'codec.value' },
  { name: 'a class name that is none', value: new RubyMap('not a class', ['a'], [1]), code: 'codec.value' },
  { name: 'a field name that is none', value: new RubyMap('Thing', ['a b'], [1]), code: 'codec.value' },
  { name: 'a field named by a number', value: new RubyMap('Thing', [1], [1]), code: 'codec.value' },
]
for (const { name, value, code } of unwritable) {
  test(`${name} is not written`, () => {
    expect(() => stringify(value, { profile: 'psych-4' })).toThrow(expect.objectContaining({ code, fate: 'reject' }))
  })
}

test('compatible quotes what Psych refuses to write', () => expect(stringify(['0x_'])).toBe("---\n- '0x_'\n"))

test('values nested too deep are refused by everything that walks them', () => {
  const build = () => {
    let deep: RubyValue = []
    for (let i = 0; i < 5000; i++) deep = [deep]
    return deep
  }
  const deep = build()
  const told = expect.objectContaining({ code: 'codec.limit' })
  for (const walk of [() => stringify(deep), () => toTyped(deep), () => equal(deep, build())]) {
    expect(walk).toThrow(told)
  }
})

test('a value that only the stack is too short for is refused in the same way', () => {
  let deep: RubyValue = []
  for (let i = 0; i < 990; i++) deep = new RubyMap(undefined, ['a'], [deep])
  const below = (frames: number): string => (frames === 0 ? stringify(deep) : below(frames - 1))
  const untilItFails = () => {
    for (let frames = 0; ; frames += 100) below(frames)
  }
  expect(untilItFails).toThrow(expect.objectContaining({ code: 'codec.limit' }))
})

for (const json of [
  {},
  { $int: 'x' },
  { $sym: 1 },
  { $map: [[1]] },
  { $ref: 1 },
  { $time: 'now' },
  { $float: '' },
  1.5,
  undefined,
]) {
  test(`${JSON.stringify(json)} is no typed value`, () => {
    expect(() => fromTyped(json)).toThrow(expect.objectContaining({ code: 'codec.value' }))
  })
}

const unequal: { name: string; a: RubyValue; b: RubyValue }[] = [
  { name: 'an Integer and a Float', a: 1, b: new RubyFloat(1) },
  { name: 'a String and a Symbol', a: 'a', b: new RubySymbol('a') },
  { name: 'the two zeros', a: new RubyFloat(0), b: new RubyFloat(-0) },
  { name: 'a Hash and an object', a: new RubyMap(undefined, ['a'], [1]), b: new RubyMap('A', ['a'], [1]) },
  {
    name: 'two orders of pairs',
    a: new RubyMap(undefined, ['a', 'b'], [1, 1]),
    b: new RubyMap(undefined, ['b', 'a'], [1, 1]),
  },
  { name: 'nil and false', a: null, b: false },
]
for (const { name, a, b } of unequal) test(`${name} are not equal`, () => expect(equal(a, b)).toBe(false))

test('NaN equals NaN', () => expect(equal(new RubyFloat(Number.NaN), new RubyFloat(Number.NaN))).toBe(true))

test('values that share much are compared without going through all paths', () => {
  const build = () => {
    let value: RubyValue = ['x']
    for (let i = 0; i < 60; i++) value = [value, value]
    return value
  }
  expect(equal(build(), build())).toBe(true)
})
