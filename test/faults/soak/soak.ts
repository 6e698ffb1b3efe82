import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../../src/cli/private-brokers/index.js'
import { startNats } from '../../harness/index.js'
import { countArrivals } from '../controller.js'
import { runGateway } from '../gateway-process.js'
import { mebibytes } from '../scenarios/counted.js'
import { startSteadyLoad } from '../steady-load.js'
import { type Account, openAccount } from './account.js'
import { lookInside, OPEN_TO_LOOK } from './inside.js'
import { counted, judgeGrowth, judgeLeaks, type Sample } from './judge.js'

/** How a gateway is soaked. */
export interface SoakOptions {
  /** Where the legacy side publishes: a vhost that nobody else uses. */
  readonly amqpUrl: string
  readonly deliver: 'core' | 'jetstream'
  readonly state: 'memory' | 'jetstream'
  /** Events of the legacy system a second. */
  readonly perSecond: number
  /** From the first event to the last, and until what is measured counts. Milliseconds. */
  readonly lengthMs: number
  readonly warmUpMs: number
  /** Time between two lines. Milliseconds. */
  readonly lineEveryMs: number
  /** Takes the lines. */
  print(line: string): void
}

/** What it came to. */
export interface Soaked {
  readonly sent: number
  readonly received: number
  readonly lost: number
  /** What did not hold; empty where everything did. */
  readonly why: readonly string[]
}

const EVENTS_PER_CALL = 10
/** Time between two events of one call. Milliseconds. */
const EVENT_EVERY_MS = 500
const SETTLE_EVERY_MS = 1000
const DRAIN_PATIENCE_MS = 30_000
/** A process that has nothing to do for so long is at rest: its shortest-lived timers are over. Milliseconds. */
const REST_MS = 5000
const STREAM_BYTES = 256 * 1024 * 1024
const configuration = ({ amqpUrl, deliver, state }: SoakOptions, natsUrl: string) => `
group: soak
state: ${state}
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}' }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'], deliver: ${deliver}, stream: { maxBytes: ${STREAM_BYTES} } }
routes:
  - { from: legacy, to: bus }
`

/** A load and its account, which closes what ends as long as it runs. */
function countedLoad(options: SoakOptions, arrivals: Parameters<typeof openAccount>[0]) {
  const { amqpUrl, perSecond } = options
  const account = openAccount(arrivals)
  const load = startSteadyLoad([amqpUrl], {
    perSecond,
    calls: Math.max(1, Math.round((perSecond * EVENT_EVERY_MS) / 1000)),
    eventsPerCall: EVENTS_PER_CALL,
    onEnded: account.ended,
  })
  const settling = setInterval(() => account.settle(), SETTLE_EVERY_MS)
  return { load, account, end: () => clearInterval(settling) }
}

async function drained(account: Account, lag: () => number): Promise<void> {
  const deadline = performance.now() + DRAIN_PATIENCE_MS
  while (lag() > 0 && performance.now() < deadline) await delay(100)
  await delay(REST_MS)
  account.settle(true)
}

/**
 * Carries a steady load through one gateway process, and looks into it from outside after forced collections. Prints a line for
 * each {@link SoakOptions.lineEveryMs}: what was sent, received and lost, `behind` events on their way, what the process holds. Every
 * call begins, changes and ends, so what the gateway knows is bounded.
 */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { print, lengthMs, warmUpMs, lineEveryMs } = options
  const [monitorPort = 0] = await freePorts(1)
  const nats = await startNats({ extraConfig: `http: 127.0.0.1:${monitorPort}` })
  const gateway = await runGateway(configuration(options, nats.url), OPEN_TO_LOOK)
  await gateway.untilReady()
  const inside = await lookInside(gateway)
  const { arrivals, close } = await countArrivals(nats.url)

  async function sample(): Promise<Sample> {
    const answer = await fetch(`http://127.0.0.1:${monitorPort}/subsz`)
    const { num_subscriptions: subscriptions } = (await answer.json()) as { num_subscriptions: number }
    return { ...(await inside.figures()), subscriptions }
  }

  try {
    await delay(REST_MS)
    const rest = async () => ({ sample: await sample(), census: await inside.census() })
    const before = await rest()
    print(`at rest: ${counted(before)}`)
    const { load, account, end } = countedLoad(options, arrivals)
    const lag = () => load.confirmed() - arrivals.received() - account.lost()
    const startedAt = performance.now()
    const tell = (what: string, now: Sample) =>
      print(
        `${what}: sent ${load.confirmed()}, received ${arrivals.received()}, lost ${account.lost()}, behind ${lag()}, ` +
          `heap ${mebibytes(now.heapBytes)}, resident ${mebibytes(now.residentBytes)}, ${now.handles} handles, ` +
          `${now.timers} timers, ${now.listeners} listeners, ${now.subscriptions} subscriptions`,
      )
    const sampleAt = async (atMs: number) => {
      await delay(Math.max(0, startedAt + atMs - performance.now()))
      const now = await sample()
      tell(`${((performance.now() - startedAt) / 60_000).toFixed(1)} min`, now)
      return now
    }
    let warm: Sample | undefined
    let last = before.sample
    for (let atMs = lineEveryMs; atMs <= lengthMs; atMs += lineEveryMs) {
      last = await sampleAt(atMs)
      if (atMs >= warmUpMs) warm ??= last
    }
    const sentInTimeMs = performance.now() - startedAt
    await load.stop()
    await drained(account, lag)
    end()
    const after = await rest()
    tell('the end', after.sample)
    print(`at rest again: ${counted(after)}`)
    const rate = load.confirmed() / (sentInTimeMs / 1000)
    const why = [
      ...(account.lost() === 0 ? [] : [`${account.lost()} events were lost`]),
      ...(arrivals.duplicates() + arrivals.late() === 0
        ? []
        : [`${arrivals.duplicates()} messages came twice, ${arrivals.late()} late`]),
      ...(arrivals.outOfOrder().length === 0 ? [] : [`${arrivals.outOfOrder().length} messages out of order`]),
      ...(rate >= options.perSecond * 0.95
        ? []
        : [`only ${rate.toFixed(0)} events a second were published, and ${options.perSecond} should be`]),
      ...judgeGrowth(warm ?? before.sample, last),
      ...judgeLeaks(before, after),
    ]
    return { sent: load.confirmed(), received: arrivals.received(), lost: account.lost(), why }
  } finally {
    inside.close()
    await close()
    await gateway.remove()
    await nats.stop()
  }
}
