import { expect, test, vi } from 'vitest'
import { makeDrain } from '../../../src/calls/xnode/drain.js'
import type { Channel } from '../../../src/model/index.js'
import { log, refused } from './fake-site.js'

/** A drain whose time is over at once. */
function draining(end: (uuid: string) => Promise<void>) {
  const up = new Set(['a'])
  const ended: string[] = []
  const leave = vi.fn()
  const drain = makeDrain({
    calls: { all: async () => [...up].map((id) => ({ id }) as Channel) },
    longestMs: 0,
    update: () => undefined,
    leave,
    async end(uuid) {
      ended.push(uuid)
      await end(uuid)
    },
    log,
  })
  return { up, ended, leave, drain }
}

test('a node leaves when its calls are gone, and tries again to end those that stay', async () => {
  vi.useFakeTimers()
  try {
    const { up, ended, leave, drain } = draining(async () => {
      throw refused(500)
    })
    drain.begin()
    await vi.advanceTimersByTimeAsync(1000)
    expect([ended.length, leave.mock.calls.length]).toEqual([1, 0])
    await vi.advanceTimersByTimeAsync(2000)
    expect([ended.length, leave.mock.calls.length]).toEqual([2, 0])
    up.clear()
    await vi.advanceTimersByTimeAsync(1000)
    expect(leave).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})

test('a call that Asterisk does not have is none', async () => {
  vi.useFakeTimers()
  try {
    const { leave, drain } = draining(async () => {
      throw refused(404)
    })
    drain.begin()
    await vi.advanceTimersByTimeAsync(1000)
    expect(leave).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})
