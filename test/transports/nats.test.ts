import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { headers, type NatsConnection, nkeys } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  type NatsConfig,
  type NatsCredentials,
  type NatsSubscription,
  natsTransport,
} from '../../src/transports/nats/index.js'
import type { StartOptions, Transport } from '../../src/transports/transport.js'
import { freshName, startFaultProxy, startNats, type TestNats } from '../harness/index.js'
import { recorder, texts } from './recorder.js'

const started: Transport[] = []
let client: NatsConnection

beforeAll(async () => {
  client = await connect({ servers: inject('natsUrl') })
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((transport) => transport.stop()))
})
afterAll(() => client.close())

async function open(config: Partial<NatsConfig>, options: StartOptions = {}) {
  const got = recorder()
  const transport = natsTransport({ servers: [inject('natsUrl')], stopGraceMs: 1000, ...config })
  started.push(transport)
  await transport.start(got, options)
  return { transport, got }
}

const frame = (subject: string, text: string) => ({ address: { subject }, headers: {}, body: Buffer.from(text) })

describe('core', () => {
  test('a request brings its reply subject, and the answer reaches who asked', async () => {
    const subject = freshName('node')
    const { transport, got } = await open({ subscriptions: [{ subject }], deliver: 'jetstream' })
    const asking = client.request(subject, 'question', { timeout: 5000 })
    await got.received(1)
    const { reply = '' } = got.deliveries[0]?.frame.address ?? {}
    await transport.send(frame(reply, 'answer'))
    expect((await asking).string()).toBe('answer')
  })

  test('a request can be sent, and a frame may choose core by itself', async () => {
    const [subject, inbox] = [freshName('svc'), freshName('replies')]
    client.subscribe(subject, { max: 1, callback: (_error, message) => void message.respond('pong') })
    await client.flush()
    const { transport, got } = await open({ subscriptions: [{ subject: inbox }], deliver: 'jetstream' })
    await transport.send({
      address: { subject, reply: inbox, deliver: 'core' },
      headers: {},
      body: Buffer.from('ping'),
    })
    await got.received(1)
    expect(texts(got.deliveries)).toEqual(['pong'])
  })

  test('what stands before an observed subject is left out', async () => {
    const subject = freshName('tenant')
    const { got } = await open({ subscriptions: [{ subject: `from-a.${subject}.>`, prefix: 'from-a.' }] })
    client.publish(`from-a.${subject}.x`, 'heard')
    client.publish(`${subject}.x`, 'not heard')
    await client.flush()
    await got.received(1)
    expect(got.deliveries.map(({ frame }) => frame.address)).toEqual([{ subject: `${subject}.x` }])
  })

  test('members of a queue group share, others get a copy each', async () => {
    const subject = freshName('shared')
    const grouped = [{ subject, queue: 'g' }]
    const [first, second, observer] = await Promise.all([
      open({ subscriptions: grouped }),
      open({ subscriptions: grouped }),
      open({ subscriptions: [{ subject }] }),
    ])
    for (let at = 0; at < 100; at++) client.publish(subject, String(at))
    await observer.got.received(100)
    await expect.poll(() => first.got.deliveries.length + second.got.deliveries.length).toBe(100)
  })

  test('standing by, a link takes only from subjects that every replica takes from', async () => {
    const [mine, shared] = [freshName('mine'), freshName('shared')]
    const subscriptions: NatsSubscription[] = [{ subject: mine }, { subject: shared, always: true }]
    const { transport, got } = await open({ subscriptions }, { standby: true })
    const publish = async () => {
      client.publish(mine, 'mine')
      client.publish(shared, 'shared')
      await client.flush()
    }
    await publish()
    await got.received(1)
    transport.consume()
    await got.until('consuming', 2)
    await publish()
    await got.received(3)
    await transport.release()
    await publish()
    await got.received(4)
    expect(texts(got.deliveries)).toEqual(['shared', 'mine', 'shared', 'shared'])
    expect(got.of('consuming').map(({ source }) => source)).toEqual([shared, mine])
    expect(got.of('standby').length).toBe(2)
  })

  test('what the server has before a release still comes', async () => {
    const subject = freshName('under-way')
    const { transport, got } = await open({ subscriptions: [{ subject }] })
    for (let at = 0; at < 5000; at++) client.publish(subject, String(at))
    await client.flush()
    await transport.release()
    expect(got.deliveries.length).toBe(5000)
  })

  test('what arrives while the buffer is full is dropped and reported, frame by frame', async () => {
    const subject = freshName('full')
    const { got } = await open({ subscriptions: [{ subject }], maxUnsettled: 10 })
    got.onDelivery = () => undefined
    for (let at = 0; at < 15; at++) client.publish(subject, String(at))
    await got.until('dropped', 5)
    expect(texts(got.deliveries)).toEqual(Array.from({ length: 10 }, (_, at) => String(at)))
    expect(got.of('dropped').map((event) => Buffer.from(event.frame.body).toString())).toEqual([
      '10',
      '11',
      '12',
      '13',
      '14',
    ])
    for (const delivery of got.deliveries) delivery.settle('retry')
    client.publish(subject, 'room again')
    await got.received(11)
  })

  test('a header that came several times is one text', async () => {
    const subject = freshName('headers')
    const { got } = await open({ subscriptions: [{ subject }] })
    const given = headers()
    given.append('Path', 'a')
    given.append('Path', 'b')
    client.publish(subject, '', { headers: given })
    await got.received(1)
    expect(got.deliveries[0]?.frame.headers).toEqual({ Path: 'a, b' })
  })

  const refused = [
    { name: 'a header value with a line break', frame: { ...frame('ok', ''), headers: { a: 'x\ny' } } },
    { name: 'a header name with a colon', frame: { ...frame('ok', ''), headers: { 'a:b': 'x' } } },
    { name: 'an empty subject', frame: frame('', '') },
    { name: 'a subject with a space', frame: frame('a b', '') },
  ]
  for (const { name, frame: bad } of refused) {
    test(`${name} refuses that frame only, by core and by stream`, async () => {
      const { transport } = await open({})
      const good = transport.send(frame(freshName('good'), ''))
      for (const deliver of ['core', 'jetstream']) {
        const sending = transport.send({ ...bad, address: { ...bad.address, deliver } })
        await expect(sending).rejects.toMatchObject({ code: 'link.refused', fate: 'reject' })
      }
      await good
    })
  }

  for (const others of ['core', 'jetstream']) {
    test(`frames sent together arrive in order, and each has its own outcome (others by ${others})`, async () => {
      const subject = freshName('together')
      const { transport, got } = await open({ subscriptions: [{ subject }] })
      const bad = { ...frame('a b', ''), address: { subject: 'a b', deliver: others } }
      const outcomes = await transport.sendAll!([frame(subject, '0'), bad, frame(subject, '1'), frame(subject, '2')])
      expect(outcomes.map((error) => error?.code)).toEqual([undefined, 'link.refused', undefined, undefined])
      await got.received(3)
      expect(texts(got.deliveries)).toEqual(['0', '1', '2'])
      expect(await transport.sendAll!([])).toEqual([])
    })
  }

  test('frames sent together after the end are refused together', async () => {
    const { transport } = await open({})
    await transport.stop()
    const outcomes = await transport.sendAll!([frame('late', '0'), frame('late', '1')])
    expect(outcomes.map((error) => error?.code)).toEqual(['gateway.stopping', 'gateway.stopping'])
  })

  test('sends during an outage wait for the server and arrive in order', async () => {
    const subject = freshName('outage')
    const proxy = await startFaultProxy(Number(new URL(inject('natsUrl')).port))
    const { got } = await open({ subscriptions: [{ subject }] })
    const sender = await open({ servers: [proxy.through(inject('natsUrl'))], reconnectWaitMs: 50 })
    proxy.faults.refusing = true
    proxy.cut()
    await sender.got.until('down', 1)
    const sends = Array.from({ length: 1000 }, (_, at) => sender.transport.send(frame(subject, String(at))))
    await delay(300)
    expect(got.deliveries).toEqual([])
    proxy.faults.refusing = false
    await Promise.all(sends)
    await got.received(1000)
    expect(texts(got.deliveries)).toEqual(Array.from({ length: 1000 }, (_, at) => String(at)))
    expect(sender.got.of('reconnecting').length).toBeGreaterThan(0)
    await proxy.close()
  })

  test('what waited through an outage waits for its receivers to be back; replies do not', async () => {
    const proxy = await startFaultProxy(Number(new URL(inject('natsUrl')).port))
    const servers = [proxy.through(inject('natsUrl'))]
    const { transport, got } = await open({ servers, deliver: 'core', reconnectWaitMs: 50, resumeAfterMs: 600 })
    const [subject, inbox] = [freshName('late'), freshName('asked-from')]
    const heard: string[] = []
    const hear = (_error: unknown, message: { string(): string }) => void heard.push(message.string())
    client.subscribe(inbox, { callback: hear })
    await client.flush()
    proxy.faults.refusing = true
    proxy.cut()
    await got.until('down', 1)
    const reply = { ...frame(inbox, 'r'), isReply: true }
    const sent = Promise.all([...['a', 'b'].map((text) => frame(subject, text)), reply].map(transport.send))
    proxy.faults.refusing = false
    await got.until('up', 2)
    await expect.poll(() => heard, { timeout: 400, interval: 10 }).toEqual(['r'])
    // Whoever hears this comes back later than the gateway.
    client.subscribe(subject, { callback: hear })
    await client.flush()
    const more = transport.send(frame(subject, 'c'))
    await Promise.all([sent, more])
    await expect.poll(() => heard, { timeout: 1000, interval: 10 }).toEqual(['r', 'a', 'b', 'c'])
    await proxy.close()
  })

  test('a link is up again only when the server has its subscriptions: from then on nothing is missed', async () => {
    const subject = freshName('back')
    const proxy = await startFaultProxy(Number(new URL(inject('natsUrl')).port))
    const servers = [proxy.through(inject('natsUrl'))]
    const { got } = await open({ servers, subscriptions: [{ subject }], reconnectWaitMs: 50 })
    proxy.faults.latencyMs = 200
    proxy.cut()
    await got.until('up', 2)
    client.publish(subject, 'first')
    await got.received(1, 3000)
    expect(texts(got.deliveries)).toEqual(['first'])
    await proxy.close()
  })
})

describe('a stream', () => {
  const streamOf = async (name: string) => (await jetstreamManager(client)).streams.info(name)

  test('is made with the configured settings', async () => {
    const name = freshName('made')
    await open({ deliver: 'jetstream', stream: { name, subjects: [`${name}.>`], maxAgeMs: 60_000, storage: 'memory' } })
    expect((await streamOf(name)).config).toMatchObject({
      subjects: [`${name}.>`],
      storage: 'memory',
      max_age: 60e9,
      duplicate_window: 60e9,
    })
  })

  test('takes one message id once', async () => {
    const name = freshName('once')
    const { transport } = await open({ deliver: 'jetstream', stream: { name, subjects: [`${name}.>`] } })
    const message = { ...frame(`${name}.a`, 'x'), messageId: 'same' }
    await Promise.all([transport.send(message), transport.send(message)])
    await transport.send(frame(`${name}.a`, 'x'))
    await transport.send(frame(`${name}.a`, 'x'))
    expect((await streamOf(name)).state.messages).toBe(3)
  })

  test('that overlaps with another is refused, and the other is named', async () => {
    const [mine, other] = [freshName('mine'), freshName('other')]
    await open({ deliver: 'jetstream', stream: { name: other, subjects: [`${mine}.a.*`] } })
    const starting = open({ deliver: 'jetstream', stream: { name: mine, subjects: [`${mine}.>`] } })
    await expect(starting).rejects.toMatchObject({ code: 'link.refused', fate: 'reject' })
    await expect(starting).rejects.toThrow(`"${other}" already takes some of ${mine}.>`)
  })

  test('that exists is compared: wider is fine, other subjects are refused', async () => {
    const name = freshName('have')
    await open({ deliver: 'jetstream', stream: { name, subjects: [`${name}.>`] } })
    await open({ deliver: 'jetstream', stream: { name, subjects: [`${name}.a.*`] } })
    const starting = open({ deliver: 'jetstream', stream: { name, subjects: ['elsewhere.>'] } })
    await expect(starting).rejects.toThrow(/does not take elsewhere\.>/)
  })

  test('that goes missing is made again, and nothing that was sent meanwhile is lost', async () => {
    const name = freshName('gone')
    const { transport, got } = await open({ deliver: 'jetstream', stream: { name, subjects: [`${name}.>`] } })
    await (await jetstreamManager(client)).streams.delete(name)
    await Promise.all(['1', '2', '3'].map((text) => transport.send({ ...frame(`${name}.a`, text), orderKey: 'k' })))
    expect((await streamOf(name)).state.messages).toBe(3)
    expect(got.of('fault')[0]?.error).toMatchObject({ code: 'link.refused', fate: 'retry' })
  })

  test('that is not ours to make is waited for', async () => {
    const name = freshName('later')
    const stream = { name, subjects: [`${name}.>`] }
    const got = recorder()
    const transport = natsTransport({
      servers: [inject('natsUrl')],
      deliver: 'jetstream',
      stream: { ...stream, declare: false },
    })
    started.push(transport)
    const starting = transport.start(got)
    await got.until('fault', 1)
    expect(got.of('fault')[0]?.error.message).toMatch(/missing, and making it is switched off/)
    await (await jetstreamManager(client)).streams.add(stream)
    await starting
    await transport.send(frame(`${name}.a`, 'x'))
  })
})

describe('a server with users', () => {
  const seedOf = (pair: ReturnType<typeof nkeys.createUser>) => Buffer.from(pair.getSeed()).toString()
  const pair = nkeys.createUser()
  let server: TestNats
  beforeAll(async () => {
    server = await startNats({
      extraConfig: `authorization { users: [
        { user: gw, password: "s3cret", permissions: {
          publish: ["ok.>", "_INBOX.>", "$JS.API.>", "kept.ok"], subscribe: ["ok.>", "_INBOX.>"] } }
        { nkey: ${pair.getPublicKey()} } ] }`,
    })
  })
  afterAll(() => server.stop())

  const credentials: NatsCredentials = { username: 'gw', password: 's3cret' }

  test('a forbidden publication refuses its own frames, and is reported', async () => {
    const { transport, got } = await open({ servers: [server.url], credentials, subscriptions: [{ subject: 'ok.>' }] })
    const results = await Promise.allSettled(
      ['ok.a', 'not.ok', 'ok.b', 'not.ok'].map((subject) => transport.send(frame(subject, subject))),
    )
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(results[1]).toMatchObject({ reason: { code: 'link.forbidden', fate: 'reject' } })
    expect(got.of('fault')[0]?.error.message).toBe('the server forbids publishing to "not.ok"')
    await got.received(2)
    await transport.send(frame('ok.c', 'later'))
    await got.received(3)
  })

  test('an answer that is forbidden is refused, and is no fault of the link: who asks chooses where to', async () => {
    const { transport, got } = await open({ servers: [server.url], credentials })
    const answer = { ...frame('not.ok', 'x'), isReply: true }
    await expect(transport.send(answer)).rejects.toMatchObject({ code: 'link.forbidden' })
    await expect(transport.send(frame('not.ok', 'x'))).rejects.toMatchObject({ code: 'link.forbidden' })
    await got.until('fault', 1)
    expect(got.of('fault')).toHaveLength(1)
  })

  test('a forbidden publication to a stream is refused too', async () => {
    const admin = await open({
      servers: [server.url],
      credentials: { nkeySeed: seedOf(pair) },
      deliver: 'jetstream',
      stream: { name: 'kept', subjects: ['kept.>'] },
    })
    await admin.transport.send(frame('kept.not', 'by who may'))
    const { transport } = await open({ servers: [server.url], credentials, deliver: 'jetstream' })
    await transport.send(frame('kept.ok', 'x'))
    await expect(transport.send(frame('kept.not', 'x'))).rejects.toMatchObject({ code: 'link.forbidden' })
  })

  test('a forbidden subscription is reported by its name', async () => {
    const { got } = await open({ servers: [server.url], credentials, subscriptions: [{ subject: 'not.mine' }] })
    await got.until('trouble', 1)
    expect(got.of('trouble')[0]?.error).toMatchObject({
      code: 'link.forbidden',
      message: 'the server forbids subscribing to "not.mine"',
    })
  })

  const wrong: readonly { readonly name: string; readonly credentials?: NatsCredentials }[] = [
    { name: 'a wrong password', credentials: { username: 'gw', password: 'wrong-secret' } },
    { name: 'no password', credentials: { username: 'gw', password: '' } },
    { name: 'a token nobody knows', credentials: { token: 'wrong-secret' } },
    { name: 'an nkey nobody knows', credentials: { nkeySeed: seedOf(nkeys.createUser()) } },
    { name: 'no credentials at all' },
  ]
  for (const { name, ...login } of wrong) {
    test(`${name} gives one clear error that names no secret`, async () => {
      const got = recorder()
      const transport = natsTransport({ servers: [server.url], ...login })
      const error: unknown = await transport.start(got).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'link.connect', fate: 'reject' })
      expect(String(error)).toMatch(/refuses our credentials; correct/)
      expect(String(error)).not.toContain('wrong-secret')
      expect(got.events).toEqual([])
      await transport.stop()
    })
  }
})

test('a server that does not answer yet is tried again', async () => {
  const proxy = await startFaultProxy(Number(new URL(inject('natsUrl')).port))
  proxy.faults.refusing = true
  const got = recorder()
  const transport = natsTransport({ servers: [proxy.through(inject('natsUrl'))] })
  started.push(transport)
  const starting = transport.start(got)
  await got.until('reconnecting', 3)
  proxy.faults.refusing = false
  await starting
  await transport.send(frame(freshName('s'), 'x'))
  await transport.stop()
  await proxy.close()
})

test('stop while nobody answers ends the start, and what was sent, with fate retry', async () => {
  const transport = natsTransport({ servers: ['nats://127.0.0.1:1'], stopGraceMs: 100 })
  const starting = transport.start(recorder())
  const sending = transport.send(frame('a', 'x'))
  await delay(50)
  const results = Promise.allSettled([starting, sending])
  await transport.stop()
  const reason = expect.objectContaining({ code: 'gateway.stopping', fate: 'retry' })
  expect(await results).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ])
})
