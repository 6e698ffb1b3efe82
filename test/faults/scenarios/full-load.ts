import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { shippedMapping } from '../../../src/config/index.js'
import { startAsterisk, type TestAsterisk } from '../../harness/index.js'
import type { Arrivals } from '../arrivals.js'
import { countArrivals, countStream } from '../controller.js'
import { type GatewayProcess, runGateways, watchMemory } from '../gateway-process.js'
import { type SteadyLoad, startSteadyLoad } from '../steady-load.js'
import { firstOf, mebibytes } from './counted.js'
import { type CallTerms, judgeCalls } from './judge-calls.js'
import { confessed, judgeObserved, type ObservedTerms } from './judge-observed.js'
import { OBSERVED, tellObserved } from './observed-events.js'
import type { Outcome, Report } from './scenario.js'
import { steerCalls } from './steered-calls.js'

/** Where the loads enter, which way they take through replicas, and where they are counted. */
export interface Site {
  /** Where the legacy side publishes, and where the gateways find the same RabbitMQ. */
  readonly publishAt: readonly string[]
  readonly amqp: readonly string[]
  /** Where controllers and counters are, and where the gateways find the same NATS. */
  readonly countAt: readonly string[]
  readonly nats: readonly string[]
  readonly asterisk: TestAsterisk
  /** Where the gateways find it. Default: where it is. */
  readonly ari?: string
  /** Whether a controller that listens counts, or what a stream holds is counted. Default core. */
  readonly deliver?: 'core' | 'jetstream'
  /** Copies of streams and of the store. Default 1. */
  readonly copies?: number
}

/** What may become of the loads beside what always must. */
export interface Terms extends CallTerms, ObservedTerms {
  /** Most messages that may come twice. */
  readonly duplicates?: number
}

/** What a disturbance came to. */
export interface Disturbance {
  /** What did not come true. */
  readonly why?: readonly string[]
  readonly notes?: readonly string[]
}

/** Legacy events a second, and milliseconds between two calls. */
const PER_SECOND = 200
const CALL_EVERY_MS = 2000
const REPLICAS = 3
/** Messages of the legacy system in flight at a time: those of one replica may come twice. */
export const PREFETCH = 256
/** Observed events that are held while their target is away, where the buffer has to run over: what comes in about a second. */
const FEW_UNSETTLED = 64
/** What a gateway may take while something is at fault, beside what it has at first. Bytes. */
const MOST_GROWTH_BYTES = 160 * 1024 * 1024
/** A quorum queue younger than that may not survive a node of its own. */
const SETTLE_MS = 2000
/** What a backlog may take until all of it is through. */
const DRAIN_PATIENCE_MS = 90_000

/** The name of the gateways' own queue. */
export const GATEWAY_QUEUE = 'patchbay.gw.legacy'

const ENTRY = `
[patchbay-load]
exten => _[0-9a-z].,1,Gosub(patchbay,s,1(patchbay,\${EXTEN}))
 same => n,Hangup(16)
`

/** An Asterisk whose calls enter by the dialplan that is shipped. */
export function asteriskWithEntry(): Promise<TestAsterisk> {
  const shipped = readFileSync(shippedMapping('asterisk/extensions.conf'), 'utf8')
  return startAsterisk({ append: { 'extensions.conf': shipped + ENTRY }, writesCdrs: true })
}

const listed = (addresses: readonly string[]) => `[${addresses.map((address) => `'${address}'`).join(', ')}]`

/** Controllers hear of calls of the legacy system and of an Asterisk, which they steer; the legacy side hears of what a switch tells. */
function configuration(site: Site, overflows: boolean): string {
  const { amqp, nats, asterisk, ari = asterisk.url, deliver = 'core', copies = 1 } = site
  return `
group: gw
state: jetstream
store: { copies: ${copies} }
links:
  legacy: { type: amqp, dialect: voice-events, url: ${listed(amqp)}, prefetch: ${PREFETCH}, reconnect: { maxDelayMs: 1000 } }
  bus: { type: nats, dialect: xcc, servers: ${listed(nats)}, deliver: ${deliver}, stream: { replicas: ${copies} } }
  edge:
    type: nats
    dialect: xcc
    servers: ${listed(nats)}
    observe: ['${OBSERVED.subject}']
    observePrefix: ${OBSERVED.prefix}
${overflows ? `    maxUnsettled: ${FEW_UNSETTLED}\n` : ''}  ast1:
    type: ari
    dialect: stasis
    url: '${ari}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    app: ${asterisk.app}
    reconnect: { minDelayMs: 50, maxDelayMs: 1000 }
    steer: {}
routes:
  - { from: legacy, to: bus }
  - { from: ast1, to: bus, loopback: true }
  - { from: edge, to: legacy, sync: { ask: false, answer: false } }
`
}

/** Puts what the gateways wrote into a folder of its own, for whoever has to find out why something broke. */
function keepLogs(gateways: readonly GatewayProcess[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-faults-'))
  for (const [at, { lines }] of gateways.entries()) writeFileSync(join(folder, `gateway-${at}.log`), lines.join('\n'))
  return folder
}

/** Asks for the count until nothing is missing any more, or patience ends; once more afterwards, for what comes twice. */
async function drained(load: SteadyLoad, count: () => Promise<Arrivals> | Arrivals): Promise<Arrivals> {
  const deadline = performance.now() + DRAIN_PATIENCE_MS
  while ((await count()).missing(load.sent).length > 0 && performance.now() < deadline) await delay(500)
  await delay(1000)
  return count()
}

/**
 * Three replicas carry {@link PER_SECOND} legacy events a second and a call every two seconds, which a controller answers
 * and hangs up; and the events that a switch tells on core NATS to the legacy side. In the middle `disturb` happens. Held
 * when no legacy event is lost or out of order, each call that entered was told once to begin and once to end, and
 * each observed event that is lost was counted as dropped or lies in a gap that was told.
 */
export async function underFullLoad(
  report: Report,
  site: Site,
  terms: Terms,
  disturb: (gateways: GatewayProcess[], yaml: string) => Promise<Disturbance>,
): Promise<Outcome> {
  const calmMs = report.isShort ? 2000 : 5000
  const yaml = configuration(site, terms.overflows ?? false)
  const gateways = await runGateways(REPLICAS, yaml)
  try {
    await Promise.all(gateways.map((gateway) => gateway.untilReady(60_000)))
    await delay(SETTLE_MS)
    const counter = site.deliver === 'jetstream' ? undefined : await countArrivals(site.countAt)
    const memory = await watchMemory(gateways)
    const startedAt = performance.now()
    const load = startSteadyLoad(site.publishAt, { perSecond: PER_SECOND })
    const observed = await tellObserved(site.countAt, site.publishAt)
    const calls = await steerCalls(site.countAt, site.asterisk, CALL_EVERY_MS)
    await delay(calmMs)
    const disturbed = await disturb(gateways, yaml)
    await delay(calmMs)
    await Promise.all([load.stop(), calls.stop(), observed.stop()])
    report.say(`${load.confirmed()} events published, waiting for the backlog`)
    const arrivals = await drained(load, () => counter?.arrivals ?? countStream(site.countAt))
    const lengthMs = performance.now() - startedAt
    const { firstBytes, mostBytes } = await memory.stop()
    await counter?.close()
    const missing = arrivals.missing(load.sent)
    const outOfOrder = arrivals.outOfOrder()
    const called = await judgeCalls(calls.count(), site.asterisk, terms)
    const heard = judgeObserved(await observed.count(), await confessed(gateways, 'edge'), terms)
    const why = [
      ...firstOf('lost', missing),
      ...firstOf('out of order', outOfOrder),
      ...called.faults,
      ...heard.faults,
      ...(disturbed.why ?? []),
      ...(arrivals.duplicates() > (terms.duplicates ?? Number.POSITIVE_INFINITY)
        ? [`${arrivals.duplicates()} came twice, and at most ${terms.duplicates} may`]
        : []),
      ...(mostBytes - firstBytes <= MOST_GROWTH_BYTES
        ? []
        : [
            `resident memory grew by ${mebibytes(mostBytes - firstBytes)}, and ${mebibytes(MOST_GROWTH_BYTES)} are allowed`,
          ]),
    ]
    const logs =
      why.length === 0 ? [] : [`load average ${loadavg()[0]?.toFixed(1)}; logs of the gateways: ${keepLogs(gateways)}`]
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
      notes: [
        ...(disturbed.notes ?? []),
        called.note,
        heard.note,
        `resident memory ${mebibytes(firstBytes)} at first, ${mebibytes(mostBytes)} at most, ` +
          `${mebibytes(firstBytes + MOST_GROWTH_BYTES)} allowed`,
        ...logs,
      ],
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.remove()))
  }
}
