import { expect, test } from 'vitest'
import { type AtRest, counted, judgeGrowth, judgeLeaks, type Sample } from './judge.js'

const SAMPLE: Sample = {
  heapBytes: 100e6,
  residentBytes: 300e6,
  handles: 8,
  timers: 5,
  listeners: 40,
  subscriptions: 12,
}
const REST: AtRest = { sample: SAMPLE, census: { timers: 30, emitters: 60, listeners: 80 } }

test('memory that stays within bounds is no fault, what exceeds them is', () => {
  expect(judgeGrowth(SAMPLE, { ...SAMPLE, heapBytes: 104.9e6, residentBytes: 329e6 })).toEqual([])
  expect(judgeGrowth(SAMPLE, { ...SAMPLE, heapBytes: 50e6 })).toEqual([])
  expect(judgeGrowth(SAMPLE, { ...SAMPLE, heapBytes: 106e6, residentBytes: 340e6 })).toEqual([
    'the heap grew by 6.0 %, and less than 5.0 % may be',
    'resident memory grew by 13.3 %, and less than 10.0 % may be',
  ])
})

const withMore = (more: number): AtRest => ({
  sample: { ...SAMPLE, handles: SAMPLE.handles + more, subscriptions: SAMPLE.subscriptions + more },
  census: { timers: 30 + more, emitters: 60 + more, listeners: 80 + more },
})

test('what is left behind is a fault, but for what is opened once', () => {
  expect(judgeLeaks(REST, withMore(10))).toEqual([])
  expect(judgeLeaks(REST, withMore(-5))).toEqual([])
  expect(judgeLeaks(REST, withMore(11))).toEqual([
    '8 handles at rest before, 19 after',
    '30 timers at rest before, 41 after',
    '60 emitters at rest before, 71 after',
    '80 listeners at rest before, 91 after',
    '12 subscriptions at rest before, 23 after',
  ])
  expect(counted(REST)).toBe('8 handles, 30 timers, 60 emitters, 80 listeners, 12 subscriptions')
})
