import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { embeddedBroker } from '../../src/transports/embedded/index.js'
import { subjectFits, topicFits } from '../../src/transports/embedded/patterns.js'
import type { Transport } from '../../src/transports/transport.js'
import { type Recorder, recorder, texts } from './recorder.js'

const frame = (address: Record<string, string>, text: string) => ({ address, headers: {}, body: Buffer.from(text) })

interface Ends {
  readonly sender: Transport
  readonly receiver: Transport
  readonly got: Recorder
  readonly sent: Recorder
}

const EXCHANGES = [
  { name: 'topics', type: 'topic' },
  { name: 'all', type: 'fanout' },
  { name: 'exact', type: 'direct' },
]

async function amqpEnds(bindings: { exchange: string; key: string }[]): Promise<Ends> {
  const broker = embeddedBroker()
  const receiver = broker.amqp({ exchanges: EXCHANGES, consume: [{ queue: { name: 'q' }, bindings }] })
  return started(broker.amqp({ name: 'sender', exchanges: EXCHANGES }), receiver)
}

async function natsEnds(...subjects: string[]): Promise<Ends> {
  const broker = embeddedBroker()
  const subscriptions = subjects.map((subject) => ({ subject }))
  return started(broker.nats({ name: 'sender' }), broker.nats({ subscriptions }))
}

async function started(sender: Transport, receiver: Transport): Promise<Ends> {
  const [got, sent] = [recorder(), recorder()]
  await receiver.start(got)
  await sender.start(sent)
  return { sender, receiver, got, sent }
}

const topics = [
  { name: 'an exact key', pattern: 'a.b', fits: ['a.b'], not: ['a', 'a.b.c', ''] },
  { name: 'a star, one word', pattern: 'a.*', fits: ['a.b', 'a.c'], not: ['a', 'a.b.c'] },
  { name: 'a hash, any number of words', pattern: 'a.#', fits: ['a', 'a.b', 'a.b.c'], not: ['b.a'] },
  { name: 'a hash in the middle', pattern: 'a.#.z', fits: ['a.z', 'a.b.c.z'], not: ['a', 'a.b'] },
  { name: 'a hash alone, everything', pattern: '#', fits: ['', 'a', 'a.b'], not: [] },
  { name: 'an empty key', pattern: '', fits: [''], not: ['a'] },
]
test.each(topics)('a topic binding fits: $name', ({ pattern, fits, not }) => {
  expect(fits.filter((key) => !topicFits(pattern, key))).toEqual([])
  expect(not.filter((key) => topicFits(pattern, key))).toEqual([])
})

const subjects = [
  { name: 'an exact subject', pattern: 'a.b', fits: ['a.b'], not: ['a', 'a.b.c'] },
  { name: 'a star, one part', pattern: 'a.*.c', fits: ['a.b.c'], not: ['a.c', 'a.b.b.c'] },
  { name: 'an open end, one part or more', pattern: 'a.>', fits: ['a.b', 'a.b.c'], not: ['a', 'b.a'] },
]
test.each(subjects)('a subscription fits: $name', ({ pattern, fits, not }) => {
  expect(fits.filter((subject) => !subjectFits(pattern, subject))).toEqual([])
  expect(not.filter((subject) => subjectFits(pattern, subject))).toEqual([])
})

test('a frame arrives with address, headers, message id, time and bytes, after the turn of its sender', async () => {
  const { sender, got } = await amqpEnds([{ exchange: 'topics', key: 'a.#' }])
  const body = Uint8Array.from({ length: 256 }, (_, at) => at)
  const address = { exchange: 'topics', key: 'a.b' }
  await sender.send({ address, headers: { h: '1' }, body, messageId: 'm', at: 1_700_000_000_999 })
  expect(got.deliveries).toHaveLength(0)
  await got.received(1)
  expect(got.deliveries[0]).toMatchObject({
    frame: { address, headers: { h: '1' }, body },
    messageId: 'm',
    sentAt: 1_700_000_000_000,
    redelivered: false,
  })
})

test('a queue with several bindings that fit gets one copy', async () => {
  const both = ['a.*', '#'].map((key) => ({ exchange: 'topics', key }))
  const { sender, got } = await amqpEnds([...both, { exchange: 'all', key: '' }, { exchange: 'exact', key: 'k' }])
  await sender.send(frame({ exchange: 'topics', key: 'a.b' }, 'topic'))
  await sender.send(frame({ exchange: 'all', key: 'x' }, 'fanout'))
  await sender.send(frame({ exchange: 'exact', key: 'k' }, 'direct'))
  await sender.send(frame({ exchange: 'exact', key: 'other' }, 'nobody'))
  await got.received(3)
  await delay(20)
  expect(texts(got.deliveries)).toEqual(['topic', 'fanout', 'direct'])
})

test('a frame nobody is bound to receive is confirmed and reported; an unknown exchange refuses it', async () => {
  const { sender, sent } = await amqpEnds([{ exchange: 'topics', key: 'a' }])
  await sender.send(frame({ exchange: 'topics', key: 'b' }, 'hello?'))
  expect(sent.of('returned')[0]?.frame.address).toEqual({ exchange: 'topics', key: 'b' })
  await expect(sender.send(frame({ exchange: 'none', key: '' }, 'x'))).rejects.toMatchObject({ code: 'link.refused' })
})

test('an AMQP message left for another try comes again and says so', async () => {
  const { sender, got } = await amqpEnds([{ exchange: 'all', key: '' }])
  got.onDelivery = (delivery) => delivery.settle(delivery.redelivered ? 'done' : 'retry')
  await sender.send(frame({ exchange: 'all', key: '' }, 'again'))
  await got.received(2)
  expect(texts(got.deliveries)).toEqual(['again', 'again'])
  expect(got.deliveries.map(({ redelivered }) => redelivered)).toEqual([false, true])
})

test('what came to a queue before its consumer waits for it', async () => {
  const broker = embeddedBroker()
  const consume = [{ queue: 'kept', bindings: [{ exchange: 'all', key: '' }] }]
  const sender = broker.amqp({ exchanges: EXCHANGES, keep: consume })
  await sender.start(recorder())
  await sender.send(frame({ exchange: 'all', key: '' }, 'early'))
  const got = recorder()
  await broker.amqp({ consume: [{ queue: 'kept' }] }).start(got)
  await got.received(1)
  expect(texts(got.deliveries)).toEqual(['early'])
})

test('every NATS subscription gets a copy, with the reply subject; settling is harmless', async () => {
  const { sender, got } = await natsEnds('a.>', 'a.*')
  await sender.send(frame({ subject: 'a.b', reply: 'r.1' }, 'two'))
  await sender.send(frame({ subject: 'a.b.c' }, 'one'))
  await sender.send(frame({ subject: 'b' }, 'none'))
  await got.received(3)
  for (const delivery of got.deliveries) delivery.settle('retry')
  await delay(80)
  expect(texts(got.deliveries).sort()).toEqual(['one', 'two', 'two'])
  expect(got.deliveries[0]?.frame.address).toEqual({ subject: 'a.b', reply: 'r.1' })
})

test('the members of a queue group take turns', async () => {
  const broker = embeddedBroker()
  const subscriptions = [{ subject: 'a', queue: 'g' }]
  const all = [recorder(), recorder()]
  for (const one of all) await broker.nats({ subscriptions }).start(one)
  const sender = broker.nats({})
  await sender.start(recorder())
  for (const text of ['1', '2', '3', '4']) await sender.send(frame({ subject: 'a' }, text))
  await Promise.all(all.map((one) => one.received(2)))
  expect(all.map((one) => texts(one.deliveries))).toEqual([
    ['1', '3'],
    ['2', '4'],
  ])
})

test('drain takes nothing more and waits for what was taken; after stop nothing is sent', async () => {
  const { sender, receiver, got } = await amqpEnds([{ exchange: 'all', key: '' }])
  const address = { exchange: 'all', key: '' }
  got.onDelivery = () => undefined
  await sender.send(frame(address, 'taken'))
  await got.received(1)
  let drained = false
  const draining = receiver.drain().then(() => {
    drained = true
  })
  await sender.send(frame(address, 'left'))
  await delay(20)
  expect(drained).toBe(false)
  got.deliveries[0]?.settle('done')
  await draining
  expect(texts(got.deliveries)).toEqual(['taken'])
  await Promise.all([sender.stop(), sender.stop()])
  await expect(sender.send(frame(address, 'late'))).rejects.toMatchObject({ code: 'gateway.stopping', fate: 'retry' })
})

test('standing by, an AMQP link leaves what comes; a release gives back in order what is unsettled', async () => {
  const broker = embeddedBroker()
  const config = { exchanges: EXCHANGES, consume: [{ queue: 'q', bindings: [{ exchange: 'all', key: '' }] }] }
  const [first, second] = [broker.amqp(config), broker.amqp(config)]
  const [one, two] = [recorder(), recorder()]
  one.onDelivery = () => undefined
  await first.start(one, { standby: true })
  await second.start(two, { standby: true })
  for (const text of ['a', 'b', 'c']) await first.send(frame({ exchange: 'all', key: '' }, text))
  await delay(20)
  expect([...one.deliveries, ...two.deliveries]).toEqual([])
  first.consume()
  await one.received(3)
  one.deliveries[0]?.settle('done')
  await first.release()
  for (const delivery of one.deliveries) delivery.settle('retry')
  second.consume()
  await first.send(frame({ exchange: 'all', key: '' }, 'd'))
  await two.received(3)
  await delay(80)
  expect(texts(two.deliveries)).toEqual(['b', 'c', 'd'])
  expect(two.deliveries.map(({ redelivered }) => redelivered)).toEqual([true, true, false])
  expect(one.events.map(({ kind }) => kind)).toEqual(['up', 'standby', 'consuming', 'standby'])
})

test('standing by, a NATS link takes only from subjects that every replica takes from', async () => {
  const broker = embeddedBroker()
  const got = recorder()
  const link = broker.nats({ subscriptions: [{ subject: 'mine' }, { subject: 'shared', always: true }] })
  await link.start(got, { standby: true })
  const publish = async () => {
    for (const subject of ['mine', 'shared']) await link.send(frame({ subject }, subject))
  }
  await publish()
  await got.received(1)
  link.consume()
  await publish()
  await link.release()
  await publish()
  await got.received(4)
  expect(texts(got.deliveries).sort()).toEqual(['mine', 'shared', 'shared', 'shared'])
})
