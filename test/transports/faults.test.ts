import { setTimeout as delay } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OutgoingFrame, Transport } from '../../src/transports/transport.js'
import { LINK_KINDS, type OwnBroker } from './links.js'
import { type Recorder, recorder, withoutDuplicates } from './recorder.js'

const FRAMES = 5000
const KEYS = 50

interface Seen {
  readonly id: string
  readonly text: string
}

/** 5,000 frames of 50 keys, sent while `disturb` runs beside. */
async function stream(sender: Transport, frameOf: (at: number) => OutgoingFrame, disturb: () => Promise<void>) {
  const sends: Promise<void>[] = []
  const disturbance: Promise<void>[] = []
  for (let at = 0; at < FRAMES; at++) {
    sends.push(sender.send(frameOf(at)))
    if (at === FRAMES / 5) disturbance.push(disturb())
    if (at % 50 === 0) await delay(2)
  }
  await Promise.all([...sends, ...disturbance])
}

function expectOrder(seen: readonly Seen[]): void {
  const last = new Map<string, number>()
  const known = new Set<string>()
  for (const { id, text } of seen) {
    if (known.has(id)) continue
    known.add(id)
    const [key = '', number = ''] = text.split(' ')
    expect(Number(number)).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, Number(number))
  }
}

const seenBy = (got: Recorder): Seen[] =>
  got.deliveries.map(({ messageId = '', frame }) => ({ id: messageId, text: Buffer.from(frame.body).toString() }))

async function storedIn(url: string, subject: string): Promise<Seen[]> {
  const connection = await connect({ servers: url })
  const client = jetstream(connection)
  const manager = await client.jetstreamManager()
  const name = await manager.streams.find(subject)
  const { state } = await manager.streams.info(name)
  const consumer = await client.consumers.get(name, {})
  const seen: Seen[] = []
  for await (const message of await consumer.fetch({ max_messages: state.messages, expires: 10_000 })) {
    seen.push({ id: message.headers?.get('Nats-Msg-Id') ?? '', text: message.string() })
  }
  await connection.close()
  return seen
}

describe.each(LINK_KINDS.map((kind) => [kind.name, kind] as const))(
  '%s: kill -9 of the broker in mid-stream',
  (_name, kind) => {
    let broker: OwnBroker
    beforeAll(async () => {
      broker = await kind.own()
    })
    afterAll(() => broker.stop())

    test('5,000 frames of 50 keys are all confirmed, none lost, in order per key', async () => {
      const { sender, receiver, address } = await kind.ends(broker.url, broker.control)
      const sent = recorder()
      const got = recorder()
      await receiver.start(got)
      await sender.start(sent)
      await delay(kind.settleMs)
      const frameOf = (at: number): OutgoingFrame => {
        const orderKey = `k${at % KEYS}`
        const body = Buffer.from(`${orderKey} ${Math.floor(at / KEYS)}`)
        return { address, headers: {}, body, orderKey, messageId: `m${at}` }
      }
      await stream(sender, frameOf, async () => {
        await broker.kill9()
        await delay(300)
        await broker.restart()
      })
      expect(sent.of('down').length).toBe(1)
      if (kind.wire === 'amqp') {
        await expect.poll(() => withoutDuplicates(got.deliveries).length, { timeout: 30_000 }).toBe(FRAMES)
        expect(got.of('fault').map(({ error }) => error.code)).not.toContain('link.refused')
      }
      if (kind.stores) {
        const stored = await storedIn(broker.url, address.subject ?? '')
        expect(new Set(stored.map(({ id }) => id)).size).toBe(FRAMES)
        expectOrder(stored)
      }
      expectOrder(seenBy(got)) // without a store a receiver misses what passed while it was away, but not the order
      await Promise.all([sender.stop(), receiver.stop()])
    })
  },
)
