import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { listenerId } from '../../../../src/calls/xnode/record-request.js'
import { fakeSite, refused } from '../fake-site.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const enters = { change: 'control', flags: { controllable: true } } as const

test('RECORD ends with its limit also where Asterisk has no such recording any more', async () => {
  const site = fakeSite((request) => (request.endsWith('stop') ? refused(404) : undefined))
  site.there('a')
  const recording = site.ask('Record', { uuid: 'a', path: 'x.wav', limit: 2 })
  await vi.advanceTimersByTimeAsync(4000)
  expect(await recording).toMatchObject({ code: 200 })
})

test('RECORD that is stopped does not wait for the end of what is not there', async () => {
  const site = fakeSite((request) => (request.endsWith('stop') ? refused(404) : undefined))
  site.there('a')
  const recording = site.ask('Record', { uuid: 'a', path: 'x.wav' })
  await vi.advanceTimersByTimeAsync(100)
  await site.ask('Stop', { uuid: 'a' })
  await vi.advanceTimersByTimeAsync(100)
  expect(await recording).toMatchObject({ code: 206 })
})

const listener = listenerId('a', 'x')
const hangsUp = `DELETE channels/${listener}`

/** A recording in the background that has begun. */
async function listening(limit: number) {
  let isLive = false
  const site = fakeSite((request) => {
    if (request.includes('snoop')) setTimeout(() => site.tell(listener, enters), 10)
    if (request.endsWith('/record')) {
      isLive = true
      site.note({ kind: 'recording', channel: listener, name: 'x', state: 'started' })
    }
    if (!request.startsWith('GET recordings')) return undefined
    return isLive ? { target_uri: `channel:${listener}` } : refused(404)
  })
  site.there('a')
  const starting = site.ask('Record', { uuid: 'a', action: 'START', path: 'x.wav', limit })
  await vi.advanceTimersByTimeAsync(100)
  expect(await starting).toMatchObject({ code: 200 })
  const picture = () => site.tell(listener, { full: true, flags: { controllable: true } })
  return { ...site, picture, over: () => (isLive = false) }
}

test('a listener leaves when its recording is over, also one that this process did not make', async () => {
  const site = fakeSite()
  site.note({ kind: 'recording', channel: listener, name: 'x', state: 'finished' })
  expect(site.asked).toEqual([hangsUp])
  site.note({ kind: 'recording', channel: 'a', name: 'x', state: 'finished' })
  expect(site.asked).toHaveLength(1)
})

test('a listener whose recording ended during an outage leaves after it', async () => {
  const { node, asked, picture, over } = await listening(0)
  picture()
  await vi.advanceTimersByTimeAsync(100)
  expect(asked).not.toContain(hangsUp)
  node.lost()
  over()
  await vi.advanceTimersByTimeAsync(100)
  node.back()
  picture()
  await vi.advanceTimersByTimeAsync(100)
  expect(asked).toContain(hangsUp)
})

test('one that records on after an outage ends with its limit', async () => {
  const { node, asked, picture } = await listening(20)
  node.lost()
  await vi.advanceTimersByTimeAsync(5000)
  node.back()
  picture()
  await vi.advanceTimersByTimeAsync(14_000)
  expect(asked).not.toContain(hangsUp)
  await vi.advanceTimersByTimeAsync(3000)
  expect(asked).toContain(hangsUp)
})
