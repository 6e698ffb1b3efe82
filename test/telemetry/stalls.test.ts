import { expect, onTestFinished, test, vi } from 'vitest'
import { watchStalls } from '../../src/telemetry/stalls.js'

const BEAT_MS = 250

/** Lets time pass in turns of these lengths, each told to the watch as its timer would. */
function afterTurns(turnsMs: readonly number[], stallMs = 2000) {
  let now = 0
  const watch = watchStalls(stallMs, () => now)
  for (const turnMs of turnsMs) {
    now += BEAT_MS + turnMs
    watch.beat()
  }
  return watch
}

const calm = (seconds: number) => Array.from({ length: (seconds * 1000) / BEAT_MS }, () => 0)
const repeated = (times: number, turnMs: number) => Array.from({ length: times }, () => turnMs)

const cases = [
  { name: 'a calm process', turns: calm(60), live: true },
  { name: 'one at full load takes many short turns', turns: repeated(100, 900), live: true },
  { name: 'one halted once, however long', turns: [...calm(5), 3_600_000], live: true },
  { name: 'one halted twice', turns: [50_000, ...calm(1), 50_000], live: true },
  { name: 'one that stalls again and again', turns: repeated(12, 5000), live: false },
  {
    name: 'long stalls with a breath between',
    turns: [...calm(1), 16_000, ...calm(1), 16_000, ...calm(1), 16_000],
    live: false,
  },
  { name: 'one that is over it', turns: [...repeated(12, 5000), ...calm(31)], live: true },
  { name: 'one that has just begun to stall', turns: [...calm(60), ...repeated(3, 5000)], live: true },
]
test.each(cases)('$name: live is $live', ({ turns, live }) => {
  expect(afterTurns(turns).read().live).toBe(live)
})

test('the reason says how long', () => {
  expect(afterTurns(repeated(11, 5000)).read().reason).toBe('the event loop was held up for 55 s of the last minute')
})

test('with 0 it says nothing', () => {
  expect(afterTurns(repeated(12, 5000), 0).read()).toEqual({ live: true })
})

test('a stall is noted when it was long, also by whoever asks before the timer', () => {
  let now = 0
  const watch = watchStalls(2000, () => now)
  for (let turn = 0; turn < 3; turn++) {
    now += BEAT_MS + 14_000
    watch.read()
  }
  expect(watch.read().live).toBe(false)
})

test('started, it notes each turn by itself', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let now = 0
  const watch = watchStalls(2000, () => now)
  watch.start()
  for (let turn = 0; turn < 12; turn++) {
    now += BEAT_MS + 5000
    vi.advanceTimersByTime(BEAT_MS)
  }
  expect(watch.read().live).toBe(false)
  watch.stop()
})
