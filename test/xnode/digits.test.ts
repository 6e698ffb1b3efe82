import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DigitRules,
  type Input,
  isEnough,
  keyPressed,
  NO_INPUT,
  promptOver,
  timePassed,
} from '../../src/calls/xnode/digits.js'

const rules = (more: Partial<DigitRules> = {}): DigitRules => ({
  min: 1,
  max: 4,
  firstMs: 5000,
  nextMs: 2000,
  terminators: new Set('#'),
  ...more,
})

/** `1` a key, `.` one second, `|` the end of the prompt. */
function inputOf(rulesOf: DigitRules, script: string): Input {
  let [input, at] = [NO_INPUT, 0]
  for (const step of script) {
    if (step === '.') {
      at += 1000
      input = timePassed(input, at)
    } else input = step === '|' ? promptOver(rulesOf, input, at) : keyPressed(rulesOf, input, step, at)
  }
  return input
}

describe('an input of keys', () => {
  test.each([
    ['is open while the prompt runs', '.........', {}],
    ['is open until the first key is due', '|....', { dueAt: 5000 }],
    ['is over when no first key comes', '|.....', { end: 'time' }],
    ['begins in the prompt', '..1', { digits: '1', dueAt: 4000 }],
    ['is over when no further key comes', '|1..', { digits: '1', end: 'time' }],
    ['waits anew after each key', '|1.2.3.', { digits: '123', dueAt: 4000 }],
    ['is over when it is full', '|1234', { digits: '1234', end: 'full' }],
    ['leaves out what comes later', '|12345#', { digits: '1234', end: 'full' }],
    ['is over at a terminator, which is no part of it', '|12#3', { digits: '12', end: 'terminator', terminator: '#' }],
    ['can be a terminator alone', '#', { end: 'terminator', terminator: '#' }],
    ['takes another sign for a key', '|*', { digits: '*', dueAt: 2000 }],
    ['is not waited for anew when the prompt ends after the first key', '1|.', { digits: '1', dueAt: 2000 }],
  ])('%s', (_what, script, want) => {
    expect(inputOf(rules(), script)).toEqual({ ...NO_INPUT, ...want })
  })

  test('is enough from the least number of keys on', () => {
    const least = rules({ min: 2 })
    expect(isEnough(least, inputOf(least, '|1#'))).toBe(false)
    expect(isEnough(least, inputOf(least, '|12#'))).toBe(true)
  })

  test('comes to an end whatever happens, and stays as it is then', () => {
    const anyRules = fc.record({
      min: fc.integer({ min: 1, max: 5 }),
      max: fc.integer({ min: 5, max: 8 }),
      firstMs: fc.integer({ min: 1, max: 9000 }),
      nextMs: fc.integer({ min: 1, max: 9000 }),
      terminators: fc.uniqueArray(fc.constantFrom(...'0123456789*#')).map((keys) => new Set(keys)),
    })
    const script = fc.string({ unit: fc.constantFrom(...'0123456789*#...'), maxLength: 40 })
    fc.assert(
      fc.property(anyRules, script, script, (own, before, after) => {
        const ended = inputOf(own, `${before}|${'.'.repeat(10)}`)
        expect(ended.end).toBeDefined()
        expect(ended.dueAt).toBeUndefined()
        expect(inputOf(own, `${before}|${'.'.repeat(10)}${after}|`)).toEqual(ended)
        expect(ended.digits.length).toBeLessThanOrEqual(own.max)
        expect(ended.end === 'full').toBe(ended.digits.length === own.max)
        expect(ended.end === 'terminator').toBe(ended.terminator !== '')
        // It is the beginning of what was pressed.
        const pressed = before.replaceAll('.', '')
        expect(pressed.startsWith(ended.digits + ended.terminator)).toBe(true)
        for (const key of own.terminators) expect(ended.digits).not.toContain(key)
      }),
    )
  })
})
