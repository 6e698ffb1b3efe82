import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { AriConfig } from '../../../src/transports/ari-client/config.js'
import type { Recorder } from '../recorder.js'
import { basic, type Call, dial, listening, listenSomewhere, type Presented, sendMarks } from './calling.js'
import { channel, event, startFakeAsterisk } from './fake-asterisk.js'
import { fakeLink, parsed, told } from './link.js'

const kinds = (heard: Recorder) => heard.events.map(({ kind }) => kind)
const types = (heard: Recorder, from = 0) => heard.deliveries.slice(from).map((each) => parsed(each).type)
const faults = (heard: Recorder) => heard.of('fault').map(({ error }) => error.message)
const tick = (at: number) => event('Tick', { at }, `2026-11-20T10:00:${String(10 + at).padStart(2, '0')}.000+0000`)
const REGISTERED = event('ApplicationRegistered')

/** A link that listens, and a way to connect to it as its Asterisk. */
async function listener(options: Partial<AriConfig> = {}) {
  const listen = await listenSomewhere(options.listen)
  const made = await fakeLink({ ...listening(listen), ...options, listen })
  let newest: Call | undefined
  sendMarks(made.fake, () => newest)
  const call = async (presented?: Presented) => {
    newest = await dial(listen, presented)
    return newest
  }
  return { ...made, listen, call }
}

async function connected(options: Partial<AriConfig> = {}) {
  const made = await listener(options)
  await made.link.start(made.heard)
  const first = await made.call()
  first.tell(REGISTERED)
  await made.heard.until('consuming', 1)
  return { ...made, first }
}

describe('a link that listens', () => {
  test('is ready without an Asterisk, and opens no socket itself', async () => {
    const { fake, heard, link } = await listener()
    await link.start(heard)
    await delay(50)
    expect(kinds(heard)).toEqual(['standby'])
    expect(fake.upgrades).toEqual([])
  })

  test('tells what was queued, in order, then how things are, then what happens', async () => {
    const { fake, heard, link, call } = await listener()
    await link.start(heard)
    fake.channels = [channel('c1')]
    fake.application.channel_ids.push('c1')
    const asterisk = await call()
    asterisk.tell(tick(1), tick(2), tick(3), REGISTERED)
    await heard.until('consuming', 1)
    asterisk.tell(tick(4))
    await heard.received(7)
    expect(types(heard)).toEqual([
      ...['Tick', 'Tick', 'Tick', 'ApplicationRegistered'],
      ...['PatchbayChannels', 'PatchbayBridges', 'Tick'],
    ])
    expect(told(heard, 'Tick').map(({ at }) => at)).toEqual([1, 2, 3, 4])
    expect(kinds(heard)).toEqual(['standby', 'up', 'consuming'])
  })

  test('takes no picture before the end of the queue, wherever the registration stands in it', async () => {
    const { fake, heard, link, call } = await listener()
    await link.start(heard)
    let mark: (() => void) | undefined
    const answer = fake.answer
    fake.answer = (request) => {
      if (request.method !== 'POST' || !request.path.endsWith('patchbay.mark')) return answer(request)
      mark = () => void answer(request)
      return { status: 204 }
    }
    const asterisk = await call()
    asterisk.tell(REGISTERED)
    for (let at = 0; at < 5; at++) {
      asterisk.tell(tick(at))
      await delay(20)
    }
    expect(heard.of('up')).toEqual([])
    mark?.()
    await heard.until('consuming', 1)
    expect(types(heard)).toEqual([
      'ApplicationRegistered',
      ...Array.from({ length: 5 }, () => 'Tick'),
      'PatchbayChannels',
      'PatchbayBridges',
    ])
  })

  test.each([
    { name: 'a wrong password', presented: { authorization: basic('ast1:other') }, status: '401', isTold: true },
    { name: 'another user', presented: { authorization: basic('ast2:sesame') }, status: '401', isTold: true },
    { name: 'no credentials', presented: { authorization: undefined }, status: '401', isTold: true },
    { name: 'another path', presented: { path: '/other' }, status: '404', isTold: false },
    { name: 'a web page', presented: { headers: { origin: 'https://example.org' } }, status: '403', isTold: false },
  ])('refuses who comes with $name', async ({ presented, status, isTold }) => {
    const { heard, link, call } = await listener()
    await link.start(heard)
    await expect(call(presented)).rejects.toThrow(status)
    expect(faults(heard)).toEqual(isTold ? [expect.stringContaining('without the user and password')] : [])
    expect(JSON.stringify(faults(heard))).not.toContain('sesame')
  })

  test('says 426 to what asks for no WebSocket', async () => {
    const { heard, link, listen } = await listener()
    await link.start(heard)
    const { status } = await fetch(`http://127.0.0.1:${listen.port}${listen.path}`)
    expect(status).toBe(426)
  })

  test.each([
    { name: 'another application', wrong: { ...tick(1), application: 'other' }, says: 'for the application "other"' },
    {
      name: 'another Asterisk',
      wrong: { ...tick(1), asterisk_id: '02:00:00:00:00:99' },
      says: 'want one link for each',
    },
  ])('sends $name away, tells nothing of it, and says why', async ({ wrong, says }) => {
    const { heard, link, call } = await listener()
    await link.start(heard)
    const asterisk = await call()
    asterisk.tell(wrong, tick(2))
    expect(await asterisk.closed).toBe(1008)
    expect(heard.deliveries).toEqual([])
    expect(faults(heard)).toEqual([expect.stringContaining(says)])
    expect(heard.of('up')).toEqual([])
  })

  test('lets its Asterisk wait, with all that it queued, while requests to it fail', async () => {
    const { fake, heard, link, call } = await listener()
    await link.start(heard)
    const answer = fake.answer
    fake.answer = () => ({ status: 503, body: '' })
    await expect(call()).rejects.toThrow('503')
    expect(faults(heard)).toEqual([expect.stringContaining('503')])
    fake.answer = answer
    const asterisk = await call()
    asterisk.tell(REGISTERED)
    await heard.until('consuming', 1)
  })

  test('says so, and sends Asterisk away, when the events of the application go elsewhere', async () => {
    const { fake, heard, link, call } = await listener({ requestTimeoutMs: 100 })
    await link.start(heard)
    sendMarks(fake, () => undefined)
    const asterisk = await call()
    asterisk.tell(REGISTERED)
    expect(await asterisk.closed).toBe(1013)
    expect(faults(heard)).toEqual([expect.stringContaining('another subscriber took it')])
  })

  test('says so when another subscriber takes the application', async () => {
    const { heard, first } = await connected()
    first.tell(event('ApplicationReplaced'))
    expect(await first.closed).toBe(1013)
    await heard.until('down', 1)
    expect(faults(heard)).toEqual([expect.stringContaining('another subscriber took the application "patchbay"')])
    expect(kinds(heard).slice(-2)).toEqual(['down', 'standby'])
  })

  test('subscribes to what it wants without a word of its own about it', async () => {
    const { fake, heard } = await connected({ subscribe: { all: true } })
    const sources = fake.requests
      .filter(({ path }) => path.endsWith('/subscription'))
      .map(({ query }) => query.eventSource)
    expect(sources).toEqual(['channel:', 'bridge:', 'endpoint:', 'deviceState:'])
    expect(faults(heard)).toEqual([])
  })

  test.each([
    { name: 'allows others only', eventFilter: { allowed: ['StasisStart'], disallowed: [] } },
    { name: 'holds them back', eventFilter: { allowed: [], disallowed: ['ChannelUserevent', 'ChannelVarset'] } },
  ])('finds the end of the queue though the filter $name', async ({ eventFilter }) => {
    const { fake, heard, link, call } = await listener({ eventFilter })
    await link.start(heard)
    const asterisk = await call()
    const foreign = event('ChannelUserevent', { eventname: 'other', userevent: {} })
    asterisk.tell(foreign, tick(1))
    await heard.until('consuming', 1)
    expect(told(heard, 'ChannelUserevent')).toEqual([])
    const filters = fake.requests.filter(({ path }) => path.endsWith('/eventFilter')).map(({ body }) => body)
    const hides = (types: readonly string[]) => types.map((type) => ({ type }))
    expect(filters.at(-1)).toEqual({ allowed: hides(eventFilter.allowed), disallowed: hides(eventFilter.disallowed) })
    expect(JSON.stringify(filters[0])).toMatch(/"allowed":\[(\]|.*ChannelUserevent)/)
    expect(JSON.stringify((filters[0] as { disallowed: object }).disallowed)).not.toContain('ChannelUserevent')
  })

  test('keeps user events of others', async () => {
    const { heard, first } = await connected()
    first.tell(event('ChannelUserevent', { eventname: 'other', userevent: {} }))
    await vi.waitFor(() => expect(told(heard, 'ChannelUserevent')).toHaveLength(1))
  })

  test('does not start where somebody else listens', async () => {
    const one = await listener()
    await one.link.start(one.heard)
    const other = await listener({ listen: { ...one.listen, username: 'ast1' } })
    await expect(other.link.start(other.heard)).rejects.toMatchObject({
      code: 'link.connect',
      message: expect.stringContaining('another link listens on'),
    })
  })

  test('does not start when its Asterisk refuses us, though that one comes by itself', async () => {
    const { fake, heard, link, call } = await listener()
    fake.answer = () => ({ status: 401, body: { message: 'no' } })
    await expect(link.start(heard)).rejects.toMatchObject({ code: 'link.connect' })
    await expect(call()).rejects.toThrow('ECONNREFUSED')
  })

  test.each([
    { name: 'path', other: { path: '/two' } },
    { name: 'user', other: { username: 'ast2' } },
  ])('shares its port with others, told apart by $name', async ({ other }) => {
    const one = await connected()
    const two = await connected({ listen: { ...one.listen, ...other } })
    one.first.tell(tick(1))
    two.first.tell(tick(2))
    await vi.waitFor(() => expect([...told(one.heard, 'Tick'), ...told(two.heard, 'Tick')]).toHaveLength(2))
    expect(told(one.heard, 'Tick')).toMatchObject([{ at: 1 }])
    await one.link.stop()
    two.first.tell(tick(3))
    await vi.waitFor(() => expect(told(two.heard, 'Tick')).toMatchObject([{ at: 2 }, { at: 3 }]))
    await expect(one.call()).rejects.toThrow(other.path === undefined ? '401' : '404')
  })
})

describe('a connection', () => {
  test('that ended with a goodbye goes on with the next, without a gap', async () => {
    const { heard, first, call } = await connected()
    first.tell(tick(1))
    await heard.received(4)
    first.socket.close(1000)
    await heard.until('down', 1)
    const next = await call()
    next.tell(tick(2), REGISTERED)
    await heard.until('consuming', 2)
    expect(types(heard, 3)).toEqual(['Tick', 'Tick', 'ApplicationRegistered', 'PatchbayChannels', 'PatchbayBridges'])
    expect(kinds(heard)).toEqual(['standby', 'up', 'consuming', 'down', 'standby', 'up', 'consuming'])
  })

  test('that was cut leaves a gap, which stands behind what was queued', async () => {
    const { heard, first, call } = await connected()
    const before = Date.now()
    first.socket.terminate()
    await heard.until('down', 1)
    const next = await call()
    next.tell(tick(2), REGISTERED)
    await heard.until('consuming', 2)
    expect(types(heard, 3)).toEqual([
      'Tick',
      'ApplicationRegistered',
      'PatchbayGap',
      'PatchbayChannels',
      'PatchbayBridges',
    ])
    const [gap] = told(heard, 'PatchbayGap')
    expect(gap?.reason).toMatch(/^connection lost: /)
    expect(Date.parse(String(gap?.from))).toBeLessThanOrEqual(before + 50)
  })

  test('to an Asterisk that was started anew leaves one whatever was said, for its queue ended with it', async () => {
    const { fake, heard, first, call } = await connected()
    first.socket.close(1000)
    await heard.until('down', 1)
    fake.info.startupTime = '2026-11-20T11:00:00.000+0000'
    const next = await call()
    next.tell(REGISTERED)
    await heard.until('consuming', 2)
    expect(told(heard, 'PatchbayGap')).toMatchObject([
      { reason: expect.stringContaining('was started at 2026-11-20T11') },
    ])
  })

  test('that broke off before the queue was through does not hide the gap before it', async () => {
    const { heard, first, call } = await connected()
    first.socket.terminate()
    await heard.until('down', 1)
    const second = await call()
    second.socket.close(1000)
    await heard.until('standby', 3)
    const third = await call()
    third.tell(REGISTERED)
    await heard.until('consuming', 2)
    expect(told(heard, 'PatchbayGap')).toHaveLength(1)
  })

  test('that falls silent is noticed, and Asterisk made to notice it too', async () => {
    const { fake, heard, first } = await connected()
    Object.assign(first.socket, { _autoPong: false })
    await heard.until('down', 1)
    expect(heard.of('down')[0]?.error?.message).toContain('no sign of life')
    const posts = () => fake.requests.filter(({ path }) => path === '/events/user/patchbay.mark')
    await vi.waitFor(() => expect(posts()).toHaveLength(2), 5000)
  })

  test('takes the place of one that nobody noticed to be dead', async () => {
    const { heard, first, call } = await connected()
    const next = await call()
    next.tell(tick(1), REGISTERED)
    await heard.until('consuming', 2)
    expect(await first.closed).toBe(1006)
    expect(types(heard, 3)).toEqual([
      'Tick',
      'ApplicationRegistered',
      'PatchbayGap',
      'PatchbayChannels',
      'PatchbayBridges',
    ])
    expect(heard.of('down')[0]?.error?.message).toContain('connected anew')
  })
})

describe('standing by', () => {
  test('lets nobody in, until it takes', async () => {
    const { heard, link, call } = await listener()
    await link.start(heard, { standby: true })
    await expect(call()).rejects.toThrow('ECONNREFUSED')
    link.consume()
    await vi.waitFor(async () => (await call()).tell(REGISTERED))
    await heard.until('consuming', 1)
    expect(types(heard)).toEqual(['ApplicationRegistered', 'PatchbayChannels', 'PatchbayBridges'])
    expect(kinds(heard)).toEqual(['standby', 'standby', 'up', 'consuming'])
  })

  test('after one that said nothing at its end tells since when something may be lost', async () => {
    const { heard, link, call } = await listener()
    await link.start(heard, { standby: true })
    const missedSince = Date.now() - 2000
    link.consume(missedSince)
    await vi.waitFor(async () => (await call()).tell(tick(1), REGISTERED))
    await heard.until('consuming', 1)
    expect(types(heard).slice(0, 3)).toEqual(['Tick', 'ApplicationRegistered', 'PatchbayGap'])
    expect(Date.parse(String(told(heard, 'PatchbayGap')[0]?.from))).toBe(missedSince)
  })

  test('after one that said goodbye, which the mark in the queue shows, tells of no gap', async () => {
    const { heard, link, call, fake } = await listener()
    await link.start(heard, { standby: true })
    link.consume(Date.now() - 2000)
    const handOver = { eventname: 'patchbay.mark', userevent: { eventname: 'patchbay.mark', mark: 'hand-over' } }
    await vi.waitFor(async () => (await call()).tell(event('ChannelUserevent', handOver), tick(1), REGISTERED))
    await heard.until('consuming', 1)
    expect(types(heard)).toEqual(['Tick', 'ApplicationRegistered', 'PatchbayChannels', 'PatchbayBridges'])
    await link.release()
    expect(fake.requests.at(-1)).toMatchObject({
      path: '/events/user/patchbay.mark',
      body: { variables: { mark: 'hand-over' } },
    })
  })

  test('begins with a goodbye, after which Asterisk queues; so nothing is missed', async () => {
    const { heard, link, first, call } = await connected()
    first.tell(tick(1))
    await link.release()
    expect(await first.closed).toBe(1000)
    expect(told(heard, 'Tick')).toHaveLength(1)
    expect(kinds(heard)).toEqual(['standby', 'up', 'consuming', 'down', 'standby'])
    await expect(call()).rejects.toThrow('ECONNREFUSED')
    link.consume()
    await vi.waitFor(async () => (await call()).tell(REGISTERED))
    await heard.until('consuming', 2)
    expect(told(heard, 'PatchbayGap')).toEqual([])
  })

  test('goes on trying where it cannot listen', async () => {
    const one = await listener()
    await one.link.start(one.heard)
    const two = await listener({ listen: one.listen })
    await two.link.start(two.heard, { standby: true })
    two.link.consume()
    await two.heard.until('fault', 2)
    await one.link.stop()
    await vi.waitFor(async () => (await two.call()).tell(REGISTERED))
    await two.heard.until('consuming', 1)
  })
})

describe('what is sent', () => {
  test('is returned where nobody registered the application, connected or not', async () => {
    const fake = await startFakeAsterisk()
    fake.answer = ({ method }) => (method === 'POST' ? { status: 404, body: { message: 'no' } } : undefined)
    const { heard, link } = await fakeLink(listening(await listenSomewhere()), fake)
    await link.start(heard)
    await link.send({ address: { app: 'crm' }, headers: {}, body: Buffer.from('{"type":"X"}') })
    expect(heard.of('returned')).toHaveLength(1)
  })
})
