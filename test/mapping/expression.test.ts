import { describe, expect, test } from 'vitest'
import { compileExpression, factPaths } from '../../src/mapping/expression.js'
import type { Fact } from '../../src/model/index.js'

const fact: Fact = {
  kind: 'channel',
  id: 'c-1',
  caller: { number: '1004', name: 'Ann' },
  peers: ['p', 'q'],
  session: 7,
  flags: { held: true },
}

test.each([
  ['fact.caller.number', '1004'],
  ['fact.flags.held ? fact.caller.name : fact.id', 'Ann'],
  ['fact.caller.number + "@x"', '1004@x'],
  ['fact.peers[1]', 'q'],
  ['fact.peers.exists(each, each == "q")', true],
  ['fact.caller.name.lower() + fact.caller.name.upper()', 'annANN'],
  ['fact.caller.number.fits("^1\\\\d+$")', true],
  ['sessionNumber(fact.id) == sessionNumber("c-1")', true],
  ['fact.dialled', undefined],
  ['fact.callee.number', undefined],
  ['fact.peers[7]', undefined],
  ['fact.caller', undefined],
  ['has(fact.dialled) ? fact.dialled : "none"', 'none'],
])('%s', (source, expected) => {
  expect(compileExpression(source)(fact)).toBe(expected)
})

describe('is refused at load:', () => {
  test.each([
    ['text that is no expression', 'fact.', 'Expected'],
    ['an unknown variable', 'message.id', 'message'],
    ['an unknown function', 'hash(fact.id)', 'hash'],
    ['regular expressions without a bound on time', 'fact.id.matches("a")', 'text.fits(pattern)'],
    ['a pattern that is none', 'fact.id.fits("a(")', 'is no pattern'],
    ['a loop in a loop', 'fact.peers.all(a, fact.peers.all(b, a == b))', 'a loop inside a loop'],
    ['more terms than fit', Array.from({ length: 300 }, () => 'fact.id').join(' + '), 'more than 200 terms'],
  ])('%s', (_name, source, expected) => {
    expect(() => compileExpression(source)).toThrow(expected)
  })
})

test('it names the fields it reads', () => {
  expect(factPaths('fact.caller.number + (has(fact.vars.x) ? fact.id : fact.peers[0])').sort()).toEqual([
    'caller.number',
    'id',
    'peers',
    'vars.x',
  ])
})

const sessionNumber = (id: string) => compileExpression('sessionNumber(fact.id)')({ kind: 'channel', id }) as number

test('a session number is always the same for an id, whole and below 2^53, and another for another id', () => {
  const numbers = Array.from({ length: 20_000 }, (_, i) => sessionNumber(`id-${i}`))
  expect(numbers.every((each) => Number.isSafeInteger(each) && each >= 0)).toBe(true)
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(sessionNumber('id-1')).toBe(sessionNumber('id-1'))
})
