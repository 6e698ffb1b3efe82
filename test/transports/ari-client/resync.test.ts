import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeResync, type ResyncParts } from '../../../src/transports/ari-client/resync.js'
import type { Seen } from '../../../src/transports/ari-client/seen.js'
import type { LinkEvent } from '../../../src/transports/transport.js'
import { channel, event, type FakeReply, startFakeAsterisk } from './fake-asterisk.js'
import { fakeLink, ids, parsed, standingLink, told } from './link.js'

const bridge = (id: string, channels: string[] = []) => ({
  id,
  bridge_type: 'mixing',
  channels,
  name: '',
  creationtime: 'x',
})
const endpoint = (resource: string, state: string, channel_ids: string[] = []) => ({
  technology: 'PJSIP',
  resource,
  state,
  channel_ids,
})

/** A link that stands, whose next list of one kind waits until it is let go. */
async function slowly(path: string, options: Parameters<typeof standingLink>[0] = {}) {
  const made = await standingLink(options)
  const { fake, heard } = made
  let asked = 0
  let release: (reply?: FakeReply) => void = () => undefined
  fake.answer = (request) => {
    if (request.path !== path) return undefined
    asked++
    return new Promise((resolve) => {
      release = resolve
    })
  }
  return {
    ...made,
    /** Has pictures taken by a cut, lets things happen while the list is under way, and gives the pictures. */
    async during(happen: () => void | Promise<void>, listed: object[]) {
      const before = asked
      const pictures = told(heard, 'PatchbayChannels').length
      fake.cut()
      await vi.waitFor(() => expect(asked).toBe(before + 1))
      await happen()
      fake.tell(event('Mark', { before }))
      await vi.waitFor(() => expect(told(heard, 'Mark').some((each) => each.before === before)).toBe(true))
      release({ status: 200, body: listed })
      await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(pictures + 1))
      const last = (type: string) => told(heard, type).at(-1)
      return {
        channels: last('PatchbayChannels')?.channels as ReturnType<typeof channel>[],
        bridges: last('PatchbayBridges')?.bridges as ReturnType<typeof bridge>[],
        endpoints: last('PatchbayEndpoints')?.endpoints as ReturnType<typeof endpoint>[],
        devices: last('PatchbayDeviceStates')?.device_states as { name: string; state: string }[],
      }
    },
  }
}

describe('while channels are listed', () => {
  test('one that is created is in the picture, though the list is older', async () => {
    const { fake, during } = await slowly('/channels')
    const { channels } = await during(
      () => fake.tell(event('ChannelCreated', { channel: channel('new', 'Ring') })),
      [channel('old')],
    )
    expect(ids(channels)).toEqual(['old', 'new'])
  })

  test('one that is destroyed does not come back, though it is listed', async () => {
    const { fake, during } = await slowly('/channels')
    const { channels } = await during(
      () => fake.tell(event('ChannelDestroyed', { channel: channel('gone'), cause: 16 })),
      [channel('gone'), channel('old')],
    )
    expect(ids(channels)).toEqual(['old'])
  })

  test('one that changes is shown as the event told it, not as the list did', async () => {
    const { fake, during } = await slowly('/channels')
    const { channels } = await during(
      () => fake.tell(event('ChannelStateChange', { channel: channel('c', 'Up') })),
      [channel('c', 'Ringing')],
    )
    expect(channels).toMatchObject([{ id: 'c', state: 'Up' }])
  })

  test('one that ends and comes anew under its id is there', async () => {
    const { fake, during } = await slowly('/channels')
    const { channels } = await during(() => {
      fake.tell(event('ChannelDestroyed', { channel: channel('own'), cause: 16 }))
      fake.tell(event('ChannelCreated', { channel: channel('own', 'Down') }))
    }, [channel('own', 'Up')])
    expect(channels).toMatchObject([{ id: 'own', state: 'Down' }])
  })

  test('every event is told at once, in its order, and before the picture', async () => {
    const { fake, heard, during } = await slowly('/channels')
    await during(() => {
      for (let at = 0; at < 50; at++) fake.tell(event('ChannelStateChange', { channel: channel(`c${at}`, 'Up') }))
    }, [])
    const order = heard.deliveries.slice(4).map((each) => parsed(each).type)
    expect(order.slice(0, 53)).toEqual([
      'PatchbayGap',
      ...Array.from({ length: 50 }, () => 'ChannelStateChange'),
      'Mark',
      'PatchbayChannels',
    ])
    const told = heard.deliveries.slice(5, 55).map((each) => (parsed(each).channel as { id: string }).id)
    expect(told).toEqual(Array.from({ length: 50 }, (_, at) => `c${at}`))
  })

  test('whom an event named only in passing counts too: the peer of a dial, a party of a transfer', async () => {
    const { fake, during } = await slowly('/channels')
    const { channels } = await during(() => {
      fake.tell(event('Dial', { dialstatus: 'RINGING', peer: channel('peer', 'Ringing') }))
      fake.tell(event('BridgeBlindTransfer', { channel: channel('a'), transferee: channel('b'), bridge: bridge('x') }))
    }, [])
    expect(ids(channels).sort()).toEqual(['a', 'b', 'peer'])
  })

  test('one that only an event knows and that is dead by now is left out', async () => {
    const { fake, during } = await slowly('/channels')
    fake.dead.add('short')
    const { channels } = await during(
      () => fake.tell(event('StasisEnd', { channel: channel('short') })),
      [channel('old')],
    )
    expect(ids(channels)).toEqual(['old'])
  })
})

test('bridges, endpoints and devices are shown as events told them last', async () => {
  const { fake, during } = await slowly('/channels')
  fake.bridges = [bridge('kept', ['a']), bridge('gone')]
  fake.endpoints = [endpoint('1001', 'offline'), endpoint('1002', 'online')]
  fake.deviceStates = [{ name: 'Stasis:x', state: 'INUSE' }]
  const { bridges, endpoints, devices } = await during(() => {
    fake.tell(event('ChannelEnteredBridge', { bridge: bridge('kept', ['a', 'b']), channel: channel('b') }))
    fake.tell(event('BridgeCreated', { bridge: bridge('new') }))
    fake.tell(event('BridgeDestroyed', { bridge: bridge('gone') }))
    fake.tell(event('PeerStatusChange', { endpoint: endpoint('1001', 'online'), peer: { peer_status: 'Reachable' } }))
    fake.tell(event('DeviceStateChanged', { device_state: { name: 'Stasis:x', state: 'NOT_INUSE' } }))
  }, [])
  expect(bridges).toMatchObject([{ id: 'kept', channels: ['a', 'b'] }, { id: 'new' }])
  expect(endpoints.map(({ resource, state }) => `${resource} ${state}`)).toEqual(['1001 online', '1002 online'])
  expect(devices).toContainEqual({ name: 'Stasis:x', state: 'NOT_INUSE' })
})

describe('a picture', () => {
  test('leaves out what is no call, and listed channels that are dead', async () => {
    const fake = await startFakeAsterisk()
    fake.channels = [
      channel('live'),
      channel('ghost'),
      channel('rings', 'Ringing'),
      channel('m', 'Up', 'Message/ast_msg_queue'),
    ]
    fake.dead.add('ghost')
    const { heard } = await standingLink({}, fake)
    expect(ids(told(heard, 'PatchbayChannels')[0]?.channels)).toEqual(['live', 'rings'])
    const probed = fake.requests.filter(({ path }) => path.endsWith('/variable'))
    expect(probed.map(({ path, query }) => `${path} ${query.variable}`)).toEqual([
      '/channels/live/variable CHANNEL(name)',
      '/channels/ghost/variable CHANNEL(name)',
    ])
  })

  test('believes a probe that fails for another reason', async () => {
    const fake = await startFakeAsterisk()
    fake.channels = [channel('c1')]
    fake.answer = ({ path }) => (path.endsWith('/variable') ? { status: 500, body: { error: 'no' } } : undefined)
    const { heard } = await standingLink({}, fake)
    expect(ids(told(heard, 'PatchbayChannels')[0]?.channels)).toEqual(['c1'])
  })

  test('of very many channels takes the list for what it is', async () => {
    const fake = await startFakeAsterisk()
    fake.channels = Array.from({ length: 4000 }, (_, at) => channel(`c${at}`))
    const { heard } = await standingLink({}, fake)
    expect(told(heard, 'PatchbayChannels')[0]?.channels).toHaveLength(4000)
    expect(fake.requests.filter(({ path }) => path.endsWith('/variable'))).toEqual([])
  })

  test('holds only what we hear of where not everything is subscribed to', async () => {
    const fake = await startFakeAsterisk()
    fake.channels = [channel('ours'), channel('phone'), channel('other')]
    fake.application.channel_ids.push('ours')
    fake.bridges = [bridge('b1', ['ours']), bridge('b2', ['other'])]
    fake.endpoints = [endpoint('1001', 'online', ['phone']), endpoint('1002', 'online', ['other'])]
    const { heard } = await standingLink({ subscribe: { all: false, endpoints: ['PJSIP/1001'] } }, fake)
    expect(ids(told(heard, 'PatchbayChannels')[0]?.channels)).toEqual(['ours', 'phone'])
    expect(ids(told(heard, 'PatchbayBridges')[0]?.bridges)).toEqual(['b1'])
    expect(told(heard, 'PatchbayEndpoints')[0]?.endpoints).toMatchObject([{ resource: '1001' }])
    expect(told(heard, 'PatchbayDeviceStates')).toEqual([])
  })

  test('shows no calls of endpoints that are only subscribed to as a whole: nobody would tell their end', async () => {
    const fake = await startFakeAsterisk()
    fake.channels = [channel('phone')]
    fake.endpoints = [endpoint('1001', 'online', ['phone'])]
    const { heard } = await standingLink({ subscribe: { all: false, endpoints: 'all' } }, fake)
    expect(told(heard, 'PatchbayChannels')).toMatchObject([{ channels: [] }])
    expect(told(heard, 'PatchbayEndpoints')[0]?.endpoints).toMatchObject([{ resource: '1001' }])
  })

  test('of devices asks for those that no list has: of endpoints, of the configuration, heard of before', async () => {
    const fake = await startFakeAsterisk()
    fake.endpoints = [endpoint('1001', 'online')]
    fake.deviceStates = [{ name: 'Stasis:x', state: 'INUSE' }]
    const { heard } = await standingLink({ devices: ['Custom:door'] }, fake)
    fake.tell(event('DeviceStateChanged', { device_state: { name: 'MWI:1001', state: 'INUSE' } }))
    fake.tell(event('DeviceStateChanged', { device_state: { name: 'Local/x@y', state: 'INUSE' } }))
    await heard.received(6)
    fake.cut()
    await vi.waitFor(() => expect(told(heard, 'PatchbayDeviceStates')).toHaveLength(2))
    const names = (told(heard, 'PatchbayDeviceStates').at(-1)!.device_states as { name: string }[]).map(
      ({ name }) => name,
    )
    expect(names).toEqual(['Stasis:x', 'Custom:door', 'PJSIP/1001', 'MWI:1001'])
  })

  test('that fails is tried again, and the link consumes only once it is told', async () => {
    const fake = await startFakeAsterisk()
    let failures = 3
    fake.answer = ({ path }) =>
      path === '/bridges' && failures-- > 0 ? { status: 500, body: '<h1>no</h1>' } : undefined
    const { heard, link } = await fakeLink({}, fake)
    await link.start(heard)
    expect(heard.of('consuming')).toEqual([])
    expect(told(heard, 'PatchbayChannels')).toEqual([])
    await heard.until('consuming', 1)
    expect(heard.of('fault')).toHaveLength(3)
    expect(heard.of('fault')[0]?.error.message).toMatch(/no picture.*GET \/bridges: 500 no/)
    expect(told(heard, 'PatchbayChannels')).toHaveLength(1)
  })

  test('that a cut interrupts is told after the next connect, once', async () => {
    const { fake, heard } = await standingLink()
    let cuts = 2
    fake.answer = ({ path }) => {
      if (path !== '/channels' || cuts-- <= 0) return undefined
      fake.cut()
      return new Promise(() => undefined)
    }
    fake.cut()
    await vi.waitFor(() => expect(told(heard, 'PatchbayChannels')).toHaveLength(2))
    await delay(100)
    expect(told(heard, 'PatchbayChannels')).toHaveLength(2)
    expect(told(heard, 'PatchbayGap')).toHaveLength(3)
    const types = heard.deliveries.slice(4).map((each) => parsed(each).type)
    expect(types.slice(0, 4)).toEqual(['PatchbayGap', 'PatchbayGap', 'PatchbayGap', 'PatchbayChannels'])
  })

  test('that is empty is told as well', async () => {
    const { heard } = await standingLink()
    expect(told(heard, 'PatchbayChannels')).toMatchObject([{ channels: [], application: 'patchbay' }])
  })
})

describe('a resync', () => {
  const PAUSE_MS = 200

  /** Without a link: every reading waits until the test lets it go. */
  function setUp(parts: Partial<ResyncParts<number>> = {}) {
    const readings: { seen: Seen; done: () => void; fail: () => void }[] = []
    const tell = vi.fn()
    const reports: LinkEvent[] = []
    const resync = makeResync<number>({
      take: (seen) =>
        new Promise((resolve, reject) => {
          const at = readings.length
          readings.push({ seen, done: () => resolve(at), fail: () => reject(new Error('no')) })
        }),
      tell,
      room: () => Promise.resolve(),
      report: (event) => void reports.push(event),
      backoff: { minDelayMs: PAUSE_MS, maxDelayMs: PAUSE_MS },
      ...parts,
    })
    onTestFinished(() => resync.close())
    const reading = async (at: number) => {
      await vi.waitFor(() => expect(readings).toHaveLength(at + 1))
      return readings[at]!
    }
    return { resync, reading, readings, tell, reports }
  }

  test('watches nothing while it waits for room', async () => {
    let makeRoom: () => void = () => undefined
    const { resync, reading } = setUp({
      room: () =>
        new Promise((resolve) => {
          makeRoom = resolve
        }),
    })
    resync.start()
    await delay(10)
    expect(resync.isWatching()).toBe(false)
    makeRoom()
    const { done } = await reading(0)
    expect(resync.isWatching()).toBe(true)
    done()
    await vi.waitFor(() => expect(resync.isWatching()).toBe(false))
  })

  test('that fails forgets what it saw, and watches anew with the next try', async () => {
    const { resync, reading } = setUp()
    resync.start()
    const first = await reading(0)
    resync.note(event('ChannelCreated', { channel: channel('c1') }))
    expect([...first.seen.channels.keys()]).toEqual(['c1'])
    first.fail()
    await vi.waitFor(() => expect(resync.isWatching()).toBe(false))
    const second = await reading(1)
    expect(second.seen.channels.size).toBe(0)
  })

  test('takes one more picture where there was reason while one was read, however often', async () => {
    const { resync, reading, readings, tell } = setUp()
    resync.start()
    resync.start()
    const first = await reading(0)
    for (let times = 0; times < 3; times++) resync.start()
    first.done()
    const second = await reading(1)
    second.done()
    await delay(20)
    expect(readings).toHaveLength(2)
    expect(tell.mock.calls).toEqual([[0], [1]])
  })

  test('that is closed while it reads tells nothing, and begins nothing later', async () => {
    const { resync, reading, readings, tell } = setUp()
    resync.start()
    const { done } = await reading(0)
    resync.close()
    done()
    resync.start()
    await delay(20)
    expect(resync.isWatching()).toBe(false)
    expect(readings).toHaveLength(1)
    expect(tell).not.toHaveBeenCalled()
  })

  test('that is closed between two tries does not try again', async () => {
    const { resync, reading, readings, reports } = setUp()
    resync.start()
    const { fail } = await reading(0)
    fail()
    await vi.waitFor(() => expect(reports).toHaveLength(1))
    resync.close()
    await delay(PAUSE_MS + 50)
    expect(readings).toHaveLength(1)
  })
})
