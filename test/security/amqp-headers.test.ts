import type { Duplex } from 'node:stream'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { amqpTransport } from '../../src/transports/amqp/index.js'
import type { Transport } from '../../src/transports/transport.js'
import { freshName, freshVhost } from '../harness/index.js'
import { type Recorder, recorder, texts } from '../transports/recorder.js'

const EXCHANGE = freshName('x')

let url: string
let model: ChannelModel
let channel: ConfirmChannel
let transport: Transport
let got: Recorder

beforeAll(async () => {
  url = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  model = await connect(url)
  channel = await model.createConfirmChannel()
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true })
})
beforeEach(async () => {
  got = recorder()
  const queue = { name: freshName('q'), type: 'classic' } as const
  transport = amqpTransport({
    urls: [url],
    exchanges: [{ name: EXCHANGE, type: 'topic' }],
    consume: [{ queue, bindings: [{ exchange: EXCHANGE, key: '#' }] }],
  })
  await transport.start(got)
})
afterEach(() => transport.stop())
afterAll(() => model.close())

const short = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
const long = (length: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** A table of tables, or a list of lists, so many deep. The client library could not write it either. */
function nested(kind: 'F' | 'A', depth: number): Buffer {
  const heads: Buffer[] = []
  let length = 0
  for (let level = 0; level < depth; level++) {
    const head = Buffer.concat([kind === 'F' ? short('') : Buffer.alloc(0), Buffer.from(kind), long(length)])
    heads.push(head)
    length += head.length
  }
  const table = Buffer.concat(heads.reverse())
  return kind === 'F' ? table : Buffer.concat([short('list'), table])
}

/** Publishes with headers as they are given, byte for byte. */
function publishRaw(headers: Buffer, body: string): void {
  // The socket and the number of the channel are not part of the library's types.
  const { stream } = model.connection as unknown as { stream: Duplex }
  const { ch } = channel as unknown as { ch: number }
  const frame = (type: number, payload: Buffer) => {
    const head = Buffer.from([type, ch >> 8, ch & 0xff])
    return Buffer.concat([head, long(payload.length), payload, Buffer.from([0xce])])
  }
  const method = Buffer.concat([Buffer.from([0, 60, 0, 40, 0, 0]), short(EXCHANGE), short('a.b'), Buffer.from([0])])
  const content = Buffer.concat([Buffer.from([0, 60, 0, 0]), long(0), long(body.length), Buffer.from([0x20, 0])])
  const header = Buffer.concat([content, long(headers.length), headers])
  stream.write(Buffer.concat([frame(1, method), frame(2, header), frame(3, Buffer.from(body))]))
}

const DEEP = [
  { name: 'tables', kind: 'F', depth: 21_000 },
  { name: 'lists', kind: 'A', depth: 25_000 },
] as const
test.each(DEEP)('headers that are $name, thousands deep, stop no consumer', async ({ kind, depth }) => {
  publishRaw(nested(kind, depth), 'deep')
  publishRaw(nested(kind, 3), 'flat')
  channel.publish(EXCHANGE, 'a.b', Buffer.from('good'), { headers: { a: 'x' }, messageId: 'm' })
  await got.received(3)
  expect(texts(got.deliveries)).toEqual(['deep', 'flat', 'good'])
  expect(got.of('down')).toEqual([])
  expect(got.of('interrupted')).toEqual([])
  expect(got.deliveries[0]!.frame.headers).toEqual({})
  expect(got.deliveries[2]!.frame.headers).toEqual({ a: 'x' })
  expect(got.deliveries[2]!.messageId).toBe('m')
})

test('headers between what can be read and what can be written stop no consumer', async () => {
  const depths = [500, 1000, 2000, 4000, 8000]
  for (const depth of depths) publishRaw(nested('A', depth), String(depth))
  await got.received(depths.length)
  expect(texts(got.deliveries)).toEqual(depths.map(String))
  expect(got.of('down')).toEqual([])
})

const ODD = ['__proto__', 'constructor', 'toString', 'x'.repeat(255), '\u0000', ' ', 'a\r\nb']
test('odd names of headers are names like any other', async () => {
  for (const name of ODD) {
    const text = Buffer.from('hostile')
    publishRaw(Buffer.concat([short(name), Buffer.from('S'), long(text.length), text]), name)
  }
  await got.received(ODD.length)
  // What the library makes of `__proto__` is no header, and changes nothing.
  const names = got.deliveries.map(({ frame }) => Object.keys(frame.headers))
  expect(names).toEqual(ODD.map((name) => (name === '__proto__' ? [] : [name])))
  expect(({} as Record<string, unknown>).hostile).toBeUndefined()
})
