import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AriConfig } from '../../../src/transports/ari-client/config.js'
import { ariTransport } from '../../../src/transports/ari-client/index.js'
import { takePictures } from '../../../src/transports/ari-client/pictures.js'
import { watchEvents } from '../../../src/transports/ari-client/seen.js'
import {
  registerPhone,
  startAsterisk,
  startFaultProxy,
  type TestAsterisk,
  unregisterPhone,
} from '../../harness/index.js'
import { type Recorder, recorder } from '../recorder.js'
import { type Event, ids, parsed, told } from './link.js'

let asterisk: TestAsterisk

beforeAll(async () => {
  asterisk = await startAsterisk()
}, 300_000)

afterAll(() => asterisk.stop())

const SUBSCRIBED = { all: false } as const

let apps = 0

/** A link to the Asterisk of this file, as an application of its own. */
async function startLink(options: Partial<AriConfig> = {}) {
  const heard = recorder()
  const app = options.app ?? `t${++apps}`
  const config = {
    url: asterisk.url,
    credentials: { username: asterisk.user, password: asterisk.password },
    node: 'n1',
    reconnect: { minDelayMs: 50, maxDelayMs: 300 },
    stopGraceMs: 2000,
    ...options,
    app,
  }
  const link = ariTransport(config)
  onTestFinished(() => link.stop())
  await link.start(heard)
  await heard.until('consuming', 1)
  return { heard, link, app, config }
}

/** Places a call between two Local channels: the far end does what the dialplan says. */
async function place(near: string, far: string, id: string): Promise<void> {
  const query = { endpoint: `Local/${near}@services`, context: 'services', extension: far, priority: 1 }
  const { status } = await asterisk.ari('POST', '/channels', { ...query, channelId: id, otherChannelId: `${id}-far` })
  expect(status).toBe(200)
}

const channelOf = (event: Event) => (event.channel ?? event.peer) as { id: string; state: string } | undefined
const typesOf = (heard: Recorder, id: string) =>
  heard.deliveries
    .map(parsed)
    .filter((event) => channelOf(event)?.id === id)
    .map(({ type }) => type)
const pictureIds = (picture: Event | undefined) => ids(picture?.channels).sort()

async function liveIds(): Promise<string[]> {
  const { body } = await asterisk.ari('GET', '/channels')
  return ids(body).sort()
}

async function noCalls(): Promise<void> {
  for (const id of await liveIds()) await asterisk.ari('DELETE', `/channels/${encodeURIComponent(id)}`)
  await expect.poll(liveIds).toEqual([])
}

test('a call that leaves the application is told to its end, with the cause, though nothing but the application is subscribed to', async () => {
  const { heard, app } = await startLink({ subscribe: SUBSCRIBED })
  await place(`in-${app}`, 'wait-60', 'leaves')
  await vi.waitFor(() => expect(typesOf(heard, 'leaves-far')).toContain('StasisStart'))
  await asterisk.ari('POST', '/channels/leaves-far/continue', { context: 'services', extension: 'after', priority: 1 })
  await vi.waitFor(() => expect(typesOf(heard, 'leaves-far')).toContain('ChannelDestroyed'), 5000)
  const types = typesOf(heard, 'leaves-far')
  expect(types[0]).toBe('StasisStart')
  expect(types.filter((type) => type === 'StasisEnd' || type === 'ChannelDestroyed')).toEqual([
    'StasisEnd',
    'ChannelDestroyed',
  ])
  expect(told(heard, 'ChannelDestroyed').find((event) => channelOf(event)?.id === 'leaves-far')?.cause).toBe(16)
  expect(heard.of('fault')).toEqual([])
})

test('what the filter holds back does not come', async () => {
  const { heard } = await startLink()
  await place('answer', 'wait-0.2', 'filtered')
  await vi.waitFor(() => expect(typesOf(heard, 'filtered')).toContain('ChannelDestroyed'), 5000)
  const types = new Set(heard.deliveries.map((each) => parsed(each).type))
  expect(types.has('ChannelVarset')).toBe(false)
  expect(types.has('ChannelDialplan')).toBe(false)
})

test('no event comes twice, however subscriptions overlap', async () => {
  const { heard, app } = await startLink({
    subscribe: { all: false, channels: 'all', endpoints: ['PJSIP', 'Local'], bridges: 'all', deviceStates: 'all' },
  })
  await place(`in-${app}`, 'wait-60', 'twice')
  await vi.waitFor(() => expect(typesOf(heard, 'twice-far')).toContain('StasisStart'))
  await asterisk.ari('DELETE', '/channels/twice-far')
  await vi.waitFor(() => expect(typesOf(heard, 'twice-far')).toContain('ChannelDestroyed'), 5000)
  const bodies = heard.deliveries.map(({ frame }) => Buffer.from(frame.body).toString('utf8'))
  expect(new Set(bodies).size).toBe(bodies.length)
  for (const id of ['twice', 'twice-far']) {
    expect(typesOf(heard, id).filter((type) => type === 'ChannelDestroyed')).toHaveLength(1)
  }
})

describe('a phone', () => {
  test('that registers and goes is told by EndpointStateChange where its technology is subscribed to', async () => {
    const subscribe = { all: false, endpoints: ['PJSIP'], deviceStates: ['PJSIP/1004'] }
    const { heard } = await startLink({ subscribe })
    const states = () =>
      told(heard, 'EndpointStateChange')
        .map(({ endpoint }) => endpoint as { resource: string; state: string })
        .filter(({ resource }) => resource === '1004')
        .map(({ state }) => state)
    await registerPhone(asterisk, '1004')
    await vi.waitFor(() => expect(states()).toEqual(['online']), 5000)
    const late = await startLink({ subscribe })
    expect(told(late.heard, 'PatchbayEndpoints')[0]?.endpoints).toContainEqual(
      expect.objectContaining({ resource: '1004', state: 'online' }),
    )
    expect(told(late.heard, 'PatchbayDeviceStates')[0]?.device_states).toEqual([
      { name: 'PJSIP/1004', state: 'NOT_INUSE' },
    ])
    await unregisterPhone(asterisk, '1004')
    await vi.waitFor(() => expect(states()).toEqual(['online', 'offline']), 5000)
  })
})

describe('pictures', () => {
  test('of a busy Asterisk fit the events around them: nobody who lives is missing, nobody who ended is back', async () => {
    await noCalls()
    const { heard, link, config } = await startLink()
    // As the link does after a connect, without the gap that a cut would make in the events.
    let seen = watchEvents()
    const events: Event[] = []
    heard.onDelivery = (delivery) => {
      const event = parsed(delivery)
      events.push(event)
      seen.note(event)
      delivery.settle('done')
    }
    let stop = false
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let at = 0; !stop; at++) {
        await place('answer', `wait-0.${1 + ((caller + at) % 4)}`, `busy-${caller}-${at}`)
        await delay(30)
      }
    })
    for (let at = 0; at < 25; at++) {
      seen = watchEvents()
      const { channels } = await takePictures(config, link.rest, seen, { devices: new Set(), dead: new Set() })
      events.push({ type: 'PatchbayChannels', channels })
      await delay(20)
    }
    stop = true
    await Promise.all(callers)
    await expect.poll(liveIds, { timeout: 10_000 }).toEqual([])
    await delay(300)
    const placeOf = (type: string) =>
      new Map(events.flatMap((event, at) => (event.type === type ? [[channelOf(event)?.id, at] as const] : [])))
    const [made, ended] = [placeOf('ChannelCreated'), placeOf('ChannelDestroyed')]
    expect(made.size).toBeGreaterThan(100)
    const wrong: string[] = []
    let living = 0
    for (const [at, event] of events.entries()) {
      if (event.type !== 'PatchbayChannels') continue
      const shown = new Set(pictureIds(event))
      living += shown.size
      for (const id of shown) if ((ended.get(id) ?? at) <= at) wrong.push(`${id} had ended`)
      for (const [id = '', since] of made) {
        // Whoever ends while the picture is taken may be found dead before its end is told.
        const lives = since < at && (ended.get(id) ?? Number.POSITIVE_INFINITY) > at + 50
        if (lives && !shown.has(id)) wrong.push(`${id} lives`)
      }
    }
    expect(wrong).toEqual([])
    expect(living).toBeGreaterThan(100)
  })

  test('after Asterisk was killed in mid-call end everything, and a gap says since when', async () => {
    await noCalls()
    const { heard } = await startLink()
    await place('answer', 'wait-60', 'killed')
    await vi.waitFor(() => expect(typesOf(heard, 'killed')).toContain('ChannelStateChange'))
    const killedAt = Date.now()
    await asterisk.kill()
    await heard.until('down', 1)
    await asterisk.restart()
    await heard.until('up', 2)
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2), 5000)
    const [gap] = told(heard, 'PatchbayGap')
    expect(gap?.reason).toMatch(/Asterisk was started at/)
    expect(Date.parse(String(gap?.from).replace('+0000', 'Z'))).toBeLessThanOrEqual(killedAt + 100)
    expect(told(heard, 'PatchbayChannels')[1]?.channels).toEqual([])
    await place('answer', 'wait-0.1', 'after')
    await vi.waitFor(() => expect(typesOf(heard, 'after')).toContain('ChannelDestroyed'), 5000)
  })

  test('after a cut of the socket equal the list of Asterisk, calls that came and went within included', async () => {
    await noCalls()
    const proxy = await startFaultProxy(asterisk.httpPort)
    onTestFinished(() => proxy.close())
    const { heard } = await startLink({ url: proxy.through(asterisk.url) })
    await place('answer', 'wait-60', 'stays')
    await place('answer', 'wait-60', 'goes')
    await vi.waitFor(() => expect(typesOf(heard, 'goes')).toContain('ChannelStateChange'))
    proxy.faults.refusing = true
    proxy.cut()
    await heard.until('down', 1)
    await asterisk.ari('DELETE', '/channels/goes')
    await place('answer', 'wait-0.1', 'unheard')
    await place('answer', 'wait-60', 'comes')
    await delay(1000)
    proxy.faults.refusing = false
    await heard.until('up', 2)
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2), 5000)
    expect(pictureIds(told(heard, 'PatchbayChannels')[1])).toEqual(await liveIds())
    expect(await liveIds()).toEqual(['comes', 'comes-far', 'stays', 'stays-far'])
    expect(typesOf(heard, 'unheard')).toEqual([])
    await noCalls()
    await vi.waitFor(() => expect(typesOf(heard, 'comes')).toContain('ChannelDestroyed'), 5000)
  })

  test('of an application with calls inside find them after a cut, and hear of their end', async () => {
    await noCalls()
    const proxy = await startFaultProxy(asterisk.httpPort)
    onTestFinished(() => proxy.close())
    const { heard, app } = await startLink({ url: proxy.through(asterisk.url), subscribe: SUBSCRIBED })
    await place(`in-${app}`, 'wait-60', 'inside')
    await vi.waitFor(() => expect(typesOf(heard, 'inside-far')).toContain('StasisStart'))
    await place('answer', 'wait-60', 'outside')
    proxy.cut()
    await heard.until('up', 2)
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2), 5000)
    expect(pictureIds(told(heard, 'PatchbayChannels')[1])).toEqual(['inside-far'])
    await delay(200)
    await noCalls()
    await vi.waitFor(() => expect(typesOf(heard, 'inside-far')).toContain('ChannelDestroyed'), 5000)
    expect(typesOf(heard, 'inside-far').filter((type) => type === 'ChannelDestroyed')).toHaveLength(1)
  })
})

test('a link that survived without being subscribed to everything is repaired', async () => {
  const app = 'survivor'
  const first = await startLink({ app, subscribe: { all: false, endpoints: ['PJSIP/1001'] } })
  await first.link.stop()
  const { heard } = await startLink({ app })
  expect(heard.of('fault').map(({ error }) => error.message)).toEqual([expect.stringContaining('subscribing anew')])
  await place('answer', 'wait-0.1', 'repaired')
  await vi.waitFor(() => expect(typesOf(heard, 'repaired')).toContain('ChannelDestroyed'), 5000)
  expect(typesOf(heard, 'repaired').filter((type) => type === 'ChannelCreated')).toHaveLength(1)
})

test('of two links of one application the newer one has it, and the older one does not fight', async () => {
  const older = await startLink({ replacedRetryMs: 600_000 })
  const newer = await startLink({ app: older.app })
  await older.heard.until('down', 1)
  await delay(1000)
  expect(older.heard.of('fault').map(({ error }) => error.message)).toEqual([
    expect.stringContaining(`another subscriber took the application "${older.app}"`),
  ])
  expect(newer.heard.of('down')).toEqual([])
  await place('answer', 'wait-0.1', 'newer')
  await vi.waitFor(() => expect(typesOf(newer.heard, 'newer')).toContain('ChannelDestroyed'), 5000)
  expect(typesOf(older.heard, 'newer')).toEqual([])
})

test('an Asterisk that stops to answer is noticed within 5 s, and its zombie is taken over', async () => {
  const proxy = await startFaultProxy(asterisk.httpPort)
  onTestFinished(() => proxy.close())
  const { heard } = await startLink({ url: proxy.through(asterisk.url) })
  proxy.faults.stalled = true
  const since = performance.now()
  await heard.until('down', 1)
  expect(performance.now() - since).toBeLessThan(5500)
  proxy.faults.stalled = false
  await heard.until('up', 2)
  await place('answer', 'wait-0.1', 'revived')
  await vi.waitFor(() => expect(typesOf(heard, 'revived')).toContain('ChannelDestroyed'), 5000)
  await vi.waitFor(() => expect(told(heard, 'PatchbayGap')).toHaveLength(1))
})

test('a receiver that settles nothing does not make Asterisk end the stream', async () => {
  await noCalls()
  const { heard } = await startLink({ maxUnsettled: 100 })
  const unsettled: (() => void)[] = []
  heard.onDelivery = (delivery) => void unsettled.push(() => delivery.settle('done'))
  for (let at = 0; at < 600; at++) await place('answer', 'wait-0.1', `slow-${at}`)
  await expect.poll(liveIds, { timeout: 20_000 }).toEqual([])
  const droppedBytes = heard.of('dropped').reduce((sum, { frame }) => sum + frame.body.length, 0)
  expect(droppedBytes).toBeGreaterThan(2_800_000)
  heard.onDelivery = (delivery) => delivery.settle('done')
  for (const settle of unsettled) settle()
  await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2), 5000)
  expect(told(heard, 'PatchbayGap')).toHaveLength(1)
  await place('answer', 'wait-0.1', 'heard')
  await vi.waitFor(() => expect(typesOf(heard, 'heard')).toContain('ChannelDestroyed'), 5000)
  expect(heard.of('down')).toEqual([])
}, 60_000)

describe('frames into an application', () => {
  const start = {
    type: 'StasisStart',
    args: ['a', ''],
    channel: { id: 'x"\\', name: 'ünï' },
    n: [1.5, -2, null, true, {}],
  }
  const frame = (body: object, address = {}) => ({
    address: { node: 'n1', ...address },
    headers: { 'patchbay-id': 'i1', 'patchbay-path': 'hq,b', other: 'x' },
    body: Buffer.from(JSON.stringify(body)),
  })

  test('arrive at another link as they were, with our headers', async () => {
    const receiver = await startLink()
    const { link } = await startLink({ userEvents: { application: receiver.app } })
    await link.send(frame(start))
    await vi.waitFor(() => expect(told(receiver.heard, 'StasisStart')).toHaveLength(1))
    const { frame: got, sentAt } = receiver.heard.deliveries.at(-1)!
    expect(JSON.parse(Buffer.from(got.body).toString('utf8'))).toEqual(start)
    expect(got.headers).toEqual({ 'patchbay-id': 'i1', 'patchbay-path': 'hq,b' })
    expect(sentAt).toBeGreaterThan(Date.now() - 60_000)
  })

  test('keep their order for each key', async () => {
    const receiver = await startLink()
    const { link } = await startLink({ userEvents: { application: receiver.app } })
    const sends = Array.from({ length: 200 }, (_, n) =>
      link.send({ ...frame({ type: 'T', key: n % 5, n }), orderKey: String(n % 5) }),
    )
    await Promise.all(sends)
    await vi.waitFor(() => expect(told(receiver.heard, 'T')).toHaveLength(200))
    for (let key = 0; key < 5; key++) {
      const of = told(receiver.heard, 'T')
        .filter((event) => event.key === key)
        .map(({ n }) => n)
      expect(of).toEqual(Array.from({ length: 40 }, (_, at) => at * 5 + key))
    }
  })

  test('that nobody registered are confirmed and reported', async () => {
    const { link, heard } = await startLink({ userEvents: { application: 'nobody-there' } })
    await link.send(frame(start))
    expect(heard.of('returned')).toHaveLength(1)
  })

  test('that Asterisk cannot take are refused', async () => {
    const receiver = await startLink()
    const { link } = await startLink({ userEvents: { application: receiver.app } })
    await expect(link.send(frame({ ...start, long: 'x'.repeat(50_000) }))).rejects.toMatchObject({
      code: 'link.too-large',
    })
    await expect(link.send(frame({ ...start, nul: 'a\u0000b' }))).rejects.toMatchObject({ status: 400, fate: 'reject' })
  })
})

describe('a link does not start', () => {
  const start = (options: Partial<AriConfig>) =>
    ariTransport({
      url: asterisk.url,
      credentials: { username: asterisk.user, password: asterisk.password },
      app: 'never',
      node: 'n1',
      ...options,
    }).start(recorder())

  test('with a wrong password', async () => {
    await expect(start({ credentials: { username: asterisk.user, password: 'wrong' } })).rejects.toMatchObject({
      code: 'link.connect',
      fate: 'reject',
      message: expect.not.stringContaining('wrong'),
    })
  })

  test('as a user who may only read', async () => {
    const credentials = { username: asterisk.readOnlyUser, password: asterisk.readOnlyPassword }
    await expect(start({ credentials })).rejects.toMatchObject({
      code: 'link.connect',
      message: expect.stringContaining('read-only'),
    })
  })

  test('with an Asterisk that has no system name', async () => {
    const stock = await startAsterisk({ systemName: '' })
    onTestFinished(() => stock.stop())
    await expect(start({ url: stock.url })).rejects.toMatchObject({ code: 'link.refused' })
  })
})
