import { setTimeout as delay } from 'node:timers/promises'
import { placeCall, type TestAsterisk } from '../../test/harness/index.js'
import type { Steerer } from './steerer.js'

/** What was measured of calls that came at a rate. Milliseconds. */
export interface Measured {
  /** From the announcement of a call to the word that it is answered. */
  readonly answer: number[]
  /** From asking to the answer. */
  readonly setVar: number[]
  /** Calls announced per second, from the first to the last: less than was asked for where calls could not begin as fast. */
  readonly begunPerSecond: number
  /** Calls that were placed and not answered and hung up as they should. */
  readonly failed: number
}

const PATIENCE_MS = 10_000

/** Has SIPp place calls, each of which is answered, gets a variable and is hung up. */
export async function placeCalls(
  asterisk: TestAsterisk,
  steerer: Steerer,
  calls: number,
  callsPerSecond: number,
): Promise<Measured> {
  const measured = { answer: [] as number[], setVar: [] as number[] }
  let [begun, over, good] = [0, 0, 0]
  let [firstAt, lastAt] = [0, 0]
  const steer = async (id: string) => {
    const announced = performance.now()
    await steerer.answer(id)
    const answered = performance.now()
    await steerer.setVar(id)
    const set = performance.now()
    measured.answer.push(answered - announced)
    measured.setVar.push(set - answered)
    await steerer.hangUp(id)
    good++
  }
  steerer.onCall = (id) => {
    lastAt = performance.now()
    if (begun++ === 0) firstAt = lastAt
    steer(id)
      .catch(() => undefined) // it is not counted among the good ones
      .finally(() => over++)
  }
  const run = await placeCall(asterisk, {
    to: steerer.extension,
    steps: ['answered', 'hungUp'],
    calls,
    callsPerSecond,
  })
  const end = performance.now() + (calls / callsPerSecond) * 1000 + PATIENCE_MS
  const wentWell = await Promise.race([
    run.done.then(
      () => true,
      () => false,
    ),
    delay(end - performance.now(), false),
  ])
  await run.stop().catch(() => undefined) // that it failed is known
  while (over < begun && performance.now() < end) await delay(20)
  steerer.onCall = () => undefined
  const lost = calls - good
  const begunPerSecond = begun < 2 ? 0 : ((begun - 1) * 1000) / (lastAt - firstAt)
  return { ...measured, begunPerSecond, failed: wentWell ? lost : Math.max(lost, 1) }
}
