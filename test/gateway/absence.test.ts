import { expect, test } from 'vitest'
import { watchAbsence } from '../../src/gateway/absence.js'

/** An absence of a link whose silence is noticed within 3 s, with a clock that the test sets. */
function watched() {
  const clock = { now: 0 }
  const gaps: [number, number][] = []
  const absence = watchAbsence({
    noticedMs: 3000,
    missed: (from, until) => gaps.push([from, until]),
    awayMs: 60_000,
    now: () => clock.now,
  })
  return { clock, gaps, absence }
}

const CONSUMING = { kind: 'consuming', source: 'cn.xswitch.ctrl' } as const

test('a gap after another replica ends when we take, not when we begin to', () => {
  const { clock, gaps, absence } = watched()
  absence.report({ kind: 'up' })
  absence.begin(1000)
  clock.now = 3000
  expect(gaps).toEqual([])
  absence.report(CONSUMING)
  clock.now = 4000
  absence.report(CONSUMING)
  expect(gaps).toEqual([[1000, 3000]])
})

test('a link that is lost before we took from it was away since another replica took', () => {
  const { clock, gaps, absence } = watched()
  absence.report({ kind: 'up' })
  absence.begin(1000)
  clock.now = 5000
  absence.report({ kind: 'down' })
  clock.now = 9000
  absence.report({ kind: 'up' })
  absence.report(CONSUMING)
  expect(gaps).toEqual([[1000, 9000]])
})

test('a silence began as much earlier as noticing it may take; of the first replica ever nothing is missed', () => {
  const { clock, gaps, absence } = watched()
  absence.begin(undefined)
  absence.report({ kind: 'up' })
  absence.report(CONSUMING)
  clock.now = 10_000
  absence.report({ kind: 'down' })
  clock.now = 12_000
  absence.report({ kind: 'up' })
  expect(gaps).toEqual([[7000, 12_000]])
})

test('what happens to a link that another replica takes from is no gap', () => {
  const { gaps, absence } = watched()
  absence.report({ kind: 'up' })
  absence.begin(1000)
  absence.end()
  absence.report({ kind: 'down' })
  absence.report({ kind: 'up' })
  absence.report(CONSUMING)
  expect(gaps).toEqual([])
})
