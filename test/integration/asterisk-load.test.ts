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
import { viewHeap } from './inspector.js'
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
  const answered = () =>
    new Set(
      bus
        .events('Event.Channel')
        .filter(({ params }) => params.state === 'ANSWERED')
        .map(({ params }) => params.uuid),
    ).size
  await until(() => answered() >= 400, 30_000)
  // On a busy machine Asterisk was seen to end one of 200 by itself; that is told as well, and compared below.
  expect(((await asterisk.ari('GET', '/channels')).body as unknown[]).length).toBeGreaterThanOrEqual(380)
  for (let i = 0; i < ids.length; i += 20)
    await Promise.all(ids.slice(i, i + 20).map((id) => asterisk.ari('DELETE', `/channels/${id}`)))
  const ended = () => bus.events('Event.Channel').filter(({ params }) => params.state === 'DESTROY').length
  await until(() => ended() >= 400, 30_000)
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

test('5,000 calls leave nothing behind', async () => {
  const heap = await viewHeap(gateway.lines)
  let placed = 0
  async function calls(count: number): Promise<void> {
    const end = placed + count
    const one = async () => {
      while (placed < end) {
        const id = `many-${placed++}`
        await originate(id, 'wait-0.01')
        await asterisk.ari('DELETE', `/channels/${id}`)
      }
    }
    await Promise.all(Array.from({ length: 20 }, one))
    await untilSilent()
    bus.seen.length = 0
    legacy.seen.length = 0
  }
  await calls(1000)
  const before = await heap.used()
  await calls(4000)
  const after = await heap.used()
  heap.close()
  // An ended channel is remembered by its name for a while: about a hundred bytes for each of two legs.
  expect((after - before) / 4000).toBeLessThan(500)
}, 180_000)
