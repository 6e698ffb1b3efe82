import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ariTransport } from '../../../src/transports/ari-client/index.js'
import { startAsterisk, type TestAsterisk } from '../../harness/index.js'
import { type Recorder, recorder } from '../recorder.js'
import { channel, event, startFakeAsterisk } from './fake-asterisk.js'
import { type Event, fakeLink, ids, parsed, standingLink, told } from './link.js'

const kinds = (heard: Recorder) => heard.events.map(({ kind }) => kind)
const types = (heard: Recorder, from = 0) => heard.deliveries.slice(from).map((each) => parsed(each).type)
const PICTURES = ['PatchbayChannels', 'PatchbayBridges', 'PatchbayEndpoints', 'PatchbayDeviceStates']

async function standBy(...given: Parameters<typeof fakeLink>) {
  const made = await fakeLink(...given)
  await made.link.start(made.heard, { standby: true })
  return made
}

const userEvent = { address: { app: 'crm' }, headers: {}, body: Buffer.from('{"type":"X"}') }

describe('a link that stands by', () => {
  test('looks at its Asterisk once and opens no socket', async () => {
    const { fake, heard } = await standBy()
    await delay(100)
    expect(kinds(heard)).toEqual(['standby'])
    expect(fake.requests.map(({ path }) => path)).toEqual(['/asterisk/info'])
    expect(fake.upgrades).toEqual([])
  })

  test('sends', async () => {
    const { fake, link } = await standBy()
    await link.send(userEvent)
    expect(fake.requests.at(-1)).toMatchObject({ method: 'POST', path: '/events/user/patchbay.X' })
  })

  test('says so when nobody registered the application that is to be told', async () => {
    const { fake, heard, link } = await standBy()
    fake.answer = ({ method }) => (method === 'POST' ? { status: 404, body: { message: 'no' } } : undefined)
    await link.send(userEvent)
    expect(heard.of('returned')).toHaveLength(1)
  })

  test('keeps what it was given while its Asterisk starts, and knows no application yet', async () => {
    const { fake, heard, link } = await standBy()
    let starts = true
    fake.answer = () => (starts ? { status: 404, body: '' } : undefined)
    const sent = link.send(userEvent)
    await heard.until('fault', 1)
    starts = false
    await sent
    expect(heard.of('returned')).toEqual([])
  })

  test.each([
    { name: 'refuses us', answer: { status: 401, body: { message: 'no' } }, code: 'link.connect' },
    { name: 'has no name', answer: { status: 200, body: {} }, code: 'link.refused' },
  ])('does not start when its Asterisk $name', async ({ answer, code }) => {
    const { fake, heard, link } = await fakeLink()
    fake.answer = () => answer
    await expect(link.start(heard, { standby: true })).rejects.toMatchObject({ code, fate: 'reject' })
    expect(heard.events).toEqual([])
  })

  test('starts, and says what is wrong, when its Asterisk is away', async () => {
    const fake = await startFakeAsterisk()
    fake.answer = () => ({ status: 503, body: '' })
    const { heard } = await standBy({}, fake)
    expect(kinds(heard)).toEqual(['fault', 'standby'])
  })

  test('stops like any other', async () => {
    const { heard, link } = await standBy()
    await link.drain()
    link.consume()
    await link.stop()
    expect(kinds(heard)).toEqual(['standby'])
    await expect(link.send(userEvent)).rejects.toMatchObject({ code: 'gateway.stopping' })
  })

  test('is given up by a stop while it looks', async () => {
    const { fake, heard, link } = await fakeLink()
    fake.answer = () => new Promise(() => undefined)
    const started = expect(link.start(heard, { standby: true })).rejects.toMatchObject({ code: 'gateway.stopping' })
    await vi.waitFor(() => expect(fake.requests).toHaveLength(1))
    await link.stop()
    await started
    expect(heard.events).toEqual([])
  })
})

describe('a link that takes over', () => {
  test('tells since when nobody took, then how things are, then what happens', async () => {
    const { fake, heard, link } = await standBy()
    fake.channels = [channel('c1')]
    const missedSince = Date.now() - 3000
    link.consume(missedSince)
    await heard.until('consuming', 1)
    fake.tell(event('Next'))
    await heard.received(6)
    expect(types(heard)).toEqual(['PatchbayGap', ...PICTURES, 'Next'])
    const [gap] = told(heard, 'PatchbayGap')
    expect(gap).toMatchObject({ asterisk_id: '02:00:00:00:00:01', reason: 'taken over from another replica' })
    expect(Date.parse(String(gap?.from))).toBe(missedSince)
    expect(Date.parse(String(gap?.until))).toBeGreaterThanOrEqual(missedSince + 3000)
    expect(ids(told(heard, 'PatchbayChannels')[0]?.channels)).toEqual(['c1'])
    expect(kinds(heard)).toEqual(['standby', 'up', 'consuming'])
  })

  test('as the first of all has missed nothing', async () => {
    const { heard, link } = await standBy()
    link.consume()
    await heard.until('consuming', 1)
    expect(types(heard)).toEqual(PICTURES)
  })

  test('keeps the socket as any other does', async () => {
    const { fake, heard, link } = await standBy()
    link.consume()
    await heard.until('consuming', 1)
    fake.cut()
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2))
    expect(told(heard, 'PatchbayGap')).toMatchObject([{ reason: expect.stringMatching(/^connection lost: /) }])
  })

  test('goes on trying whatever its Asterisk says, and the gap lasts until it stands', async () => {
    const { fake, heard, link } = await standBy()
    fake.answer = () => ({ status: 401, body: { message: 'no' } })
    const missedSince = Date.now()
    link.consume(missedSince)
    await heard.until('reconnecting', 3)
    fake.answer = () => undefined
    await heard.until('consuming', 1)
    const [gap] = told(heard, 'PatchbayGap')
    expect(gap?.reason).toBe('taken over from another replica')
    expect(Date.parse(String(gap?.from))).toBe(missedSince)
  })

  test('opens one socket, however often it is asked', async () => {
    const { fake, heard, link } = await standBy()
    link.consume()
    link.consume()
    await heard.until('consuming', 1)
    link.consume()
    await delay(50)
    expect(fake.upgrades).toHaveLength(1)
  })
})

describe('a link that is released', () => {
  test('closes its socket, says so, and sends on', async () => {
    const { fake, heard, link } = await standingLink()
    await link.release()
    expect(fake.sockets).toHaveLength(0)
    expect(kinds(heard)).toEqual(['up', 'consuming', 'down', 'standby'])
    expect(heard.of('down')[0]?.error).toBeUndefined()
    await link.send(userEvent)
    await delay(100)
    expect(fake.upgrades).toHaveLength(1)
    await link.release()
    expect(heard.of('standby')).toHaveLength(1)
  })

  test('leaves what it handed out to be settled, and a stop waits for that', async () => {
    const { fake, heard, link } = await standingLink({ stopGraceMs: 5000 })
    let settle: () => void = () => undefined
    heard.onDelivery = (delivery) => {
      settle = () => delivery.settle('done')
    }
    fake.tell(event('Last'))
    await heard.received(5)
    await link.release()
    const drained = vi.fn()
    const draining = link.drain().then(drained)
    await delay(50)
    expect(drained).not.toHaveBeenCalled()
    settle()
    await draining
  })

  test('tells what it dropped before others take over', async () => {
    const { fake, heard, link } = await standingLink({ maxUnsettled: 2 })
    heard.onDelivery = () => undefined
    for (let at = 0; at < 4; at++) fake.tell(event('Tick', { at }))
    await heard.until('dropped', 2)
    await link.release()
    expect(types(heard).at(-1)).toBe('PatchbayGap')
    expect(told(heard, 'PatchbayGap')).toMatchObject([{ reason: 'more events came than could be held' }])
  })

  test('begins anew the next time: a gap, complete pictures, and no copy of before', async () => {
    const { fake, heard, link } = await standingLink()
    const tick = event('Tick')
    fake.tell(tick)
    await heard.received(5)
    const released = Date.now()
    await link.release()
    link.consume(released - 1)
    await heard.until('consuming', 2)
    fake.tell(tick)
    await heard.received(11)
    expect(types(heard, 4)).toEqual(['Tick', 'PatchbayGap', ...PICTURES, 'Tick'])
    expect(kinds(heard)).toEqual(['up', 'consuming', 'down', 'standby', 'up', 'consuming'])
  })

  test('and takes again at once, with nobody between, has still a gap from what it heard last', async () => {
    const { fake, heard, link } = await standingLink()
    fake.tell(event('Tick'))
    await heard.received(5)
    const before = Date.now()
    void link.release()
    link.consume()
    await heard.until('consuming', 2)
    const [gap] = told(heard, 'PatchbayGap')
    expect(gap?.reason).toBe('nothing was taken for a while')
    expect(Date.parse(String(gap?.from))).toBeGreaterThanOrEqual(before - 1000)
    expect(fake.upgrades).toHaveLength(2)
  })

  test('while it is being asked to take ends where the last word was, with one socket at most', async () => {
    const { fake, heard, link } = await standBy()
    link.consume()
    void link.release()
    link.consume()
    void link.release()
    link.consume()
    await heard.until('consuming', 1)
    expect(fake.sockets).toHaveLength(1)
    link.consume()
    await link.release()
    expect(fake.sockets).toHaveLength(0)
    expect(kinds(heard).at(-1)).toBe('standby')
  })

  test('while no socket could be opened yet resolves at once', async () => {
    const { fake, heard, link } = await standBy()
    fake.answer = () => new Promise(() => undefined)
    link.consume()
    await vi.waitFor(() => expect(fake.requests).toHaveLength(2))
    await link.release()
    fake.answer = () => undefined
    await delay(100)
    expect(fake.upgrades).toEqual([])
    expect(kinds(heard)).toEqual(['standby', 'standby'])
  })
})

describe('two replicas on one Asterisk', () => {
  let asterisk: TestAsterisk

  beforeAll(async () => {
    asterisk = await startAsterisk()
  }, 300_000)

  afterAll(() => asterisk.stop())

  async function replica(app: string) {
    const heard = recorder()
    const link = ariTransport({
      url: asterisk.url,
      credentials: { username: asterisk.user, password: asterisk.password },
      node: 'n1',
      app,
      subscribe: { all: false },
      stopGraceMs: 2000,
    })
    onTestFinished(() => link.stop())
    await link.start(heard, { standby: true })
    return { heard, link }
  }

  async function call(app: string, id: string): Promise<void> {
    const query = { endpoint: `Local/in-${app}@services`, context: 'services', extension: 'wait-60', priority: 1 }
    await asterisk.ari('POST', '/channels', { ...query, channelId: id, otherChannelId: `${id}-far` })
  }

  const started = (heard: Recorder) => told(heard, 'StasisStart').map(({ channel }) => (channel as { id: string }).id)
  const lastPicture = (heard: Recorder): Event | undefined => told(heard, 'PatchbayChannels').at(-1)

  test('hand the application to and fro without taking it from each other, and no call is lost from sight', async () => {
    const [one, other] = [await replica('handed'), await replica('handed')]
    one.link.consume()
    await one.heard.until('consuming', 1)
    let [holder, next] = [one, other]
    for (let turn = 1; turn <= 10; turn++) {
      await call('handed', `c${turn}`)
      await vi.waitFor(() => expect(started(holder.heard)).toContain(`c${turn}-far`))
      const released = Date.now()
      await holder.link.release()
      next.link.consume(released)
      ;[holder, next] = [next, holder]
      const pictures = Math.ceil(turn / 2) + (holder === one ? 1 : 0)
      await vi.waitFor(() => expect(told(holder.heard, 'PatchbayChannels')).toHaveLength(pictures))
      expect(ids(lastPicture(holder.heard)?.channels)).toContain(`c${turn}-far`)
    }
    for (const { heard } of [one, other]) {
      expect(told(heard, 'ApplicationReplaced')).toEqual([])
      expect(heard.of('fault')).toEqual([])
    }
    expect(told(one.heard, 'PatchbayGap')).toHaveLength(5)
    expect(told(other.heard, 'PatchbayGap')).toHaveLength(5)
  })

  test('of which one is gone without a word: the other takes the application and the calls within', async () => {
    const [one, other] = [await replica('taken'), await replica('taken')]
    one.link.consume()
    await one.heard.until('consuming', 1)
    await call('taken', 't1')
    await vi.waitFor(() => expect(started(one.heard)).toEqual(['t1-far']))
    const missedSince = Date.now()
    other.link.consume(missedSince)
    await other.heard.until('consuming', 1)
    expect(types(other.heard)[0]).toBe('PatchbayGap')
    expect(ids(lastPicture(other.heard)?.channels)).toEqual(['t1-far'])
    await vi.waitFor(() => expect(told(one.heard, 'ApplicationReplaced')).toHaveLength(1))
    await one.link.release()
    await call('taken', 't2')
    await vi.waitFor(() => expect(started(other.heard)).toEqual(['t2-far']))
  })
})
