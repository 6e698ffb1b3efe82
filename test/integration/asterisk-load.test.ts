import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { jsonLines, patchbay } from '../cli/run.js'
import { type GatewayProcess, runGateway } from '../faults/gateway-process.js'
import {
  type AriEvent,
  freshVhost,
  listenToAri,
  startAsterisk,
  startNats,
  type TestAsterisk,
  type TestNats,
} from '../harness/index.js'
import { viewHeap } from '../harness/inspector.js'
import { type LegacySide, legacySide, until, type XccSide, xccSide } from './site.js'

let asterisk: TestAsterisk
let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let gateway: GatewayProcess

beforeAll(async () => {
  asterisk = await startAsterisk()
})
afterAll(() => asterisk.stop())

beforeEach(async () => {
  const amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  gateway = await runGateway(
    `
group: gw
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', queue: { type: classic } }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'], node: { register: false } }
  ast1: { type: ari, dialect: stasis, url: '${asterisk.url}', username: ${asterisk.user}, password: ${asterisk.password} }
routes:
  - { from: ast1, to: legacy, loopback: true }
  - { from: ast1, to: bus, loopback: true }
`,
    ['--inspect=127.0.0.1:0'],
  )
  await gateway.untilReady()
})
afterEach(async () => {
  await gateway.remove()
  await bus.close()
  await legacy.close()
  await nats.stop()
})

const originate = (id: string, service: string) =>
  asterisk.ari('POST', '/channels', {
    endpoint: `Local/${service}@services`,
    extension: 'answer',
    context: 'services',
    channelId: id,
    otherChannelId: `${id}-2`,
  })

async function untilSilent(): Promise<void> {
  let before = -1
  while (before !== legacy.seen.length + bus.seen.length) {
    before = legacy.seen.length + bus.seen.length
    await delay(700)
  }
}

/** Bodies by channel, in the order of their coming. */
function byChannel(bodies: readonly string[], idOf: (body: string) => string): Map<string, string[]> {
  const out = new Map<string, string[]>()
  for (const body of bodies) out.set(idOf(body), [...(out.get(idOf(body)) ?? []), body])
  return out
}

const xccChannel = (body: string) => /"uuid":"([^"]+)"/.exec(body)?.[1] ?? ''
const legacyChannel = (body: string) => /uuid: (\S+)/.exec(body)?.[1] ?? ''

/** What `patchbay translate --rules` makes of events. */
async function translated(to: string, events: readonly AriEvent[]): Promise<string[]> {
  const lines = events.map((event) => {
    // The recorder's copies bear its own application.
    const body = JSON.stringify({ ...event, application: 'patchbay' })
    return JSON.stringify({ address: { node: 'ast1' }, headers: {}, body })
  })
  const ran = await patchbay(
    ['translate', '--from', 'stasis', '--to', to, '--rules', '--loopback', '--frames'],
    lines.join('\n'),
  )
  expect(ran.code).toBe(0)
  return jsonLines(ran.out).map(({ body }) => body)
}

test('200 calls at a time: both buses hear, channel by channel, what the rules make of a recording', async () => {
  const recorder = await listenToAri(asterisk, { app: 'recorder', subscribeAll: true })
  await asterisk.ari('PUT', '/applications/recorder/eventFilter', {
    disallowed: [{ type: 'ChannelVarset' }, { type: 'ChannelDialplan' }],
  })
  const ids = Array.from({ length: 200 }, (_, i) => `load-${i}`)
  for (let i = 0; i < ids.length; i += 20) await Promise.all(ids.slice(i, i + 20).map((id) => originate(id, 'answer')))
  const begun = () =>
    new Set(
      bus
        .events('Event.Channel')
        .filter(({ params }) => params.state === 'ANSWERED' || params.state === 'DESTROY')
        .map(({ params }) => params.uuid),
    ).size
  await until(
    () => begun() >= 400,
    () => `${begun()} legs came up`,
    30_000,
  )
  // On a busy machine Asterisk was seen to end one of 200 by itself; that is told as well, and compared below.
  expect(((await asterisk.ari('GET', '/channels')).body as unknown[]).length).toBeGreaterThanOrEqual(380)
  for (let i = 0; i < ids.length; i += 20)
    await Promise.all(ids.slice(i, i + 20).map((id) => asterisk.ari('DELETE', `/channels/${id}`)))
  const ended = () => bus.events('Event.Channel').filter(({ params }) => params.state === 'DESTROY').length
  await until(
    () => ended() >= 400,
    () => `${ended()} legs ended`,
    30_000,
  )
  await untilSilent()
  const events = recorder.events.filter(({ channel, peer }) => {
    const { id = '' } = (channel ?? peer ?? {}) as { id?: string }
    return id.startsWith('load-')
  })
  await recorder.close()
  const isCall = (body: string) => body.includes('load-')
  const wanted = byChannel((await translated('xcc', events)).filter(isCall), xccChannel)
  expect(wanted.size).toBe(400)
  expect(byChannel(bus.seen.map(({ body }) => body.toString()).filter(isCall), xccChannel)).toEqual(wanted)
  const yamls = legacy.seen.map(({ body }) => body.toString()).filter(isCall)
  expect(byChannel(yamls, legacyChannel)).toEqual(byChannel(await translated('voice-events', events), legacyChannel))
}, 120_000)

/** How many legs of these calls are over, as each side was told. */
const endsOnBus = () =>
  bus.events('Event.Channel').filter(({ params }) => params.state === 'DESTROY' && isOfMany(String(params.uuid))).length
const endsOnLegacy = () =>
  legacy.seen
    .filter(({ at }) => at === 'voice_events/channel.call_state')
    .flatMap(({ body }) => body.toString().split(/^- (?=uuid:)/m))
    .filter((event) => isOfMany(legacyChannel(event)) && /^ *state: HANGUP$/m.test(event)).length
const isOfMany = (uuid: string) => uuid.startsWith('many-')

test('5,000 calls leave nothing behind', async () => {
  const heap = await viewHeap(gateway.lines)
  let placed = 0
  async function calls(count: number): Promise<number> {
    const end = placed + count
    const one = async () => {
      while (placed < end) {
        const id = `many-${placed++}`
        expect((await originate(id, 'wait-0.01')).status).toBe(200)
        // It may have ended by itself.
        expect([204, 404]).toContain((await asterisk.ari('DELETE', `/channels/${id}`)).status)
      }
    }
    await Promise.all(Array.from({ length: 20 }, one))
    // A call has two legs.
    await expect.poll(endsOnBus, { timeout: 30_000, interval: 200 }).toBe(2 * count)
    await expect.poll(endsOnLegacy, { timeout: 30_000, interval: 200 }).toBe(2 * count)
    await untilSilent()
    expect([endsOnBus(), endsOnLegacy()]).toEqual([2 * count, 2 * count])
    bus.seen.length = 0
    legacy.seen.length = 0
    return heap.used()
  }
  const [first, second, third] = [await calls(1000), await calls(2000), await calls(2000)]
  heap.close()
  // An ended channel is remembered by its name for a while: about a hundred bytes for each of two legs.
  expect((third - first) / 4000).toBeLessThan(500)
  expect((third - second) / 2000).toBeLessThan(500)
}, 240_000)
