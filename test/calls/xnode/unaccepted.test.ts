import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { earId } from '../../../src/calls/xnode/ears.js'
import type { CommandLog } from '../../../src/calls/xnode/index.js'
import type { Channel } from '../../../src/model/index.js'
import { fakeSite, refused } from './fake-site.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const enters = { change: 'control', flags: { controllable: true } } as const

function calling(id: string, statuses: readonly number[], begin?: CommandLog['begin']) {
  const left = [...statuses]
  const site = fakeSite(() => (left.length > 0 ? refused(left.shift()!) : undefined), {
    acceptWithinMs: 100,
    ...(begin && { begin }),
  })
  site.known.set(id, { id, state: 'ringing' } as Channel)
  site.tell(id, enters)
  return site
}

test('the end of a call that nobody accepted is tried until it works', async () => {
  const site = calling('a', [500, 409])
  await vi.advanceTimersByTimeAsync(200)
  expect(site.asked).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(site.asked).toEqual(Array(3).fill('DELETE channels/a?reason_code=18'))
})

test('one that is gone, or was accepted meanwhile, is not ended again', async () => {
  const gone = calling('a', [404])
  const taken = calling('b', [500])
  await vi.advanceTimersByTimeAsync(200)
  taken.known.set('b', { id: 'b', controller: 'c1' } as Channel)
  await vi.advanceTimersByTimeAsync(10_000)
  expect([gone.asked.length, taken.asked.length]).toEqual([1, 1])
})

test('a channel of our own is waited for by nobody', () => {
  const site = calling(earId('x'), [])
  expect(site.node.open()).toBe(0)
})

test('a replica that does not have the node any more ends nothing, nor does one that hears of an owner at the last moment', async () => {
  const outrun = calling('a', [], () => Promise.reject(new Error('another replica has it')))
  const late = calling('b', [], async () => {
    late.known.set('b', { id: 'b', controller: 'c1' } as Channel)
    return () => undefined
  })
  const left = calling('c', [])
  left.node.leave()
  await vi.advanceTimersByTimeAsync(1000)
  expect([outrun, late, left].map(({ asked }) => asked)).toEqual([[], [], []])
})
