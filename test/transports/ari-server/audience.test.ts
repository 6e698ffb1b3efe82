import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Ear, type Stand, stand } from './stand.js'
import {
  APP,
  bridge,
  bridgeCreated,
  bridgeDestroyed,
  channel,
  created,
  destroyed,
  deviceState,
  dial,
  type Event,
  end,
  endpoint,
  endpointState,
  entered,
  left,
  other,
  peerStatus,
  playback,
  recording,
  start,
  stateChange,
  varset,
} from './story.js'

let server: Stand
beforeEach(async () => {
  server = await stand()
})
afterEach(() => server.stop())

const subscribe = (source: string, app = APP) =>
  server.ask('POST', `/ari/applications/${app}/subscription?eventSource=${encodeURIComponent(source)}`)

/** What an ear has heard once an event of its own has come through. */
async function heardBy(ear: Ear, app = APP): Promise<string[]> {
  await server.ask('POST', `/ari/events/user/mark?application=${app}`)
  await expect.poll(() => ear.types().includes('ChannelUserevent'), { interval: 5 }).toBe(true)
  return ear.types().filter((type) => type !== 'ChannelUserevent')
}

/** One of every kind, all concerning channel c1, bridge b1 and endpoint PJSIP/1001, before and after the application has c1. */
const CALL: Event[] = [
  created('c1'),
  start('c1'),
  stateChange('c1'),
  bridgeCreated('b1'),
  entered('c1', 'b1'),
  entered('c2', 'b1', ['c1', 'c2']),
  other('BridgeVideoSourceChanged', { bridge: bridge('b1') }),
  playback('PlaybackStarted', 'p1', 'channel:c1'),
  playback('PlaybackStarted', 'p2', 'bridge:b1'),
  recording('RecordingStarted', 'r1', 'channel:c2'),
  dial('c3', 'RINGING', 'c1'),
  stateChange('c2'),
  left('c1', 'b1', ['c2']),
  stateChange('c1', 'Up', { accountcode: 'x' }),
  left('c2', 'b1'),
  bridgeDestroyed('b1'),
  end('c1'),
  destroyed('c1'),
]

test('an application hears of its channels and of the bridges that these are in', async () => {
  const ear = await server.listen()
  await server.tell(...CALL)
  expect(await heardBy(ear)).toEqual([
    'StasisStart',
    'ChannelStateChange',
    'ChannelEnteredBridge',
    'ChannelEnteredBridge',
    'BridgeVideoSourceChanged',
    'PlaybackStarted',
    'PlaybackStarted',
    'Dial',
    'ChannelLeftBridge',
    'ChannelStateChange',
    'StasisEnd',
  ])
  expect(ear.heard.every(({ application }) => application === APP)).toBe(true)
})

test('an application that asked for everything hears each event once, but those that are for another', async () => {
  const ear = await server.listen('app=observer&subscribeAll=true')
  await server.tell(...CALL)
  const wanted = CALL.map(({ type }) => type).filter((type) => type !== 'StasisStart' && type !== 'StasisEnd')
  expect(await heardBy(ear, 'observer')).toEqual(wanted)
  expect(ear.heard.every(({ application }) => application === 'observer')).toBe(true)
})

test('each application on a socket gets an event of its own, and its name tells which is whose', async () => {
  const ear = await server.listen('app=one,two&subscribeAll=yes')
  await server.tell(created('c1'), start('c1', 'Ring', 'two'))
  await ear.until(3)
  expect(ear.heard.map(({ type, application }) => `${type} ${application}`)).toEqual([
    'ChannelCreated one',
    'ChannelCreated two',
    'StasisStart two',
  ])
})

test('what was subscribed to is heard until it is taken back as often', async () => {
  const ear = await server.listen()
  await server.tell(created('c1'), created('c2'))
  await subscribe('channel:c1')
  await subscribe('channel:c1')
  await server.tell(stateChange('c1'), stateChange('c2'))
  await server.ask('DELETE', `/ari/applications/${APP}/subscription?eventSource=channel:c1`)
  await server.tell(stateChange('c1'))
  await server.ask('DELETE', `/ari/applications/${APP}/subscription?eventSource=channel:c1`)
  await server.tell(stateChange('c1'))
  expect(await heardBy(ear)).toEqual(['ChannelStateChange', 'ChannelStateChange'])
})

test('a device is subscribed to or not, however often that is asked', async () => {
  const ear = await server.listen()
  await subscribe('deviceState:a')
  await subscribe('deviceState:a')
  await server.tell(deviceState('a', 'INUSE'))
  await server.ask('DELETE', `/ari/applications/${APP}/subscription?eventSource=deviceState:a`)
  await server.tell(deviceState('a', 'NOT_INUSE'))
  expect(await heardBy(ear)).toEqual(['DeviceStateChanged'])
})

test('a transfer is told to who has one of its channels', async () => {
  const ear = await server.listen()
  const transfer = (source: string, destination: string) =>
    other('ChannelTransfer', {
      refer_to: { requested_destination: { destination: '1002' }, destination_channel: channel(destination) },
      referred_by: { source_channel: channel(source) },
    })
  await server.tell(start('c1'), transfer('c1', 'c2'), transfer('c2', 'c1'), transfer('c2', 'c3'))
  expect(await heardBy(ear)).toEqual(['StasisStart', 'ChannelTransfer', 'ChannelTransfer'])
})

test('a channel that is subscribed to is heard of after it left, and nothing is left of it when it is destroyed', async () => {
  const ear = await server.listen()
  await server.tell(start('c1'))
  await subscribe('channel:c1')
  await server.tell(end('c1'), destroyed('c1', 17))
  expect(await heardBy(ear)).toEqual(['StasisStart', 'StasisEnd', 'ChannelDestroyed'])
  expect((await server.ask('GET', `/ari/applications/${APP}`)).body).toMatchObject({ channel_ids: [] })
})

describe('a channel that left its application', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Lets a minute pass, and then no more time but that of the network. */
  function aMinuteLater(): void {
    vi.advanceTimersByTime(60_000)
    vi.useRealTimers()
  }
  const statusOf = async (id: string) => (await server.ask('GET', `/ari/channels/${id}`)).status

  test('is heard of and can be read until it is destroyed by who subscribed to it', async () => {
    const ear = await server.listen()
    await server.tell(start('c1'))
    await subscribe('channel:c1')
    await server.tell(end('c1'))
    aMinuteLater()
    expect(await statusOf('c1')).toBe(200)
    await server.tell(stateChange('c1'), destroyed('c1'))
    expect(await heardBy(ear)).toEqual(['StasisStart', 'StasisEnd', 'ChannelStateChange', 'ChannelDestroyed'])
    expect(await statusOf('c1')).toBe(404)
    expect((await server.ask('GET', `/ari/applications/${APP}`)).body).toMatchObject({ channel_ids: [] })
  })

  test('ends all the same where a hangup was asked for, though its end is not told', async () => {
    await server.listen()
    await server.tell(start('c1'))
    await subscribe('channel:c1')
    await server.tell(other('ChannelHangupRequest', { channel: channel('c1'), cause: 16 }), end('c1'))
    aMinuteLater()
    expect(await statusOf('c1')).toBe(404)
    expect((await server.ask('GET', `/ari/applications/${APP}`)).body).toMatchObject({ channel_ids: [] })
  })

  const FOLLOWED = [
    { name: 'its beginning was told', before: [created('c1'), start('c1')], after: [] },
    { name: 'more is told of it', before: [start('c1')], after: [varset('c1', 'A', 'b')] },
  ]
  test.each(FOLLOWED)('can be read until it is destroyed where $name', async ({ before, after }) => {
    await server.tell(...before, end('c1'), ...after)
    aMinuteLater()
    expect(await statusOf('c1')).toBe(200)
    await server.tell(destroyed('c1'))
    expect(await statusOf('c1')).toBe(404)
  })

  test('is gone where nothing more is told of it, whatever names it', async () => {
    await server.tell(start('c1'), end('c1'), dial('c2', 'NOANSWER', 'c1'))
    aMinuteLater()
    expect(await statusOf('c1')).toBe(404)
  })

  test('stays with the application that it moved to, whichever of the two is told first', async () => {
    const fresh = await server.listen('app=fresh')
    await server.listen()
    await server.tell(start('c1'), start('c1', 'Up', 'fresh'), end('c1'))
    await server.tell(start('c2'), end('c2'), start('c2', 'Up', 'fresh'))
    aMinuteLater()
    expect((await server.ask('GET', '/ari/applications/fresh')).body).toMatchObject({ channel_ids: ['c1', 'c2'] })
    expect((await server.ask('GET', `/ari/applications/${APP}`)).body).toMatchObject({ channel_ids: [] })
    expect([await statusOf('c1'), await statusOf('c2')]).toEqual([200, 200])
    await server.tell(stateChange('c1'), end('c1', 'fresh'))
    expect(await heardBy(fresh, 'fresh')).toEqual(['StasisStart', 'StasisStart', 'ChannelStateChange', 'StasisEnd'])
  })
})

const SOURCES = [
  { source: 'endpoint:PJSIP/1001', heard: ['PeerStatusChange', 'EndpointStateChange', 'ChannelStateChange'] },
  {
    source: 'endpoint:PJSIP',
    heard: ['PeerStatusChange', 'EndpointStateChange', 'PeerStatusChange', 'ChannelStateChange'],
  },
  // An Asterisk holds back EndpointStateChange from who has not named what it is about.
  { source: 'endpoint:', heard: ['PeerStatusChange', 'PeerStatusChange', 'PeerStatusChange', 'ChannelStateChange'] },
  { source: 'deviceState:PJSIP/1001', heard: ['DeviceStateChanged'] },
  { source: 'deviceState:', heard: ['DeviceStateChanged', 'DeviceStateChanged'] },
  { source: 'channel:', heard: ['ChannelVarset', 'ChannelStateChange'] },
  { source: 'bridge:', heard: ['BridgeCreated'] },
]
test.each(SOURCES)('subscribed to $source', async ({ source, heard }) => {
  const ear = await server.listen()
  await server.tell(peerStatus('1001'))
  expect(await subscribe(source)).toMatchObject({ status: 200 })
  await server.tell(
    peerStatus('1001'),
    endpointState('1001'),
    peerStatus('1002'),
    peerStatus('1001', 'Legacy'),
    deviceState('PJSIP/1001', 'INUSE'),
    deviceState('Custom:a', 'INUSE'),
    varset(undefined, 'GLOBAL', '1'),
    stateChange('abc', 'Up'),
    bridgeCreated('b1'),
  )
  expect(await heardBy(ear)).toEqual(heard)
})

test('a filter keeps nothing of what else stands in it', async () => {
  await server.listen()
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
  const body = `{"allowed":[{"type":"StasisEnd","deep":${deep}}],"disallowed":[{"type":"Dial","why":"loud"}]}`
  const want = { events_allowed: [{ type: 'StasisEnd' }], events_disallowed: [{ type: 'Dial' }] }
  expect((await server.ask('PUT', `/ari/applications/${APP}/eventFilter`, { body })).body).toMatchObject(want)
  expect((await server.ask('GET', '/ari/applications')).body).toMatchObject([want])
})

test('a filter keeps off what is disallowed, and all but what is allowed', async () => {
  const ear = await server.listen()
  const filter = (body: unknown) => server.ask('PUT', `/ari/applications/${APP}/eventFilter`, { body })
  await filter({ disallowed: [{ type: 'ChannelStateChange' }] })
  await server.tell(start('c1'), stateChange('c1'))
  await filter({ allowed: [{ type: 'StasisEnd' }, { type: 'ChannelUserevent' }] })
  await server.tell(varset('c1', 'A', 'b'), stateChange('c1'), end('c1'))
  expect(await heardBy(ear)).toEqual(['StasisStart', 'StasisEnd'])
  expect(server.link.of('returned')).toEqual([])
})

test('events of the application itself show the objects they name', async () => {
  const ear = await server.listen()
  await server.tell(start('c1', 'Up'), bridgeCreated('b1'), peerStatus('1001'))
  const source = 'channel:c1,bridge:b1,endpoint:PJSIP/1001'
  const body = { variables: { nested: { a: 1 }, key: 'value' } }
  const path = `/ari/events/user/Mine?application=${APP}&source=${encodeURIComponent(source)}`
  expect(await server.ask('POST', path, { body })).toMatchObject({ status: 204, body: '' })
  const heard = await ear.until(2)
  expect(heard[1]).toEqual({
    type: 'ChannelUserevent',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/) as string,
    eventname: 'Mine',
    userevent: { nested: { a: 1 }, key: 'value', eventname: 'Mine' },
    channel: channel('c1', 'Up'),
    bridge: bridge('b1'),
    endpoint: endpoint('1001'),
    asterisk_id: 'ast1',
    application: APP,
  })
})

test('an event that concerns nobody who is connected is returned, once', async () => {
  await server.tell(start('c1'), stateChange('c1'))
  const ear = await server.listen('app=another')
  await server.tell(stateChange('c1'), start('c2', 'Up', 'another'), stateChange('c2'))
  expect(await heardBy(ear, 'another')).toEqual(['StasisStart', 'ChannelStateChange'])
  const returned = server.link.of('returned').map(({ frame }) => JSON.parse(String(frame.body)) as Event)
  expect(returned.map(({ type }) => type)).toEqual(['StasisStart', 'ChannelStateChange', 'ChannelStateChange'])
})

test('an application that connects late finds its calls inside, but is told nothing twice', async () => {
  await server.tell(start('c1'), entered('c1', 'b1'), start('c2'), end('c2'), start('c3', 'Up', 'another'), start('c4'))
  await server.tell(destroyed('c4'))
  const ear = await server.listen()
  expect((await server.ask('GET', `/ari/applications/${APP}`)).body).toMatchObject({
    channel_ids: ['c1'],
    bridge_ids: ['b1'],
  })
  await server.tell(stateChange('c3'), left('c1', 'b1'), end('c1'), destroyed('c1'))
  expect(await heardBy(ear)).toEqual(['ChannelLeftBridge', 'StasisEnd'])
})

test('a type of event that the api-docs do not list is returned and told of once', async () => {
  const ear = await server.listen('app=observer&subscribeAll=true')
  await server.tell(other('Novelty', { channel: channel('c1') }), other('Novelty', {}), stateChange('c1'))
  expect(await heardBy(ear, 'observer')).toEqual(['ChannelStateChange'])
  expect(server.link.of('returned')).toHaveLength(2)
  expect(server.link.of('fault').map(({ error }) => `${error.code} ${error.message}`)).toEqual([
    'link.refused ari-server: Novelty is no event of our api-docs',
  ])
})

test('what another Asterisk says of its own sockets is passed on to nobody', async () => {
  const ear = await server.listen()
  await server.tell(
    other('ApplicationReplaced', {}),
    other('RESTResponse', { status_code: 200 }),
    other('MissingParams', {}),
  )
  expect(await heardBy(ear)).toEqual([])
  expect(server.link.of('returned')).toHaveLength(3)
  expect(server.link.of('fault')).toEqual([])
})

test('an event that knows no more of a channel than its id shows what is known of it', async () => {
  const ear = await server.listen()
  const bare = (id: string, more = {}) => ({
    ...channel(id),
    name: `Patchbay/${id}`,
    caller: { name: '', number: '' },
    ...more,
  })
  const key = (digit: string, shown: unknown) => other('ChannelDtmfReceived', { digit, duration_ms: 0, channel: shown })
  await server.tell(
    start('c1'),
    key('1', bare('c1', { channelvars: { a: 'b' } })),
    key('2', channel('c1', 'Up', { x: 1 })),
  )
  await subscribe('channel:')
  await server.tell(key('3', bare('c2')))
  const [, first, second, third] = await ear.until(4)
  expect(first).toMatchObject({ digit: '1', channel: channel('c1', 'Ring', { channelvars: { a: 'b' } }) })
  expect(second).toMatchObject({ digit: '2', channel: channel('c1', 'Up', { x: 1 }) })
  expect(third).toMatchObject({ digit: '3', channel: bare('c2') })
  expect((await server.ask('GET', '/ari/channels/c1')).body).toEqual(channel('c1', 'Ring'))
})

test('what is no event is refused', async () => {
  const send = (body: string) =>
    server.transport.send({ address: { node: 'ast1' }, headers: {}, body: Buffer.from(body) })
  for (const body of ['', 'null', '[]', '{}', '{"type":1}']) {
    await expect(send(body)).rejects.toMatchObject({ code: 'link.refused', fate: 'reject' })
  }
})

test('an event gets the time and the id that its mapping did not give it', async () => {
  const ear = await server.listen()
  await server.tell({ type: 'StasisStart', application: APP, args: [], channel: { id: 'c1' } })
  expect((await ear.until(1))[0]).toMatchObject({
    asterisk_id: 'ast1',
    timestamp: expect.stringContaining('+0000') as string,
  })
})

test('types that are listed besides those of Asterisk are sent', async () => {
  const own = await stand({ extraEvents: ['Novelty'] })
  const ear = await own.listen()
  await own.tell(start('c1'), other('Novelty', { channel: channel('c1') }))
  expect((await ear.until(2)).map(({ type }) => type)).toEqual(['StasisStart', 'Novelty'])
  const docs = (await own.ask('GET', '/ari/api-docs/events.json')).body as { models: Record<string, unknown> }
  expect(docs.models).toHaveProperty('Novelty.properties.channel.type', 'Channel')
  await own.stop()
})
