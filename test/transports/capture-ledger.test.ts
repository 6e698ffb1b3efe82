import type { JsMsg } from '@nats-io/jetstream'
import { expect, test } from 'vitest'
import { captureLedger, type Noted } from '../../src/transports/nats/capture-ledger.js'
import type { Settlement } from '../../src/transports/transport.js'

/** A ledger that begins at a sequence, and what the server is told by it. */
function stand(next = 1) {
  const told: string[] = []
  const ledger = captureLedger()
  ledger.clear(next)
  function message(seq: number, timestampNanos: number, copy: string): JsMsg {
    const tell = (what: string) => () => void told.push(`${what} ${seq}${copy}`)
    const parts = { seq, info: { timestampNanos }, ack: tell('ack'), nak: tell('nak'), term: tell('term') }
    return parts as unknown as JsMsg // nothing else of a message is used by a ledger
  }
  const note = (seq: number, copy = '', timestampNanos = seq) => ledger.note(message(seq, timestampNanos, copy))
  const take = (...sequences: number[]) => new Map(sequences.map((seq) => [seq, note(seq)]))
  return { ledger, told, note, take }
}

const settle = (taken: ReadonlyMap<number, Noted | undefined>, seq: number, outcome: Settlement = 'done') =>
  taken.get(seq)?.settle(outcome)

test('acknowledgements go out in the order of the stream, whatever the order of settling', () => {
  const { ledger, told, take } = stand(5)
  const taken = take(5, 6, 8, 9)
  settle(taken, 8)
  settle(taken, 6, 'reject')
  settle(taken, 6)
  expect(told).toEqual([])
  expect([ledger.held(), ledger.next()]).toEqual([2, 5])
  settle(taken, 5)
  expect(told).toEqual(['ack 5', 'term 6', 'ack 8'])
  expect([ledger.held(), ledger.next()]).toEqual([1, 9])
})

test('what is given back holds its place until it came again and was settled', () => {
  const { ledger, told, note, take } = stand()
  const taken = take(1, 2)
  settle(taken, 1, 'retry')
  settle(taken, 2)
  expect(told).toEqual(['nak 1'])
  expect([ledger.held(), ledger.next()]).toEqual([0, 1])
  const again = note(1, ' again')
  expect(again?.isAgain).toBe(true)
  settle(taken, 1, 'retry')
  expect([ledger.held(), told.length]).toEqual([1, 1])
  again?.settle('done')
  expect(told.slice(1)).toEqual(['ack 1 again', 'ack 2'])
})

test('a copy of what is held is not told, and its own message is answered', () => {
  const { told, note, take } = stand()
  const taken = take(1, 2)
  settle(taken, 2)
  expect([note(1, ' copy'), note(2, ' copy')]).toEqual([undefined, undefined])
  settle(taken, 1)
  expect(told).toEqual(['ack 1 copy', 'ack 2 copy'])
  expect(note(1, ' late')).toBeUndefined()
  expect(told.at(-1)).toBe('ack 1 late')
})

test('a sequence that a server gives anew is another message', () => {
  const { ledger, told, note, take } = stand()
  const taken = take(1, 2, 3)
  settle(taken, 2)
  const other = note(2, ' other', 77)
  expect(other?.isAgain).toBe(false)
  ledger.cut(2)
  settle(taken, 1)
  settle(taken, 3)
  other?.settle('done')
  expect(told).toEqual(['ack 1', 'ack 2 other'])
  expect(note(3)?.isAgain).toBe(false)
})

test('a server that lost its end is not asked for what it cannot have', () => {
  const { ledger, take } = stand()
  const taken = take(1, 2, 3)
  for (const seq of [1, 2, 3]) settle(taken, seq)
  expect(ledger.next()).toBe(4)
  ledger.cut(2)
  expect(ledger.next()).toBe(3)
})

test('cleared, a ledger tells the server nothing of what it held, and nobody waits for it', async () => {
  const { ledger, told, take } = stand()
  const taken = take(1, 2)
  const settled = ledger.settled()
  ledger.clear(10)
  await settled
  settle(taken, 1)
  settle(taken, 2, 'retry')
  expect(told).toEqual([])
  expect([ledger.held(), ledger.next()]).toEqual([0, 10])
})
