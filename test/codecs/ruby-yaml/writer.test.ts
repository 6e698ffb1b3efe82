import { expect, test } from 'vitest'
import {
  RubyDate,
  RubyFloat,
  RubyMap,
  RubySymbol,
  RubyTime,
  type RubyValue,
  stringify,
  type WriterProfile,
} from '../../../src/codecs/ruby-yaml/index.js'

const map = (pairs: Record<string, RubyValue>, className?: string) =>
  new RubyMap(className, Object.keys(pairs), Object.values(pairs))

const strings: { text: string; psych4: string; psych20: string; compatible?: string }[] = [
  { text: '00000018', psych4: "'00000018'", psych20: '00000018' },
  { text: '00000030', psych4: "'00000030'", psych20: "'00000030'" },
  { text: '12e45678', psych4: '12e45678', psych20: '12e45678' },
  { text: '1__0', psych4: '1__0', psych20: "'1__0'", compatible: "'1__0'" },
  { text: '00:11:22:33', psych4: '00:11:22:33', psych20: "'00:11:22:33'", compatible: "'00:11:22:33'" },
  {
    text: '2011-01-01T00:00:00z',
    psych4: '2011-01-01T00:00:00z',
    psych20: "'2011-01-01T00:00:00z'",
    compatible: "'2011-01-01T00:00:00z'",
  },
  { text: 'y', psych4: '"y"', psych20: 'y' },
  { text: 'no', psych4: "'no'", psych20: "'no'" },
  { text: '*98', psych4: '"*98"', psych20: "'*98'" },
  { text: '=', psych4: '"="', psych20: '=' },
  { text: '<<', psych4: "!!str '<<'", psych20: '<<' },
  { text: '€5', psych4: '"€5"', psych20: '€5' },
  { text: 'Ⅷ', psych4: 'Ⅷ', psych20: 'Ⅷ' },
  { text: 'é', psych4: 'é', psych20: 'é' },
  { text: '😀', psych4: '"\\U0001F600"', psych20: '"\\U0001F600"' },
  { text: '*a"b', psych4: `'*a"b'`, psych20: `'*a"b'` },
  { text: '', psych4: "''", psych20: "''" },
  { text: 'a: b', psych4: "'a: b'", psych20: "'a: b'" },
  { text: 'a\tb', psych4: '"a\\tb"', psych20: '"a\\tb"' },
  { text: 'a\n', psych4: "'a\n\n  '", psych20: '|\n  a' },
  { text: 'a\nb', psych4: '|-\n  a\n  b', psych20: '|-\n  a\n  b' },
  { text: '\0', psych4: '"\\0"', psych20: '!binary |-\n  AA==' },
]
for (const { text, psych4, psych20, compatible = psych4 } of strings) {
  const wanted: [WriterProfile, string][] = [
    ['psych-4', psych4],
    ['psych-2.0', psych20],
    ['compatible', compatible],
  ]
  for (const [profile, want] of wanted) {
    test(`${JSON.stringify(text)} under ${profile}`, () => {
      expect(stringify([text], { profile })).toBe(`---\n- ${want}\n`)
    })
  }
}

const shared: RubyValue[] = [1]
const other = map({ x: 1 })
const documents: { name: string; value: RubyValue; want: string }[] = [
  { name: 'nil at the root', value: null, want: '---\n' },
  {
    name: 'nil as value, item and key',
    value: new RubyMap(undefined, ['a', null], [null, [null]]),
    want: "---\na:\n! '':\n-\n",
  },
  {
    name: 'empty collections',
    value: map({ a: [], b: map({}), c: map({}, 'Thing') }),
    want: '---\na: []\nb: {}\nc: !ruby/object:Thing {}\n',
  },
  {
    name: 'lists in lists',
    value: [[1, [2]], [map({ a: 1, b: [3] })]],
    want: '---\n- - 1\n  - - 2\n- - a: 1\n    b:\n    - 3\n',
  },
  {
    name: 'collections as keys',
    value: new RubyMap(undefined, [[1], map({ a: 1 })], [2, [4]]),
    want: '---\n? - 1\n: 2\n? a: 1\n: - 4\n',
  },
  {
    name: 'anchors in the order of first aliases',
    value: [other, shared, shared, other],
    want: '---\n- &2\n  x: 1\n- &1\n  - 1\n- *1\n- *2\n',
  },
  {
    name: 'an alias as a key',
    value: new RubyMap(undefined, ['k', shared], [shared, 1]),
    want: '---\nk: &1\n- 1\n*1 : 1\n',
  },
  {
    name: 'a field of an object that would be quoted as a key',
    value: map({ y: 1, no: 2 }, 'Thing'),
    want: '--- !ruby/object:Thing\ny: 1\nno: 2\n',
  },
  { name: 'the same as keys of a Hash', value: map({ y: 1, no: 2 }), want: `---\n"y": 1\n'no': 2\n` },
  {
    name: 'symbols',
    value: [new RubySymbol('a'), new RubySymbol('a: b'), new RubySymbol('')],
    want: "---\n- :a\n- ! ':a: b'\n- !ruby/symbol\n",
  },
  {
    name: 'floats',
    value: [100, 1e15, 1234567890123456.8, 0.0001, 0.00001, -0, Number.NaN, Number.NEGATIVE_INFINITY].map(
      (n) => new RubyFloat(n),
    ),
    want: '---\n- 100.0\n- 1.0e+15\n- 1234567890123456.8\n- 0.0001\n- 1.0e-05\n- -0.0\n- .nan\n- -.inf\n',
  },
  {
    name: 'times and dates',
    value: [
      new RubyTime(1310373000500000000n, undefined),
      new RubyTime(1310373000000000000n, 28800),
      new RubyDate('2011-07-11', 2455754),
    ],
    want: '---\n- 2011-07-11 08:30:00.500000000 Z\n- 2011-07-11 16:30:00.000000000 +08:00\n- 2011-07-11\n',
  },
  {
    name: 'large integers',
    value: [2n ** 64n, -(2n ** 53n)],
    want: '---\n- 18446744073709551616\n- -9007199254740992\n',
  },
  { name: 'bytes', value: map({ k: Uint8Array.of(0xff, 0) }), want: '---\nk: !binary |-\n  /wA=\n' },
  { name: 'bytes of ASCII', value: [Uint8Array.of(97, 98)], want: '---\n- ab\n' },
  { name: 'an open literal at the end', value: ['a\nb\n\n'], want: '---\n- |+\n  a\n  b\n\n...\n' },
  {
    name: 'a class of another module in other letters',
    value: map({}, 'A::Ёж'),
    want: '--- !ruby/object:A::%D0%81%D0%B6 {}\n',
  },
]
for (const { name, value, want } of documents) {
  test(`psych-4 writes ${name}`, () => expect(stringify(value, { profile: 'psych-4' })).toBe(want))
}

test('lines are broken at the first space behind column 80', () => {
  const text = `${'word '.repeat(20)}end`
  expect(stringify(map({ k: text }))).toBe(
    `---\nk: ${'word '.repeat(16)}\n  ${'word '.repeat(4)}end\n`.replace(' \n', '\n'),
  )
})

test('a long key stays on its line', () => {
  const key = 'key '.repeat(30).trim()
  expect(stringify(new RubyMap(undefined, [key], [1]))).toBe(`---\n${key}: 1\n`)
  expect(stringify(new RubyMap(undefined, ['k'.repeat(129)], [1]))).toBe(`---\n? ${'k'.repeat(129)}\n: 1\n`)
})
