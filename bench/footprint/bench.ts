import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../src/cli/private-brokers/loopback.js'
import { type GatewayProcess, runGateway } from '../../test/faults/gateway-process.js'
import { lookInside, OPEN_TO_LOOK } from '../../test/faults/soak/inside.js'
import { startSteadyLoad } from '../../test/faults/steady-load.js'
import { ensureInstalled, startNats, startRabbitMq } from '../../test/harness/index.js'
import { openFeed } from '../gateway/feed.js'
import { figure, summarize, told } from '../stats.js'
import { isReady, startPatchbay } from '../subject.js'

/** Name of the bench of what a gateway takes: time to get ready, memory, delay of the event loop. */
export const FOOTPRINT_BENCH = 'footprint'

const START_TIMEOUT_MS = 60_000
const LIVE_CALLS = 10_000
const PER_SECOND = 2000
const LOAD_MS = 10_000
const QUIET_MS = 2000
const QUEUE = 'patchbay.footprint.legacy'

interface Brokers {
  readonly amqpUrl: string
  readonly natsUrl: string
}

/** JSON is YAML. */
const configurationOf = ({ amqpUrl, natsUrl }: Brokers, more: object = {}) => ({
  group: 'footprint',
  links: {
    legacy: { type: 'amqp', dialect: 'voice-events', url: amqpUrl, queue: { type: 'classic' } },
    bus: { type: 'nats', dialect: 'xcc', servers: [natsUrl], node: { register: false } },
  },
  routes: [{ from: 'legacy', to: 'bus', sync: { ask: false, answer: false } }],
  ...more,
})

const yamlOf = (brokers: Brokers) =>
  Object.entries(configurationOf(brokers))
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n')

/** From the start of the process to the first 200 of its readiness. Milliseconds. */
async function timeToReady(brokers: Brokers): Promise<number> {
  const [port = 0] = await freePorts(1)
  const startedAt = performance.now()
  const gateway = startPatchbay(configurationOf(brokers, { admin: { port }, log: { level: 'warn' } }))
  try {
    while (!(await isReady(port))) {
      if (performance.now() - startedAt > START_TIMEOUT_MS) throw new Error('the gateway does not get ready')
      await delay(5)
    }
    return performance.now() - startedAt
  } finally {
    await gateway.stop()
  }
}

async function reportStart(brokers: Brokers, rounds: number): Promise<void> {
  const first = await timeToReady(brokers)
  const again: number[] = []
  for (let round = 0; round < rounds; round++) again.push(await timeToReady(brokers))
  console.log(`  ready after ${told(summarize(again), 'ms')}, brokers up, ${rounds} starts`)
  console.log(`    ${figure(first)} ms where exchanges and queues had to be made first`)
}

async function untilSettled(gateway: GatewayProcess, taken: number): Promise<void> {
  while ((await gateway.metric('gateway_taken_messages_total')) < taken) await delay(100)
  while ((await gateway.metric('gateway_in_flight_messages')) > 0) await delay(100)
}

const mebibytes = (bytes: number) => `${figure(bytes / 1024 / 1024)} MiB`

async function reportMemory(brokers: Brokers, nodeFlags: readonly string[]): Promise<void> {
  const gateway = await runGateway(yamlOf(brokers), [...nodeFlags, ...OPEN_TO_LOOK])
  const inside = await lookInside(gateway)
  try {
    await gateway.untilReady()
    const resident = () => gateway.metric('process_resident_memory_bytes')
    const empty = await inside.figures()
    const feed = await openFeed(brokers.amqpUrl, QUEUE)
    await feed.fill(LIVE_CALLS)
    await untilSettled(gateway, LIVE_CALLS)
    await feed.close()
    const asItIs = await resident()
    const { heapBytes, residentBytes } = await inside.figures()
    console.log(`  ${LIVE_CALLS} live calls: resident ${mebibytes(asItIs)}, ${mebibytes(residentBytes)} after a forced`)
    console.log(`    collection, of it heap ${mebibytes(heapBytes)}; without calls ${mebibytes(empty.residentBytes)}`)
    console.log(
      `    and ${mebibytes(empty.heapBytes)}: ${figure((heapBytes - empty.heapBytes) / LIVE_CALLS)} bytes a call`,
    )
  } finally {
    inside.close()
    await gateway.remove()
  }
}

/** Each answer of the metrics begins the time of the next. */
async function delaysOver(gateway: GatewayProcess, ms: number): Promise<string> {
  await gateway.metric('nodejs_eventloop_lag_p99_seconds')
  await delay(ms)
  const p99 = await gateway.metric('nodejs_eventloop_lag_p99_seconds')
  return `${figure(p99 * 1000)} ms`
}

async function reportDelay(brokers: Brokers, nodeFlags: readonly string[]): Promise<void> {
  const gateway = await runGateway(yamlOf(brokers), nodeFlags)
  try {
    await gateway.untilReady()
    const idle = await delaysOver(gateway, QUIET_MS)
    const load = startSteadyLoad([brokers.amqpUrl], { perSecond: PER_SECOND, calls: PER_SECOND / 2 })
    await delay(QUIET_MS)
    const before = await gateway.metric('gateway_taken_messages_total')
    const busy = await delaysOver(gateway, LOAD_MS)
    const rate = ((await gateway.metric('gateway_taken_messages_total')) - before) / (LOAD_MS / 1000)
    console.log(
      `  event-loop delay p99 ${busy} under ${figure(rate)} messages/s; at rest ${idle}, the resolution is 10 ms`,
    )
    await load.stop()
  } finally {
    await gateway.remove()
  }
}

/**
 * Prints what a gateway takes, on private brokers.
 * @param nodeFlags for the Node of the gateway
 */
export async function runFootprint(rounds: number, nodeFlags: readonly string[]): Promise<void> {
  await ensureInstalled()
  const [rabbitMq, nats] = await Promise.all([startRabbitMq(), startNats()])
  const brokers = { amqpUrl: rabbitMq.url, natsUrl: nats.url }
  try {
    await reportStart(brokers, rounds)
    await reportMemory(brokers, nodeFlags)
    await reportDelay(brokers, nodeFlags)
  } finally {
    await Promise.all([rabbitMq.stop(), nats.stop()])
  }
}
