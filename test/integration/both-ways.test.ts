import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { freshVhost, startNats, type TestNats } from '../harness/index.js'
import { bothWays, type LegacySide, legacySide, startGateway, until, type XccSide, xccSide } from './site.js'

const fixture = (name: string) => readFileSync(new URL(`../fixtures/voice-events/${name}.yaml`, import.meta.url))

let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let gateway: Awaited<ReturnType<typeof startGateway>>

beforeEach(async () => {
  const amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  gateway = await startGateway(bothWays('gw', amqpUrl, nats.url))
})

afterEach(async () => {
  await gateway.stop()
  await bus.close()
  await legacy.close()
  await nats.stop()
})

const channelStates = () => bus.events('Event.Channel').map(({ params }) => params.state)

test('a legacy call is told to controllers: START first, each state once, one CDR before one DESTROY', async () => {
  await legacy.publish('voice_events', 'channel.call_state', fixture('seed-channel-call-state'))
  await legacy.publish('voice_events', 'channel.call_state', fixture('made-call-state-hangup'))
  await until(() => channelStates().includes('DESTROY'))
  expect(channelStates()).toEqual(['START', 'MEDIA', 'RINGING', 'ANSWERED', 'DESTROY'])
  expect(bus.events('Event.CDR')).toHaveLength(1)
  console.log(bus.seen.map((x) => x.at + ' ' + JSON.stringify(x.headers) + x.body.toString()).join('\n'))
  console.log(gateway.lines.join(''))
})

test('an XCC call is told to the legacy side', async () => {
  const call = (state: string, more: object = {}) => ({
    jsonrpc: '2.0',
    method: 'Event.Channel',
    params: {
      node_uuid: 'edge-1',
      uuid: 'c-1',
      direction: 'inbound',
      state,
      cid_number: '1001',
      dest_number: '9000',
      ...more,
    },
  })
  for (const [state, more] of [
    ['START'],
    ['RINGING'],
    ['ANSWERED'],
    ['BRIDGE', { peer_uuid: 'c-2', bridged: true }],
    ['UNBRIDGE', { peer_uuid: 'c-2' }],
    ['DESTROY', { cause: 'NORMAL_CLEARING' }],
  ] as [string, object?][]) {
    await bus.publish('cn.xswitch.ctrl', call(state, more))
  }
  const yaml = () =>
    legacy.seen.filter((each) => each.at === 'voice_events/channel.call_state').map((each) => each.body.toString())
  await until(() => yaml().some((text) => text.includes('HANGUP')))
  console.log(yaml().join('\n'))
  console.log(gateway.lines.join(''))
  expect(yaml()).toHaveLength(6)
})
