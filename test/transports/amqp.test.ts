import { setTimeout as delay } from 'node:timers/promises'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { type AmqpConfig, amqpTransport } from '../../src/transports/amqp/index.js'
import type { Delivery, StartOptions, Transport } from '../../src/transports/transport.js'
import { freshName, freshVhost, startFaultProxy } from '../harness/index.js'
import { recorder, texts, withoutDuplicates } from './recorder.js'

let url: string
let admin: ChannelModel
let channel: ConfirmChannel
const started: Transport[] = []

beforeEach(async () => {
  url = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  admin = await connect(url)
  channel = await admin.createConfirmChannel()
  channel.on('error', () => undefined)
})

afterEach(async () => {
  await Promise.all(started.splice(0).map((transport) => transport.stop()))
  await admin.close()
})

async function open(config: Omit<AmqpConfig, 'urls'>, urls = [url], options: StartOptions = {}) {
  const got = recorder()
  const transport = amqpTransport({ urls, stopGraceMs: 2000, ...config })
  started.push(transport)
  await transport.start(got, options)
  return { transport, got }
}

const frame = (exchange: string, key: string, text: string) => ({
  address: { exchange, key },
  headers: {},
  body: Buffer.from(text),
})

async function put(queue: string, ...messages: readonly string[]) {
  for (const text of messages) channel.sendToQueue(queue, Buffer.from(text), { persistent: true, messageId: text })
  await channel.waitForConfirms()
}

describe('settling', () => {
  test('done in any order takes messages off the queue, and only those', async () => {
    const queue = freshName('q')
    const { transport, got } = await open({ consume: [{ queue: { name: queue, type: 'classic' } }] })
    got.onDelivery = () => undefined
    await put(queue, ...Array.from({ length: 200 }, (_, at) => String(at)))
    await got.received(200)
    const left = new Set([17, 18, 150])
    for (const [at, delivery] of [...got.deliveries.entries()].reverse()) if (!left.has(at)) delivery.settle('done')
    await delay(100)
    await transport.stop()
    const again = await open({ consume: [{ queue }], declare: false })
    await again.got.received(3)
    expect(texts(again.got.deliveries)).toEqual(['17', '18', '150'])
    expect(again.got.deliveries.every(({ redelivered }) => redelivered)).toBe(true)
  })

  test('retry brings the message again, reject sends it to the dead-letter exchange', async () => {
    const [queue, dead, exchange] = [freshName('q'), freshName('d'), freshName('dlx')]
    await channel.assertExchange(exchange, 'fanout')
    await channel.assertQueue(dead, { durable: true })
    await channel.bindQueue(dead, exchange, '')
    const { got } = await open({ consume: [{ queue: { name: queue, deadLetterExchange: exchange } }] })
    const outcomes = ['retry', 'reject'] as const
    got.onDelivery = (delivery) => delivery.settle(outcomes[got.deliveries.length - 1] ?? 'done')
    await put(queue, 'poison')
    await got.received(2)
    expect(got.deliveries.map(({ redelivered }) => redelivered)).toEqual([false, true])
    const { got: bin } = await open({ consume: [{ queue: dead }], declare: false })
    await bin.received(1)
    expect(texts(bin.deliveries)).toEqual(['poison'])
    expect(JSON.parse(bin.deliveries[0]?.frame.headers['x-death'] ?? '')).toMatchObject([{ reason: 'rejected' }])
  })

  test('one slow message does not hold up the prefetch window', async () => {
    const queue = freshName('q')
    const { got } = await open({ prefetch: 10, consume: [{ queue: { name: queue } }] })
    let slow: Delivery | undefined
    got.onDelivery = (delivery) => {
      if (slow === undefined) slow = delivery
      else delivery.settle('done')
    }
    await put(queue, ...Array.from({ length: 100 }, (_, at) => String(at)))
    await got.received(100)
    slow?.settle('done')
  })

  test('what is unsettled when the connection is cut comes again, and old settlements do nothing', async () => {
    const proxy = await startFaultProxy(Number(new URL(url).port))
    const queue = freshName('q')
    const { got } = await open({ consume: [{ queue: { name: queue } }] }, [proxy.through(url)])
    got.onDelivery = () => undefined
    await put(queue, 'a', 'b', 'c')
    await got.received(3)
    proxy.cut()
    for (const delivery of got.deliveries) delivery.settle('done')
    await got.received(6)
    expect(texts(got.deliveries.slice(3))).toEqual(['a', 'b', 'c'])
    expect(got.deliveries.slice(3).every(({ redelivered }) => redelivered)).toBe(true)
    for (const delivery of got.deliveries) delivery.settle('done')
    await delay(100)
    expect(got.deliveries.length).toBe(6)
    await proxy.close()
  })
})

describe('incoming frames', () => {
  test('headers of every type come as text', async () => {
    const queue = freshName('q')
    const { got } = await open({ consume: [{ queue: { name: queue } }] })
    const headers = { text: 'é', number: 5, yes: true, nothing: null, table: { a: [1, 'b'] }, __proto__x: 'p' }
    channel.sendToQueue(queue, Buffer.from(''), { headers, timestamp: 1_700_000_000, messageId: 'm' })
    await got.received(1)
    expect(got.deliveries[0]).toMatchObject({ sentAt: 1_700_000_000_000, messageId: 'm' })
    expect(got.deliveries[0]?.frame.headers).toEqual({
      text: 'é',
      number: '5',
      yes: 'true',
      nothing: '',
      table: '{"a":[1,"b"]}',
      __proto__x: 'p',
    })
  })

  test('messages of publishers that set nothing come without time and id', async () => {
    const queue = freshName('q')
    const { got } = await open({ consume: [{ queue: { name: queue } }] })
    channel.sendToQueue(queue, Buffer.from('x'))
    await got.received(1)
    expect(got.deliveries[0]).toMatchObject({ sentAt: undefined, messageId: undefined })
  })
})

describe('topology', () => {
  test('a queue deleted under its consumer is declared and consumed again', async () => {
    const [queue, exchange] = [freshName('q'), freshName('x')]
    const { transport, got } = await open({
      exchanges: [{ name: exchange, type: 'fanout' }],
      consume: [{ queue: { name: queue, type: 'classic' }, bindings: [{ exchange, key: '' }] }],
    })
    await channel.deleteQueue(queue)
    await got.until('consuming', 2)
    expect(got.of('fault')[0]?.error).toMatchObject({ code: 'link.lost', fate: 'retry' })
    expect(got.of('fault')[0]?.error.message).toContain(queue)
    await transport.send(frame(exchange, '', 'hello'))
    await got.received(1)
    expect(got.of('down')).toEqual([])
  })

  test('an existing queue with other properties is used as it is, and that is reported', async () => {
    const queue = freshName('q')
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-max-length': 10 } })
    const { got } = await open({ consume: [{ queue: { name: queue, type: 'classic' } }] })
    expect(got.of('fault')[0]?.error.message).toMatch(/cannot declare queue .*inequivalent/)
    await put(queue, 'x')
    await got.received(1)
  })

  test('with declare off nothing is declared: a missing queue is reported and taken once it is there', async () => {
    const queue = freshName('q')
    const got = recorder()
    const transport = amqpTransport({ urls: [url], declare: false, consume: [{ queue }], stopGraceMs: 500 })
    started.push(transport)
    const starting = transport.start(got)
    await got.until('fault', 2)
    expect(got.of('fault')[0]?.error).toMatchObject({ code: 'link.refused', fate: 'retry' })
    await channel.assertQueue(queue, { durable: true })
    await starting
    await put(queue, 'x')
    await got.received(1)
  })

  test('quorum queues have one active consumer and no limit of redeliveries', async () => {
    const queue = freshName('q')
    const first = await open({ consume: [{ queue: { name: queue } }] })
    const second = await open({ consume: [{ queue: { name: queue } }] })
    expect(second.got.of('fault')).toEqual([])
    let tries = 0
    first.got.onDelivery = (delivery) => delivery.settle(++tries < 50 ? 'retry' : 'done')
    await put(queue, 'again')
    await first.got.received(50)
    expect(second.got.deliveries).toEqual([])
    await first.transport.stop()
    await put(queue, 'next')
    await second.got.received(1)
  })
})

describe('standing by', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at))

  test('what is released comes to a replica that waits already before anything younger', async () => {
    const queue = freshName('q')
    const config: Omit<AmqpConfig, 'urls'> = { prefetch: 5, consume: [{ queue: { name: queue } }] }
    const [first, second] = [await open(config), await open(config)]
    first.got.onDelivery = () => undefined
    await put(queue, ...numbers(20))
    await first.got.received(5)
    await first.transport.release()
    for (const delivery of first.got.deliveries) delivery.settle('done')
    await second.got.received(20)
    expect(texts(second.got.deliveries)).toEqual(numbers(20))
    expect(first.got.deliveries.length).toBe(5)
  })

  test('a replica that waits gets nothing younger while another one is draining', async () => {
    const queue = freshName('q')
    const config: Omit<AmqpConfig, 'urls'> = { prefetch: 5, consume: [{ queue: { name: queue } }] }
    const [first, second] = [await open(config), await open(config)]
    first.got.onDelivery = () => undefined
    await put(queue, ...numbers(20))
    await first.got.received(5)
    const draining = first.transport.drain()
    for (const delivery of first.got.deliveries.slice(0, 4)) delivery.settle('done')
    await delay(200)
    expect(second.got.deliveries).toEqual([])
    first.got.deliveries[4]?.settle('done')
    await draining
    await second.got.received(15)
    expect(texts(second.got.deliveries)).toEqual(numbers(20).slice(5))
    expect(first.got.deliveries.length).toBe(5)
    expect(first.got.of('interrupted')).toEqual([])
  })

  test('a release interrupts only where something goes back, or may', async () => {
    const queue = freshName('q')
    const proxy = await startFaultProxy(Number(new URL(url).port))
    const { transport, got } = await open({ consume: [{ queue: { name: queue } }] }, [proxy.through(url)])
    await put(queue, 'settled')
    await got.received(1)
    await transport.release()
    expect(got.of('interrupted').length).toBe(0)
    transport.consume()
    got.onDelivery = () => undefined
    await put(queue, 'unsettled')
    await got.received(2)
    await transport.release()
    expect(got.of('interrupted').length).toBe(1)
    got.onDelivery = (delivery) => delivery.settle('done')
    transport.consume()
    await got.received(3)
    proxy.faults.stalled = true // whether our acknowledgement arrived is not known now
    await transport.release()
    expect(got.of('interrupted').length).toBe(2)
    await proxy.close()
  })

  test('taking turns fast, a link ends as it was told last, and nothing is lost', async () => {
    const queue = freshName('q')
    const { transport, got } = await open({ consume: [{ queue: { name: queue } }] }, [url], { standby: true })
    const releases: Promise<void>[] = []
    for (let turn = 0; turn < 20; turn++) {
      transport.consume()
      await put(queue, String(turn))
      if (turn % 3 > 0) await delay(turn)
      releases.push(transport.release())
    }
    transport.consume()
    await expect.poll(() => texts(withoutDuplicates(got.deliveries))).toEqual(numbers(20))
    await Promise.all([...releases, transport.release()])
    await put(queue, 'left')
    await delay(100)
    expect(texts(got.deliveries)).not.toContain('left')
    expect(got.of('fault')).toEqual([])
    expect((await channel.checkQueue(queue)).messageCount).toBe(1)
  })

  test('a queue that was deleted meanwhile is declared again', async () => {
    const queue = freshName('q')
    const config = { consume: [{ queue: { name: queue } }], reconnect: { maxDelayMs: 50 } }
    const { transport, got } = await open(config, [url], { standby: true })
    await channel.deleteQueue(queue)
    transport.consume()
    await got.until('consuming', 1)
    expect(got.of('fault').map(({ error }) => error.code)).toEqual(['link.refused'])
    await put(queue, 'again')
    await got.received(1)
  })
})

describe('publishing', () => {
  test('a missing exchange refuses its own frames only; the others arrive in order', async () => {
    const [queue, exchange] = [freshName('q'), freshName('x')]
    const { transport, got } = await open({
      exchanges: [{ name: exchange, type: 'topic' }],
      consume: [{ queue: { name: queue }, bindings: [{ exchange, key: '#' }] }],
    })
    const sends = Array.from({ length: 300 }, (_, at) => {
      const bad = at % 100 === 50
      const to = frame(bad ? 'no-such-exchange' : exchange, 'k', String(at))
      return transport.send({ ...to, orderKey: `k${at % 3}`, messageId: String(at) })
    })
    const results = await Promise.allSettled(sends)
    const refused = results.flatMap(({ status }, at) => (status === 'rejected' ? [at] : []))
    expect(refused).toEqual([50, 150, 250])
    expect(results[50]).toMatchObject({ reason: { code: 'link.refused', fate: 'reject' } })
    await expect.poll(() => withoutDuplicates(got.deliveries).length).toBe(297)
    const mine = texts(withoutDuplicates(got.deliveries)).map(Number)
    for (const key of [0, 1, 2]) {
      const ofKey = mine.filter((at) => at % 3 === key)
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b))
    }
    expect(got.of('down')).toEqual([])
  })

  test('a message the broker nacks is tried again until there is room, and its key waits with it', async () => {
    const queue = freshName('q')
    const limits = { 'x-max-length': 1, 'x-overflow': 'reject-publish' }
    await channel.assertQueue(queue, { durable: true, arguments: limits })
    const { transport, got } = await open({})
    const sends = ['0', '1', '2', '3'].map((text) => transport.send({ ...frame('', queue, text), orderKey: 'k' }))
    await got.until('fault', 1)
    expect(got.of('fault')[0]?.error).toMatchObject({ code: 'link.refused', fate: 'retry' })
    const consumer = await open({ consume: [{ queue }], declare: false })
    await Promise.all(sends)
    await consumer.got.received(4)
    expect(texts(consumer.got.deliveries)).toEqual(['0', '1', '2', '3'])
  })

  test('messages are persistent with a content type where configured', async () => {
    const queue = freshName('q')
    await channel.assertQueue(queue, { durable: true })
    const { transport } = await open({ publish: { contentType: 'application/x-yaml' } })
    await transport.send({ ...frame('', queue, 'x'), at: 1_234_567, messageId: 'id' })
    const message = await channel.get(queue)
    expect(message === false ? undefined : message.properties).toMatchObject({
      contentType: 'application/x-yaml',
      deliveryMode: 2,
      messageId: 'id',
      timestamp: 1234,
    })
  })
})

describe('opening', () => {
  const refused = [
    {
      name: 'a wrong password',
      change: { credentials: { username: 'guest', password: 'wrong-secret' } },
      says: /credentials/,
    },
    { name: 'a vhost that is not there', vhost: 'no-such-vhost', says: /vhost/ },
  ]
  for (const { name, change, vhost, says } of refused) {
    test(`${name} gives one clear error that names no secret`, async () => {
      const got = recorder()
      const address = new URL(url)
      if (vhost !== undefined) address.pathname = vhost
      const transport = amqpTransport({ urls: [address.href], ...change })
      const error: unknown = await transport.start(got).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'link.connect', fate: 'reject' })
      expect(String(error)).toMatch(says)
      expect(String(error)).not.toMatch(/wrong-secret|guest:guest/)
      expect(got.events).toEqual([])
      await transport.stop()
    })
  }

  test('a broker that does not answer yet is tried again, and of two addresses the living one is taken', async () => {
    const proxy = await startFaultProxy(Number(new URL(url).port))
    proxy.faults.refusing = true
    const got = recorder()
    const transport = amqpTransport({ urls: [proxy.through(url)] })
    started.push(transport)
    const starting = transport.start(got)
    await got.until('reconnecting', 3)
    proxy.faults.refusing = false
    await starting
    proxy.faults.refusing = true
    const second = await open({}, [proxy.through(url), url])
    expect(second.got.of('up').length).toBe(1)
    await transport.stop()
    await proxy.close()
  })

  test('stop while nobody answers ends the start with fate retry', async () => {
    const transport = amqpTransport({ urls: ['amqp://127.0.0.1:1'] })
    const starting = transport.start(recorder())
    await delay(50)
    await transport.stop()
    await expect(starting).rejects.toMatchObject({ code: 'gateway.stopping', fate: 'retry' })
  })
})
