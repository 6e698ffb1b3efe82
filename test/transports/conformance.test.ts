import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, inject, test } from 'vitest'
import type { GatewayError } from '../../src/errors.js'
import type { Address, Transport } from '../../src/transports/transport.js'
import { startFaultProxy } from '../harness/index.js'
import { type Ends, LINK_KINDS, type LinkKind } from './links.js'
import { recorder, texts, withoutDuplicates } from './recorder.js'

const body = (text: string) => Buffer.from(text)
const frame = (address: Address, text: string) => ({ address, headers: {}, body: body(text) })

const started: Transport[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((transport) => transport.stop()))
})

const brokerUrl = (kind: LinkKind) => (kind.wire === 'amqp' ? inject('amqpUrl') : inject('natsUrl'))
const brokerPort = (kind: LinkKind) => Number(new URL(brokerUrl(kind)).port)

const ends = (kind: LinkKind, through?: (url: string) => string) =>
  kind.ends(brokerUrl(kind), inject('rabbitMqControl'), through)

async function open(kind: LinkKind, through?: (url: string) => string) {
  return start(await ends(kind, through))
}

/** Starts a replica that waits for `consume`. */
async function standBy(transport: Transport) {
  const got = recorder()
  started.push(transport)
  await transport.start(got, { standby: true })
  expect(got.of('standby').length).toBe(1)
  return { transport, got }
}

async function start(ends: Ends) {
  const sent = recorder()
  const got = recorder()
  started.push(ends.sender, ends.receiver)
  await ends.receiver.start(got)
  await ends.sender.start(sent)
  return { ...ends, sent, got }
}

describe.each(LINK_KINDS.map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
  test('a frame arrives with address, headers, message id and exact bytes', async () => {
    const { sender, address, got } = await open(kind)
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
    const headers = { 'patchbay-id': 'é1', empty: '' }
    await sender.send({ address, headers, body: bytes, messageId: 'm-1', at: 1_700_000_000_999, orderKey: 'k' })
    await got.received(1)
    const [delivery] = got.deliveries
    expect(delivery).toMatchObject({ messageId: 'm-1', redelivered: false })
    expect(delivery?.frame.address).toMatchObject(address) // a stream's publisher adds where it awaits the acknowledgement
    expect(delivery?.frame.headers).toMatchObject(headers)
    expect(Buffer.from(delivery?.frame.body ?? []).equals(Buffer.from(bytes))).toBe(true)
    if (kind.returns) expect(delivery?.sentAt).toBe(1_700_000_000_000)
    else expect(delivery).not.toHaveProperty('sentAt')
    expect(Math.abs(Date.now() - (delivery?.receivedAt ?? 0))).toBeLessThan(5000)
  })

  test('frames of one key arrive in order while many keys are in flight', async () => {
    const { sender, address, got } = await open(kind)
    const sends: Promise<void>[] = []
    for (let at = 0; at < 2000; at++) {
      const orderKey = `k${at % 20}`
      sends.push(sender.send({ ...frame(address, `${orderKey} ${Math.floor(at / 20)}`), orderKey }))
    }
    await Promise.all(sends)
    await got.received(2000)
    for (let key = 0; key < 20; key++) {
      const mine = texts(got.deliveries).filter((text) => text.startsWith(`k${key} `))
      expect(mine).toEqual(Array.from({ length: 100 }, (_, at) => `k${key} ${at}`))
    }
  })

  test('settling twice is harmless', async () => {
    const { sender, address, got } = await open(kind)
    got.onDelivery = (delivery) => {
      delivery.settle('done')
      delivery.settle('done')
      delivery.settle('retry')
    }
    await sender.send(frame(address, 'once'))
    await sender.send(frame(address, 'twice'))
    await got.received(2)
    expect(texts(got.deliveries)).toEqual(['once', 'twice'])
  })

  if (kind.returns) {
    test('a frame nobody is bound to receive is confirmed and reported', async () => {
      const { sender, unheard, sent } = await open(kind)
      await sender.send({ ...frame(unheard, 'hello?'), headers: { 'patchbay-id': '7' } })
      await sent.until('returned', 1)
      const [event] = sent.of('returned')
      expect(event?.frame.address).toEqual(unheard)
      expect(event?.frame.headers).toEqual({ 'patchbay-id': '7' })
      expect(Buffer.from(event?.frame.body ?? []).toString()).toBe('hello?')
    })
  }

  test('a frame beyond what the peer takes is refused by itself', async () => {
    const { sender, address, got } = await open(kind)
    const results = await Promise.allSettled([
      sender.send(frame(address, 'before')),
      sender.send(kind.tooLarge(address)),
      sender.send(frame(address, 'after')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'link.too-large', fate: 'reject' } })
    await got.received(2)
  })

  test('a connection cut in mid-stream loses nothing and keeps the order of each key', async () => {
    const proxy = await startFaultProxy(brokerPort(kind))
    const { sender, address, sent, got } = await open(kind, proxy.through)
    const sends: Promise<void>[] = []
    for (let at = 0; at < 3000; at++) {
      const orderKey = `k${at % 10}`
      sends.push(
        sender.send({ ...frame(address, `${orderKey} ${Math.floor(at / 10)}`), orderKey, messageId: `m${at}` }),
      )
      if (at % 1000 !== 500) continue
      await delay(20)
      proxy.cut()
      await sent.until('up', sent.of('up').length + 1)
    }
    await Promise.all(sends)
    await expect.poll(() => withoutDuplicates(got.deliveries).length, { timeout: 20_000 }).toBe(3000)
    for (let key = 0; key < 10; key++) {
      const mine = texts(withoutDuplicates(got.deliveries)).filter((text) => text.startsWith(`k${key} `))
      expect(mine).toEqual(Array.from({ length: 300 }, (_, at) => `k${key} ${at}`))
    }
    expect(sent.of('down').length).toBe(3)
    expect(sent.of('down')[0]).toMatchObject({ error: { code: 'link.lost', fate: 'retry' } })
    await proxy.close()
  })

  test('a peer that falls silent is noticed in time, and frames wait for it', async () => {
    const proxy = await startFaultProxy(brokerPort(kind))
    const { sender, address, sent } = await open(kind, proxy.through)
    await sender.send(frame(address, 'first'))
    proxy.faults.stalled = true
    const since = performance.now()
    const pending = sender.send(frame(address, 'second'))
    await sent.until('down', 1)
    expect(performance.now() - since).toBeLessThan(kind.silenceMs)
    expect(sender.unconfirmed()).toBe(1)
    proxy.faults.stalled = false
    await pending
    expect(sender.unconfirmed()).toBe(0)
    await proxy.close()
  })

  test('stop finishes what is being sent, and a second stop changes nothing', async () => {
    const { sender, address, got } = await open(kind)
    const sends = Array.from({ length: 500 }, (_, at) => sender.send(frame(address, String(at))))
    expect(sender.unconfirmed()).toBe(500)
    const stopped = sender.stop()
    await Promise.all(sends)
    expect(sender.unconfirmed()).toBe(0)
    await Promise.all([stopped, sender.stop()])
    await got.received(500)
    const late: unknown = await sender.send(frame(address, 'late')).catch((error: GatewayError) => error)
    expect(late).toMatchObject({ code: 'gateway.stopping', fate: 'retry' })
  })

  test('drain waits for what was taken, takes nothing more, and sending still works', async () => {
    const { sender, receiver, address, unheard, got } = await open(kind)
    got.onDelivery = () => undefined
    await sender.send(frame(address, 'taken'))
    await got.received(1)
    let drained = false
    const draining = receiver.drain().then(() => {
      drained = true
    })
    await delay(100)
    expect(drained).toBe(false)
    await receiver.send(frame(unheard, 'still sending'))
    got.deliveries[0]?.settle('done')
    await draining
    await sender.send(frame(address, 'left'))
    await delay(100)
    expect(got.deliveries.length).toBe(1)
  })

  test('standing by, a link takes nothing and sends; once it consumes it takes', async () => {
    const { sender, replica, address, unheard } = await ends(kind)
    started.push(sender)
    const receiver = await standBy(replica())
    await sender.start(recorder())
    await sender.send(frame(address, 'early'))
    await receiver.transport.send(frame(unheard, 'still sending'))
    await delay(100)
    expect(receiver.got.deliveries).toEqual([])
    expect(receiver.got.of('consuming')).toEqual([])
    receiver.transport.consume()
    receiver.transport.consume()
    await receiver.got.until('consuming', 1)
    await sender.send(frame(address, 'late'))
    const expected = kind.keeps ? ['early', 'late'] : ['late']
    await receiver.got.received(expected.length)
    expect(texts(receiver.got.deliveries)).toEqual(expected)
    expect(receiver.got.of('consuming').length).toBe(1)
    expect(receiver.got.of('standby').length).toBe(1)
  })

  test('a link that releases gives back what is unsettled, in order, and may consume again', async () => {
    const { sender, replica, address } = await ends(kind)
    started.push(sender)
    const [first, second] = [await standBy(replica()), await standBy(replica())]
    await sender.start(recorder())
    first.got.onDelivery = () => undefined
    first.transport.consume()
    await first.got.until('consuming', 1)
    for (const text of ['0', '1', '2', '3', '4']) await sender.send(frame(address, text))
    await first.got.received(5)
    first.got.deliveries[0]?.settle('done')
    await Promise.all([first.transport.release(), first.transport.release()])
    expect(first.got.of('standby').length).toBe(2)
    for (const delivery of first.got.deliveries) delivery.settle('done')
    second.transport.consume()
    await second.got.until('consuming', 1)
    await sender.send(frame(address, 'next'))
    const returned = kind.keeps ? ['1', '2', '3', '4'] : []
    await second.got.received(returned.length + 1)
    expect(texts(second.got.deliveries)).toEqual([...returned, 'next'])
    expect(second.got.deliveries.map(({ redelivered }) => redelivered)).toEqual([...returned.map(() => true), false])
    await second.transport.release()
    first.got.onDelivery = (delivery) => delivery.settle('done')
    first.transport.consume()
    await first.got.until('consuming', 2)
    await sender.send(frame(address, 'again'))
    await first.got.received(6)
    expect(texts(first.got.deliveries)).toEqual(['0', '1', '2', '3', '4', 'again'])
    expect(texts(second.got.deliveries)).toEqual([...returned, 'next'])
  })

  test('over a reconnect a link that stands by stays so, and so does one that consumes', async () => {
    const proxy = await startFaultProxy(brokerPort(kind))
    const { sender, replica, address } = await ends(kind)
    started.push(sender)
    const { transport, got } = await standBy(replica(proxy.through))
    await sender.start(recorder())
    proxy.cut()
    await got.until('up', 2)
    await sender.send(frame(address, 'early'))
    await delay(100)
    expect(got.deliveries).toEqual([])
    transport.consume()
    await got.until('consuming', 1)
    proxy.cut()
    await got.until('up', 3)
    await sender.send(frame(address, 'late'))
    await expect.poll(() => texts(got.deliveries)).toContain('late')
    await proxy.close()
  })
})
