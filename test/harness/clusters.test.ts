import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect } from 'amqplib'
import { expect, onTestFinished, test } from 'vitest'
import { startNatsCluster, startRabbitMqCluster } from './index.js'

const MESSAGES = 50

test('NATS: a stream in three copies outlives its leader, and the cluster is whole when it is back', async () => {
  const cluster = await startNatsCluster()
  onTestFinished(cluster.stop)
  const connection = await connectNats({ servers: [...cluster.urls], maxReconnectAttempts: -1, reconnectTimeWait: 50 })
  const streams = (await jetstreamManager(connection)).streams
  await streams.add({ name: 'KEPT', subjects: ['kept.>'], num_replicas: 3 })
  for (let at = 0; at < MESSAGES; at++) await jetstream(connection).publish('kept.x', String(at))
  const leader = await cluster.leaderOf('KEPT')
  expect(cluster.nodes).toContain(leader)
  await leader.kill9()
  let isWhole = false
  const whole = cluster.untilWhole().then(() => {
    isWhole = true
  })
  const next = await cluster.leaderOf('KEPT')
  expect(next.url).not.toBe(leader.url)
  expect(isWhole).toBe(false)
  await leader.restart()
  await whole
  const { state, cluster: copies } = await streams.info('KEPT')
  expect(state.messages).toBe(MESSAGES)
  expect(copies?.replicas?.map(({ offline }) => offline ?? false)).toEqual([false, false])
  await connection.close()
})

/** Starts a cluster, tells the processes, and does nothing more. */
const STARTER = `
import { startNatsCluster } from '${new URL('./index.js', import.meta.url).href}'
const { nodes } = await startNatsCluster()
console.log(JSON.stringify(nodes.map(({ pid }) => pid)))
setInterval(() => undefined, 1000)
`

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a cluster ends with the process that started it, also when that one is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-starter-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'starter.mjs')
  writeFileSync(file, STARTER)
  const child = spawn(process.execPath, ['--import', 'tsx', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string] // as the encoding says
  const pids: number[] = JSON.parse(line)
  expect(pids.map(isRunning)).toEqual([true, true, true])
  child.kill('SIGKILL')
  await expect.poll(() => pids.map(isRunning)).toEqual([false, false, false])
})

const MINUTES_MS = 2 * 60_000

test('RabbitMQ: a quorum queue outlives the node that led it', { timeout: MINUTES_MS }, async () => {
  const cluster = await startRabbitMqCluster()
  onTestFinished(cluster.stop)
  const open = async (at: number) => {
    const model = await connect(cluster.urls[at]!)
    model.on('error', () => undefined)
    const channel = await model.createConfirmChannel()
    channel.on('error', () => undefined)
    return channel
  }
  const first = await open(0)
  await first.assertQueue('kept', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  for (let at = 0; at < MESSAGES; at++) first.sendToQueue('kept', Buffer.from(String(at)), { persistent: true })
  await first.waitForConfirms()
  const leader = await cluster.leaderOf('kept')
  await leader.kill9()
  const next = await cluster.leaderOf('kept')
  expect(next.url).not.toBe(leader.url)
  const channel = await open(cluster.urls.indexOf(next.url))
  const bodies: string[] = []
  await channel.consume('kept', (message) => void bodies.push(String(message?.content)), { noAck: true })
  await expect.poll(() => bodies).toEqual(Array.from({ length: MESSAGES }, (_, at) => String(at)))
  await leader.restart()
  const back = await open(cluster.urls.indexOf(leader.url))
  expect((await back.checkQueue('kept')).queue).toBe('kept')
})

test('where there are no programs it says what to install', async () => {
  await expect(startNatsCluster(() => undefined)).rejects.toThrow('install nats-server')
  await expect(startRabbitMqCluster(() => undefined)).rejects.toThrow('install rabbitmq-server')
})
