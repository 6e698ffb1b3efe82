import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { ariLinkSchema } from '../../../src/config/ari-link-schema.js'
import { MAX_REPLACED_MS } from '../../../src/transports/ari-client/config.js'
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

  test('that are copies of a frame are left out, unless a gateway posted them', async () => {
    const { fake, heard } = await standingLink()
    const playback = event('PlaybackStarted', { playback: { id: 'p1' } })
    // UserEvent() of a dialplan comes once per subscription: of the channel, of its endpoint, of the technology.
    const dialplan = event('ChannelUserevent', { eventname: 'e', channel: channel('c1'), userevent: { k: 'v' } })
    const posted = event('ChannelUserevent', { eventname: 'patchbay.X', userevent: { event: { type: 'X' } } })
    const later = event('PlaybackStarted', { playback: { id: 'p1' } }, '2026-11-20T10:00:02.001+0000')
    for (const each of [playback, posted, dialplan, dialplan, playback, posted, dialplan, later]) fake.tell(each)
    fake.tell(event('Next'))
    await vi.waitFor(() => expect(told(heard, 'Next')).toHaveLength(1))
    expect(heard.deliveries.slice(4).map((each) => parsed(each).type)).toEqual([
      'PlaybackStarted',
      'X',
      'ChannelUserevent',
      'X',
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

  test('beyond what may be unsettled are in the gap of the next connect where there is room only while the link is down', async () => {
    const { fake, heard } = await standingLink({ maxUnsettled: 4 })
    const unsettled: (() => void)[] = []
    heard.onDelivery = (delivery) => void unsettled.push(() => delivery.settle('done'))
    for (let at = 0; at < 5; at++) fake.tell(event('Tick', { at }))
    await heard.until('dropped', 1)
    const droppedBefore = Date.now()
    await delay(200)
    fake.answer = ({ path }) => (path === '/asterisk/info' ? { status: 503, body: '' } : undefined)
    fake.cut()
    await heard.until('down', 1)
    heard.onDelivery = (delivery) => delivery.settle('done')
    for (const settle of unsettled) settle()
    await delay(20)
    fake.answer = () => undefined
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2))
    const gaps = told(heard, 'PatchbayGap')
    expect(gaps).toMatchObject([{ reason: expect.stringMatching(/^connection lost: /) }])
    expect(Date.parse(String(gaps[0]?.from))).toBeLessThanOrEqual(droppedBefore)
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

  test('that is cut right after each connect is opened again ever later; one that stood a while at once', async () => {
    const { fake, heard } = await standingLink({ reconnect: { minDelayMs: 10, maxDelayMs: 600 } })
    await delay(650)
    fake.answer = ({ path }) => {
      if (path === '/bridges' && heard.of('up').length < 6) fake.cut()
      return undefined
    }
    fake.cut()
    await heard.until('up', 6)
    expect(heard.of('reconnecting').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5])
    await delay(650)
    fake.cut()
    await heard.until('up', 7)
    expect(heard.of('reconnecting').at(-1)?.attempt).toBe(1)
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

  test('is not thrown out by a replica that cannot know whether it is still the one that takes', async () => {
    const { fake, link, heard } = await fakeLink({ replacedRetryMs: 50 })
    let isConfirmed = true
    await link.start(heard, { isConfirmed: () => isConfirmed })
    await heard.until('consuming', 1)
    isConfirmed = false
    fake.tell(replaced)
    await heard.until('down', 1)
    await delay(500)
    expect(fake.upgrades).toHaveLength(1)
    isConfirmed = true
    await heard.until('up', 2)
  })

  const waits = (heard: Awaited<ReturnType<typeof standingLink>>['heard']) =>
    heard.of('reconnecting').map(({ delayMs }) => delayMs)

  test('who comes long after a fight finds a link that waits as for the first time', async () => {
    const { fake, heard } = await standingLink({ replacedRetryMs: 150 })
    for (let ups = 2; ups < 5; ups++) {
      fake.tell(replaced)
      await heard.until('up', ups)
    }
    await delay(650)
    fake.tell(replaced)
    await heard.until('up', 5)
    expect(waits(heard)).toEqual([150, 300, 600, 150])
  })

  test('who comes while the link sets up is waited for ever longer, too', async () => {
    const { fake, heard } = await standingLink({ replacedRetryMs: 100 })
    let times = 0
    fake.answer = ({ path }) => {
      if (path.endsWith('/eventFilter') && ++times <= 2) fake.tell(replaced)
      return undefined
    }
    fake.tell(replaced)
    await heard.until('up', 2)
    expect(waits(heard)).toEqual([100, 200, 400])
  })

  test('who comes in one piece with the opening is noticed', async () => {
    const { fake, heard, link } = await fakeLink({ replacedRetryMs: 50 })
    fake.greeting = replaced
    const started = link.start(heard)
    await heard.until('reconnecting', 1)
    fake.greeting = undefined
    await started
    expect(waits(heard)[0]).toBe(50)
    expect(heard.of('fault')[0]?.error.message).toContain('another subscriber took the application')
  })

  test('is never waited for longer than a configuration may say', () => {
    const { replacedRetryMs } = ariLinkSchema({ env: {}, folder: '.' }).shape
    expect(replacedRetryMs.safeParse(MAX_REPLACED_MS).success).toBe(true)
    expect(replacedRetryMs.safeParse(MAX_REPLACED_MS + 1).success).toBe(false)
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

  test('while the socket stands and is not set up yet leaves nothing behind that goes on', async () => {
    const { fake, heard, link } = await fakeLink({ maxUnsettled: 2 })
    const unsettled: (() => void)[] = []
    heard.onDelivery = (delivery) => void unsettled.push(() => delivery.settle('done'))
    fake.answer = ({ path }) => (path.endsWith('/eventFilter') ? new Promise(() => undefined) : undefined)
    const starting = link.start(heard).catch(() => undefined)
    await vi.waitFor(() => expect(fake.requests.some(({ path }) => path.endsWith('/eventFilter'))).toBe(true))
    for (let at = 0; at < 4; at++) fake.tell(event('Tick', { at }))
    await heard.until('dropped', 2)
    await link.stop()
    await starting
    for (const settle of unsettled) settle()
    await delay(100)
    expect(heard.deliveries).toHaveLength(2)
    expect(heard.of('fault')).toEqual([])
  })
})
