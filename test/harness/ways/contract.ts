import { connect as connectTcp } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect as connectAmqp } from 'amqplib'
import type { TestNats, TestRabbitMq } from '../brokers.js'
import { freshName, freshVhost } from '../isolation.js'

/** What tests rely on in every broker, however they came to it. */
export interface Usable {
  /** What came back by a durable queue. */
  readonly queue: string
  /** What came back by a subject. */
  readonly subject: string
  /** The place that a stream gave to its first message. */
  readonly stream: number
}

async function throughQueue(url: string): Promise<string> {
  const connection = await connectAmqp(url)
  const channel = await connection.createConfirmChannel()
  const { queue } = await channel.assertQueue(freshName(), { durable: true })
  channel.sendToQueue(queue, Buffer.from('by the queue'), { persistent: true })
  await channel.waitForConfirms()
  const message = await channel.get(queue, { noAck: true })
  await channel.deleteQueue(queue)
  await connection.close()
  return message === false ? '' : message.content.toString()
}

/** Uses brokers as tests do: a queue, a subject, a stream. @throws Error from what cannot be used. */
export async function use(amqpUrl: string, natsUrl: string): Promise<Usable> {
  const connection = await connectNats({ servers: natsUrl, timeout: 5000 })
  try {
    const name = freshName()
    const manager = await jetstreamManager(connection)
    await manager.streams.add({ name, subjects: [`${name}.stored`], storage: StorageType.Memory })
    const { seq } = await jetstream(connection).publish(`${name}.stored`, 'by the stream')
    await manager.streams.delete(name)
    const subscription = connection.subscribe(name, { max: 1 })
    connection.publish(name, 'by the subject')
    let subject = ''
    for await (const message of subscription) subject = message.string()
    return { queue: await throughQueue(amqpUrl), subject, stream: seq }
  } finally {
    await connection.close()
  }
}

/** What tests rely on in brokers of their own. */
export interface Obedient {
  /** In a vhost of its own. */
  readonly fresh: Usable
  /** What RabbitMQ's console made of a sum. */
  readonly sum: string
  /** Whether anybody went on listening after the brokers were killed: RabbitMQ, NATS. */
  readonly killed: readonly boolean[]
  /** After they were started again, under the addresses they had. */
  readonly again: Usable
}

/** Whether somebody takes a connection there. */
export function listens({ url }: { readonly url: string }): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connectTcp({ host: hostname, port: Number(port) })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

const SILENT_WITHIN_MS = 10_000

/** Whether somebody goes on taking connections there: a machine may take its time to bury a process that was killed. */
export async function keepsListening(at: { readonly url: string }): Promise<boolean> {
  const end = performance.now() + SILENT_WITHIN_MS
  while (await listens(at)) {
    if (performance.now() > end) return true
    await delay(50)
  }
  return false
}

/** Treats brokers of the caller's own as tests do. They run afterwards. */
export async function treat(rabbitMq: TestRabbitMq, nats: TestNats): Promise<Obedient> {
  const { url } = rabbitMq
  const natsUrl = nats.url
  const fresh = await use(await freshVhost(url, rabbitMq.control), natsUrl)
  const sum = (await rabbitMq.ctl('eval', '6 * 7.')).trim()
  await Promise.all([rabbitMq.kill9(), nats.kill9()])
  const killed = [await keepsListening(rabbitMq), await keepsListening(nats)]
  await Promise.all([rabbitMq.restart(), nats.restart()])
  return { fresh, sum, killed, again: await use(url, natsUrl) }
}
