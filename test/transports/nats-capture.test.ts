import { setTimeout as delay } from 'node:timers/promises'
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { type NatsCapture, type NatsConfig, natsTransport } from '../../src/transports/nats/index.js'
import type { StartOptions, Transport } from '../../src/transports/transport.js'
import { freshName, startFaultProxy, startNats } from '../harness/index.js'
import { recorder, texts } from './recorder.js'

const started: Transport[] = []
let client: NatsConnection
let streams: JetStreamManager
let publisher: JetStreamClient
/** What is recorded begins with it. */
let prefix: string
let capture: NatsCapture

beforeAll(async () => {
  client = await connect({ servers: inject('natsUrl') })
  streams = await jetstreamManager(client)
  publisher = jetstream(client)
})
beforeEach(() => {
  prefix = freshName('captured')
  capture = captureOf(prefix)
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((transport) => transport.stop()))
})
afterAll(() => client.close())

function captureOf(subject: string): NatsCapture {
  return {
    stream: { name: freshName('CAPTURE'), subjects: [`${subject}.>`] },
    subjects: [{ subject: `${subject}.>` }],
    consumer: freshName('patchbay'),
  }
}

async function open(config: Partial<NatsConfig> = {}, options: StartOptions = {}) {
  const got = recorder()
  const transport = natsTransport({
    servers: [inject('natsUrl')],
    stopGraceMs: 1000,
    reconnectWaitMs: 50,
    connect: { maxDelayMs: 200 },
    recording: capture,
    ...config,
  })
  started.push(transport)
  await transport.start(got, options)
  return { transport, got }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => String(from + at))

async function publish(...messages: readonly string[]): Promise<void> {
  for (const text of messages) await publisher.publish(`${prefix}.a`, text)
}

async function consumers(): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of streams.consumers.list(capture.stream.name)) names.push(name)
  return names
}

test('a message comes with its place in the stream, its id and its time there, and no reply subject', async () => {
  const tenant = { ...capture, subjects: [{ subject: `${prefix}.tenant.>`, prefix: `${prefix}.` }] }
  const before = Date.now()
  await open({ recording: tenant }, { standby: true })
  const { seq } = await publisher.publish(`${prefix}.tenant.x`, 'body', { msgID: 'm-1' })
  const after = Date.now()
  await delay(50)
  const { got } = await open({ recording: tenant })
  await got.received(1)
  const [delivery] = got.deliveries
  expect(delivery).toMatchObject({ messageId: 'm-1', sourceSequence: seq, redelivered: false })
  expect(delivery?.frame.address).toEqual({ subject: 'tenant.x' })
  expect(Buffer.from(delivery?.frame.body ?? []).toString()).toBe('body')
  expect(delivery?.receivedAt).toBeGreaterThanOrEqual(before - 1)
  expect(delivery?.receivedAt).toBeLessThanOrEqual(after)
})

test('what is recorded while nobody takes comes to whoever takes next, once and in order', async () => {
  const first = await open()
  await publish('0')
  await first.got.received(1)
  await first.transport.stop()
  await publish(...numbers(1, 300))
  const second = await open()
  await second.got.received(299)
  await second.transport.stop()
  const third = await open()
  await publish('300')
  await third.got.received(1)
  expect(texts(second.got.deliveries)).toEqual(numbers(1, 300))
  expect(second.got.deliveries.filter(({ redelivered }) => redelivered)).toEqual([])
  expect(texts(third.got.deliveries)).toEqual(['300'])
})

test('recording counts from the first start, although that one only stands by', async () => {
  const { transport, got } = await open({}, { standby: true })
  await publish(...numbers(0, 20))
  expect(got.deliveries).toEqual([])
  expect(got.of('standby').length).toBe(1)
  transport.consume()
  await got.received(20)
  expect(texts(got.deliveries)).toEqual(numbers(0, 20))
  expect(got.of('consuming').map(({ source }) => source)).toEqual([`stream ${capture.stream.name}`])
})

test('what is released comes to the next one first, from the oldest unsettled message on', async () => {
  const [first, second] = [await open(), await open({}, { standby: true })]
  first.got.onDelivery = () => undefined
  await publish(...numbers(0, 10))
  await first.got.received(10)
  for (const at of [0, 1, 2, 5]) first.got.deliveries[at]?.settle('done')
  await first.transport.release()
  expect(first.got.of('interrupted').length).toBe(1)
  expect(first.got.of('standby').length).toBe(1)
  for (const delivery of first.got.deliveries) delivery.settle('done')
  await publish('10')
  second.transport.consume()
  await second.got.received(8)
  expect(texts(second.got.deliveries)).toEqual(numbers(3, 11))
  expect(second.got.deliveries.map(({ redelivered }) => redelivered)).toEqual([...Array(7).fill(true), false])
  const places = first.got.deliveries.slice(3).map(({ sourceSequence }) => sourceSequence)
  expect(second.got.deliveries.slice(0, 7).map(({ sourceSequence }) => sourceSequence)).toEqual(places)
  await second.transport.release()
  first.transport.consume()
  await publish('11')
  await first.got.received(11)
  expect(texts(first.got.deliveries).slice(10)).toEqual(['11'])
  expect(second.got.of('interrupted')).toEqual([])
})

test('whoever takes over from one that fell silent gets at once and in order what that one held, and keeps it', async () => {
  const proxy = await startFaultProxy(Number(new URL(inject('natsUrl')).port))
  const silent = await open({ servers: [proxy.through(inject('natsUrl'))] })
  silent.got.onDelivery = () => undefined
  await publish(...numbers(0, 50))
  await silent.got.received(50)
  proxy.faults.stalled = true
  const { got } = await open()
  await publish(...numbers(50, 60))
  await got.received(60)
  expect(texts(got.deliveries)).toEqual(numbers(0, 60))
  proxy.faults.stalled = false
  await silent.got.until('fault', 1)
  expect(silent.got.of('fault')[0]?.error.message).toContain(`another gateway took over "${capture.consumer}"`)
  expect(silent.got.of('interrupted').length).toBe(1)
  await publish(...numbers(60, 70))
  await got.received(70)
  expect(texts(got.deliveries)).toEqual(numbers(0, 70))
  expect(silent.got.deliveries.length).toBe(50)
  await silent.transport.release()
  silent.transport.consume()
  await silent.got.until('consuming', 2)
  await publish('70')
  await silent.got.received(51)
  await proxy.close()
})

test('over cuts of the connection every message is handed out once, in order', async () => {
  const proxy = await startFaultProxy(Number(new URL(inject('natsUrl')).port))
  const { transport, got } = await open({ servers: [proxy.through(inject('natsUrl'))] })
  got.onDelivery = (delivery) => void setTimeout(() => delivery.settle('done'), Math.random() * 30)
  for (let turn = 0; turn < 4; turn++) {
    await Promise.all([publish(...numbers(turn * 500, (turn + 1) * 500)), delay(40).then(proxy.cut)])
    await got.until('up', turn + 2)
  }
  await got.received(2000)
  await transport.stop()
  expect(texts(got.deliveries)).toEqual(numbers(0, 2000))
  expect(got.of('fault')).toEqual([])
  const next = await open()
  await publish('last')
  await next.got.received(1)
  expect(texts(next.got.deliveries)).toEqual(['last'])
  await proxy.close()
})

test('a server that is killed loses nothing of what it recorded', async () => {
  const server = await startNats()
  const own = await connect({ servers: server.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 })
  const source = jetstream(own, { timeout: 500 })
  const { transport, got } = await open({ servers: [server.url] })
  got.onDelivery = (delivery) => void setTimeout(() => delivery.settle('done'), Math.random() * 20)
  async function store(text: string): Promise<void> {
    const stored = () => source.publish(`${prefix}.a`, text, { msgID: text }).then(Boolean, () => false)
    while (!(await stored())) await delay(20)
  }
  for (let turn = 0; turn < 2; turn++) {
    const killed = delay(150).then(async () => {
      await server.kill9()
      await server.restart()
    })
    for (const text of numbers(turn * 1000, (turn + 1) * 1000)) await store(text)
    await killed
  }
  await got.received(2000)
  expect([...new Set(texts(got.deliveries))]).toEqual(numbers(0, 2000))
  await transport.stop()
  await own.close()
  await server.stop()
})

test('retry brings a message again, reject tells the server that it is hopeless', async () => {
  const terminated: number[] = []
  client.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.${capture.stream.name}.>`, {
    callback: (_error, message) => void terminated.push(message.json<{ stream_seq: number }>().stream_seq),
  })
  await client.flush()
  const { transport, got } = await open()
  got.onDelivery = (delivery) => {
    const text = Buffer.from(delivery.frame.body).toString()
    delivery.settle(text === 'poison' ? 'reject' : text === 'later' && !delivery.redelivered ? 'retry' : 'done')
  }
  await publish('good', 'poison', 'later', 'good')
  await got.received(5)
  expect(texts(got.deliveries).sort()).toEqual(['good', 'good', 'later', 'later', 'poison'])
  const poison = got.deliveries[texts(got.deliveries).indexOf('poison')]
  await expect.poll(() => terminated).toEqual([poison?.sourceSequence])
  await transport.stop()
  const next = await open()
  await publish('next')
  await next.got.received(1)
  expect(texts(next.got.deliveries)).toEqual(['next'])
})

test('no more is handed out than may be unsettled, however long that takes', async () => {
  const { got } = await open({ recording: { ...capture, maxUnacked: 10 } })
  got.onDelivery = () => undefined
  await publish(...numbers(0, 25))
  await got.received(10)
  const [taker] = await consumers()
  await delay(3500) // longer than a silent consumer is trusted
  expect(got.deliveries.length).toBe(10)
  got.onDelivery = (delivery) => delivery.settle('done')
  for (const delivery of got.deliveries.slice(1)) delivery.settle('done')
  await delay(100)
  expect(got.deliveries.length).toBe(10)
  got.deliveries[0]?.settle('done')
  await got.received(25)
  expect(texts(got.deliveries)).toEqual(numbers(0, 25))
  expect(await consumers()).toEqual([taker])
})

test('what the server sends again because it waited too long is recognised', async () => {
  const { got } = await open({ recording: { ...capture, ackWaitMs: 300 } })
  got.onDelivery = () => undefined
  await publish(...numbers(0, 5))
  await got.received(5)
  await delay(1000)
  for (const delivery of got.deliveries) delivery.settle('done')
  await publish('5')
  await got.received(6)
  expect(texts(got.deliveries)).toEqual(numbers(0, 6))
  const [taker = ''] = await consumers()
  await expect.poll(async () => (await streams.consumers.info(capture.stream.name, taker)).ack_floor.stream_seq).toBe(5)
})

test('a consumer that somebody deletes is made again, and nothing comes twice', async () => {
  const { got } = await open()
  got.onDelivery = () => undefined
  await publish(...numbers(0, 5))
  await got.received(5)
  for (const name of await consumers()) await streams.consumers.delete(capture.stream.name, name)
  await publish(...numbers(5, 10))
  await got.received(10)
  expect(texts(got.deliveries)).toEqual(numbers(0, 10))
})

test('a stream that somebody deletes is made again, and taken from its beginning', async () => {
  const { got } = await open()
  await publish('old')
  await got.received(1)
  await streams.streams.delete(capture.stream.name)
  await expect.poll(() => publish('new').then(Boolean, String)).toBe(false)
  await got.received(2)
  expect(texts(got.deliveries)).toEqual(['old', 'new'])
  expect(got.deliveries.map(({ sourceSequence }) => sourceSequence)).toEqual([1, 1])
})

test('a stream that is there already serves, and what else it takes is passed over', async () => {
  const name = freshName('WIDE')
  await streams.streams.add({ name, subjects: [`${prefix}.>`] })
  const subject = `${prefix}.mine.>`
  const narrow = { ...capture, stream: { ...capture.stream, subjects: [subject] }, subjects: [{ subject }] }
  const { transport, got } = await open({ recording: { ...narrow, anyStream: true } })
  await publisher.publish(`${prefix}.other`, 'other')
  await publisher.publish(`${prefix}.mine.x`, 'mine')
  await got.received(1)
  await publisher.publish(`${prefix}.other`, 'other')
  expect(texts(got.deliveries)).toEqual(['mine'])
  await transport.stop()
  capture = { ...narrow, stream: { ...narrow.stream, name } }
  const [taker = ''] = await consumers()
  expect((await streams.consumers.info(name, taker)).ack_floor.stream_seq).toBeGreaterThanOrEqual(2)
})

test('a stream that overlaps is named at the start, and so is one that forgets what is acknowledged', async () => {
  const [narrow, queue] = [freshName('NARROW'), freshName('QUEUE')]
  await streams.streams.add({ name: narrow, subjects: [`${prefix}.a`] })
  const starting = open()
  await expect(starting).rejects.toMatchObject({ code: 'link.refused', fate: 'reject' })
  await expect(starting).rejects.toThrow(`"${narrow}" already takes some of ${prefix}.>`)
  await streams.streams.delete(narrow)
  await streams.streams.add({ name: queue, subjects: [`${prefix}.>`], retention: RetentionPolicy.Workqueue })
  const refused = open({ recording: { ...capture, anyStream: true } })
  await expect(refused).rejects.toThrow(`stream "${queue}" removes what is acknowledged`)
})

test('messages that the stream removed before they were taken are reported', async () => {
  capture = { ...capture, stream: { ...capture.stream, maxBytes: 2000 } }
  await open({}, { standby: true })
  await publish(...numbers(0, 100))
  const { first_seq: first } = (await streams.streams.info(capture.stream.name)).state
  expect(first).toBeGreaterThan(1)
  const { got } = await open()
  await got.received(101 - first)
  expect(got.of('fault').map(({ error }) => error.message)).toEqual([
    `${first - 1} messages were removed from the stream of "${capture.consumer}" before they were taken`,
  ])
})

test('drain waits for what was taken, and leaves the rest for whoever is next', async () => {
  const { transport, got } = await open()
  got.onDelivery = () => undefined
  await publish('0', '1')
  await got.received(2)
  let drained = false
  const draining = transport.drain().then(() => {
    drained = true
  })
  await publish('2')
  await delay(100)
  expect(drained).toBe(false)
  for (const delivery of got.deliveries) delivery.settle('done')
  await draining
  expect(texts(got.deliveries)).toEqual(['0', '1'])
  const next = await open()
  await next.got.received(1)
  expect(texts(next.got.deliveries)).toEqual(['2'])
})
