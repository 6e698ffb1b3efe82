import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { type Channel, type ChannelModel, connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { amqpTransport } from '../../src/transports/amqp/index.js'
import { type NatsConfig, natsTransport } from '../../src/transports/nats/index.js'
import type { Transport } from '../../src/transports/transport.js'
import { terminalState } from '../faults/legacy-load.js'
import {
  type FaultProxy,
  freshName,
  startAsterisk,
  startFaultProxy,
  startNats,
  startRabbitMq,
  type TestAsterisk,
  type TestNats,
  type TestRabbitMq,
} from '../harness/index.js'
import { type Recorder, recorder } from '../transports/recorder.js'
import { startGateway, until, type XccSide, xccSide } from './site.js'

type Gateway = Awaited<ReturnType<typeof startGateway>>

/** So soon has a gateway to say that it cannot work. Milliseconds. */
const WITHIN_MS = 5000
const BACK_MS = 30_000
const QUEUE = 'patchbay.gw.legacy'

let broker: TestRabbitMq
let nats: TestNats
let asterisk: TestAsterisk
let proxies: { readonly legacy: FaultProxy; readonly bus: FaultProxy; readonly pbx: FaultProxy }
let gateway: Gateway
let model: ChannelModel
let channel: Channel
let bus: XccSide

async function openChannel(): Promise<void> {
  model = await connect(broker.url)
  model.on('error', () => undefined)
  channel = await model.createChannel()
}

beforeAll(async () => {
  ;[broker, nats, asterisk] = await Promise.all([startRabbitMq(), startNats(), startAsterisk()])
  const [legacy, onBus, pbx] = await Promise.all(
    [broker.port, nats.port, asterisk.httpPort].map((port) => startFaultProxy(port)),
  )
  proxies = { legacy: legacy!, bus: onBus!, pbx: pbx! }
  await openChannel()
  bus = await xccSide(nats.url)
  gateway = await startGateway(`
group: gw
sync: { publisher: none }
links:
  legacy: { type: amqp, dialect: voice-events, url: '${proxies.legacy.through(broker.url)}', queue: { type: classic }, reconnect: { maxDelayMs: 500 } }
  bus: { type: nats, dialect: xcc, servers: ['${proxies.bus.through(nats.url)}'], reconnectWaitMs: 100 }
  pbx: { type: ari, dialect: stasis, url: 'http://127.0.0.1:${proxies.pbx.port}', username: ${asterisk.user}, password: ${asterisk.password}, reconnect: { maxDelayMs: 500 } }
routes:
  - { from: legacy, to: bus }
  - { from: bus, to: legacy }
  - { from: pbx, to: bus }
`)
  await ready()
})
afterAll(async () => {
  await gateway?.stop()
  await bus?.close()
  await model?.close().catch(() => undefined)
  await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.close()))
  await Promise.all([broker, nats, asterisk].map((each) => each?.stop()))
})

const linkOf = (name: string, of = gateway) => of.health.links()[name]!
const shown = (of: Gateway) => () => JSON.stringify(of.health.links(), null, 2)
const ready = (of = gateway) => until(() => of.health.read().ready, shown(of), BACK_MS)

/** Waits as long as it may take that links are told not to work; answers how they are then. */
async function notReady(names: readonly string[], of = gateway) {
  const found = new Map<string, ReturnType<typeof linkOf>>()
  const look = () => {
    for (const name of names) if (!found.has(name) && !linkOf(name, of).ready) found.set(name, linkOf(name, of))
    return found.size === names.length
  }
  await until(look, shown(of), WITHIN_MS)
  return Object.fromEntries(found)
}

/** A terminal that comes on the legacy side is told on the bus. */
async function expectCarried(): Promise<void> {
  const serial = freshName('sn')
  const { exchange, key, body } = terminalState(serial, 'online')
  channel.publish(exchange, key, Buffer.from(body))
  await until(() => bus.seen.some((each) => each.body.includes(serial)))
}

describe('a gateway between RabbitMQ, NATS and an Asterisk', () => {
  test('is ready, and carries', () => expectCarried())

  test('links that stall without a reset are not ready within 5 s, and come back by themselves', async () => {
    for (const { faults } of Object.values(proxies)) faults.stalled = true
    const found = await notReady(['legacy', 'bus', 'pbx'])
    expect(found.legacy).toMatchObject({
      state: 'troubled',
      reason: expect.stringContaining('the broker has said nothing'),
    })
    expect(found.bus?.reason).toMatch(/does not answer pings/)
    expect(found.pbx?.reason).toMatch(/no sign of life/)
    for (const { faults } of Object.values(proxies)) faults.stalled = false
    await ready()
    await expectCarried()
  })

  test('a RabbitMQ whose answers alone are held up is told, and its connections are kept', async () => {
    const before = linkOf('legacy').reconnects
    proxies.legacy.faults.stalled = 'toClient'
    const { legacy } = await notReady(['legacy'])
    expect(legacy).toMatchObject({ state: 'troubled', lastError: { code: 'link.lost' } })
    expect(linkOf('bus').ready).toBe(true)
    proxies.legacy.faults.stalled = false
    await ready()
    expect(linkOf('legacy').reconnects).toBe(before)
  })

  test('a queue that is deleted is made again', async () => {
    await channel.deleteQueue(QUEUE)
    await until(
      () => /was the queue deleted/.test(linkOf('legacy').lastError?.message ?? ''),
      shown(gateway),
      WITHIN_MS,
    )
    await ready()
    await expectCarried()
  })

  test('an exchange that is deleted is made again, with its bindings', async () => {
    await channel.deleteExchange('voice_events')
    await until(
      () => /no exchange 'voice_events'/.test(linkOf('legacy').lastError?.message ?? ''),
      shown(gateway),
      WITHIN_MS,
    )
    await ready()
    await expectCarried()
  })

  test('a broker that takes nothing is told, by its reason', async () => {
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1')
    // A broker says so to whoever publishes.
    await bus.publish('cn.xswitch.ctrl', {
      jsonrpc: '2.0',
      method: 'Event.Channel',
      params: { node_uuid: 'edge-1', uuid: freshName('c'), direction: 'inbound', state: 'START' },
    })
    const { legacy } = await notReady(['legacy'])
    expect(legacy?.reason).toMatch(/takes nothing for now: low on memory/)
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1GB')
    await ready()
  })

  test('10,000 messages with a full window and a slow target are no trouble', async () => {
    const before = ['legacy', 'bus'].map((name) => linkOf(name).since)
    const heard = bus.seen.length
    let mostInFlight = 0
    proxies.bus.faults.bytesPerSecond = 4_000_000
    onTestFinished(() => {
      proxies.bus.faults.bytesPerSecond = 0
    })
    const { exchange, key } = terminalState('', 'online')
    for (let at = 0; at < 10_000; at++) {
      const { body } = terminalState(`slow-${at}`, 'online')
      if (!channel.publish(exchange, key, Buffer.from(body)))
        await new Promise((resolve) => channel.once('drain', resolve))
    }
    const watching = setInterval(async () => {
      const series = await gateway.metrics.series('gateway_in_flight_messages')
      mostInFlight = Math.max(mostInFlight, series.find(({ labels }) => labels.link === 'legacy')?.value ?? 0)
    }, 20)
    await until(
      () => bus.seen.length >= heard + 10_000,
      () => `${bus.seen.length - heard} came`,
      BACK_MS,
    )
    clearInterval(watching)
    expect(mostInFlight).toBe(256)
    expect(['legacy', 'bus'].map((name) => linkOf(name).since)).toEqual(before)
  })

  test('brokers that are stopped are not ready within 5 s, and come back by themselves', async () => {
    await Promise.all([broker.kill9(), nats.kill9()])
    await notReady(['legacy', 'bus'])
    expect(linkOf('pbx').ready).toBe(true)
    await Promise.all([broker.restart(), nats.restart()])
    await ready()
    await openChannel()
    await until(() => bus.nc.stats().outMsgs >= 0 && !bus.nc.isClosed())
    await expectCarried()
  })
})

test('with `declare: false` a queue that is deleted is told until it is there again', async () => {
  await channel.assertQueue('mine', { durable: true })
  const other = await startGateway(`
group: other
links:
  legacy: { type: amqp, dialect: voice-events, url: '${broker.url}', declare: false, queue: { name: mine }, reconnect: { maxDelayMs: 300 } }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
routes:
  - { from: legacy, to: bus, sync: { ask: false } }
`)
  onTestFinished(() => other.stop())
  await ready(other)
  await channel.deleteQueue('mine')
  await notReady(['legacy'], other)
  const reason = () => linkOf('legacy', other).reason ?? ''
  await until(() => reason().startsWith('does not consume: cannot consume queue "mine"'), reason)
  expect(linkOf('legacy', other)).toMatchObject({ state: 'connected', ready: false })
  await channel.assertQueue('mine', { durable: true })
  await ready(other)
})

describe('a link by itself', () => {
  async function open(transport: Transport): Promise<Recorder> {
    const got = recorder()
    onTestFinished(() => transport.stop())
    await transport.start(got)
    return got
  }
  const openNats = (url: string, config: Partial<NatsConfig>) =>
    open(natsTransport({ servers: [url], stopGraceMs: 500, connect: { maxDelayMs: 300 }, ...config }))

  test('tells of an exchange that it may not make and cannot publish to, until it is there', async () => {
    const exchange = freshName('x')
    const exchanges = [{ name: exchange, type: 'fanout' }]
    const transport = amqpTransport({ urls: [broker.url], declare: false, exchanges, stopGraceMs: 500 })
    const got = await open(transport)
    const send = () => transport.send({ address: { exchange, key: 'k' }, headers: {}, body: Buffer.from('x') })
    await expect(send()).rejects.toMatchObject({ code: 'link.refused' })
    await got.until('trouble', 1, WITHIN_MS)
    expect(got.of('trouble')[0]?.error.message).toContain(exchange)
    await channel.assertExchange(exchange, 'fanout', { durable: false })
    await got.until('mended', 1, WITHIN_MS)
    await send()
  })

  test('tells of a stream that stores nothing, until it does', async () => {
    const name = freshName('S')
    const subject = freshName('s')
    const transport = natsTransport({
      servers: [nats.url],
      deliver: 'jetstream',
      stream: { name, subjects: [subject] },
      stopGraceMs: 500,
      connect: { maxDelayMs: 300 },
    })
    const got = await open(transport)
    const manager = await jetstreamManager(bus.nc)
    await manager.streams.update(name, { max_msgs: 1, discard: DiscardPolicy.New })
    const send = () => transport.send({ address: { subject }, headers: {}, body: Buffer.from('x') })
    await send()
    const second = send()
    await got.until('trouble', 1, WITHIN_MS)
    expect(got.of('trouble')[0]).toMatchObject({ of: 'storing', error: { code: 'link.refused' } })
    await manager.streams.update(name, { max_msgs: -1 })
    await second
    await got.until('mended', 1, WITHIN_MS)
  })

  test('does not consume while the stream that records for it is gone', async () => {
    const stream = { name: freshName('S'), subjects: [freshName('s')] }
    const manager = await jetstreamManager(bus.nc)
    await manager.streams.add(stream)
    const [subject = ''] = stream.subjects
    const got = await openNats(nats.url, {
      recording: { stream: { ...stream, declare: false }, subjects: [{ subject }], consumer: freshName('c') },
    })
    await got.until('consuming', 1)
    await manager.streams.delete(stream.name)
    await got.until('interrupted', 1, WITHIN_MS)
    await got.until('trouble', 1, WITHIN_MS)
    expect(got.of('trouble').at(-1)?.error.message).toContain('it is missing, and making it is switched off')
    await manager.streams.add(stream)
    await got.until('consuming', 2)
    await got.until('mended', 1)
  })

  test('tells of a subject that it may not hear', async () => {
    const server = await startNats({
      extraConfig: `authorization { users: [
        { user: all, password: p }
        { user: deaf, password: p, permissions: { subscribe: { deny: ["secret.>"] } } }
      ] }`,
    })
    onTestFinished(() => server.stop())
    const subscriptions = [{ subject: 'secret.>' }, { subject: 'open.>' }]
    const got = await openNats(server.url, { credentials: { username: 'deaf', password: 'p' }, subscriptions })
    expect(got.of('trouble')).toMatchObject([{ of: 'subscription secret.>', error: { code: 'link.forbidden' } }])
    expect(got.of('consuming')).toEqual([{ kind: 'consuming', source: 'open.>' }])
    const publisher = await connectNats({ servers: server.url, user: 'all', pass: 'p' })
    publisher.publish('open.a', 'x')
    await got.received(1)
    await publisher.close()
  })
})
