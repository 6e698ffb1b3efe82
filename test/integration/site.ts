import { setTimeout as delay } from 'node:timers/promises'
import { type Msg, type NatsConnection, headers as natsHeaders } from '@nats-io/nats-core'
import { connect as connectNats } from '@nats-io/transport-node'
import { type ChannelModel, type ConfirmChannel, connect as connectAmqp } from 'amqplib'
import { formatFault, parseConfig, secretValues } from '../../src/config/index.js'
import { type OpenedGateway, openGateway } from '../../src/gateway/open.js'
import { noteLine, noteSecret } from '../tools/run-logs.js'

/** A message as a test sees it, on either bus. */
export interface Seen {
  readonly at: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The JSON-RPC message of something seen on the XCC bus. */
export interface Rpc {
  readonly method: string
  readonly params: Record<string, unknown>
}

/** Starts a gateway inside the test process from a configuration text. */
export async function startGateway(
  yaml: string,
): Promise<OpenedGateway & { readonly lines: string[]; stop(): Promise<void> }> {
  const loaded = parseConfig(yaml, 'test.yaml', {})
  if (loaded.faults !== undefined) throw new Error(loaded.faults.map(formatFault).join('\n'))
  for (const secret of secretValues(loaded.config)) noteSecret(secret)
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line)
    noteLine(line)
  }
  const opened = openGateway(loaded.config, loaded.source, { version: '0.0.0', sink: { write } })
  if (opened.faults !== undefined) throw new Error(opened.faults.map(formatFault).join('\n'))
  await opened.gateway.start()
  return { ...opened, lines, stop: () => opened.gateway.stop() }
}

/** The legacy system: publishes and consumes on the real exchanges. */
export interface LegacySide {
  readonly model: ChannelModel
  readonly channel: ConfirmChannel
  readonly seen: Seen[]
  publish(
    exchange: string,
    key: string,
    body: string | Uint8Array,
    options?: { messageId?: string; timestamp?: number },
  ): Promise<void>
  close(): Promise<void>
}

const EXCHANGES = { voice_events: 'topic', voice_sync_online: 'fanout', voice_sync_events: 'fanout' } as const

/** Declares what the legacy system has and listens to all of it. */
export async function legacySide(url: string): Promise<LegacySide> {
  const model = await connectAmqp(url)
  model.on('error', () => undefined)
  const channel = await model.createConfirmChannel()
  channel.on('error', () => undefined)
  const seen: Seen[] = []
  for (const [name, type] of Object.entries(EXCHANGES)) await channel.assertExchange(name, type, { durable: true })
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, 'voice_events', '#')
  await channel.bindQueue(queue, 'voice_sync_online', '')
  await channel.bindQueue(queue, 'voice_sync_events', '')
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return
      const { exchange, routingKey } = message.fields
      seen.push({
        at: `${exchange}/${routingKey}`,
        headers: (message.properties.headers ?? {}) as Record<string, string>,
        body: message.content,
      })
    },
    { noAck: true },
  )
  return {
    model,
    channel,
    seen,
    async publish(exchange, key, body, options = {}) {
      channel.publish(exchange, key, Buffer.from(body), { ...options, mandatory: false })
      await channel.waitForConfirms()
    },
    close: () => model.close(),
  }
}

/** A controller's view of the bus: hears everything, sends what it likes. */
export interface XccSide {
  readonly nc: NatsConnection
  readonly seen: Seen[]
  /** Events by method, in order. */
  events(method?: string): Rpc[]
  publish(subject: string, body: object | string, headers?: Record<string, string>): Promise<void>
  request(subject: string, body: object): Promise<Record<string, unknown>>
  close(): Promise<void>
}

export async function xccSide(url: string, subject = 'cn.xswitch.>'): Promise<XccSide> {
  const nc = await connectNats({ servers: url })
  const seen: Seen[] = []
  nc.subscribe(subject, { callback: (_error, message) => void seen.push(seenOf(message)) })
  await nc.flush()
  return {
    nc,
    seen,
    events: (method) =>
      seen
        .map((each) => JSON.parse(each.body.toString()) as Rpc)
        .filter((rpc) => method === undefined || rpc.method === method),
    async publish(to, body, given = {}) {
      const carried = natsHeaders()
      for (const [name, value] of Object.entries(given)) carried.set(name, value)
      nc.publish(to, typeof body === 'string' ? body : JSON.stringify(body), { headers: carried })
      await nc.flush()
    },
    async request(to, body) {
      const reply = await nc.request(to, JSON.stringify(body), { timeout: 3000 })
      return reply.json<Record<string, unknown>>()
    },
    close: () => nc.close(),
  }
}

function seenOf(message: Msg): Seen {
  const headers: Record<string, string> = {}
  for (const name of message.headers?.keys() ?? []) headers[name] = message.headers!.get(name)
  return { at: message.subject, headers, body: Buffer.from(message.data) }
}

/** Waits until something holds. @throws Error with `what`, by default the condition itself, when it does not in time. */
export async function until(
  holds: () => boolean,
  what: () => string = () => `it does not come to hold: ${holds}`,
  timeoutMs = 8000,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > end) throw new Error(what())
    await delay(10)
  }
}

/** A configuration with one AMQP link, one NATS link and routes both ways. */
export function bothWays(
  group: string,
  amqpUrl: string,
  natsUrl: string,
  more: { bus?: string; extra?: string; legacy?: string } = {},
): string {
  return `
group: ${group}
log: { level: debug }
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', queue: { type: classic } ${more.legacy ?? ''} }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'] ${more.bus ?? ''} }
routes:
  - { from: legacy, to: bus }
  - { from: bus, to: legacy }
${more.extra ?? ''}
`
}
