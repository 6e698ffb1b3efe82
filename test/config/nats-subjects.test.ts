import fc from 'fast-check'
import { expect, test } from 'vitest'
import { subjectCovers, subjectMistake, subjectsOverlap } from '../../src/config/nats-subjects.js'

const TOKENS = ['a', 'b']
const LONGEST = 4

/** Every subject of up to four tokens over a small alphabet. */
const subjects = (() => {
  let level = ['']
  const made: string[] = []
  for (let length = 1; length <= LONGEST; length++) {
    level = level.flatMap((head) => TOKENS.map((token) => (head === '' ? token : `${head}.${token}`)))
    made.push(...level)
  }
  return made
})()

/** NATS' rule for one subject, said another way: a regular expression. */
const matches = (pattern: string) => {
  const tokens = pattern.split('.').map((token) => (token === '>' ? '.+' : token === '*' ? '[^.]+' : token))
  const regex = new RegExp(`^${tokens.join('\\.')}$`)
  return subjects.filter((subject) => regex.test(subject))
}

const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, isOpen]) => (isOpen ? `${tokens.slice(0, 2).join('.')}.>` : tokens.join('.')))
const seed = process.env.FC_SEED === undefined ? {} : { seed: Number(process.env.FC_SEED) }

test('two patterns overlap exactly when some subject matches both', () => {
  const check = (a: string, b: string) => {
    const both = new Set(matches(a))
    expect(subjectsOverlap(a, b)).toBe(matches(b).some((subject) => both.has(subject)))
    expect(subjectsOverlap(a, b)).toBe(subjectsOverlap(b, a))
  }
  fc.assert(fc.property(pattern, pattern, check), { ...seed, numRuns: 2000 })
})

test('a pattern covers another exactly when it matches all its subjects', () => {
  const check = (a: string, b: string) => {
    const wide = new Set(matches(a))
    const isExactWord = !b.includes('*') && !b.includes('>')
    const expected = matches(b).every((subject) => wide.has(subject))
    // A literal alphabet of two is not all words: `*` is wider than a and b together.
    if (isExactWord || !expected) expect(subjectCovers(a, b)).toBe(expected)
    if (subjectCovers(a, b)) expect(expected).toBe(true)
  }
  fc.assert(fc.property(pattern, pattern, check), { ...seed, numRuns: 2000 })
})

const mistakes: { subject: string; wildcards: 'allowed' | 'refused'; sound: boolean }[] = [
  { subject: 'cn.xswitch.ctrl', wildcards: 'refused', sound: true },
  { subject: 'cn.*.ctrl.>', wildcards: 'allowed', sound: true },
  { subject: 'cn.*.ctrl', wildcards: 'refused', sound: false },
  { subject: '>', wildcards: 'allowed', sound: true },
  { subject: '', wildcards: 'allowed', sound: false },
  { subject: '.a', wildcards: 'allowed', sound: false },
  { subject: 'a.', wildcards: 'allowed', sound: false },
  { subject: 'a.>.b', wildcards: 'allowed', sound: false },
  { subject: 'a.b>', wildcards: 'allowed', sound: false },
  { subject: 'a\tb', wildcards: 'allowed', sound: false },
]
for (const { subject, wildcards, sound } of mistakes) {
  test(`${JSON.stringify(subject)} is ${sound ? 'sound' : 'faulty'} with wildcards ${wildcards}`, () => {
    expect(subjectMistake(subject, wildcards) === undefined).toBe(sound)
  })
}
