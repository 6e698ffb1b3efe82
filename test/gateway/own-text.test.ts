import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ownRecord, ownTexts } from '../../src/gateway/own-text.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // what the flag above exposes

const MESSAGES = 100
const MESSAGE_BYTES = 1_000_000

/** Bytes in use after keeping a piece of each of many large texts. */
function growthOf(keep: (piece: string) => unknown): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const kept: unknown[] = []
  for (let i = 0; i < MESSAGES; i++) {
    const message = Buffer.alloc(MESSAGE_BYTES, `${i}-`).toString('latin1')
    kept.push(keep(message.slice(10, 46)))
  }
  collectGarbage()
  const grown = process.memoryUsage().heapUsed - before
  expect(kept).toHaveLength(MESSAGES)
  return grown
}

test('what is remembered of a message does not keep the message in memory', () => {
  const few = (MESSAGES * MESSAGE_BYTES) / 10
  expect(growthOf(ownTexts)).toBeLessThan(few)
  expect(growthOf((piece) => ownTexts({ number: piece }))).toBeLessThan(few)
  expect(growthOf((piece) => ownTexts([piece, 'x']))).toBeLessThan(few)
  expect(growthOf((piece) => ownRecord({ piece }))).toBeLessThan(few)
})

test('own texts say the same', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 })
  const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(undefined))
  fc.assert(
    fc.property(fc.oneof(value, fc.array(text), fc.dictionary(text, value)), (one) => {
      expect(ownTexts(one)).toEqual(one)
    }),
  )
})

test('the very same record where no text is long', () => {
  const record = { short: 'abc', number: 1 }
  expect(ownTexts(record)).toBe(record)
})
