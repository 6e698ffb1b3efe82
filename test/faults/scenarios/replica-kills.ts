import { setTimeout as delay } from 'node:timers/promises'
import { freshVhost, startNats } from '../../harness/index.js'
import { type GatewayProcess, runGateways } from '../gateway-process.js'
import { asteriskWithEntry, PREFETCH, underFullLoad } from './full-load.js'
import type { Outcome, Report, Scenario } from './scenario.js'

/** What taking over may take, what giving back a lease, and what a stop. Milliseconds. */
const TAKE_OVER_MS = 3000
const HAND_OVER_MS = 500
const STOP_MS = 10_000

/** A replica's last sign of life may be so much older than its end. Milliseconds. */
const BEAT_MS = 400

interface Line {
  readonly time: string
  readonly msg: string
  readonly link?: string
  readonly duty?: string
}

const LINKS = ['legacy', 'ast1', 'edge']
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

async function run(report: Report, ending: Ending): Promise<Outcome> {
  const { signal, times, everyMs, judge, judgeTakeOver } = ending
  const [turns, pauseMs] = report.isShort ? [LINKS.length, 3000] : [times, everyMs / 2]
  const rabbit = await report.sharedRabbitMq()
  const amqpUrl = await freshVhost(rabbit.url, rabbit.control)
  const [nats, asterisk] = await Promise.all([startNats(), asteriskWithEntry()])
  const site = { publishAt: [amqpUrl], amqp: [amqpUrl], countAt: [nats.url], nats: [nats.url], asterisk }
  const took: TakeOver[] = []
  const why: string[] = []

  /** Ends the replica that has the next link's turn, and puts another in its place. */
  async function end(turn: number, gateways: GatewayProcess[], yaml: string): Promise<void> {
    const victim = holderOf(gateways, LINKS[turn % LINKS.length]!) ?? gateways.find((each) => each.isRunning())!
    const held = LINKS.filter((link) => holderOf(gateways, link) === victim)
    const at = Date.now()
    victim.signal(signal)
    why.push(...judge(await victim.ended, Date.now() - at))
    gateways.push(...(await runGateways(1, yaml)))
    await delay(pauseMs)
    const these = held.map((link) => takeOver(gateways, link, at))
    took.push(...these)
    const told = these.map(({ link, tookMs }) => `${link} after ${tookMs} ms`).join(', ')
    report.say(`${signal} ${turn + 1} of ${turns}: ${told}`)
  }

  try {
    const terms = {
      duplicates: PREFETCH * turns,
      gapsMs: turns * TAKE_OVER_MS,
      observedGapsMs: turns * (TAKE_OVER_MS + BEAT_MS),
    }
    return await underFullLoad(report, site, terms, async (gateways, yaml) => {
      for (let turn = 0; turn < turns; turn++) {
        await delay(pauseMs)
        await end(turn, gateways, yaml)
      }
      return {
        why: [...why, ...took.flatMap(judgeTakeOver)],
        notes: [`${turns} times; ${LINKS.map((link) => `${link} taken over after ${most(took, link)}`).join(', ')}`],
      }
    })
  } finally {
    await Promise.all([nats.stop(), asterisk.stop()])
  }
}

function most(all: readonly TakeOver[], link: string): string {
  const these = all.filter((each) => each.link === link)
  const handed = these.flatMap(({ handedMs }) => (handedMs === undefined ? [] : [handedMs]))
  const took = `${Math.max(...these.map(({ tookMs = 0 }) => tookMs))} ms at most`
  return handed.length === 0 ? took : `${took} (lease handed over in ${Math.max(...handed)} ms at most)`
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
