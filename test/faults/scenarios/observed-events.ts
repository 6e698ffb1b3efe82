import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectNats } from '@nats-io/transport-node'
import { type Channel, connect as connectAmqp } from 'amqplib'

/** One event that was published and did not arrive: it left between these times, UTC milliseconds. */
export interface LostEvent {
  readonly serial: string
  readonly fromMs: number
  readonly untilMs: number
}

/** What became of the events of a switch. */
export interface ObservedCount {
  readonly sent: number
  readonly received: number
  readonly duplicates: number
  readonly lost: readonly LostEvent[]
}

/** Events that a switch tells on core NATS, which keeps nothing, and that an observer takes to RabbitMQ. */
export interface ObservedEvents {
  /** Tells no more. */
  stop(): Promise<void>
  /** Reads what arrived so far. */
  count(): Promise<ObservedCount>
}

/** Where they are told, and what stands before it: a tenant of whom nobody else hears. */
export const OBSERVED = { subject: 'cn.xswitch.event.custom.terminal', prefix: 'edge.' }
const EVERY_MS = 20
const QUEUE = 'observed'
const SERIAL = /edge-\d+/

/** A telephone that came, which nobody told of before: so each event is one message, whatever became of the others. */
function event(serial: string): string {
  const said = { 'Event-Name': 'CUSTOM', 'Event-Subclass': 'terminal', serial, number: '1001', state: 'online' }
  return JSON.stringify({
    jsonrpc: '2.0',
    method: 'Event.NativeEvent',
    params: { node_uuid: 'edge-1', event: { ...said, change: 'state' } },
  })
}

async function talk(servers: readonly string[]) {
  const nc = await connectNats({ servers: [...servers], maxReconnectAttempts: -1, reconnectTimeWait: 50 })
  const sent = new Map<string, LostEvent>()
  let isOver = false
  let told = 0
  const telling = (async () => {
    while (!isOver) {
      const serial = `edge-${told++}`
      const fromMs = Date.now()
      nc.publish(OBSERVED.prefix + OBSERVED.subject, event(serial))
      // Of one that our own connection was lost with nobody can say whether it was told.
      const isSure = await nc.flush().then(
        () => true,
        () => false,
      )
      if (isSure) sent.set(serial, { serial, fromMs, untilMs: Date.now() })
      await delay(EVERY_MS)
    }
  })()
  return {
    sent,
    async stop() {
      isOver = true
      await telling
      await nc.close()
    },
  }
}

async function openChannel(urls: readonly string[]) {
  for (const url of urls) {
    const model = await connectAmqp(url).catch(() => undefined)
    if (model === undefined) continue
    model.on('error', () => undefined)
    return { model, channel: await model.createChannel() }
  }
  throw new Error(`no RabbitMQ at ${urls.join(', ')}`)
}

async function declare(channel: Channel): Promise<void> {
  await channel.assertExchange('voice_events', 'topic', { durable: true })
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await channel.bindQueue(QUEUE, 'voice_events', 'terminal.online_offline_states')
}

/** @param rabbitMq addresses of one RabbitMQ, where a queue of its own keeps what arrives */
export async function tellObserved(servers: readonly string[], rabbitMq: readonly string[]): Promise<ObservedEvents> {
  const opened = await openChannel(rabbitMq)
  await declare(opened.channel)
  await opened.model.close()
  const { sent, stop } = await talk(servers)
  const names = new Set<unknown>()
  const received = new Set<string>()
  let duplicates = 0

  return {
    stop,
    async count() {
      const { model, channel } = await openChannel(rabbitMq)
      for (;;) {
        const message = await channel.get(QUEUE, { noAck: true })
        if (message === false) break
        const serial = SERIAL.exec(message.content.toString())?.[0]
        if (serial === undefined) continue
        if (names.has(message.properties.messageId)) duplicates += 1
        names.add(message.properties.messageId)
        received.add(serial)
      }
      await model.close()
      const lost = [...sent.values()].filter(({ serial }) => !received.has(serial))
      return { sent: sent.size, received: sent.size - lost.length, duplicates, lost }
    },
  }
}
