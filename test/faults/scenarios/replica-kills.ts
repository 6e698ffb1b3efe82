import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { shippedMapping } from '../../../src/config/index.js'
import { freshVhost, startAsterisk, startNats, type TestAsterisk } from '../../harness/index.js'
import { countArrivals } from '../controller.js'
import { type GatewayProcess, runGateways, watchMemory } from '../gateway-process.js'
import { startSteadyLoad } from '../steady-load.js'
import { firstOf, mebibytes } from './counted.js'
import type { Outcome, Report, Scenario } from './scenario.js'
import { type CallCount, steerCalls } from './steered-calls.js'

/** Legacy events a second, and milliseconds between two calls. */
const PER_SECOND = 200
const CALL_EVERY_MS = 2000
const REPLICAS = 3
/** Messages of the legacy system in flight at a time: those of one kill may come twice. */
const PREFETCH = 256
const TAKE_OVER_MS = 3000
const HAND_OVER_MS = 500
const STOP_MS = 10_000
const DRAIN_PATIENCE_MS = 60_000

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

/** Three links, two of which controllers hear of the third by; shared by replicas. */
export function sharedConfiguration(amqpUrl: string, natsUrl: string, asterisk: TestAsterisk): string {
  return `
group: gw
state: jetstream
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', prefetch: ${PREFETCH} }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'] }
  ast1:
    type: ari
    dialect: stasis
    url: '${asterisk.url}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    app: ${asterisk.app}
    reconnect: { minDelayMs: 50, maxDelayMs: 300 }
    steer: {}
routes:
  - { from: legacy, to: bus }
  - { from: ast1, to: bus, loopback: true }
`
}

interface Line {
  readonly time: string
  readonly msg: string
  readonly link?: string
  readonly duty?: string
}

const LINKS = ['legacy', 'ast1']
const linesOf = ({ lines }: GatewayProcess): Line[] => lines.map((line) => JSON.parse(line) as Line)

/** The replica that takes from a link. */
function holderOf(gateways: readonly GatewayProcess[], link: string): GatewayProcess | undefined {
  const since = (gateway: GatewayProcess) =>
    linesOf(gateway).findLast((line) => line.msg === 'duty begun' && line.duty?.split('.').includes(link))?.time ?? ''
  return gateways
    .filter((gateway) => gateway.isRunning() && since(gateway) !== '')
    .toSorted((one, other) => since(other).localeCompare(since(one)))[0]
}

/** How long after `at` something was first logged for a link. Milliseconds; undefined where it was not. */
function firstAfter(
  gateways: readonly GatewayProcess[],
  at: number,
  isIt: (line: Line) => boolean,
): number | undefined {
  const times = gateways
    .flatMap(linesOf)
    .filter((line) => isIt(line) && Date.parse(line.time) >= at)
    .map(({ time }) => Date.parse(time) - at)
  return times.length === 0 ? undefined : Math.min(...times)
}

const isDutyOf = (link: string, msg: string) => (line: Line) =>
  line.msg === msg && line.duty?.split('.').includes(link) === true

/** How one replica leaves a link to another. Milliseconds. */
interface TakeOver {
  readonly link: string
  /** From the signal until it is taken from again. */
  readonly tookMs: number | undefined
  /** From the end of the one lease to the beginning of the other, where it was given back. */
  readonly handedMs: number | undefined
}

function takeOver(gateways: readonly GatewayProcess[], link: string, at: number): TakeOver {
  const given = firstAfter(gateways, at, isDutyOf(link, 'duty handed over'))
  const begun = firstAfter(gateways, at, isDutyOf(link, 'duty begun'))
  return {
    link,
    tookMs: firstAfter(gateways, at, (line) => line.msg === 'link consuming' && line.link === link),
    handedMs: given === undefined || begun === undefined ? undefined : Math.max(0, begun - given),
  }
}

/** How replicas are ended, and what that may cost. */
interface Ending {
  readonly name: string
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly times: number
  readonly everyMs: number
  /** What is wrong with how one ended. */
  judge(ended: Awaited<GatewayProcess['ended']>, endedAfterMs: number): string[]
  judgeTakeOver(each: TakeOver): string[]
}

async function run(report: Report, { signal, times, everyMs, judge, judgeTakeOver }: Ending): Promise<Outcome> {
  const [turns, pauseMs] = report.isShort ? [2, 3000] : [times, everyMs / 2]
  const rabbit = await report.sharedRabbitMq()
  const amqpUrl = await freshVhost(rabbit.url, rabbit.control)
  const [nats, asterisk] = await Promise.all([startNats(), asteriskWithEntry()])
  const yaml = sharedConfiguration(amqpUrl, nats.url, asterisk)
  const gateways = [...(await runGateways(REPLICAS, yaml))]
  try {
    await Promise.all(gateways.map((gateway) => gateway.untilReady()))
    await delay(2000)
    const counter = await countArrivals([nats.url])
    const memory = await watchMemory(gateways)
    const startedAt = performance.now()
    const load = startSteadyLoad([amqpUrl], { perSecond: PER_SECOND })
    const calls = await steerCalls(nats.url, asterisk, CALL_EVERY_MS)
    const took: TakeOver[] = []
    const why: string[] = []
    for (let turn = 0; turn < turns; turn++) {
      await delay(pauseMs)
      const victim = holderOf(gateways, LINKS[turn % LINKS.length]!) ?? gateways.find((each) => each.isRunning())!
      const held = LINKS.filter((link) => holderOf(gateways, link) === victim)
      const at = Date.now()
      victim.signal(signal)
      why.push(...judge(await victim.ended, Date.now() - at))
      gateways.push(...(await runGateways(1, yaml)))
      await delay(pauseMs)
      const these = held.map((link) => takeOver(gateways, link, at))
      took.push(...these)
      report.say(
        `${signal} ${turn + 1} of ${turns}: ${these.map(({ link, tookMs }) => `${link} after ${tookMs} ms`).join(', ')}`,
      )
    }
    await Promise.all([load.stop(), calls.stop()])
    const deadline = performance.now() + DRAIN_PATIENCE_MS
    while (counter.arrivals.missing(load.sent).length > 0 && performance.now() < deadline) await delay(500)
    await delay(1000)
    const { firstBytes, mostBytes } = await memory.stop()
    await counter.close()
    const { arrivals } = counter
    const counted = calls.count()
    const missing = arrivals.missing(load.sent)
    const refused = (await asterisk.cli('dialplan show globals')).match(/^ *refused=(.*)$/m)?.[1]?.trim() ?? ''
    why.push(
      ...firstOf('lost', missing),
      ...firstOf('out of order', arrivals.outOfOrder()),
      ...faultsOf(counted),
      ...(refused === '' ? [] : [`calls never admitted: ${refused}`]),
      ...took.flatMap(judgeTakeOver),
      ...(arrivals.duplicates() > PREFETCH * turns ? [`more duplicates than ${turns} times ${PREFETCH}`] : []),
    )
    return {
      lengthMs: performance.now() - startedAt,
      sent: load.confirmed(),
      received: arrivals.received(),
      duplicates: arrivals.duplicates(),
      lost: missing.length,
      outOfOrder: arrivals.outOfOrder().length,
      longestGapMs: arrivals.longestGapMs(),
      held: why.length === 0,
      why,
      notes: [
        `${turns} times; ${LINKS.map((link) => `${link} taken over after ${most(took, link)}`).join(', ')}`,
        `${counted.placed} calls placed, ${counted.started} started, ${counted.ended} ended, ${counted.repeated.length} told more than once`,
        `resident memory ${mebibytes(firstBytes)} at first, ${mebibytes(mostBytes)} at most`,
      ],
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.remove()))
    await Promise.all([nats.stop(), asterisk.stop()])
  }
}

function most(all: readonly TakeOver[], link: string): string {
  const these = all.filter((each) => each.link === link)
  const handed = these.flatMap(({ handedMs }) => (handedMs === undefined ? [] : [handedMs]))
  const took = `${Math.max(...these.map(({ tookMs = 0 }) => tookMs))} ms at most`
  return handed.length === 0 ? took : `${took} (lease handed over in ${Math.max(...handed)} ms at most)`
}

function faultsOf({ placed, started, ended, repeated, failed }: CallCount): string[] {
  return [
    ...(started === placed ? [] : [`${placed - started} calls were never announced`]),
    ...(ended === placed ? [] : [`the end of ${placed - ended} calls was never told`]),
    ...firstOf('told twice under other names', repeated),
    ...firstOf('commands failed', failed),
  ]
}

const ENDINGS: readonly Ending[] = [
  {
    name: 'replicas-killed',
    signal: 'SIGKILL',
    times: 12,
    everyMs: 15_000,
    judge: () => [],
    judgeTakeOver: ({ link, tookMs = Number.POSITIVE_INFINITY }) =>
      tookMs <= TAKE_OVER_MS ? [] : [`${link} was taken over after ${tookMs} ms`],
  },
  {
    name: 'replicas-stopped',
    signal: 'SIGTERM',
    times: 6,
    everyMs: 10_000,
    judge: ({ code }, endedAfterMs) =>
      code === 0 && endedAfterMs < STOP_MS ? [] : [`ended with ${code} after ${endedAfterMs} ms`],
    judgeTakeOver: ({ link, handedMs = Number.POSITIVE_INFINITY }) =>
      handedMs < HAND_OVER_MS ? [] : [`the lease of ${link} was handed over in ${handedMs} ms`],
  },
]

/** Replicas that end one after the other, under load of all kinds. */
export const REPLICA_SCENARIOS: readonly Scenario[] = ENDINGS.map((ending) => ({
  name: ending.name,
  isShort: true,
  run: (report) => run(report, ending),
}))
