import { expect, test } from 'vitest'
import { judgeObserved } from './judge-observed.js'

const lostAt = (...times: number[]) => times.map((ms) => ({ serial: `edge-${ms}`, fromMs: ms, untilMs: ms + 2 }))
const count = (...times: number[]) => ({ sent: 10, received: 10 - times.length, duplicates: 0, lost: lostAt(...times) })
const GAP = { from: 100, until: 200 }

const CASES = [
  { name: 'nothing lost, nothing told', count: count(), told: { gaps: [], overflowed: 0, givenUp: 0 }, faults: [] },
  {
    name: 'what was lost lies in the gap',
    count: count(99, 150, 200),
    told: { gaps: [GAP], overflowed: 0, givenUp: 0 },
    faults: [],
  },
  {
    name: 'what was lost was dropped and counted',
    count: count(5, 6),
    told: { gaps: [], overflowed: 2, givenUp: 0 },
    faults: [],
  },
  {
    name: 'one was lost in no gap',
    count: count(97, 150),
    told: { gaps: [GAP], overflowed: 0, givenUp: 0 },
    faults: ['0 observed events were dropped by metric, and more are lost outside of gaps: edge-97'],
  },
  {
    name: 'one was lost and not counted',
    count: count(5, 6),
    told: { gaps: [], overflowed: 1, givenUp: 0 },
    faults: ['1 observed events were dropped by metric, and more are lost outside of gaps: edge-5, edge-6'],
  },
  {
    name: 'one was counted and not lost',
    count: count(5),
    told: { gaps: [], overflowed: 2, givenUp: 0 },
    faults: ['2 observed events found the buffer full by metric, and 1 are lost'],
  },
  {
    name: 'one was given up that arrived all the same',
    count: count(5),
    told: { gaps: [], overflowed: 0, givenUp: 2 },
    faults: [],
  },
  {
    name: 'gaps longer than they may be',
    count: count(),
    told: { gaps: [{ from: 300, until: 351 }, { from: 150, until: 200 }, GAP], overflowed: 0, givenUp: 0 },
    faults: ['gaps of observed events add up to 151 ms, and at most 150 ms are due'],
  },
]

test.each(CASES)('$name', ({ count: counted, told, faults }) => {
  expect(judgeObserved(counted, told, { observedGapsMs: 150 }).faults).toEqual(faults)
})

test('a buffer that had to run over and did not is a fault', () => {
  const judged = judgeObserved(count(), { gaps: [], overflowed: 0, givenUp: 0 }, { overflows: true })
  expect(judged.faults).toEqual(['the buffer of observed events did not run over'])
  expect(judged.note).toBe(
    'observed on core NATS: 10 sent, 10 received, 0 twice, 0 lost: 0 found the buffer full by metric, 0 were given up, 0 within gaps; no gap',
  )
})
