import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { recorder } from '../recorder.js'
import { channel, event, type FakeRequest, startFakeAsterisk } from './fake-asterisk.js'
import { fakeLink, ids, parsed, standingLink, told } from './link.js'

const line = ({ method, path, query }: FakeRequest) =>
  [method, path, ...(query.eventSource === undefined ? [] : [query.eventSource])].join(' ')

describe('connecting', () => {
  test('reads the system, opens the socket, sets the filter, looks at the application, then reads how things are', async () => {
    const { fake, heard } = await standingLink()
    expect(fake.requests.slice(0, 3).map(line)).toEqual([
      'GET /asterisk/info',
      'PUT /applications/patchbay/eventFilter',
      'GET /applications/patchbay',
    ])
    expect(fake.requests[1]?.body).toEqual({
      allowed: [],
      disallowed: [{ type: 'ChannelVarset' }, { type: 'ChannelDialplan' }],
    })
    expect(fake.upgrades[0]).toMatchObject({ query: { app: 'patchbay', subscribeAll: 'true' } })
    expect(heard.events.map(({ kind }) => kind)).toEqual(['up', 'consuming'])
    expect(heard.deliveries.map((each) => parsed(each).type)).toEqual([
      'PatchbayChannels',
      'PatchbayBridges',
      'PatchbayEndpoints',
      'PatchbayDeviceStates',
    ])
  })

  test('says who we are in a header, never in an address', async () => {
    const { fake } = await standingLink()
    const basic = `Basic ${Buffer.from('bridge:secret').toString('base64')}`
    for (const request of [...fake.requests, ...fake.upgrades]) {
      expect(request.authorization).toBe(basic)
      expect(JSON.stringify(request.query)).not.toContain('secret')
    }
  })

  test('waits while Asterisk starts: nobody listens, then 404, then 503', async () => {
    const fake = await startFakeAsterisk()
    const answers = [404, 503, 200, 404, 503]
    fake.answer = ({ path }) => {
      if (path !== '/asterisk/info' && path !== '/events') return undefined
      const status = answers.shift() ?? 200
      return status === 200 ? undefined : { status, body: { message: 'not yet' } }
    }
    const { heard, link } = await fakeLink({}, fake)
    await link.start(heard)
    expect(heard.of('reconnecting').length).toBeGreaterThanOrEqual(3)
    expect(answers).toEqual([])
  })

  test.each([
    { refusal: 401, path: '/asterisk/info', says: 'refuses user and password' },
    { refusal: 401, path: '/events', says: 'refuses user and password' },
    { refusal: 403, path: '/applications/patchbay/eventFilter', says: 'read-only' },
  ])('does not start when $path answers $refusal', async ({ refusal, path, says }) => {
    const { fake, heard, link } = await fakeLink()
    fake.answer = (request) => (request.path === path ? { status: refusal, body: { message: 'no' } } : undefined)
    await expect(link.start(heard)).rejects.toMatchObject({
      code: 'link.connect',
      fate: 'reject',
      message: expect.stringContaining(says),
    })
  })

  test('does not start with an Asterisk that has no system name, and says what to set', async () => {
    const { fake, heard, link } = await fakeLink()
    fake.info.name = ''
    await expect(link.start(heard)).rejects.toMatchObject({
      code: 'link.refused',
      message: expect.stringMatching(/systemname.*qualifyIds/),
    })
  })

  test('takes an Asterisk without a system name where ids are qualified', async () => {
    const fake = await startFakeAsterisk()
    fake.info.name = ''
    const { heard } = await standingLink({ qualifyIds: true }, fake)
    expect(heard.of('up')).toHaveLength(1)
  })

  test('does not start with an Asterisk that somebody refuses', async () => {
    const refuseSystem = vi.fn(() => 'the name is taken')
    const { heard, link } = await fakeLink({ refuseSystem })
    await expect(link.start(heard)).rejects.toMatchObject({ code: 'link.refused', message: 'the name is taken' })
    expect(refuseSystem).toHaveBeenCalledWith(expect.objectContaining({ name: 'fake' }))
  })

  test('is given up by a stop', async () => {
    const { fake, heard, link } = await fakeLink({ requestTimeoutMs: 60_000 })
    fake.answer = () => new Promise(() => undefined)
    const started = link.start(heard)
    await vi.waitFor(() => expect(fake.requests).toHaveLength(1))
    const stopped = link.stop()
    await expect(started).rejects.toMatchObject({ code: 'gateway.stopping' })
    await stopped
  })
})

describe('frames', () => {
  test('arrive as they were sent, with the time that they tell', async () => {
    const { fake, heard } = await standingLink()
    const text = JSON.stringify({
      channel: channel('c1'),
      ...event('ChannelCreated', {}, '2026-11-20T15:45:07.110+0100'),
    })
    fake.tell(text)
    await heard.received(5)
    const { frame, sentAt } = heard.deliveries[4]!
    expect(Buffer.from(frame.body).toString('utf8')).toBe(text)
    expect(frame.address).toEqual({ node: 'ast1' })
    expect(sentAt).toBe(Date.UTC(2026, 10, 20, 14, 45, 7, 110))
  })

  test.each([
    { name: 'no JSON', body: Buffer.from('{"type": oh no') },
    { name: 'no UTF-8', body: Buffer.from([0x7b, 0xff, 0xfe, 0x22, 0x00]) },
    { name: 'a list', body: Buffer.from('[1,2]') },
    { name: 'nothing', body: Buffer.from('') },
    { name: 'an application that is not ours', body: Buffer.from('{"type":"ApplicationReplaced","application":"b"}') },
  ])('pass with $name in them, and the socket stays', async ({ body }) => {
    const { fake, heard } = await standingLink()
    fake.tell(body)
    fake.tell(event('Next'))
    await heard.received(6)
    expect(Buffer.compare(heard.deliveries[4]!.frame.body, body)).toBe(0)
    expect(heard.of('down')).toEqual([])
  })

  test('that are copies of a frame are left out, unless somebody posted them', async () => {
    const { fake, heard } = await standingLink()
    const playback = event('PlaybackStarted', { playback: { id: 'p1' } })
    const posted = event('ChannelUserevent', { eventname: 'e', userevent: {} })
    const later = event('PlaybackStarted', { playback: { id: 'p1' } }, '2026-11-20T10:00:02.001+0000')
    for (const each of [playback, posted, playback, posted, later]) fake.tell(each)
    fake.tell(event('Next'))
    await vi.waitFor(() => expect(told(heard, 'Next')).toHaveLength(1))
    expect(heard.deliveries.slice(4).map((each) => parsed(each).type)).toEqual([
      'PlaybackStarted',
      'ChannelUserevent',
      'ChannelUserevent',
      'PlaybackStarted',
      'Next',
    ])
  })

  test('beyond what may be unsettled are dropped and counted, and a picture makes up for them', async () => {
    const { fake, heard } = await standingLink({ maxUnsettled: 4 })
    const unsettled: (() => void)[] = []
    heard.onDelivery = (delivery) => void unsettled.push(() => delivery.settle('done'))
    for (let at = 0; at < 7; at++) fake.tell(event('ChannelCreated', { channel: channel(`c${at}`) }))
    await heard.until('dropped', 3)
    expect(told(heard, 'ChannelCreated')).toHaveLength(4)
    await delay(50)
    expect(told(heard, 'PatchbayGap')).toEqual([])
    fake.channels = [channel('c5')]
    heard.onDelivery = (delivery) => delivery.settle('done')
    for (const settle of unsettled) settle()
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2))
    expect(told(heard, 'PatchbayGap')).toMatchObject([{ reason: 'more events came than could be held' }])
    expect(ids(told(heard, 'PatchbayChannels')[1]?.channels)).toEqual(['c5'])
    expect(heard.of('dropped')).toHaveLength(3)
  })
})

describe('a lost socket', () => {
  test('is opened again under the same name, with a gap and a picture', async () => {
    const { fake, heard } = await standingLink()
    fake.tell(event('Last'))
    await heard.received(5)
    const before = Date.now()
    fake.cut()
    await heard.until('up', 2)
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2))
    const types = heard.deliveries.slice(5).map((each) => parsed(each).type)
    expect(types).toEqual([
      'PatchbayGap',
      'PatchbayChannels',
      'PatchbayBridges',
      'PatchbayEndpoints',
      'PatchbayDeviceStates',
    ])
    const [gap] = told(heard, 'PatchbayGap')
    expect(gap).toMatchObject({ application: 'patchbay', asterisk_id: '02:00:00:00:00:01' })
    expect(gap?.reason).toMatch(/^connection lost: /)
    const [from, until] = [Date.parse(String(gap?.from)), Date.parse(String(gap?.until))]
    expect(from).toBeLessThanOrEqual(before + 50)
    expect(until).toBeGreaterThanOrEqual(before)
    expect(fake.upgrades.map(({ query }) => query.app)).toEqual(['patchbay', 'patchbay'])
  })

  test('whose Asterisk was started again says so in the gap', async () => {
    const { fake, heard } = await standingLink()
    fake.info.startupTime = '2026-11-20T11:00:00.000+0000'
    fake.cut()
    await vi.waitFor(() => expect(told(heard, 'PatchbayGap')).toHaveLength(1))
    expect(told(heard, 'PatchbayGap')[0]?.reason).toMatch(/started at 2026-11-20T11:00:00/)
  })

  test('is noticed when the peer falls silent, within ping interval and pong timeout', async () => {
    const { fake, heard } = await standingLink({ pingIntervalMs: 100, pongTimeoutMs: 200 })
    fake.freeze()
    const frozen = performance.now()
    await heard.until('down', 1)
    const noticedMs = performance.now() - frozen
    expect(noticedMs).toBeGreaterThan(150)
    expect(noticedMs).toBeLessThan(1000)
    expect(heard.of('down')[0]?.error?.message).toContain('no sign of life')
    await heard.until('up', 2)
    // Connections for requests are as dead, and nothing waits for them.
    expect(performance.now() - frozen).toBeLessThan(1500)
  })

  test('is not lost while frames come, though pongs are late', async () => {
    const { fake, heard } = await standingLink({ pingIntervalMs: 50, pongTimeoutMs: 100 })
    for (const socket of fake.sockets) Object.assign(socket, { _autoPong: false })
    for (let at = 0; at < 20; at++) {
      fake.tell(event('Tick', { at }))
      await delay(25)
    }
    expect(heard.of('down')).toEqual([])
    await heard.until('down', 1)
  })
})

describe('another subscriber of the application', () => {
  const replaced = event('ApplicationReplaced')

  test('is not fought: the link says why, goes down and waits', async () => {
    const { fake, heard } = await standingLink({ replacedRetryMs: 0 })
    fake.tell(replaced)
    await heard.until('down', 1)
    await delay(200)
    expect(fake.upgrades).toHaveLength(1)
    expect(heard.of('fault').map(({ error }) => error.message)).toEqual([
      expect.stringContaining('another subscriber took the application "patchbay"'),
    ])
    expect(heard.of('down')[0]?.error?.code).toBe('link.refused')
  })

  test('keeps it for the time that was set, twice as long the next time', async () => {
    const { fake, heard } = await standingLink({ replacedRetryMs: 150 })
    const replacedFor = async (ups: number) => {
      const since = performance.now()
      fake.tell(replaced)
      await heard.until('up', ups)
      return performance.now() - since
    }
    const first = await replacedFor(2)
    expect(first).toBeGreaterThan(140)
    expect(await replacedFor(3)).toBeGreaterThan(290)
  })
})

describe('stopping', () => {
  test('waits for what was handed out, and takes nothing more', async () => {
    const { fake, heard, link } = await standingLink({ stopGraceMs: 5000 })
    let settle: () => void = () => undefined
    heard.onDelivery = (delivery) => {
      settle = () => delivery.settle('done')
    }
    fake.tell(event('Last'))
    await heard.received(5)
    const drained = vi.fn()
    const draining = link.drain().then(drained)
    await vi.waitFor(() => expect(fake.sockets).toHaveLength(0))
    await delay(50)
    expect(drained).not.toHaveBeenCalled()
    settle()
    await draining
    await link.stop()
    expect(fake.upgrades).toHaveLength(1)
    expect(heard.of('down')).toEqual([])
  })

  test('of a link that was never started is no trouble', async () => {
    const { link } = await fakeLink()
    await link.stop()
    await expect(link.send({ address: {}, headers: {}, body: Buffer.from('{"type":"X"}') })).rejects.toMatchObject({
      code: 'gateway.stopping',
    })
  })

  test('refuses who waits for a picture', async () => {
    const { fake, link } = await fakeLink()
    fake.answer = () => ({ status: 503, body: '' })
    const starting = link.start(recorder()).catch(() => undefined)
    const asked = link.send({ address: { node: 'ast1', resync: 'channels' }, headers: {}, body: new Uint8Array() })
    asked.catch(() => undefined)
    await link.stop()
    await expect(asked).rejects.toMatchObject({ code: 'gateway.stopping', fate: 'retry' })
    await starting
  })
})
