import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type JetStreamManager, jetstreamManager, StorageType } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import {
  findNats,
  findRabbitMq,
  freePorts,
  guardedFolder,
  startPortMapper,
  startPrivateNats,
  startPrivateRabbitMq,
} from '../../src/cli/private-brokers/index.js'
import { asTestRabbitMq } from './brokers.js'
import type { TestNats, TestNatsCluster, TestRabbitMq, TestRabbitMqCluster } from './contract.js'

const SIZE = 3
const PATIENCE_MS = 60_000
const LOOK_AGAIN_MS = 200
const REQUEST_TIMEOUT_MS = 1000

const indexes = Array.from({ length: SIZE }, (_, at) => at)

function needed(program: string): Error {
  return new Error(
    `a cluster is made of programs, not of containers: install ${program} (Debian: apt-get install ${program}), ` +
      'or run the tests as root on Debian so that they can do it',
  )
}

/** Tries until it succeeds. @throws Error that names `what`, with the last failure as its cause. */
async function eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (cause) {
      if (performance.now() > deadline) throw new Error(`${what} within ${PATIENCE_MS} ms`, { cause })
      await delay(LOOK_AGAIN_MS)
    }
  }
}

interface Stoppable {
  stop(): Promise<void>
}

/** Starts nodes side by side; where one does not start, none is left. */
async function startAll<Node extends Stoppable>(starts: readonly Promise<Node>[]): Promise<Node[]> {
  const settled = await Promise.allSettled(starts)
  const nodes = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const failed = settled.find((each) => each.status === 'rejected')
  if (failed === undefined) return nodes
  await Promise.all(nodes.map((node) => node.stop()))
  throw failed.reason
}

/** Stops a cluster that did not come about. */
async function orStop(started: Stoppable, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    await started.stop()
    throw error
  }
}

/** Asks JetStream, by whichever server answers. */
async function askJetStream<T>(servers: string[], question: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = await connect({ servers, timeout: REQUEST_TIMEOUT_MS, maxReconnectAttempts: 1 })
  try {
    return await question(await jetstreamManager(connection, { checkAPI: false, timeout: REQUEST_TIMEOUT_MS }))
  } finally {
    await connection.close()
  }
}

/** Waits until a stream has a current copy on each server: then the cluster has a leader, and every server takes part. */
async function untilWhole(servers: string[]): Promise<void> {
  const name = `ready-${randomBytes(5).toString('hex')}`
  const config = { name, subjects: [name], num_replicas: SIZE, storage: StorageType.Memory }
  const what = 'the NATS servers did not come together'
  await eventually(what, () => askJetStream(servers, ({ streams }) => streams.add(config)))
  await eventually(what, async () => {
    const { cluster } = await askJetStream(servers, ({ streams }) => streams.info(name))
    const followers = cluster?.replicas ?? []
    const isWhole = followers.length === SIZE - 1 && followers.every(({ current, offline }) => current && !offline)
    if (!isWhole) throw new Error(`copies are missing: ${JSON.stringify(cluster)}`)
  })
  await askJetStream(servers, ({ streams }) => streams.delete(name)).catch(() => undefined) // an empty one is no harm
}

function natsConfiguration(own: number, ports: readonly number[]): string {
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ')
  // Clients are told of no other address than their own list, so that nobody finds a way around a fault proxy.
  return `cluster { name: patchbay, listen: 127.0.0.1:${own}, routes: [${routes}], no_advertise: true }`
}

/**
 * Starts three NATS servers with JetStream that know each other, about 3 s. Stop them when done.
 * @throws Error where there is no `nats-server` on this machine, or they do not come together.
 */
export async function startNatsCluster(find = findNats): Promise<TestNatsCluster> {
  const program = find()
  if (program === undefined) throw needed('nats-server')
  const ports = await freePorts(SIZE)
  const nodes = await startAll(
    ports.map((port) => startPrivateNats(program, { extraConfig: natsConfiguration(port, ports) })),
  )
  const urls = nodes.map(({ url }) => url)
  const leaderOf = async (stream: string): Promise<TestNats> => {
    const { cluster } = await askJetStream(urls, (manager) => manager.streams.info(stream))
    const leader = nodes.find(({ name }) => name === cluster?.leader)
    if (leader === undefined) throw new Error(`the stream has no leader: ${JSON.stringify(cluster)}`)
    return leader
  }
  const cluster: TestNatsCluster = {
    nodes,
    urls,
    leaderOf: (stream) => eventually(`the stream "${stream}" has no leader`, () => leaderOf(stream)),
    untilWhole: () => untilWhole(urls),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
  await orStop(cluster, cluster.untilWhole())
  return cluster
}

/**
 * Starts three RabbitMQ nodes and joins them, 15 to 30 s. A minority of them pauses. Stop them when done.
 * @throws Error where there is no `rabbitmq-server` on this machine, or they do not come together.
 */
export async function startRabbitMqCluster(find = findRabbitMq): Promise<TestRabbitMqCluster> {
  const programs = find()
  if (programs?.epmd === undefined) throw needed('rabbitmq-server')
  const folder = guardedFolder('rabbitmq-cluster')
  const [epmdPort = 0] = await freePorts(1)
  startPortMapper(programs.epmd, epmdPort, folder)
  const options = {
    cluster: { cookie: randomBytes(16).toString('hex'), epmdPort },
    extraConfig: ['cluster_partition_handling = pause_minority'],
  }
  const started = await startAll(indexes.map(() => startPrivateRabbitMq(programs, options))).catch(async (error) => {
    await folder.remove()
    throw error
  })
  const nodes = started.map(asTestRabbitMq)
  const [first, ...others] = started

  async function join(): Promise<void> {
    for (const { ctl } of others) {
      await ctl('stop_app')
      await ctl('join_cluster', first?.nodeName ?? '')
      await ctl('start_app')
    }
  }

  /** Asked of itself: others name a leader that was killed until they have another one. */
  async function leads(at: number, queue: string, vhost: string): Promise<TestRabbitMq> {
    const [node, { nodeName, ctl }] = [nodes[at]!, started[at]!]
    const list = await ctl('list_queues', '-p', vhost, 'name', 'leader')
    if (!list.split('\n').includes(`${queue}\t${nodeName}`)) throw new Error(`${nodeName} does not lead it: ${list}`)
    return node
  }
  const leaderOf = (queue: string, vhost: string) => Promise.any(indexes.map((at) => leads(at, queue, vhost)))

  const cluster: TestRabbitMqCluster = {
    nodes,
    urls: nodes.map(({ url }) => url),
    leaderOf: (queue, vhost = '/') => eventually(`the queue "${queue}" has no leader`, () => leaderOf(queue, vhost)),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await folder.remove()
    },
  }
  await orStop(cluster, join())
  return cluster
}
