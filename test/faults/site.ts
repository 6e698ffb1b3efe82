import { setTimeout as delay } from 'node:timers/promises'
import { type ConfirmChannel, connect, type GetMessage } from 'amqplib'
import { inject, onTestFinished } from 'vitest'
import { freshVhost, startNats, type TestNats } from '../harness/index.js'
import { type GatewayProcess, runGateway } from './gateway-process.js'
import type { LegacyMessage } from './legacy-publisher.js'

/** Where a gateway of one test lives: the shared RabbitMQ, and a NATS server of its own. */
export interface Site {
  readonly amqpUrl: string
  readonly nats: TestNats
  /** A confirm channel of the legacy side. */
  readonly legacy: ConfirmChannel
}

/** The gateway's own queue in {@link configuration}, and that of its dead letters. */
export const QUEUE = 'patchbay.gw.legacy'
export const DEAD_LETTERS = 'patchbay.dead-letters'

const newVhost = () => freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
let shared: Promise<string> | undefined

/** Makes a site that goes with the test. The vhost serves all tests of a file, one at a time, unless a test needs `another`. */
export async function openSite(another = false): Promise<Site> {
  shared ??= newVhost()
  const [amqpUrl, nats] = await Promise.all([another ? newVhost() : shared, startNats()])
  const model = await connect(amqpUrl)
  const legacy = await model.createConfirmChannel()
  onTestFinished(async () => {
    for (const queue of [QUEUE, DEAD_LETTERS]) await legacy.deleteQueue(queue)
    await model.close()
    await nats.stop()
  })
  return { amqpUrl, nats, legacy }
}

/** What may differ from the usual configuration, as YAML pieces. */
export interface Wishes {
  readonly legacy?: string
  readonly bus?: string
  readonly top?: string
  readonly routes?: string
}

/** A gateway between a legacy link and a bus, by default from the former to the latter. */
export function configuration(amqpUrl: string, natsUrl: string, wishes: Wishes = {}): string {
  const { legacy = 'queue: { type: classic }', bus = 'deliver: core', top = '' } = wishes
  return `
group: gw
${top}
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', reconnect: { maxDelayMs: 500 }, ${legacy} }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'], reconnectWaitMs: 100, ${bus} }
routes:
${wishes.routes ?? '  - { from: legacy, to: bus }'}
`
}

/** Runs a gateway that is removed with the test. */
export async function startGateway(
  yaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const gateway = await runGateway(yaml, [], files)
  onTestFinished(() => gateway.remove())
  return gateway
}

/** Declares the gateway's queue before there is a gateway, as it would itself, so that messages can wait for it. */
export async function declareQueue(legacy: ConfirmChannel, type: 'classic' | 'quorum' = 'classic'): Promise<void> {
  await legacy.assertExchange('voice_events', 'topic', { durable: true })
  const options = { 'x-queue-type': type, 'x-single-active-consumer': true }
  await legacy.assertQueue(QUEUE, { durable: true, arguments: options })
  for (const key of ['channel.call_state', 'terminal.online_offline_states']) {
    await legacy.bindQueue(QUEUE, 'voice_events', key)
  }
}

/** Publishes messages in order and waits until the broker has them. */
export async function publishAll(
  legacy: ConfirmChannel,
  messages: readonly LegacyMessage[],
  ids = false,
): Promise<void> {
  for (const [at, { exchange, key, body }] of messages.entries()) {
    legacy.publish(exchange, key, Buffer.from(body), { persistent: true, ...(ids && { messageId: `m${at}` }) })
  }
  await legacy.waitForConfirms()
}

/** Takes everything out of a queue. */
export async function emptyQueue(legacy: ConfirmChannel, queue: string): Promise<GetMessage[]> {
  const found: GetMessage[] = []
  for (;;) {
    const message = await legacy.get(queue, { noAck: true })
    if (message === false) return found
    found.push(message)
  }
}

/** Waits until something holds; a test fails by its own assertion afterwards, with what is there. */
export async function until(holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await holds()) && Date.now() < end) await delay(10)
}
