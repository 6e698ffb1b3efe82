import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'amqplib'
import { expect, inject, test } from 'vitest'
import { amqpTransport } from '../../src/transports/amqp/index.js'
import { natsTransport } from '../../src/transports/nats/index.js'
import { freshName, freshVhost, startFaultProxy } from '../harness/index.js'
import { recorder, withoutDuplicates } from './recorder.js'

const FRAMES = 5000

/** A queue of messages m0, m1, … to carry over. */
async function fillQueue(url: string, queue: string): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(queue, { durable: true })
  for (let at = 0; at < FRAMES; at++) channel.sendToQueue(queue, Buffer.from(`m${at}`), { messageId: `m${at}` })
  await channel.waitForConfirms()
  await connection.close()
}

async function left(url: string, queue: string): Promise<number> {
  const connection = await connect(url)
  const { messageCount } = await (await connection.createChannel()).checkQueue(queue)
  await connection.close()
  return messageCount
}

test('carried from AMQP to core NATS over connections cut on both sides, every message arrives before it is acknowledged', async () => {
  const url = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  const [queue, subject] = [freshName('q'), freshName('s')]
  await fillQueue(url, queue)
  const [amqpProxy, natsProxy] = await Promise.all([
    startFaultProxy(Number(new URL(url).port)),
    startFaultProxy(Number(new URL(inject('natsUrl')).port)),
  ])
  const heard = recorder()
  const listener = natsTransport({ servers: [inject('natsUrl')], subscriptions: [{ subject }] })
  const target = natsTransport({ servers: [natsProxy.through(inject('natsUrl'))], reconnectWaitMs: 50 })
  const source = amqpTransport({
    urls: [amqpProxy.through(url)],
    declare: false,
    prefetch: 50,
    consume: [{ queue }],
  })
  await Promise.all([listener.start(heard), target.start(recorder())])
  const taken = recorder()
  taken.onDelivery = (delivery) => {
    const { frame, messageId = '' } = delivery
    target.send({ ...frame, address: { subject }, messageId }).then(
      () => delivery.settle('done'),
      () => delivery.settle('retry'),
    )
  }
  amqpProxy.faults.latencyMs = 1 // slow enough to be cut in the middle
  await source.start(taken)
  for (const proxy of [natsProxy, amqpProxy, natsProxy]) {
    const before = heard.deliveries.length
    await heard.received(Math.min(before + 300, FRAMES))
    proxy.cut()
  }
  await expect.poll(() => withoutDuplicates(heard.deliveries).length, { timeout: 20_000 }).toBe(FRAMES)
  await source.drain()
  await Promise.all([source.stop(), target.stop()])
  await expect.poll(() => left(url, queue), { timeout: 5000 }).toBe(0)
  const first = withoutDuplicates(heard.deliveries).map(({ messageId }) => messageId)
  expect(first).toEqual(Array.from({ length: FRAMES }, (_, at) => `m${at}`))
  await delay(50)
  await Promise.all([listener.stop(), amqpProxy.close(), natsProxy.close()])
})
