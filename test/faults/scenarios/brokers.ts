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
import { GATEWAY_QUEUE, legacyToBus } from './legacy-to-bus.js'
import type { Outcome, Report, Scenario } from './scenario.js'

const STREAM = 'PATCHBAY'

/** How long a killed node stays away. Milliseconds. */
const awayMs = (report: Report) => (report.isShort ? 2000 : 10_000)

const secondsSince = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`

async function restartRabbitMq(report: Report): Promise<Outcome> {
  const [rabbitMq, nats] = await Promise.all([startRabbitMq(), startNats()])
  const { url } = rabbitMq
  const way = { publishAt: [url], amqp: [url], nats: [nats.url], countAt: [nats.url], deliver: 'core' } as const
  try {
    return await legacyToBus(report, way, async () => {
      report.say('RabbitMQ restarts')
      const since = performance.now()
      await rabbitMq.restart()
      return [`restarted within ${secondsSince(since)}`]
    })
  } finally {
    await Promise.all([rabbitMq.stop(), nats.stop()])
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

async function killNatsNode(
  report: Report,
  what: string,
  choose: (cluster: TestNatsCluster, leader: TestNats) => TestNats | undefined,
): Promise<Outcome> {
  const [rabbitMq, cluster] = await Promise.all([report.sharedRabbitMq(), startNatsCluster()])
  const amqpUrl = await freshVhost(rabbitMq.url, rabbitMq.control)
  const way = {
    publishAt: [amqpUrl],
    amqp: [amqpUrl],
    nats: cluster.urls,
    countAt: cluster.urls,
    deliver: 'jetstream',
    streamReplicas: 3,
  } as const
  try {
    return await legacyToBus(report, way, async () => {
      const node = choose(cluster, await cluster.leaderOf(STREAM))
      if (node === undefined) throw new Error('there is no such node')
      const note = await killForAWhile(report, what, node)
      await cluster.untilWhole()
      return [note]
    })
  } finally {
    await cluster.stop()
  }
}

async function killQueueLeader(report: Report): Promise<Outcome> {
  const [cluster, nats] = await Promise.all([startRabbitMqCluster(), startNats()])
  const { urls } = cluster
  const way = { publishAt: urls, amqp: urls, nats: [nats.url], countAt: [nats.url], deliver: 'core' } as const
  try {
    return await legacyToBus(report, way, async () => {
      const leader = await cluster.leaderOf(GATEWAY_QUEUE)
      return [await killForAWhile(report, 'the leader of the queue', leader)]
    })
  } finally {
    await Promise.all([cluster.stop(), nats.stop()])
  }
}

/** A broker restarted, nodes of clusters killed. */
export const BROKER_SCENARIOS: readonly Scenario[] = [
  { name: 'rabbitmq-restarted', isShort: true, run: restartRabbitMq },
  {
    name: 'nats-node-killed',
    isShort: true,
    run: (report) =>
      killNatsNode(report, 'a follower', ({ nodes }, leader) => nodes.find((node) => node.url !== leader.url)),
  },
  {
    name: 'nats-stream-leader-killed',
    isShort: true,
    run: (report) => killNatsNode(report, 'the leader of the stream', (_cluster, leader) => leader),
  },
  { name: 'rabbitmq-queue-leader-killed', isShort: true, run: killQueueLeader },
]
