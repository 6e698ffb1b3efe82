import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { shippedMapping } from '../../../src/config/index.js'
import { startAsterisk, type TestAsterisk } from '../../harness/index.js'
import type { Arrivals } from '../arrivals.js'
import { countArrivals, countStream } from '../controller.js'
import { type GatewayProcess, runGateways, watchMemory } from '../gateway-process.js'
import { type SteadyLoad, startSteadyLoad } from '../steady-load.js'
import { firstOf, mebibytes } from './counted.js'
import type { Outcome, Report } from './scenario.js'
import { type SteeredCalls, steerCalls } from './steered-calls.js'

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
export interface Terms {
  /** Milliseconds in which the events of the Asterisk may pass unheard, all gaps together. Default: none are told. */
  readonly gapsMs?: number
  /** Nobody has the application for longer than calls wait: some may be refused. Default false. */
  readonly refusals?: boolean
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
/** A quorum queue younger than that may not survive a node of its own. */
const SETTLE_MS = 2000
/** What a backlog may take until all of it is through. */
const DRAIN_PATIENCE_MS = 90_000

/** The name of the gateways' own queue. */
export const GATEWAY_QUEUE = 'patchbay.gw.legacy'

const ENTRY = `
[patchbay-load]
exten => _[0-9a-z].,1,Gosub(patchbay,s,1(patchbay,\${EXTEN}))
 same => n,GotoIf($["\${STASISSTATUS}" = "FAILED"]?refused)
 same => n,Hangup(16)
 same => n(refused),Set(GLOBAL(refused)=\${EXTEN} \${GLOBAL(refused)})
`

/** An Asterisk whose calls enter by the dialplan that is shipped. */
export function asteriskWithEntry(): Promise<TestAsterisk> {
  const shipped = readFileSync(shippedMapping('asterisk/extensions.conf'), 'utf8')
  return startAsterisk({ append: { 'extensions.conf': shipped + ENTRY, 'modules.conf': 'load = app_stack.so\n' } })
}

const listed = (addresses: readonly string[]) => `[${addresses.map((address) => `'${address}'`).join(', ')}]`

/** Controllers hear of calls of the legacy system and of an Asterisk, which they steer. */
function configuration({ amqp, nats, asterisk, ari = asterisk.url, deliver = 'core', copies = 1 }: Site): string {
  return `
group: gw
state: jetstream
store: { copies: ${copies} }
links:
  legacy: { type: amqp, dialect: voice-events, url: ${listed(amqp)}, prefetch: ${PREFETCH}, reconnect: { maxDelayMs: 1000 } }
  bus: { type: nats, dialect: xcc, servers: ${listed(nats)}, deliver: ${deliver}, stream: { replicas: ${copies} } }
  ast1:
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
`
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
 * and hangs up. In the middle `disturb` happens. Held when no legacy event is lost or out of order, and each call that
 * entered was told once to begin and once to end.
 */
export async function underFullLoad(
  report: Report,
  site: Site,
  terms: Terms,
  disturb: (gateways: GatewayProcess[], yaml: string) => Promise<Disturbance>,
): Promise<Outcome> {
  const calmMs = report.isShort ? 2000 : 5000
  const yaml = configuration(site)
  const gateways = await runGateways(REPLICAS, yaml)
  try {
    await Promise.all(gateways.map((gateway) => gateway.untilReady(60_000)))
    await delay(SETTLE_MS)
    const counter = site.deliver === 'jetstream' ? undefined : await countArrivals(site.countAt)
    const memory = await watchMemory(gateways)
    const startedAt = performance.now()
    const load = startSteadyLoad(site.publishAt, { perSecond: PER_SECOND })
    const calls = await steerCalls(site.countAt, site.asterisk, CALL_EVERY_MS)
    await delay(calmMs)
    const disturbed = await disturb(gateways, yaml)
    await delay(calmMs)
    await Promise.all([load.stop(), calls.stop()])
    report.say(`${load.confirmed()} events published, waiting for the backlog`)
    const arrivals = await drained(load, () => counter?.arrivals ?? countStream(site.countAt))
    const lengthMs = performance.now() - startedAt
    const { firstBytes, mostBytes } = await memory.stop()
    await counter?.close()
    const missing = arrivals.missing(load.sent)
    const outOfOrder = arrivals.outOfOrder()
    const { faults, note } = await judgeCalls(calls, site.asterisk, terms)
    const why = [
      ...firstOf('lost', missing),
      ...firstOf('out of order', outOfOrder),
      ...faults,
      ...(disturbed.why ?? []),
      ...(arrivals.duplicates() > (terms.duplicates ?? Number.POSITIVE_INFINITY)
        ? [`${arrivals.duplicates()} came twice, and at most ${terms.duplicates} may`]
        : []),
    ]
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
        note,
        `resident memory ${mebibytes(firstBytes)} at first, ${mebibytes(mostBytes)} at most`,
      ],
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.remove()))
  }
}

async function judgeCalls(
  calls: SteeredCalls,
  asterisk: TestAsterisk,
  { gapsMs, refusals = false }: Terms,
): Promise<{ faults: string[]; note: string }> {
  const { placed, started, ended, repeated, failed, gaps } = calls.count()
  const refused =
    (await asterisk.cli('dialplan show globals'))
      .match(/^ *refused=(.*)$/m)?.[1]
      ?.trim()
      .split(' ') ?? []
  const admitted = placed - refused.length
  const gapMs = gaps.reduce((sum, gap) => sum + gap, 0)
  const faults = [
    ...(refusals ? [] : firstOf('calls never admitted', refused)),
    ...(started === admitted ? [] : [`${admitted - started} of ${admitted} calls were never announced`]),
    ...(ended === admitted ? [] : [`the end of ${admitted - ended} of ${admitted} calls was never told`]),
    ...firstOf('told twice under other names', repeated),
    ...firstOf('commands failed', failed),
    ...(gapsMs === undefined || gapMs <= gapsMs
      ? []
      : [`gaps of ${gapMs} ms were told, and at most ${gapsMs} ms are due`]),
  ]
  const told = gaps.length === 0 ? '' : `; ${gaps.length} gaps told, ${gapMs} ms together`
  return {
    faults,
    note: `${placed} calls placed, ${refused.length} refused, ${started} started, ${ended} ended, ${repeated.length} told twice${told}`,
  }
}
