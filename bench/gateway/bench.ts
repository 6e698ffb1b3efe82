import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../src/cli/private-brokers/loopback.js'
import { ensureInstalled, startNats, startRabbitMq } from '../../test/harness/index.js'
import { profileFolder } from '../profile.js'
import { compare, figure, summarize, told } from '../stats.js'
import { isReady, type Subject } from '../subject.js'
import { type Arrivals, type Arrived, watchArrivals } from './arrivals.js'
import { type Feed, openFeed } from './feed.js'
import { ANNOUNCED_ON, type Place, startGateway, startPassThrough, type Variant } from './subject.js'

/** Name of the bench of the whole gateway. */
export const GATEWAY_BENCH = 'gateway.amqp-to-nats'

/** What a gateway bench costs. */
export interface GatewayBenchOptions {
  /** How often each side drains the queue, in turn. */
  readonly rounds: number
  /** Messages it finds there. */
  readonly messages: number
  /** For the Node of the gateway. */
  readonly nodeFlags: readonly string[]
}

const MAIN: Variant = { queueType: 'classic', deliver: 'core' }
/** Printed beside, in fewer rounds. JetStream last: its stream would go on recording what others publish. */
const BESIDE: readonly Variant[] = [
  { queueType: 'quorum', deliver: 'core' },
  { queueType: 'classic', deliver: 'jetstream' },
]
const ROUNDS_BESIDE = 3

const QUIET_MS = 700
const START_TIMEOUT_MS = 20_000

interface Brokers {
  readonly amqpUrl: string
  readonly natsUrl: string
}

/** Where one variant is measured: its queue, and what is known of it. */
interface Stage {
  readonly place: Place
  readonly feed: Feed
  readonly arrivals: Arrivals
}

async function withBrokers(action: (brokers: Brokers) => Promise<void>): Promise<void> {
  await ensureInstalled()
  const [rabbitMq, nats] = await Promise.all([startRabbitMq(), startNats()])
  try {
    await action({ amqpUrl: rabbitMq.url, natsUrl: nats.url })
  } finally {
    await Promise.all([rabbitMq.stop(), nats.stop()])
  }
}

async function onStage(brokers: Brokers, variant: Variant, action: (stage: Stage) => Promise<void>): Promise<void> {
  const queue = `bench-${variant.queueType}-${variant.deliver}`
  const [adminPort = 0] = await freePorts(1)
  const place: Place = { ...brokers, ...variant, queue, adminPort }
  await letGatewayDeclare(place)
  const feed = await openFeed(brokers.amqpUrl, queue)
  const arrivals = await watchArrivals(brokers.natsUrl, ANNOUNCED_ON)
  try {
    await action({ place, feed, arrivals })
  } finally {
    await Promise.all([feed.close(), arrivals.close()])
  }
}

/** Starts the gateway once, so that exchange, queue and bindings are those it makes itself. */
async function letGatewayDeclare(place: Place): Promise<void> {
  const gateway = startGateway(place)
  try {
    const deadline = performance.now() + START_TIMEOUT_MS
    while (!(await isReady(place.adminPort))) {
      if (performance.now() > deadline) throw new Error(`the gateway was not ready after ${START_TIMEOUT_MS} ms`)
      await delay(100)
    }
  } finally {
    await gateway.stop()
  }
}

async function drain({ feed, arrivals }: Stage, messages: number, start: () => Subject): Promise<Arrived> {
  await feed.fill(messages)
  arrivals.reset()
  const subject = start()
  try {
    return await arrivals.untilQuiet(QUIET_MS, async () => (await feed.waiting()) === 0)
  } finally {
    await subject.stop()
  }
}

const STYLES = ['plain', 'tuned'] as const
type Style = (typeof STYLES)[number]

interface Rates {
  /** Messages taken in a second, one value a round. */
  readonly gateway: number[]
  readonly scripts: Readonly<Record<Style, number[]>>
  readonly published: Arrived
}

async function measure(stage: Stage, { rounds, messages, nodeFlags }: GatewayBenchOptions): Promise<Rates> {
  const rate = ({ tookMs }: Arrived) => (messages / tookMs) * 1000
  const gateway: number[] = []
  const scripts: Record<Style, number[]> = { plain: [], tuned: [] }
  let published: Arrived = { count: 0, bytes: 0, tookMs: 0 }
  for (let round = 0; round < rounds; round++) {
    published = await drain(stage, messages, () => startGateway(stage.place, nodeFlags))
    gateway.push(rate(published))
    const { count, bytes } = published
    const alike = { perMessage: count / messages, bytes: Math.round(bytes / count) }
    for (const style of STYLES) {
      const script = await drain(stage, messages, () => startPassThrough(stage.place, alike, style))
      if (Math.abs(script.count - count) > 1) throw new Error(`the script published ${script.count}, not ${count}`)
      scripts[style].push(rate(script))
    }
  }
  return { gateway, scripts, published }
}

/** @returns the gateway's share of the plain script's rate. */
function report({ queueType, deliver }: Variant, { gateway, scripts, published }: Rates, messages: number): number {
  const { count, bytes } = published
  const out = `${figure(count / messages)} out for each, ${figure(bytes / count)} B`
  console.log(`  ${queueType} queue, ${deliver} delivery: ${messages} messages in, ${out}`)
  console.log(`    patchbay            ${told(summarize(gateway), 'messages/s')}`)
  for (const style of STYLES) {
    const { median, least, most } = compare(gateway, new Map([[style, scripts[style]]])).ratio
    const share = `patchbay has ${figure(median)} of it, ${figure(least)}–${figure(most)}`
    console.log(`    pass-through, ${style} ${told(summarize(scripts[style]), 'messages/s')}; ${share}`)
  }
  return compare(gateway, new Map([['plain', scripts.plain]])).ratio.median
}

/** The whole gateway process against the pass-through script, on private brokers. */
export async function runGateway(options: GatewayBenchOptions): Promise<void> {
  const { messages } = options
  await withBrokers(async (brokers) => {
    await onStage(brokers, MAIN, async (stage) => {
      const ratio = report(MAIN, await measure(stage, options), messages)
      console.log(`ratio ${GATEWAY_BENCH} ${ratio.toFixed(2)}`)
    })
    const rounds = Math.min(options.rounds, ROUNDS_BESIDE)
    for (const variant of BESIDE) {
      await onStage(brokers, variant, async (stage) => {
        report(variant, await measure(stage, { ...options, rounds }), messages)
      })
    }
  })
}

/** Profiles the gateway process while it drains a queue. */
export async function profileGateway(messages: number): Promise<void> {
  const folder = profileFolder()
  try {
    await withBrokers((brokers) =>
      onStage(brokers, MAIN, async (stage) => {
        await drain(stage, messages, () => startGateway(stage.place, folder.flags))
      }),
    )
    console.log(folder.table())
  } finally {
    folder.remove()
  }
}
