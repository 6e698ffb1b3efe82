import { setTimeout as delay } from 'node:timers/promises'
import {
  freshVhost,
  startNats,
  startNatsCluster,
  startRabbitMq,
  startRabbitMqCluster,
  type TestNats,
  type TestNatsCluster,
} from '../../harness/index.js'
import type { GatewayProcess } from '../gateway-process.js'
import { asteriskWithEntry, GATEWAY_QUEUE, underFullLoad } from './full-load.js'
import type { Outcome, Report, Scenario } from './scenario.js'

/** The stream that the gateways publish to, and those that they share. */
const STREAM = 'PATCHBAY'
const JOURNAL = 'patchbay-gw-journal'
const BUCKET = 'KV_patchbay-gw'

/** Longest time that a gateway misses of core NATS when its node dies: it counts as silent for 3 s before, and comes back. */
const NATS_GAP_MS = 6000

/** How long a killed node stays away. Milliseconds. */
const awayMs = (report: Report) => (report.isShort ? 2000 : 10_000)

const secondsSince = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`

async function restartRabbitMq(report: Report): Promise<Outcome> {
  const [rabbitMq, nats, asterisk] = await Promise.all([startRabbitMq(), startNats(), asteriskWithEntry()])
  const { url } = rabbitMq
  const site = { publishAt: [url], amqp: [url], nats: [nats.url], countAt: [nats.url], asterisk }
  try {
    return await underFullLoad(report, site, {}, async () => {
      report.say('RabbitMQ restarts')
      const since = performance.now()
      await rabbitMq.restart()
      return { notes: [`restarted within ${secondsSince(since)}`] }
    })
  } finally {
    await Promise.all([rabbitMq.stop(), nats.stop(), asterisk.stop()])
  }
}

/** Kills a node, and starts it again after a while. */
async function killForAWhile(report: Report, what: string, node: Pick<TestNats, 'kill9' | 'restart'>): Promise<string> {
  report.say(`${what} is killed`)
  await node.kill9()
  await delay(awayMs(report))
  await node.restart()
  report.say(`${what} is back`)
  return `${what} killed, back after ${awayMs(report) / 1000} s`
}

/** What a few seconds without writes must not do: move a lease, or drop a link to anything else. */
function moved(gateways: readonly GatewayProcess[], since: number): string[] {
  const isSo = (line: string) => {
    const { time, msg, link } = JSON.parse(line) as { time: string; msg: string; link?: string }
    if (Date.parse(time) < since) return false
    return (
      msg === 'duty lost to another replica' ||
      msg === 'lease taken' ||
      (msg === 'link down' && link !== 'bus' && link !== 'edge')
    )
  }
  return gateways.flatMap(({ lines }) => lines.filter(isSo)).map((line) => `moved for it: ${line}`)
}

async function killNatsNode(
  report: Report,
  what: string,
  choose: (cluster: TestNatsCluster) => Promise<TestNats | undefined>,
): Promise<Outcome> {
  const [rabbitMq, cluster, asterisk] = await Promise.all([
    report.sharedRabbitMq(),
    startNatsCluster(),
    asteriskWithEntry(),
  ])
  const amqpUrl = await freshVhost(rabbitMq.url, rabbitMq.control)
  const site = {
    publishAt: [amqpUrl],
    amqp: [amqpUrl],
    nats: cluster.urls,
    countAt: cluster.urls,
    asterisk,
    deliver: 'jetstream',
    copies: 3,
  } as const
  try {
    return await underFullLoad(report, site, { observedGapsMs: NATS_GAP_MS }, async (gateways) => {
      const node = await choose(cluster)
      if (node === undefined) throw new Error('there is no such node')
      const since = Date.now()
      const note = await killForAWhile(report, what, node)
      await cluster.untilWhole()
      return { notes: [note], why: moved(gateways, since) }
    })
  } finally {
    await Promise.all([cluster.stop(), asterisk.stop()])
  }
}

async function killQueueLeader(report: Report): Promise<Outcome> {
  const [cluster, nats, asterisk] = await Promise.all([startRabbitMqCluster(), startNats(), asteriskWithEntry()])
  const { urls } = cluster
  const site = { publishAt: urls, amqp: urls, nats: [nats.url], countAt: [nats.url], asterisk }
  try {
    return await underFullLoad(report, site, {}, async () => {
      const leader = await cluster.leaderOf(GATEWAY_QUEUE)
      return { notes: [await killForAWhile(report, 'the leader of the queue', leader)] }
    })
  } finally {
    await Promise.all([cluster.stop(), nats.stop(), asterisk.stop()])
  }
}

const leaderOf = (stream: string) => (cluster: TestNatsCluster) => cluster.leaderOf(stream)

async function aFollower(cluster: TestNatsCluster): Promise<TestNats | undefined> {
  const leaders = await Promise.all([STREAM, JOURNAL, BUCKET].map((stream) => cluster.leaderOf(stream)))
  return cluster.nodes.find(({ url }) => leaders.every((leader) => leader.url !== url)) ?? cluster.nodes[0]
}

/** A broker restarted, nodes of clusters killed. */
export const BROKER_SCENARIOS: readonly Scenario[] = [
  { name: 'rabbitmq-restarted', isShort: true, run: restartRabbitMq },
  { name: 'nats-node-killed', isShort: true, run: (report) => killNatsNode(report, 'a node', aFollower) },
  {
    name: 'nats-stream-leader-killed',
    isShort: true,
    run: (report) => killNatsNode(report, 'the leader of the stream', leaderOf(STREAM)),
  },
  {
    name: 'nats-journal-leader-killed',
    isShort: true,
    run: (report) => killNatsNode(report, 'the leader of the journal', leaderOf(JOURNAL)),
  },
  {
    name: 'nats-bucket-leader-killed',
    isShort: true,
    run: (report) => killNatsNode(report, 'the leader of the bucket', leaderOf(BUCKET)),
  },
  { name: 'rabbitmq-queue-leader-killed', isShort: true, run: killQueueLeader },
]
