import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeOutbox } from '../../src/transports/outbox.js'
import { watchProgress } from '../../src/transports/progress.js'
import type { LinkEvent } from '../../src/transports/transport.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched() {
  const outbox = makeOutbox(2, () => undefined)
  const events: LinkEvent[] = []
  const progress = watchProgress(outbox.stuckMs, 'publishing', (event) => events.push(event))
  const send = () => void outbox.add({ address: {}, headers: {}, body: new Uint8Array() }).catch(() => undefined)
  return { outbox, progress, send, kinds: () => events.map(({ kind }) => kind) }
}

test('an outbox that nothing leaves is told of after four seconds, and when something leaves', () => {
  const { outbox, progress, send, kinds } = watched()
  progress.up()
  for (let i = 0; i < 3; i++) send()
  const [first, second] = [outbox.next(), outbox.next()]
  vi.advanceTimersByTime(3900)
  expect(kinds()).toEqual([])
  vi.advanceTimersByTime(700)
  expect(kinds()).toEqual(['trouble'])
  outbox.confirm(first!)
  vi.advanceTimersByTime(500)
  expect(kinds()).toEqual(['trouble', 'mended'])
  vi.advanceTimersByTime(3000)
  outbox.confirm(second!)
  vi.advanceTimersByTime(3000)
  expect(kinds()).toEqual(['trouble', 'mended'])
})

test('one that is slow, and one that is empty, is no trouble', () => {
  const { outbox, progress, send, kinds } = watched()
  progress.up()
  for (let i = 0; i < 5; i++) {
    send()
    vi.advanceTimersByTime(3000)
    outbox.confirm(outbox.next()!)
  }
  vi.advanceTimersByTime(60_000)
  send()
  vi.advanceTimersByTime(3000)
  expect(kinds()).toEqual([])
})

test('what waits for a connection is not the fault of the peer', () => {
  const { progress, send, kinds } = watched()
  send()
  vi.advanceTimersByTime(60_000)
  progress.up()
  vi.advanceTimersByTime(3000)
  progress.down()
  vi.advanceTimersByTime(60_000)
  expect(kinds()).toEqual([])
})

test('a trouble ends with its connection', () => {
  const { outbox, progress, send, kinds } = watched()
  progress.up()
  send()
  outbox.next()
  vi.advanceTimersByTime(5000)
  progress.down()
  progress.down()
  expect(kinds()).toEqual(['trouble', 'mended'])
})
