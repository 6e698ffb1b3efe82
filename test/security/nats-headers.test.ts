import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { jetstreamManager } from '@nats-io/jetstream'
import { headers } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { natsTransport } from '../../src/transports/nats/index.js'
import type { Transport } from '../../src/transports/transport.js'
import { freshName } from '../harness/index.js'
import { type Recorder, recorder, texts } from '../transports/recorder.js'

/** A publisher that writes what no client library would. */
async function rawPublisher(): Promise<{ publish(subject: string, head: Buffer, body: string): void; socket: Socket }> {
  const { hostname, port } = new URL(inject('natsUrl'))
  const socket = dial(Number(port), hostname)
  await once(socket, 'data') // the server says who it is
  socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n')
  return {
    socket,
    publish(subject, head, body) {
      const bytes = Buffer.concat([head, Buffer.from(body), Buffer.from('\r\n')])
      socket.write(`HPUB ${subject} ${head.length} ${bytes.length - 2}\r\n`)
      socket.write(bytes)
    },
  }
}

const head = (lines: string) => Buffer.from(`NATS/1.0\r\n${lines}\r\n\r\n`)
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `${at.toString(36)}:`).join('\r\n')

const HOSTILE: { name: string; head: Buffer; read?: Record<string, string> }[] = [
  { name: 'a name with a blank', head: head('bad name: x\r\nok: y'), read: { ok: 'y' } },
  { name: 'a name with a control character', head: head('a\u0001b: x\r\nok: y'), read: { ok: 'y' } },
  { name: 'no name', head: head(': x\r\nok: y'), read: { ok: 'y' } },
  { name: 'a line without a colon', head: head('nothing\r\nok: y'), read: { ok: 'y' } },
  { name: 'a value with a bare line break', head: head('a: x\ny\r\nok: y'), read: { ok: 'y' } },
  { name: 'a value with a bare carriage return', head: head('a: x\ry\r\nok: y'), read: { ok: 'y' } },
  {
    name: 'bytes that are no UTF-8',
    head: Buffer.concat([head('a: x').subarray(0, -4), Buffer.from([0xff, 13, 10, 13, 10])]),
  },
  { name: 'the name of a prototype', head: head('__proto__: x\r\nconstructor: y'), read: { constructor: 'y' } },
  { name: 'a name of half a megabyte', head: head(`${'n'.repeat(500_000)}: x`) },
  { name: 'a value of half a megabyte', head: head(`a: ${'v'.repeat(500_000)}`) },
  { name: 'more headers than anybody needs', head: head(numbered(100_000)) },
  { name: 'one header over and over', head: head('a: x\r\n'.repeat(100_000)) },
  { name: 'nothing but the first line', head: Buffer.from('NATS/1.0\r\n\r\n'), read: {} },
  { name: 'a status', head: Buffer.from('NATS/1.0 503 no\r\n\r\n'), read: {} },
]

let subject: string
let got: Recorder
let transport: Transport
let publisher: Awaited<ReturnType<typeof rawPublisher>>

beforeEach(async () => {
  subject = freshName('hostile')
  got = recorder()
  publisher = await rawPublisher()
})
afterEach(async () => {
  publisher.socket.destroy()
  await transport.stop()
})

/** All of them came on one connection, and none has more headers than are read. */
function judge(published: typeof HOSTILE): void {
  expect(texts(got.deliveries)).toEqual([...published.map(({ name }) => name), 'good'])
  expect(got.of('down')).toEqual([])
  for (const [at, { name, read = {} }] of published.entries()) {
    const { headers: found } = got.deliveries[at]!.frame
    expect(Object.keys(found).length, name).toBeLessThanOrEqual(256)
    expect(found, name).toMatchObject(read)
  }
  expect(got.deliveries.at(-1)!.frame.headers).toEqual({ a: 'x, y', 'Patchbay-Id': 'n' })
}

function publishAll(to: string, messages: typeof HOSTILE): void {
  for (const { name, head } of messages) publisher.publish(to, head, name)
  publisher.publish(to, head('a: x\r\na:y \r\nPatchbay-Id: n'), 'good')
}

test('hostile headers stop no subscription', async () => {
  transport = natsTransport({ servers: [inject('natsUrl')], subscriptions: [{ subject }] })
  await transport.start(got)
  publishAll(subject, HOSTILE)
  await got.received(HOSTILE.length + 1)
  judge(HOSTILE)
})

const MANY = { name: 'as many headers as a stream keeps', head: head(numbered(10_000)) }
/** JetStream keeps no message with longer headers. */
const KEPT_BYTES = 65_000

test('hostile headers stop no capture from a stream', async () => {
  const recording = {
    stream: { name: freshName('HOSTILE'), subjects: [subject] },
    subjects: [{ subject }],
    consumer: freshName('patchbay'),
  }
  const client = await connect({ servers: inject('natsUrl') })
  try {
    transport = natsTransport({ servers: [inject('natsUrl')], recording })
    await transport.start(got)
    const kept = [...HOSTILE.filter(({ head }) => head.length < KEPT_BYTES), MANY]
    publishAll(subject, kept)
    await got.received(kept.length + 1)
    judge(kept)
  } finally {
    await (await jetstreamManager(client)).streams.delete(recording.stream.name)
    await client.close()
  }
})

test('headers are read as the client library of their sender wrote them', async () => {
  transport = natsTransport({ servers: [inject('natsUrl')], subscriptions: [{ subject }] })
  await transport.start(got)
  const client = await connect({ servers: inject('natsUrl') })
  try {
    const written = headers()
    for (const [name, value] of [
      ['A', '1'],
      ['B', 'é'],
      ['A', ' 2 '],
      ['Empty', ''],
    ] as const)
      written.append(name, value)
    client.publish(subject, 'with', { headers: written })
    client.publish(subject, 'without')
    await client.flush()
    await got.received(2)
    expect(got.deliveries.map(({ frame }) => frame.headers)).toEqual([{ A: '1, 2', B: 'é', Empty: '' }, {}])
  } finally {
    await client.close()
  }
})
