import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect as connectAmqp } from 'amqplib'
import { freePorts } from '../../../src/cli/private-brokers/loopback.js'
import { freshVhost, outboundFiles, startAsterisk, startNats, type TestAsterisk } from '../../harness/index.js'
import { listen, withoutMarked } from '../controller.js'
import { runGateways } from '../gateway-process.js'
import { firstOf } from './counted.js'
import type { Outcome, Report, Scenario } from './scenario.js'

/** What a switch tells of each of its calls, and how the legacy side hears it. */
const TOLD = ['START', 'RINGING', 'ANSWERED', 'DESTROY']
const HEARD = ['EARLY', 'RINGING', 'ACTIVE', 'HANGUP']
/** Time between two calls on the bus, and between two on the Asterisk. Milliseconds. */
const EVENT_EVERY_MS = 20
const CALL_EVERY_MS = 1000
const REPLICAS = 3
const DRAIN_PATIENCE_MS = 60_000

const outbound = (port: number) => outboundFiles(`ws://127.0.0.1:${port}/`, { username: 'ast1', password: 'sesame' })

function configuration(amqpUrl: string, natsUrl: string, asterisk: TestAsterisk, port: number): string {
  return `
group: gw
state: jetstream
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}' }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'], capture: jetstream, resumeAfterMs: 0 }
  ast1:
    type: ari
    dialect: stasis
    url: '${asterisk.url}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    listen: { port: ${port}, username: ast1, password: sesame }
routes:
  - { from: bus, to: legacy }
  - { from: ast1, to: bus, loopback: true }
`
}

/** Calls of a switch on the bus, one event after another; `stop` resolves with how many calls there were. */
async function talkOn(url: string) {
  const nc = await connectNats({ servers: url, maxReconnectAttempts: -1 })
  let isOver = false
  let calls = 0
  const talking = (async () => {
    while (!isOver) {
      const uuid = `bus-${calls++}`
      for (const state of TOLD) {
        const params = {
          node_uuid: 'edge-1',
          uuid,
          direction: 'inbound',
          state,
          cid_number: '1001',
          dest_number: '9000',
        }
        nc.publish('cn.xswitch.ctrl', JSON.stringify({ jsonrpc: '2.0', method: 'Event.Channel', params }))
        await delay(EVENT_EVERY_MS)
      }
    }
    await nc.flush()
  })()
  return {
    async stop() {
      isOver = true
      await talking
      await nc.close()
      return calls
    },
  }
}

/** What the legacy side hears of each call, in order, copies of one name left aside. */
async function hearLegacy(url: string) {
  const model = await connectAmqp(url)
  const channel = await model.createChannel()
  await channel.assertExchange('voice_events', 'topic', { durable: true })
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, 'voice_events', 'channel.call_state')
  const heard = new Map<string, string[]>()
  const names = new Set<unknown>()
  let duplicates = 0
  await channel.consume(
    queue,
    (message) => {
      const body = message?.content.toString() ?? ''
      const uuid = /uuid: (\S+)/.exec(body)?.[1] ?? ''
      const name = message?.properties.messageId
      if (!uuid.startsWith('bus-')) return
      if (names.has(name)) duplicates += 1
      else heard.set(uuid, [...(heard.get(uuid) ?? []), /state: (\S+)/.exec(body)?.[1] ?? ''])
      names.add(name)
    },
    { noAck: true },
  )
  return { heard, duplicates: () => duplicates, close: () => model.close() }
}

/** Calls that enter the application of an Asterisk and end by themselves. */
function callThrough(asterisk: TestAsterisk) {
  let isOver = false
  let calls = 0
  const calling = (async () => {
    while (!isOver) {
      const id = `ast-${calls++}`
      const query = { endpoint: 'Local/wait-2@services', context: 'services', extension: 'in-patchbay', priority: 1 }
      await asterisk.ari('POST', '/channels', { ...query, channelId: id, otherChannelId: `${id}-far` })
      await delay(CALL_EVERY_MS)
    }
  })()
  return {
    async stop() {
      isOver = true
      await calling
      return calls
    },
  }
}

async function run(report: Report): Promise<Outcome> {
  const awayMs = report.isShort ? 6000 : 60_000
  const rabbit = await report.sharedRabbitMq()
  const amqpUrl = await freshVhost(rabbit.url, rabbit.control)
  const [port = 0] = await freePorts(1)
  const [nats, asterisk] = await Promise.all([startNats(), startAsterisk({ append: outbound(port) })])
  const yaml = configuration(amqpUrl, nats.url, asterisk, port)
  let gateways = await runGateways(REPLICAS, yaml)
  const legacy = await hearLegacy(amqpUrl)
  const controller = await listen(nats.url)
  const startedAt = performance.now()
  try {
    await Promise.all(gateways.map((gateway) => gateway.untilReady()))
    await delay(2000)
    const bus = await talkOn(nats.url)
    const calls = callThrough(asterisk)
    await delay(3000)
    report.say(`all replicas are killed, and away for ${awayMs / 1000} s`)
    for (const gateway of gateways) gateway.signal('SIGKILL')
    await Promise.all(gateways.map((gateway) => gateway.remove()))
    gateways = []
    await delay(awayMs)
    gateways = await runGateways(REPLICAS, yaml)
    report.say('replicas are back')
    await delay(3000)
    const onBus = await bus.stop()
    const placed = await calls.stop()
    const words = (id: string) =>
      withoutMarked(controller.heard).flatMap(({ entity, word }) =>
        entity === id && ['START', 'CALLING', 'DESTROY'].includes(word) ? [word] : [],
      )
    const isWhole = (at: number) => legacy.heard.get(`bus-${at}`)?.length === TOLD.length
    const all = (count: number) => Array.from({ length: count }, (_, at) => at)
    const deadline = performance.now() + DRAIN_PATIENCE_MS
    const isDone = () => all(onBus).every(isWhole) && all(placed).every((at) => words(`ast-${at}`).length >= 2)
    while (!isDone() && performance.now() < deadline) await delay(500)
    const lost = all(onBus).flatMap((at) =>
      HEARD.filter((state) => !legacy.heard.get(`bus-${at}`)?.includes(state)).map((state) => `bus-${at} ${state}`),
    )
    const otherwise = [...legacy.heard].filter(([, states]) => states.join() !== HEARD.join())
    const calledOtherwise = all(placed)
      .map((at) => [`ast-${at}`, words(`ast-${at}`)] as const)
      .filter(([, said]) => said.length !== 2 || said[1] !== 'DESTROY')
    const why = [
      ...firstOf('lost from NATS', lost),
      ...firstOf(
        'heard otherwise from NATS',
        otherwise.map(([uuid, states]) => `${uuid} ${states.join(' ')}`),
      ),
      ...firstOf(
        'heard otherwise from Asterisk',
        calledOtherwise.map(([id, said]) => `${id} ${said.join(' ')}`),
      ),
    ]
    const received = [...legacy.heard.values()].reduce((sum, states) => sum + states.length, 0)
    return {
      lengthMs: performance.now() - startedAt,
      sent: onBus * TOLD.length,
      received,
      duplicates: legacy.duplicates(),
      lost: lost.length,
      outOfOrder: otherwise.length,
      longestGapMs: awayMs,
      held: why.length === 0,
      why,
      notes: [`all replicas away for ${awayMs / 1000} s; ${placed} calls of the Asterisk, each begun and ended`],
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.remove()))
    await Promise.all([legacy.close(), controller.close()])
    await Promise.all([nats.stop(), asterisk.stop()])
  }
}

/** Nobody is there for a while: what a stream and an Asterisk kept comes through afterwards. */
export const AWAY_SCENARIOS: readonly Scenario[] = [{ name: 'everybody-away', isShort: true, run }]
