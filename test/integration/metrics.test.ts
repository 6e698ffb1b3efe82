import { spawnSync } from 'node:child_process'
import { type ConfirmChannel, type ConsumeMessage, connect as connectAmqp } from 'amqplib'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type AdminServer, METRICS, startAdmin } from '../../src/telemetry/index.js'
import { callState } from '../faults/legacy-load.js'
import { type FaultProxy, freshVhost, startFaultProxy, startNats, type TestNats } from '../harness/index.js'
import { exposed } from '../telemetry/exposed.js'
import { startGateway, until, type XccSide, xccSide } from './site.js'
import { codeOf, countsOf, makeTally } from './tally.js'

const STATES = 'channel.call_state'
const DEAD = 'patchbay.dead-letters'
/** What the bus holds unsettled, more than any test but one leaves open at a time; what exceeds it is dropped. */
const MAX_UNSETTLED = 500

/** Everything the gateway should have counted by now. */
const tally = makeTally()
let nats: TestNats
let proxies: { readonly amqp: FaultProxy; readonly nats: FaultProxy }
let amqp: { readonly channel: ConfirmChannel; close(): Promise<void> }
let bus: XccSide
let gateway: Awaited<ReturnType<typeof startGateway>>
let admin: AdminServer
/** Messages of the gateway that came to the legacy side. */
let heardThere = 0

const heardHere = () => bus.seen.filter(({ headers }) => headers['patchbay-path'] === 'gw').length

beforeAll(async () => {
  const url = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  proxies = {
    amqp: await startFaultProxy(Number(new URL(url).port)),
    nats: await startFaultProxy(Number(new URL(nats.url).port)),
  }
  amqp = await legacySystem(url)
  bus = await xccSide(nats.url, 'cn.xswitch.>')
  gateway = await startGateway(configuration(proxies.amqp.through(url), proxies.nats.through(nats.url)))
  admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics: gateway.metrics,
    liveness: () => ({ live: true }),
    readiness: gateway.health.read,
    status: async () => ({}),
    rules: () => ({}),
    reload: async () => ({ outcome: 'unchanged' }),
    withoutSecrets: gateway.log.withoutSecrets,
    log: gateway.log,
  })
})

afterAll(async () => {
  await admin?.stop()
  await gateway?.stop()
  await bus?.close()
  await amqp?.close()
  await Promise.all([proxies?.amqp.close(), proxies?.nats.close()])
  await nats?.stop()
})

function configuration(amqpUrl: string, natsUrl: string): string {
  return `
group: gw
reload: { everyMs: 0 }
links:
  # A silent server is noticed later than these tests stall it.
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', declare: false, heartbeatSeconds: 60, queue: { name: gw } }
  bus:
    { type: nats, dialect: xcc, servers: ['${natsUrl}'], maxUnsettled: ${MAX_UNSETTLED}, pingIntervalMs: 60000, node: { register: false } }
routes:
  - { from: legacy, to: bus, sync: { ask: false } }
  - { from: bus, to: legacy, sync: { ask: false } }
`
}

/** What the legacy system declares. Nobody is bound to receive what is told of terminals. */
async function legacySystem(url: string): Promise<typeof amqp> {
  const model = await connectAmqp(url)
  const channel = await model.createConfirmChannel()
  for (const exchange of ['voice_events', 'voice_sync_online', 'voice_sync_events', DEAD])
    await channel.assertExchange(exchange, exchange === 'voice_events' ? 'topic' : 'fanout')
  for (const queue of ['gw', DEAD]) await channel.assertQueue(queue)
  await channel.bindQueue(DEAD, DEAD, '')
  await channel.bindQueue('gw', 'voice_events', STATES)
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, 'voice_events', STATES)
  const hear = (message: ConsumeMessage | null) => {
    if (message?.properties.headers?.['patchbay-path'] === 'gw') heardThere += 1
  }
  await channel.consume(queue, hear, { noAck: true })
  return { channel, close: () => model.close() }
}

/** Publishes, and waits for nothing. */
function legacyTells(body: string | Uint8Array, headers: Record<string, string> = {}): void {
  tally.add('gateway_taken_messages_total{link="legacy"}')
  amqp.channel.publish('voice_events', STATES, Buffer.from(body), { headers })
}

function busTells(body: string, headers: Record<string, string> = {}): void {
  tally.add('gateway_taken_messages_total{link="bus"}')
  void bus.publish('cn.xswitch.ctrl', body, headers)
}

/** What is read goes through all stages, and is confirmed where something is made of it. */
function isRead(
  messages: number,
  { route, sends = 0 }: { readonly route?: 'legacy-to-bus' | 'bus-to-legacy'; readonly sends?: number } = {},
): void {
  for (const stage of ['read', 'decide', 'write']) tally.add(`gateway_stage_seconds_count{stage="${stage}"}`, messages)
  if (route === undefined) return
  const to = route === 'legacy-to-bus' ? 'bus' : 'legacy'
  tally.add('gateway_stage_seconds_count{stage="confirm"}', messages)
  tally.add(`gateway_delivery_seconds_count{route="${route}"}`, messages)
  tally.add(`gateway_translated_messages_total{route="${route}"}`, messages)
  tally.add(`gateway_sent_messages_total{link="${to}",route="${route}"}`, sends)
}

/** What the gateway says comes back to it, and is cut. */
function comesBack(link: 'legacy' | 'bus', messages: number): void {
  tally.add(`gateway_taken_messages_total{link="${link}"}`, messages)
  tally.add(`gateway_looped_messages_total{link="${link}"}`, messages)
}

const times = (count: number, action: (at: number) => void) => {
  for (let at = 0; at < count; at++) action(at)
}
const textOf = (uuid: string, state: string) => String(callState(uuid, state).body)
const rpc = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message })
const channelEvent = (uuid: string, more: object = {}) =>
  rpc({
    method: 'Event.Channel',
    params: { node_uuid: 'edge', uuid, state: 'START', cid_number: '1', dest_number: '2', ...more },
  })

async function scrape(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${admin.port}/metrics`)).text()
}
const series = async () => exposed(await scrape()).series
const gauge = async (name: string) => (await series()).get(name)
/** Waits until the gateway has counted what was done so far, to the last message, and nothing else. */
const untilCounted = () => expect.poll(async () => countsOf(await series()), { timeout: 40_000 }).toEqual(tally.read())

test('calls told by the legacy side: what was taken, translated, suppressed, not understood and sent', async () => {
  const CALLS = 400
  for (const state of ['EARLY', 'RINGING', 'RINGING', 'SINGING', 'ACTIVE', 'HANGUP'])
    times(CALLS, (at) => legacyTells(textOf(`call-${at}`, state)))
  isRead(CALLS, { route: 'legacy-to-bus', sends: 2 * CALLS }) // START and MEDIA
  isRead(2 * CALLS, { route: 'legacy-to-bus', sends: 2 * CALLS }) // RINGING, ANSWERED
  isRead(CALLS, { route: 'legacy-to-bus', sends: 2 * CALLS }) // CDR and DESTROY
  isRead(2 * CALLS)
  tally.add('gateway_suppressed_facts_total{route="legacy-to-bus"}', 2 * CALLS)
  tally.add('gateway_unknown_words_total{link="legacy"}', CALLS)
  comesBack('bus', 6 * CALLS)
  await untilCounted()
  await expect.poll(heardHere).toBe(6 * CALLS)
})

test('calls told by the bus: what was taken, translated, unsaid, ignored, unroutable and sent', async () => {
  const CALLS = 100
  const IGNORED = {
    result: rpc({ id: '1', result: { code: 200 } }),
    'node-request': rpc({ id: '2', method: 'XNode.Answer', params: {} }),
    'controller-request': rpc({ id: '3', method: 'XCtrl.FetchXML', params: {} }),
    'other-request': rpc({ id: '4', method: 'Other.Thing', params: {} }),
    'unknown-event': rpc({ method: 'Event.NoSuchThing', params: {} }),
    own: channelEvent('own', { node_uuid: 'gw' }),
  }
  const terminal = { 'Event-Name': 'CUSTOM', 'Event-Subclass': 'terminal', serial: 's', change: 'state' }
  for (let at = 0; at < CALLS; at++) {
    busTells(channelEvent(`b-${at}`))
    busTells(channelEvent(`b-${at}`, { state: 'DESTROY' }))
    busTells(rpc({ method: 'Event.DTMF', params: { node_uuid: 'edge', uuid: `b-${at}`, dtmf_digit: '1' } }))
    busTells(
      rpc({ method: 'Event.NativeEvent', params: { event: { ...terminal, state: at % 2 ? 'offline' : 'online' } } }),
    )
    for (const body of Object.values(IGNORED)) busTells(body)
  }
  isRead(3 * CALLS, { route: 'bus-to-legacy', sends: 3 * CALLS })
  isRead(CALLS)
  tally.add('gateway_unsaid_facts_total{route="bus-to-legacy",kind="dtmf"}', CALLS)
  tally.add('gateway_unroutable_messages_total{link="legacy"}', CALLS)
  for (const kind of Object.keys(IGNORED)) tally.add(`gateway_ignored_messages_total{link="bus",kind="${kind}"}`, CALLS)
  comesBack('legacy', 2 * CALLS)
  await untilCounted()
  await expect.poll(() => heardThere).toBe(2 * CALLS)
})

test('what was here before is cut', async () => {
  times(50, () => legacyTells('whatever', { 'patchbay-path': 'other,gw' }))
  times(40, () => busTells('whatever', { 'patchbay-path': 'a,b,c,d,e' }))
  tally.add('gateway_looped_messages_total{link="legacy"}', 50)
  tally.add('gateway_looped_messages_total{link="bus"}', 40)
  await untilCounted()
})

test('what cannot be read: dead letters by code, as many as lie there', async () => {
  const FAULTY: readonly (readonly [code: string, body: string | Uint8Array, count: number])[] = [
    ['codec.malformed', '--- [', 40],
    ['codec.encoding', Buffer.from([0x2d, 0x2d, 0x2d, 0x20, 0xff, 0xfe]), 30],
    ['codec.tag', '--- !ruby/object:Evil\na: 1\n', 20],
    ['mapping.message', '--- 7\n', 10],
    ['mapping.required', textOf('x', 'EARLY').replace('uuid:', 'call_id:'), 5],
  ]
  let letters = 0
  bus.nc.subscribe(DEAD, { callback: () => void letters++ })
  for (const [code, body, count] of FAULTY) {
    times(count, () => legacyTells(body))
    tally.add(`gateway_dead_letter_messages_total{link="legacy",code="${code}"}`, count)
  }
  times(25, () => busTells('{"jsonrpc":'))
  tally.add('gateway_dead_letter_messages_total{link="bus",code="codec.malformed"}', 25)
  await untilCounted()
  await expect.poll(async () => (await amqp.channel.checkQueue(DEAD)).messageCount).toBe(105)
  await until(() => letters === 25)
})

test('fields that no rule knows, by name, and together beyond 64', async () => {
  const extra = (name: string) => `  ${name}: 1\n`
  const names = ['dept', ...Array.from({ length: 70 }, (_, at) => `f${at}`)]
  times(30, (at) =>
    legacyTells(textOf(`u-${at}`, 'EARLY') + extra('dept') + (at === 0 ? names.slice(1).map(extra).join('') : '')),
  )
  isRead(30, { route: 'legacy-to-bus', sends: 60 })
  comesBack('bus', 60)
  for (const name of names.slice(0, 64))
    tally.add(`gateway_unmapped_fields_total{link="legacy",field="evts.${name}"}`, name === 'dept' ? 30 : 1)
  tally.add('gateway_unmapped_fields_total{link="legacy",field="other"}', 7)
  times(15, () => busTells(channelEvent('odd', { odd: 7 })))
  isRead(1, { route: 'bus-to-legacy', sends: 1 })
  isRead(14)
  tally.add('gateway_suppressed_facts_total{route="bus-to-legacy"}', 14)
  comesBack('legacy', 1)
  tally.add('gateway_unmapped_fields_total{link="bus",field="params.odd"}', 15)
  await untilCounted()
  expect(await gauge('gateway_calls{link="legacy"}')).toBe(30)
  expect(await gauge('gateway_calls{link="bus"}')).toBe(1)
})

test('commands, by the codes that their answers had', async () => {
  const request = (method: string, params: unknown) => rpc({ id: '1', method, params })
  const here = { uuid: 'u-0', ctrl_uuid: 'app' }
  const REQUESTS: readonly (readonly [label: string, body: string, count: number])[] = [
    ['XNode.GetState', request('XNode.GetState', here), 40],
    ['XNode.GetState', request('XNode.GetState', { ...here, uuid: 'nobody' }), 30],
    ['XNode.Dial', request('XNode.Dial', { destination: {} }), 20],
    ['XNode.Answer', request('XNode.Answer', 5), 10],
    ['other', request('XNode.Fly', here), 7],
    ['other', '{', 5],
  ]
  for (const [label, body, count] of REQUESTS) {
    const codes = await Promise.all(Array.from({ length: count }, () => codeOf(bus, 'cn.xswitch.node.gw', body)))
    for (const code of codes) tally.add(`gateway_commands_total{link="bus",method="${label}",code="${code}"}`)
    tally.add(`gateway_command_seconds_count{link="bus",method="${label}"}`, count)
    tally.add('gateway_taken_messages_total{link="bus"}', count)
  }
  await untilCounted()
  const codes = Object.keys(tally.read()).flatMap((name) => /code="(-?\d+)"/.exec(name)?.[1] ?? [])
  expect(codes.sort()).toEqual(['-32601', '-32602', '-32700', '200', '400', '501'])
})

test('copies after a cut connection, and what waits meanwhile', async () => {
  const HELD = 60
  proxies.nats.faults.stalled = true
  times(HELD, (at) => legacyTells(textOf(`held-${at}`, 'EARLY')))
  await expect.poll(() => gauge('gateway_in_flight_messages{link="legacy"}')).toBe(HELD)
  expect(await gauge('gateway_outbox_messages{link="bus"}')).toBe(2 * HELD)
  proxies.amqp.cut()
  // All that was not acknowledged comes again.
  tally.add('gateway_taken_messages_total{link="legacy"}', HELD)
  tally.add('gateway_duplicate_messages_total{link="legacy"}', HELD)
  await expect.poll(() => gauge('gateway_duplicate_messages_total{link="legacy"}')).toBe(HELD)
  proxies.nats.faults.stalled = false
  isRead(HELD, { route: 'legacy-to-bus', sends: 2 * HELD })
  comesBack('bus', 2 * HELD)
  await untilCounted()
  expect(await gauge('gateway_link_reconnects_total{link="legacy"}')).toBeGreaterThan(0)
  expect((await amqp.channel.checkQueue('gw')).messageCount).toBe(0)
})

test('what is more than a link may hold is dropped, and readiness stays', async () => {
  proxies.amqp.faults.stalled = true
  const before = heardThere
  for (let at = 0; at < MAX_UNSETTLED + 45; at++) busTells(channelEvent(`full-${at}`))
  tally.add('gateway_dropped_messages_total{link="bus",reason="buffer-full"}', 45)
  tally.add('gateway_taken_messages_total{link="bus"}', -45)
  await expect.poll(() => gauge('gateway_dropped_messages_total{link="bus",reason="buffer-full"}')).toBe(45)
  expect(await gauge('gateway_in_flight_messages{link="bus"}')).toBe(MAX_UNSETTLED)
  expect(await gauge('gateway_outbox_messages{link="legacy"}')).toBe(MAX_UNSETTLED)
  proxies.amqp.faults.stalled = false
  isRead(MAX_UNSETTLED, { route: 'bus-to-legacy', sends: MAX_UNSETTLED })
  comesBack('legacy', MAX_UNSETTLED)
  await untilCounted()
  await expect.poll(() => heardThere - before).toBe(MAX_UNSETTLED)
  for (const link of ['legacy', 'bus']) {
    expect(await gauge(`gateway_in_flight_messages{link="${link}"}`)).toBe(0)
    expect(await gauge(`gateway_outbox_messages{link="${link}"}`)).toBe(0)
    expect(await gauge(`gateway_link_up{link="${link}"}`)).toBe(1)
  }
  expect(await gauge('gateway_ready')).toBe(1)
})

test('the exposition has what is declared, and promtool finds nothing to say', async () => {
  const text = await scrape()
  const ours = exposed(text).metrics.filter(([name]) => !/^(process|nodejs)_/.test(name))
  const declared = METRICS.map(({ name, kind, labels }) => [name, kind, [...labels].sort()] as const)
  const isSeen = ([, , labels]: (typeof ours)[number]) => labels.length > 0
  expect(ours.map(([name, kind]) => [name, kind])).toEqual(declared.map(([name, kind]) => [name, kind]).sort())
  expect(ours.filter(isSeen)).toEqual(
    declared.filter(([name]) => ours.filter(isSeen).some(([seen]) => seen === name)).sort(),
  )
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
