import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { locateJsonFault } from '../../src/codecs/json-locate.js'
import { runs } from './json-rpc/made.js'

describe('where a text stops being JSON', () => {
  const cases = [
    { name: 'a word cut short', text: '[tru', line: 1, column: 5, want: 'true', got: 'the end of the body' },
    { name: 'a misspelt word', text: '[nul1]', line: 1, column: 5, want: 'null', got: "'1'" },
    { name: 'a word that is none', text: 'undefined', line: 1, column: 1, want: 'a value', got: "'u'" },
    { name: 'a plus before a number', text: '+1', line: 1, column: 1, want: 'a value', got: "'+'" },
    { name: 'a leading zero', text: '01', line: 1, column: 2, want: 'the end of the body', got: "'1'" },
    { name: 'a lone minus', text: '-', line: 1, column: 2, want: 'a digit', got: 'the end of the body' },
    { name: 'a point without digits', text: '[1.]', line: 1, column: 4, want: 'a digit', got: "']'" },
    { name: 'an exponent without digits', text: '[1e+]', line: 1, column: 5, want: 'a digit', got: "']'" },
    { name: 'a missing colon', text: '{"a" 1}', line: 1, column: 6, want: "':'", got: "'1'" },
    {
      name: 'a missing comma, behind a wide character',
      text: '{"😀":1 "b":2}',
      line: 1,
      column: 8,
      want: "',' or '}'",
      got: `'"'`,
    },
    { name: 'a string without end', text: '\n\n ["abc', line: 3, column: 7, want: `'"'`, got: 'the end of the body' },
    {
      name: 'a wrong escape',
      text: '"a\\x"',
      line: 1,
      column: 3,
      want: 'one of the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX',
      got: "'\\'",
    },
    { name: 'white space JSON does not know', text: '\u00a01', line: 1, column: 1, want: 'a value', got: 'U+00A0' },
  ]
  for (const { name, text, ...want } of cases) test(name, () => expect(locateJsonFault(text)).toEqual(want))
})

test('finds a fault exactly where JSON.parse finds one', () => {
  const tokens = fc.constantFrom(
    ...'{}[]",:\\/ \n019.-eE+abfnrtu'.split(''),
    'true',
    'false',
    'null',
    '"a"',
    '"a":',
    '1.5e3',
    '\\u00e9',
  )
  const text = fc.oneof(
    fc.array(tokens, { maxLength: 20 }).map((parts) => parts.join('')),
    fc.tuple(fc.json({ maxDepth: 4 }), fc.nat(), tokens).map(([made, at, token]) => {
      const cut = at % (made.length + 1)
      return made.slice(0, cut) + token + made.slice(cut)
    }),
    fc.json({ maxDepth: 4 }),
  )
  const parses = (made: string) => {
    try {
      JSON.parse(made)
      return true
    } catch {
      return false
    }
  }
  fc.assert(
    fc.property(text, (made) => {
      expect(locateJsonFault(made) === undefined).toBe(parses(made))
    }),
    runs(5000),
  )
})
