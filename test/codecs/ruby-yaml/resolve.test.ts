import { expect, test } from 'vitest'
import { parse, RubyMap, type RubyValue, toTyped } from '../../../src/codecs/ruby-yaml/index.js'
import { resolvePlain } from '../../../src/codecs/ruby-yaml/resolve.js'
import { readByPsych20 } from '../../../src/codecs/ruby-yaml/resolve-legacy.js'
import { RAISES } from '../../../src/codecs/ruby-yaml/time.js'

const float = (text: string) => ({ $float: text })
const symbol = (name: string) => ({ $sym: name })
const time = (text: string) => ({ $time: text })

const resolved: { why: string; text: string; want: unknown }[] = [
  { why: 'an 8 makes it no octal number', text: '00000018', want: '00000018' },
  { why: 'digits up to 7 behind a zero are octal', text: '00000030', want: 24 },
  { why: 'a lone zero is decimal', text: '0', want: 0 },
  { why: 'a float needs a dot', text: '12e45678', want: '12e45678' },
  { why: 'a float needs a dot even where the digits end early', text: '5e601645', want: '5e601645' },
  { why: 'an exponent needs a sign', text: '1.5e3', want: '1.5e3' },
  { why: 'a signed exponent is one', text: '1.5e+3', want: float('1500.0') },
  { why: 'base 60 weighs from the left', text: '12:30', want: 45000 },
  { why: 'base 60 with seconds', text: '12:30:45', want: 45045 },
  { why: 'a sign belongs to the first group alone', text: '-12:30', want: -41400 },
  { why: '60 is no minute', text: '1:60', want: '1:60' },
  { why: 'four groups are no number', text: '00:11:22:33', want: '00:11:22:33' },
  { why: 'base 60 takes digits as to_i does', text: '1__0:30', want: 5400 },
  { why: 'base 60 with a fraction', text: '12:30.5', want: float('45030.0') },
  { why: 'a separator stands between digits', text: '1_000', want: 1000 },
  { why: 'a comma separates too', text: '1,000', want: 1000 },
  { why: 'two separators are none', text: '1__000', want: '1__000' },
  { why: 'a separator at the end is none', text: '6_', want: '6_' },
  { why: 'but behind a zero it is', text: '0_', want: 0 },
  { why: 'hexadecimal', text: '-0x1f', want: -31 },
  { why: 'capital X is none', text: '0X1f', want: '0X1f' },
  { why: 'binary', text: '0b101', want: 5 },
  { why: '0o is no prefix', text: '0o17', want: '0o17' },
  { why: 'integers are exact', text: '18446744073709551616', want: { $int: '18446744073709551616' } },
  { why: 'y is a string', text: 'y', want: 'y' },
  { why: 'no is false', text: 'no', want: false },
  { why: 'in any mix of case', text: 'yEs', want: true },
  { why: 'null in any mix of case', text: 'nULL', want: null },
  { why: 'a long s folds as in Ruby', text: 'yeſ', want: true },
  { why: 'the ligature of two f folds as in Ruby', text: 'oﬀ', want: false },
  { why: 'two tildes are a string', text: '~~', want: '~~' },
  { why: 'infinity', text: '+.INF', want: float('Infinity') },
  { why: 'no number', text: '.NaN', want: float('NaN') },
  { why: 'a dot', text: '.', want: '.' },
  { why: 'digits may be missing before the dot', text: '.5', want: float('0.5') },
  { why: 'and behind it', text: '5.', want: float('5.0') },
  { why: 'negative zero', text: '-0.0', want: float('-0.0') },
  { why: 'a symbol', text: ':foo bar', want: symbol('foo bar') },
  { why: 'a symbol in quotes ends at the last of them', text: ':"a"b"c', want: symbol('a"b') },
  { why: 'a colon alone is a string', text: ':', want: ':' },
  { why: 'a date', text: '2011-7-1', want: { $date: '2011-07-01', jd: 2455744 } },
  { why: 'a Julian date before the reform', text: '1582-10-04', want: { $date: '1582-10-04', jd: 2299160 } },
  { why: 'a day the reform left out', text: '1582-10-10', want: '1582-10-10' },
  { why: 'a day that is not', text: '2011-02-30', want: '2011-02-30' },
  { why: 'a time in UTC', text: '2011-07-11 08:30:00 Z', want: time('2011-07-11T08:30:00.000000000Z') },
  { why: 'a time without a zone', text: '2011-07-11 08:30:00', want: time('2011-07-11T08:30:00.000000000+00:00') },
  {
    why: 'the sign of an offset of minutes is lost',
    text: '2011-07-11 08:30:00 -00:30',
    want: time('2011-07-11T08:30:00.000000000+00:30'),
  },
  {
    why: 'a time on a day past its month',
    text: '2011-02-30 00:00:00 Z',
    want: time('2011-03-02T00:00:00.000000000Z'),
  },
  {
    why: 'the 31st overflows when carried on',
    text: '1999-11-31 21:30:18 -7',
    want: time('1999-10-30T21:30:18.000000000-07:00'),
  },
  { why: 'a lower-case z is no zone', text: '2011-07-11T08:30:00z', want: '2011-07-11T08:30:00z' },
  { why: 'an offset of a day', text: '2011-07-11 08:30:00 +24:00', want: '2011-07-11 08:30:00 +24:00' },
  { why: 'a line in a folded text can be a word', text: 'n\nno', want: false },
]
for (const { why, text, want } of resolved) {
  test(`${JSON.stringify(text)}: ${why}`, () => {
    const value = resolvePlain(text)
    expect(typeof value === 'symbol' ? value : toTyped(value)).toEqual(want)
  })
}

for (const text of ['0x_', '-0b,', '.e+5', '2011-01-01\t00:00:00']) {
  test(`Ruby raises on ${JSON.stringify(text)}`, () => expect(resolvePlain(text)).toBe(RAISES))
}

const older: { text: string; want: ReturnType<typeof readByPsych20> }[] = [
  { text: '1__0', want: 'other' },
  { text: '9,', want: 'other' },
  { text: '00:11:22:33:44:55', want: 'other' },
  { text: '2011-01-01T00:00:00z', want: 'other' },
  { text: '2011-01-01 00:00:00 GMT', want: 'other' },
  { text: '0x_', want: 'string' },
  { text: '00000018', want: 'string' },
  { text: '12e45678', want: 'string' },
  { text: '-2011-01-01 00:00:00 Z', want: 'string' },
  { text: '+.inf', want: 'raises' },
  { text: '1.e+5', want: 'raises' },
]
for (const { text, want } of older) {
  test(`to Psych 2.0, ${JSON.stringify(text)} is: ${want}`, () => expect(readByPsych20(text)).toBe(want))
}

function read(text: string): RubyValue {
  return parse(text, { classes: ['Thing'] })
}

const documents: { name: string; text: string; want: unknown }[] = [
  {
    name: 'a repeated key keeps its place and takes the last value',
    text: 'a: 1\nb: 2\na: 3\n',
    want: {
      $map: [
        ['a', 3],
        ['b', 2],
      ],
    },
  },
  {
    name: '1, 1.0 and "1" are three keys',
    text: "1: a\n1.0: b\n'1': c\n",
    want: {
      $map: [
        [1, 'a'],
        [float('1.0'), 'b'],
        ['1', 'c'],
      ],
    },
  },
  { name: 'lists that are alike are one key', text: '? [1]\n: a\n? [1]\n: b\n', want: { $map: [[[1], 'b']] } },
  { name: '__proto__ is a key', text: '__proto__: {x: 1}\n', want: { $map: [['__proto__', { $map: [['x', 1]] }]] } },
  {
    name: 'a merged key loses against one behind it',
    text: '- &a {k: 1}\n- <<: *a\n  k: 2\n',
    want: [{ $map: [['k', 1]] }, { $map: [['k', 2]] }],
  },
  { name: 'a merge key counts in quotes too', text: "'<<': {a: 1}\n", want: { $map: [['a', 1]] } },
  { name: 'but not as !!str', text: '!!str <<: {a: 1}\n', want: { $map: [['<<', { $map: [['a', 1]] }]] } },
  {
    name: 'of several merged the first wins',
    text: '<<: [{a: 1}, {a: 2, b: 3}]\n',
    want: {
      $map: [
        ['a', 1],
        ['b', 3],
      ],
    },
  },
  { name: 'quotes do not protect under an unknown tag', text: "k: !foo '12'\n", want: { $map: [['k', 12]] } },
  { name: 'the lone tag resolves', text: "k: ! '12'\n", want: { $map: [['k', 12]] } },
  {
    name: 'an object has the fields its keys resolve to',
    text: '--- !ruby/object:Thing\nno: 1\n',
    want: { $obj: 'Thing', ivars: [['false', 1]] },
  },
  {
    name: 'a tag may be written in many ways',
    text: '%TAG !e! !ruby/\n--- !e!object%3AThing {}\n',
    want: { $obj: 'Thing', ivars: [] },
  },
  { name: 'the tag of an object is ignored on a list', text: '--- !ruby/object:Nobody [1]\n', want: [1] },
  { name: 'what follows the first document is not read', text: 'a: 1\n--- [broken', want: { $map: [['a', 1]] } },
  { name: 'an empty stream is nil', text: '# nothing\n', want: null },
  {
    name: 'NEL breaks lines',
    text: 'a: x\u0085b: y\n',
    want: {
      $map: [
        ['a', 'x'],
        ['b', 'y'],
      ],
    },
  },
  { name: 'LS is kept where it folds', text: "a: 'x\u2028  y'\n", want: { $map: [['a', 'x\u2028y']] } },
  { name: 'base64 becomes bytes', text: '!binary 4pyT', want: { $bin: '4pyT' } },
  { name: 'base64 of ASCII becomes a string', text: '!binary YWJj', want: 'abc' },
]
for (const { name, text, want } of documents) test(name, () => expect(toTyped(read(text))).toEqual(want))

test('no document reaches a prototype', () => {
  const value = read('__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n')
  expect(value).toBeInstanceOf(RubyMap)
  expect(Object.getPrototypeOf(value)).toBe(RubyMap.prototype)
  expect('polluted' in {}).toBe(false)
})
