import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { concernsOf } from '../../../src/transports/ari-server/concerns.js'
import { EVENT_SHAPES } from '../../../src/transports/ari-server/models.js'
import { makeShadow, type Shadow } from '../../../src/transports/ari-server/shadow.js'
import { type Stand, stand } from './stand.js'
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

const read = async (path: string) => (await server.ask('GET', `/ari/${path}`)).body

test('reads show the last snapshot of everything that was told and is not gone', async () => {
  await server.tell(
    start('c1'),
    stateChange('c1', 'Up', { tenantid: 't' }),
    dial('c2', 'RINGING', 'c1'),
    bridgeCreated('b1'),
    entered('c1', 'b1', ['c1']),
    peerStatus('1001'),
    peerStatus('100', 'Legacy'),
    deviceState('PJSIP/1001', 'INUSE'),
    playback('PlaybackStarted', 'p1', 'channel:c1'),
    recording('RecordingStarted', 'r1', 'bridge:b1'),
  )
  expect(await read('channels')).toEqual([channel('c1'), channel('c2', 'Ringing')])
  await server.tell(stateChange('c1', 'Up', { tenantid: 't', tomorrow: [1] }))
  expect(await read('channels/c1')).toEqual(channel('c1', 'Up', { tenantid: 't', tomorrow: [1] }))
  expect(await read('bridges')).toEqual([bridge('b1', ['c1'])])
  expect(await read('bridges/b1')).toEqual(bridge('b1', ['c1']))
  expect(await read('endpoints')).toEqual([endpoint('1001'), endpoint('100', 'online', 'Legacy')])
  expect(await read('endpoints/Legacy')).toEqual([endpoint('100', 'online', 'Legacy')])
  expect(await read('endpoints/PJSIP/1001')).toEqual(endpoint('1001'))
  expect(await read('deviceStates')).toEqual([{ name: 'PJSIP/1001', state: 'INUSE' }])
  expect(await read('deviceStates/PJSIP%2F1001')).toEqual({ name: 'PJSIP/1001', state: 'INUSE' })
  expect(await read('playbacks/p1')).toMatchObject({ id: 'p1', target_uri: 'channel:c1' })
  expect(await read('recordings/live/r1')).toMatchObject({ name: 'r1' })
})

test('a full picture can be read, and what is news of it is told', async () => {
  const ear = await server.listen('app=observer&subscribeAll=true')
  await server.ask('POST', '/ari/applications/observer/subscription?eventSource=deviceState:')
  await server.tell(peerStatus('1001'), start('c1', 'Ring', 'observer'))
  await server.ask('POST', '/ari/applications/observer/subscription?eventSource=endpoint:PJSIP')
  await server.tell(
    other('PatchbayEndpoints', { endpoints: [endpoint('1001'), endpoint('1002'), endpoint('1003', 'offline'), {}] }),
    other('PatchbayEndpoints', { endpoints: [endpoint('1001'), endpoint('1002', 'offline')] }),
    other('PatchbayDeviceStates', { device_states: [{ name: 'Custom:a', state: 'INUSE' }] }),
    other('PatchbayDeviceStates', { device_states: [{ name: 'Custom:a', state: 'INUSE' }] }),
    other('PatchbayBridges', { bridges: [bridge('b1', ['c1'])] }),
    other('PatchbayChannels', { channels: [channel('c1'), channel('c2', 'Ring')] }),
    other('PatchbayGap', { reason: 'restart' }),
    other('PatchbayEndpoints', { endpoints: 'none' }),
  )
  expect((await ear.until(6)).map(({ type }) => type)).toEqual([
    'PeerStatusChange',
    'StasisStart',
    'EndpointStateChange',
    'EndpointStateChange',
    'EndpointStateChange',
    'DeviceStateChanged',
  ])
  expect(await read('endpoints')).toEqual([endpoint('1001'), endpoint('1002', 'offline'), endpoint('1003', 'offline')])
  expect(await read('deviceStates')).toEqual([{ name: 'Custom:a', state: 'INUSE' }])
  expect(await read('bridges')).toEqual([bridge('b1', ['c1'])])
  expect(await read('channels')).toEqual([channel('c1'), channel('c2', 'Ring')])
  expect(server.link.of('fault')).toEqual([])
  expect(server.link.of('returned')).toHaveLength(1)
})

test('commands on what is there are not carried out, and say why', async () => {
  await server.tell(start('c1'), bridgeCreated('b1'), playback('PlaybackStarted', 'p1', 'channel:c1'))
  const commands = [
    ['POST', 'channels?endpoint=Local/x&app=y'],
    ['POST', 'channels/create'],
    ['POST', 'channels/c1/answer'],
    ['DELETE', 'channels/c1'],
    ['POST', 'channels/c1/snoop/s1'],
    ['POST', 'channels/c1/variable?variable=A&value=b'],
    ['POST', 'bridges'],
    ['POST', 'bridges/b1/addChannel?channel=c1'],
    ['DELETE', 'playbacks/p1'],
    ['PUT', 'deviceStates/Stasis:a?deviceState=INUSE'],
    ['POST', 'asterisk/variable?variable=A&value=b'],
    ['POST', 'events/claim?channelId=c1&application=y'],
  ] as const
  for (const [method, path] of commands) {
    expect(await server.ask(method, `/ari/${path}`), path).toMatchObject({
      status: 501,
      body: {
        message: expect.stringMatching(/legacy system or on XSwitch and can be watched here, not steered$/) as string,
      },
    })
  }
})

const VARIABLES = [
  ['FOO', 'bar'],
  ['OWN', 'mark'],
  ['UNIQUEID', 'c1'],
  ['EXTEN', '600'],
  ['PRIORITY', '2'],
  ['CHANNEL(name)', 'PJSIP/1001-c1'],
  ['CHANNEL(state)', 'Up'],
  ['CHANNEL(channeltype)', 'PJSIP'],
  ['CHANNEL(endpoint)', '1001'],
  ['CHANNEL(exten)', '600'],
  ['CALLERID(num)', '1001'],
  ['CALLERID(all)', '"Alice" <1001>'],
  ['CONNECTEDLINE(number)', '600'],
] as const
test('variables are those of the snapshot, of events, and of functions that a snapshot can answer', async () => {
  await server.tell(start('c1'), varset('c1', 'FOO', 'foo'), varset('c1', 'FOO', 'bar'))
  await server.tell(stateChange('c1', 'Up', { channelvars: { OWN: 'mark' } }))
  for (const [name, value] of VARIABLES) {
    expect(await read(`channels/c1/variable?variable=${encodeURIComponent(name)}`), name).toEqual({ value })
  }
  expect(await read('channels/c1/variables?variables=FOO,OWN')).toEqual({ variables: { FOO: 'bar', OWN: 'mark' } })
  for (const name of ['toString', 'CHANNEL(toString)', 'toString(x)', '__proto__']) {
    const { status } = await server.ask('GET', `/ari/channels/c1/variable?variable=${encodeURIComponent(name)}`)
    expect(status, name).toBe(name.includes('(') ? 500 : 404)
  }
})

test('who we are', async () => {
  expect(await read('asterisk/ping')).toEqual({
    ping: 'pong',
    timestamp: expect.stringMatching(/\+0000$/) as string,
    asterisk_id: 'ast1',
  })
  expect(await read('asterisk/info?only=system,config')).toEqual({
    system: { version: expect.stringContaining('Patchbay') as string, entity_id: 'ast1' },
    config: { name: 'ast1', default_language: 'en', setid: { user: '', group: '' } },
  })
  expect(Object.keys((await read('asterisk/info')) as object)).toEqual(['build', 'system', 'config', 'status'])
})

interface Declaration {
  readonly apis: readonly { readonly path: string; readonly operations: readonly { readonly httpMethod: string }[] }[]
  readonly models: Readonly<
    Record<string, { readonly properties: Readonly<Record<string, { readonly type: string }>> }>
  >
}
test('the api-docs list what is served, and every type that they name', async () => {
  const listing = (await read('api-docs/resources.json')) as { basePath: string; apis: { path: string }[] }
  expect(listing.basePath).toBe(`${server.base}/ari`)
  const files = listing.apis.map(({ path }) => path.slice(1).replace('{format}', 'json'))
  const all = (await Promise.all(files.map(read))) as Declaration[]
  const known = new Set(all.flatMap(({ models }) => Object.keys(models)))
  const plain = new Set(['string', 'int', 'long', 'boolean', 'Date', 'object'])
  for (const { apis, models } of all) {
    for (const { properties } of Object.values(models)) {
      for (const { type } of Object.values(properties)) {
        const inner = /^List\[(.+)\]$/.exec(type)?.[1] ?? type
        expect(plain.has(inner) || known.has(inner), type).toBe(true)
      }
    }
    for (const { path, operations } of apis) {
      const url = `/ari${path.replaceAll(/\{\w+\}/g, 'x')}`
      const allow = (await server.ask('OPTIONS', url)).headers.get('allow')?.split(',')
      const methods = operations.map(({ httpMethod }) => httpMethod)
      expect([...(allow ?? [])].sort(), url).toEqual(
        ['OPTIONS', ...methods.filter((each) => path !== '/events' || each !== 'GET')].sort(),
      )
    }
  }
  for (const type of Object.keys(EVENT_SHAPES)) expect(known.has(type), type).toBe(true)
})

/** Asks by a name of the server that a usual client would not let us choose. */
async function baseFor(host: string): Promise<unknown> {
  const { hostname, port } = new URL(server.base)
  const path = '/ari/api-docs/resources.json?api_key=bridge:bridge'
  const asked = request({ hostname, port, path, headers: { host } })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return ((await json(response)) as { basePath: string }).basePath
}

test('the api-docs go on with the name that a client calls us by, if it is one', async () => {
  expect(await baseFor('patchbay.example:80')).toBe('http://patchbay.example:80/ari')
  expect(await baseFor('[::1]:8088')).toBe('http://[::1]:8088/ari')
  expect(await baseFor('h"/><script>')).toBe('http://localhost/ari')
})

const LINGER_MS = 40
function told(shadow: Shadow, ...events: Event[]): void {
  for (const event of events) shadow.learn(event, concernsOf(event))
}
const ids = (objects: readonly Readonly<Record<string, unknown>>[]) => objects.map(({ id }) => id)

test('a channel leaves when it is destroyed, and no late event brings it back', () => {
  const shadow = makeShadow({ onGone: () => undefined })
  told(
    shadow,
    start('c1'),
    varset('c1', 'A', 'b'),
    end('c1'),
    destroyed('c1'),
    dial('c1', 'NOANSWER'),
    stateChange('c1'),
  )
  expect(ids(shadow.channels())).toEqual([])
  expect(shadow.variable('c1', 'A')).toBeUndefined()
  told(shadow, varset('c1', 'A', 'b'))
  expect(shadow.variable('c1', 'A')).toBeUndefined()
  told(shadow, created('c1'))
  expect(ids(shadow.channels())).toEqual(['c1'])
  shadow.close()
})

test('a channel leaves some time after StasisEnd, unless it begins again', async () => {
  const onGone = vi.fn()
  const shadow = makeShadow({ onGone, lingerMs: LINGER_MS })
  told(shadow, start('c1'), start('c2'), start('c3'), end('c1'), end('c2'), end('c3'), start('c2'), destroyed('c3'))
  expect(ids(shadow.channels())).toEqual(['c1', 'c2'])
  await delay(3 * LINGER_MS)
  expect(ids(shadow.channels())).toEqual(['c2'])
  expect(onGone.mock.calls).toEqual([['c1']])
  shadow.close()
})

test('a channel that moved stays with its new owner, told of before the old one, until it leaves that too', async () => {
  const onGone = vi.fn()
  const shadow = makeShadow({ onGone, lingerMs: LINGER_MS })
  told(shadow, start('c1'), start('c1', 'Up', 'fresh'), end('c1'))
  await delay(3 * LINGER_MS)
  expect(ids(shadow.channels())).toEqual(['c1'])
  expect([shadow.inside(APP), shadow.inside('fresh')]).toEqual([[], ['c1']])
  told(shadow, end('c1', 'fresh'))
  await delay(3 * LINGER_MS)
  expect(shadow.channels()).toEqual([])
  expect(onGone.mock.calls).toEqual([['c1']])
  shadow.close()
})

test('a channel that is wanted stays after StasisEnd for as long, unless it was hung up since it began', async () => {
  const wanted = new Set(['c1', 'c2'])
  const shadow = makeShadow({ onGone: () => undefined, isWanted: (id) => wanted.has(id), lingerMs: LINGER_MS })
  const hangup = (id: string) => other('ChannelHangupRequest', { channel: channel(id) })
  told(shadow, start('c1'), hangup('c1'), start('c1'), end('c1'), start('c2'), hangup('c2'), end('c2'))
  await delay(3 * LINGER_MS)
  expect(ids(shadow.channels())).toEqual(['c1'])
  wanted.clear()
  await delay(3 * LINGER_MS)
  expect(shadow.channels()).toEqual([])
  shadow.close()
})

test('a bridge that was never announced goes with its last channel, one that was stays until it is destroyed', () => {
  const shadow = makeShadow({ onGone: () => undefined })
  told(shadow, start('c1'), start('c2'), entered('c1', 'told'), entered('c2', 'told', ['c1', 'c2']))
  expect([shadow.bridgeOf('c1'), shadow.bridgeOf('c2')]).toEqual(['told', 'told'])
  told(shadow, left('c1', 'told', ['c2']))
  expect(shadow.bridges()).toEqual([bridge('told', ['c2'])])
  told(shadow, destroyed('c2'))
  expect(shadow.bridges()).toEqual([])
  told(shadow, bridgeCreated('made'), entered('c1', 'made'), left('c1', 'made'))
  expect(shadow.bridges()).toEqual([bridge('made')])
  told(shadow, entered('c1', 'made'), bridgeDestroyed('made'))
  expect(shadow.bridges()).toEqual([])
  expect(shadow.bridgeOf('c1')).toBeUndefined()
  shadow.close()
})

test('playbacks and recordings end by themselves or with their channel', () => {
  const shadow = makeShadow({ onGone: () => undefined })
  told(
    shadow,
    start('c1'),
    playback('PlaybackStarted', 'p1', 'channel:c1'),
    playback('PlaybackStarted', 'p2', 'channel:c1'),
    recording('RecordingStarted', 'r1', 'channel:c1'),
    recording('RecordingStarted', 'r2', 'channel:c1'),
    playback('PlaybackFinished', 'p1', 'channel:c1'),
    recording('RecordingFailed', 'r1', 'channel:c1'),
  )
  const left = () => [shadow.playback('p1'), shadow.playback('p2'), shadow.recording('r1'), shadow.recording('r2')]
  expect(left().map((each) => each !== undefined)).toEqual([false, true, false, true])
  told(shadow, destroyed('c1'))
  expect(left().map((each) => each !== undefined)).toEqual([false, false, false, false])
  shadow.close()
})

test('no call leaves anything behind', () => {
  const shadow = makeShadow({ onGone: () => undefined })
  for (let call = 0; call < 1000; call++) {
    const id = `c${call}`
    told(
      shadow,
      created(id),
      start(id),
      varset(id, 'A', 'b'),
      entered(id, `b${call}`),
      playback('PlaybackStarted', id, `channel:${id}`),
      end(id),
      destroyed(id),
    )
  }
  expect([shadow.channels(), shadow.bridges(), shadow.playback('c1')]).toEqual([[], [], undefined])
  shadow.close()
})
