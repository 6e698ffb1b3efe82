import { expect, test } from 'vitest'
import { noArrivals } from './arrivals.js'

/** What a controller heard: its call, the number of the event, and the name of the message. */
const heard = (entity: string, sequence: number, id: string) => ({ entity, sequence, id, word: 'ANSWERED' })

test('several messages of one event count as one, those under a known name as duplicates', () => {
  const arrivals = noArrivals()
  for (const [at, one] of [
    heard('a', 0, 'x.0'),
    heard('a', 0, 'x.1'),
    heard('a', 1, 'y'),
    heard('a', 0, 'x.0'),
  ].entries())
    arrivals.take(one, at)
  expect([arrivals.received(), arrivals.duplicates(), arrivals.outOfOrder()]).toEqual([2, 1, []])
})

test('an earlier event under another name is out of order, among those of its own call', () => {
  const arrivals = noArrivals()
  for (const one of [heard('a', 0, '1'), heard('b', 5, '2'), heard('a', 2, '3'), heard('a', 1, '4')])
    arrivals.take(one, 0)
  expect(arrivals.outOfOrder()).toEqual(['a #1 (ANSWERED) after #2'])
})

test('what was sent and did not arrive is named; what was not surely sent is not missed', () => {
  const arrivals = noArrivals()
  for (const one of [heard('a', 0, '1'), heard('a', 2, '2'), heard('b', 0, '3'), heard('b', 1, '4')])
    arrivals.take(one, 0)
  const sent = new Map([
    ['a', 3],
    ['b', 1],
    ['c', 2],
  ])
  expect(arrivals.missing(sent)).toEqual(['a #1', 'c #0', 'c #1'])
})

test('messages without a number count for the gap alone', () => {
  const arrivals = noArrivals()
  arrivals.take({ entity: 'phone', word: 'online', id: '1' }, 100)
  arrivals.take(heard('a', 0, '2'), 350)
  arrivals.take(heard('a', 1, '3'), 400)
  expect([arrivals.longestGapMs(), arrivals.received()]).toEqual([250, 2])
})

test('calls that are forgotten take no memory; what comes of them later is late, and nothing else changes', () => {
  const arrivals = noArrivals()
  for (let call = 0; call < 1000; call++) {
    for (const sequence of [0, 1]) arrivals.take(heard(`x-${call}`, sequence, `${call}.${sequence}`), call)
    if (call !== 500) arrivals.forget(`x-${call}`)
  }
  expect([arrivals.received(), arrivals.remembered(), arrivals.late()]).toEqual([2000, 1, 0])
  for (const call of [0, 499, 501, 999]) arrivals.take(heard(`x-${call}`, 1, `${call}.1`), 1000)
  arrivals.take(heard('x-500', 1, '500.1'), 1000)
  arrivals.take(heard('x-1000', 0, '1000.0'), 1000)
  expect([arrivals.received(), arrivals.duplicates(), arrivals.late()]).toEqual([2001, 1, 4])
  expect(arrivals.missing(new Map([['x-1000', 2]]))).toEqual(['x-1000 #1'])
})
