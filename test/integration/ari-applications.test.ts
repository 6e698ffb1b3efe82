import { readFileSync } from 'node:fs'
import { type Client, connect, type Instance, type Operation } from 'ari-client'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { formatFault, parseConfig } from '../../src/config/index.js'
import { makeTransport } from '../../src/gateway/links.js'
import { type OpenedGateway, openGateway } from '../../src/gateway/open.js'
import type { AriServerTransport } from '../../src/transports/ari-server/index.js'
import { freshVhost, startNats, type TestNats } from '../harness/index.js'
import { freshSecret, noteLine } from '../tools/run-logs.js'
import { type LegacySide, legacySide, until, type XccSide, xccSide } from './site.js'

const APP = 'patchbay'
const PASSWORD = freshSecret('application')

let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let opened: OpenedGateway
let server: AriServerTransport
let client: Client

beforeEach(async () => {
  const amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  const yaml = `
group: gw
sync: { publisher: none }
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', queue: { type: classic } }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
  apps: { type: ari-server, dialect: stasis, port: 0, users: [{ name: bridge, password: ${PASSWORD} }] }
routes:
  - { from: legacy, to: apps }
  - { from: bus, to: apps }
`
  const loaded = parseConfig(yaml, 'test.yaml', {})
  if (loaded.faults !== undefined) throw new Error(loaded.faults.map(formatFault).join('\n'))
  const gateway = openGateway(loaded.config, loaded.source, {
    version: '0.0.0',
    sink: { write: noteLine },
    makeTransport(...args) {
      const transport = makeTransport(...args)
      if (args[0] === 'apps') server = transport as AriServerTransport // as its type in the configuration says
      return transport
    },
  })
  if (gateway.faults !== undefined) throw new Error(gateway.faults.map(formatFault).join('\n'))
  opened = gateway
  await opened.gateway.start()
  const { host, port } = server.address()!
  client = await connect(`http://${host}:${port}`, 'bridge', PASSWORD)
  await client.start(APP)
})

afterEach(async () => {
  client.stop()
  await opened.gateway.stop()
  await bus.close()
  await legacy.close()
  await nats.stop()
})

/** What the application hears of one call: type, state of the channel, and who is in the bridge. */
function listen(id: string): { readonly heard: string[]; readonly started: Promise<Instance> } {
  const heard: string[] = []
  client.on('*', (event) => {
    const { state, ...channel } = event.channel as { id: string; state: string }
    const { channels } = (event.bridge ?? {}) as { channels?: string[] }
    const place = channels === undefined ? '' : ` [${channels.join(' ')}]`
    if (channel.id === id) heard.push(`${String(event.type)} ${state}${place}`)
  })
  const started = new Promise<Instance>((resolve) => {
    client.on('StasisStart', (_event, instance) => {
      if (instance.id === id) resolve(instance)
    })
  })
  return { heard, started }
}

const read = (name: string, parameters = {}) => (client.channels as Record<string, Operation>)[name]!(parameters)

test('an application follows a broadcast call of the legacy side from StasisStart to StasisEnd', async () => {
  const id = '65da6180-877b-4378-a0bc-161f969fe643'
  const { heard, started } = listen(id)
  const call = String(readFileSync('test/fixtures/voice-events/seed-channel-call-state.yaml'))
  await legacy.publish('voice_events', 'channel.call_state', call)
  expect(await started).toMatchObject({ id, state: 'Ring', caller: { number: '0008' } })
  await until(() => heard.includes('ChannelStateChange Up'))
  expect(await read('list')).toMatchObject([{ id, state: 'Up' }])
  await legacy.publish('voice_events', 'channel.call_state', call.replaceAll(/state: \w+/g, 'state: HANGUP'))
  await until(() => heard.includes('StasisEnd Up'))
  expect(heard).toEqual([
    'StasisStart Ring',
    'ChannelStateChange Ring',
    'ChannelStateChange Ring',
    'ChannelStateChange Up',
    'StasisEnd Up',
  ])
  expect(await read('list')).toEqual([])
})

const TERMINALS = (isSync: boolean, online: string[], offline: string[] = []) => {
  const list = (name: string, all: string[]) =>
    `${name}:${all.length === 0 ? ' []' : ''}\n${all.map((sn) => `- '${sn}'\n`).join('')}`
  return `---\nis_sync: ${isSync}\n${list('online', online)}${list('offline', offline)}`
}

const event = (uuid: string, state: string, more = {}) => ({
  jsonrpc: '2.0',
  method: 'Event.Channel',
  params: { node_uuid: 'edge-1', uuid, direction: 'inbound', state, cid_number: '1001', dest_number: '9000', ...more },
})

test('an application follows a call of an XSwitch, into a bridge and out of it', async () => {
  const { heard, started } = listen('c-1')
  const tell = (state: string, more = {}) => bus.publish('cn.xswitch.ctrl', event('c-1', state, more))
  await tell('START')
  const channel = await started
  expect(channel).toMatchObject({ id: 'c-1', state: 'Ring', caller: { number: '1001' }, dialplan: { exten: '9000' } })
  const ended = new Promise((resolve) => channel.on('StasisEnd', resolve))
  await tell('RINGING')
  await tell('ANSWERED', { answered: true })
  await tell('BRIDGE', { answered: true, bridged: true, peer_uuid: 'c-2', peers: ['c-2'] })
  await until(() => heard.length === 4)
  expect(await read('get', { channelId: 'c-1' })).toMatchObject({ id: 'c-1', state: 'Up' })
  expect(await (client.bridges as Record<string, Operation>).list!()).toMatchObject([{ channels: ['c-1', 'c-2'] }])
  await tell('UNBRIDGE', { answered: true, peer_uuid: 'c-2', peers: ['c-2'] })
  await tell('DESTROY', { answered: true, cause: 'NORMAL_CLEARING' })
  await ended
  expect(heard).toEqual([
    'StasisStart Ring',
    'ChannelStateChange Ring',
    'ChannelStateChange Up',
    'ChannelEnteredBridge Up [c-1 c-2]',
    'ChannelLeftBridge Up [c-2]',
    'StasisEnd Up',
  ])
  await expect(read('get', { channelId: 'c-1' })).rejects.toThrow(/^\{"message":"Channel not found"\}$/)
})

test('telephones of the legacy side are endpoints, those that a full picture lists too', async () => {
  const subscribe = (client.applications as Record<string, Operation>).subscribe!
  const list = (client.endpoints as Record<string, Operation>).list!
  await legacy.publish('voice_events', 'terminal.online_offline_states', TERMINALS(true, ['1001', '1002']))
  await expect.poll(list).toHaveLength(2)
  await subscribe({ applicationName: APP, eventSource: 'endpoint:PJSIP' })
  const told: unknown[] = []
  client.on('*', (event) => told.push([event.type, event.endpoint]))
  await legacy.publish('voice_events', 'terminal.online_offline_states', TERMINALS(false, ['1003'], ['1001']))
  await until(() => told.length >= 2)
  expect(told).toMatchObject([
    ['PeerStatusChange', { technology: 'PJSIP', resource: '1003', state: 'online' }],
    ['PeerStatusChange', { technology: 'PJSIP', resource: '1001', state: 'offline' }],
  ])
  expect(await list()).toMatchObject([
    { resource: '1001', state: 'offline' },
    { resource: '1002', state: 'online' },
    { resource: '1003', state: 'online' },
  ])
})
