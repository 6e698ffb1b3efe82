import { setTimeout as delay } from 'node:timers/promises'
import type { Arrivals } from '../arrivals.js'
import { countArrivals, countStream } from '../controller.js'
import { runGateways, watchMemory } from '../gateway-process.js'
import { type SteadyLoad, startSteadyLoad } from '../steady-load.js'
import { firstOf, mebibytes } from './counted.js'
import type { Outcome, Report } from './scenario.js'

/** Where a load of legacy events enters, which way it takes, and where it is counted. */
export interface LegacyToBus {
  /** Where the legacy side publishes. */
  readonly publishAt: readonly string[]
  /** Where the gateway finds the same RabbitMQ. */
  readonly amqp: readonly string[]
  /** Where the gateway finds NATS. */
  readonly nats: readonly string[]
  /** Whether a controller that listens at `countAt` counts, or what the stream holds there is counted. */
  readonly deliver: 'core' | 'jetstream'
  readonly countAt: readonly string[]
  /** Copies of the stream. Default 1. */
  readonly streamReplicas?: number
  /** Gateways side by side. Default 1. */
  readonly replicas?: number
}

/** Events a second. */
const PER_SECOND = 200
/** A quorum queue younger than that may not survive a node of its own. */
const SETTLE_MS = 2000
/** What a backlog may take until all of it is through. */
const DRAIN_PATIENCE_MS = 60_000
const LOOK_AGAIN_MS = 500

/** The name of the gateway's own queue in {@link legacyToBus}. */
export const GATEWAY_QUEUE = 'patchbay.gw.legacy'

const listed = (addresses: readonly string[]) => `[${addresses.map((address) => `'${address}'`).join(', ')}]`

function configuration({ amqp, nats, deliver, streamReplicas = 1 }: LegacyToBus): string {
  const stream = deliver === 'jetstream' ? `, stream: { replicas: ${streamReplicas} }` : ''
  return `
group: gw
links:
  legacy: { type: amqp, dialect: voice-events, url: ${listed(amqp)} }
  bus: { type: nats, dialect: xcc, servers: ${listed(nats)}, deliver: ${deliver}${stream} }
routes:
  - { from: legacy, to: bus }
`
}

/** Asks for the count until nothing is missing any more, or patience ends; once more afterwards, for what comes twice. */
async function drained(load: SteadyLoad, count: () => Promise<Arrivals> | Arrivals): Promise<Arrivals> {
  const deadline = performance.now() + DRAIN_PATIENCE_MS
  while ((await count()).missing(load.sent).length > 0 && performance.now() < deadline) await delay(LOOK_AGAIN_MS)
  await delay(LOOK_AGAIN_MS)
  return count()
}

/**
 * Carries {@link PER_SECOND} legacy events a second to a bus, lets `fault` happen in the middle, and counts when all has drained.
 * Held when nothing is lost and every channel is in order: AMQP is at least once.
 */
export async function legacyToBus(
  report: Report,
  way: LegacyToBus,
  fault: () => Promise<readonly string[]>,
): Promise<Outcome> {
  const calmMs = report.isShort ? 1000 : 5000
  const gateways = await runGateways(way.replicas ?? 1, configuration(way))
  try {
    await Promise.all(gateways.map((gateway) => gateway.untilReady()))
    await delay(SETTLE_MS)
    const counter = way.deliver === 'core' ? await countArrivals(way.countAt) : undefined
    const memory = await watchMemory(gateways)
    const startedAt = performance.now()
    const load = startSteadyLoad(way.publishAt, { perSecond: PER_SECOND })
    await delay(calmMs)
    const notes = await fault()
    await delay(calmMs)
    await load.stop()
    report.say(`${load.confirmed()} events published, waiting for the backlog`)
    const arrivals = await drained(load, () => counter?.arrivals ?? countStream(way.countAt))
    const lengthMs = performance.now() - startedAt
    const { firstBytes, mostBytes } = await memory.stop()
    await counter?.close()
    const missing = arrivals.missing(load.sent)
    const outOfOrder = arrivals.outOfOrder()
    const why = [...firstOf('lost', missing), ...firstOf('out of order', outOfOrder)]
    return {
      lengthMs,
      sent: load.confirmed(),
      received: arrivals.received(),
      duplicates: arrivals.duplicates(),
      lost: missing.length,
      outOfOrder: outOfOrder.length,
      longestGapMs: arrivals.longestGapMs(),
      held: why.length === 0,
      why,
      notes: [...notes, `resident memory ${mebibytes(firstBytes)} at first, ${mebibytes(mostBytes)} at most`],
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.remove()))
  }
}
