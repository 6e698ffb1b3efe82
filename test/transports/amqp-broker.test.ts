import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AmqpConfig, amqpTransport } from '../../src/transports/amqp/index.js'
import type { Transport } from '../../src/transports/transport.js'
import { freshName, startRabbitMq, type TestRabbitMq } from '../harness/index.js'
import { recorder, texts, withoutDuplicates } from './recorder.js'

// What needs a RabbitMQ of our own: users, limits, alarms, restarts.
let broker: TestRabbitMq
const started: Transport[] = []

beforeAll(async () => {
  broker = await startRabbitMq({ extraConfig: ['max_message_size = 100000'] })
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((transport) => transport.stop()))
})
afterAll(() => broker.stop())

async function open(config: Omit<AmqpConfig, 'urls'>) {
  const got = recorder()
  const transport = amqpTransport({ urls: [broker.url], stopGraceMs: 2000, ...config })
  started.push(transport)
  await transport.start(got)
  return { transport, got }
}

const frame = (exchange: string, key: string, text: string) => ({
  address: { exchange, key },
  headers: {},
  body: Buffer.from(text),
})

test('a body beyond the limit of the broker is refused by itself, the others arrive', async () => {
  const queue = freshName('q')
  const { transport, got } = await open({ consume: [{ queue: { name: queue } }] })
  const bodies = ['a', 'b', 'x'.repeat(100_001), 'c', 'd']
  const sends = bodies.map((text, at) => transport.send({ ...frame('', queue, text), messageId: String(at) }))
  const results = await Promise.allSettled(sends)
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(results[2]).toMatchObject({ reason: { code: 'link.too-large', fate: 'reject' } })
  await expect.poll(() => texts(withoutDuplicates(got.deliveries)).sort()).toEqual(['a', 'b', 'c', 'd'])
})

test('a user that may not publish or declare is told so', async () => {
  await broker.ctl('add_user', 'reader', 'pw')
  await broker.ctl('set_permissions', 'reader', '^mine', '^mine', '.*')
  const credentials = { username: 'reader', password: 'pw' }
  const { transport } = await open({ credentials, exchanges: [{ name: 'mine', type: 'fanout' }] })
  const sending = transport.send(frame('amq.topic', 'k', 'x'))
  await expect(sending).rejects.toMatchObject({ code: 'link.forbidden', fate: 'reject' })
  await transport.send(frame('mine', '', 'x'))
  const starting = open({ credentials, exchanges: [{ name: 'theirs', type: 'fanout' }] })
  await expect(starting).rejects.toMatchObject({ code: 'link.forbidden', fate: 'reject' })
  await expect(starting).rejects.toThrow(/cannot declare exchange "theirs"/)
})

test('while the broker is short of memory sends wait, and consuming goes on', async () => {
  const queue = freshName('q')
  const { transport, got } = await open({ prefetch: 5, consume: [{ queue: { name: queue } }] })
  await Promise.all(Array.from({ length: 20 }, (_, at) => transport.send(frame('', queue, `before ${at}`))))
  await got.received(20)
  await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1')
  let confirmed = false
  const sending = transport.send(frame('', queue, 'after')).then(() => {
    confirmed = true
  })
  await got.until('blocked', 1)
  await delay(300)
  expect(confirmed).toBe(false)
  await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1GB')
  await got.until('unblocked', 1)
  await sending
  await got.received(21)
})

test('a broker restarted gently is waited for, and what was sent meanwhile arrives', async () => {
  const queue = freshName('q')
  const { transport, got } = await open({ consume: [{ queue: { name: queue } }] })
  await delay(1500) // a quorum queue younger than a second may not survive its broker
  const restarting = broker.restart()
  await got.until('down', 1, 30_000)
  await transport.send({ ...frame('', queue, 'meanwhile'), orderKey: 'k' })
  await restarting
  await got.received(1)
  expect(got.of('up').length).toBe(2)
  expect(got.of('consuming').length).toBeGreaterThanOrEqual(2)
  expect(got.of('down').length).toBe(1)
})
