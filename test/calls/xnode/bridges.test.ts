import { afterEach, expect, test, vi } from 'vitest'
import { fakeSite, refused, settled } from './fake-site.js'

afterEach(() => void vi.useRealTimers())

test('a talk of more than a day goes on', async () => {
  vi.useFakeTimers()
  const site = fakeSite((request, body) => {
    if (request.endsWith('addChannel'))
      site.tell(String(body.channel), { change: 'bridge', bridge: { id: request.split('/')[1]!, members: ['a', 'b'] } })
    return request.startsWith('GET bridges') ? { channels: ['a', 'b'] } : undefined
  })
  site.there('a', 'b')
  expect(await site.ask('ChannelBridge2', { uuid: 'a', peer_uuid: 'b' })).toMatchObject({ code: 200 })
  const before = site.asked.length
  await vi.advanceTimersByTimeAsync(50 * 60 * 60 * 1000)
  expect(site.asked.slice(before)).toEqual([])
  expect(site.node.open()).toBeGreaterThan(0)
})

const bridges = ['patchbay-talk-x', 'patchbay-party-x', 'patchbay-echo-x', 'fork-x']

test.each(bridges)('%s, with one left in it, ends when a picture shows it', async (id) => {
  const site = fakeSite((request) => (request.startsWith('GET') ? { channels: ['a'] } : undefined))
  site.note({ kind: 'bridge', id, members: ['a', 'b'], full: true })
  await settled()
  expect(site.asked).toEqual([])
  site.note({ kind: 'bridge', id, members: ['a'], full: true })
  await expect.poll(() => site.asked.at(-1)).toBe(`DELETE bridges/${id}`)
})

test.each(bridges)('%s that somebody entered since it was told to be left stays', async (id) => {
  const site = fakeSite((request) => (request.startsWith('GET') ? { channels: ['a', 'b'] } : undefined))
  site.note({ kind: 'bridge', id, members: ['a'], full: true })
  await settled()
  expect(site.asked).toEqual([`GET bridges/${id}`])
})

test('a bridge that is being built is not ended, whatever a picture shows of it', async () => {
  let go: () => void = () => undefined
  const site = fakeSite((request) =>
    request.endsWith('snoop/patchbay-ear-fork-a-ear') ? new Promise<void>((resolve) => (go = resolve)) : undefined,
  )
  site.there('a')
  const forking = site.ask('MediaFork', { uuid: 'a', action: 'start', url: 'rtp://127.0.0.1:4000' })
  await settled()
  site.note({ kind: 'bridge', id: 'fork-a', members: [], full: true })
  await settled()
  expect(site.asked).toEqual(['POST bridges/fork-a', 'POST channels/a/snoop/patchbay-ear-fork-a-ear'])
  site.node.lost()
  go()
  await forking
})

const taken = [
  { name: 'is free soon, for the bridge is gone', seen: refused(404), code: 500, requests: 5 },
  { name: 'is free soon, for nobody is left in the bridge', seen: { channels: [] }, code: 500, requests: 5 },
  { name: 'is that of one that stands', seen: { channels: ['x', 'y'] }, code: 400, requests: 2 },
]
test.each(taken)('an id that Asterisk calls taken $name', async ({ seen, code, requests }) => {
  let refusals = 0
  const site = fakeSite((request) => {
    if (request.startsWith('GET')) return seen
    return refusals++ < 2 ? refused(409) : refused(503)
  })
  site.there('a')
  expect(await site.ask('Echo2', { uuid: 'a', action: 'START' })).toMatchObject({ code })
  const made = site.asked.filter((each) => each.endsWith(' bridges/patchbay-echo-a'))
  expect(made.slice(0, requests)).toEqual(
    Array.from({ length: requests }, (_, at) => `${at % 2 === 0 ? 'POST' : 'GET'} bridges/patchbay-echo-a`),
  )
})
