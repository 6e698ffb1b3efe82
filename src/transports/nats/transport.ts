import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import { stopPatience } from '../patience.js'
import type { Delivery, LinkHandlers, Outcomes, OutgoingFrame, Transport } from '../transport.js'
import type { NatsConfig } from './config.js'
import { type KeptConnection, keepConnection } from './connection.js'
import { coreSender, INBOX, type Sender } from './core-sender.js'
import { connectError } from './errors.js'
import { messageId, toFrame } from './frames.js'
import { ensureStream } from './stream.js'
import { streamSender } from './stream-sender.js'

/** What became of a frame. */
function outcomeOf(sending: Promise<void>): Promise<GatewayError | undefined> {
  return sending.then(
    () => undefined,
    (error: GatewayError) => error,
  )
}

/** Counts what was delivered and not yet settled. */
function settlements() {
  let unsettled = 0
  const waiting: (() => void)[] = []
  return {
    count: () => unsettled,
    track(message: Msg, prefix: string): Delivery {
      const frame = toFrame(message, prefix)
      let open = true
      unsettled++
      return {
        frame,
        receivedAt: Date.now(),
        messageId: messageId(frame),
        redelivered: false,
        settle() {
          if (open) unsettled--
          open = false
          if (unsettled === 0) for (const resolve of waiting.splice(0)) resolve()
        },
      }
    },
    all: () => (unsettled === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
  }
}

/**
 * Carries frames between NATS and the gateway; address `{subject}`, on a request also `reply`. Core NATS
 * acknowledges nothing: settling a delivery only makes room for the next.
 *
 * A frame is sent when the server has read it (`deliver: core`) or a stream has stored it
 * (`deliver: jetstream`). An address may choose by itself with `deliver`; subjects that begin with
 * `_INBOX.` are always core. `send` rejects with `link.forbidden`, `link.too-large`, `link.refused`
 * (subject or headers that NATS cannot carry) or, stopped, `gateway.stopping`. `start` rejects with
 * `link.connect` for refused credentials and certificates and `link.refused` for a stream that overlaps
 * with another. A silent peer is noticed within `pingIntervalMs` times `maxPingsOut + 1`.
 */
export function natsTransport(config: NatsConfig): Transport {
  const maxUnsettled = config.maxUnsettled ?? 16_384
  const deliveries = settlements()
  let handlers: LinkHandlers | undefined
  let kept: KeptConnection | undefined
  let current: NatsConnection | undefined
  let subscriptions: Subscription[] = []
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const report: LinkHandlers['report'] = (event) => handlers?.report(event)
  const core = coreSender(config.resumeAfterMs)
  const stream = streamSender(config, report, lookForStream)
  const senders: readonly Sender[] = [core, stream]
  const patience = stopPatience(config.stopGraceMs)

  async function lookForStream(): Promise<void> {
    if (current === undefined || config.stream === undefined) return
    await ensureStream(current, config.stream, report).catch((error: unknown) => {
      if (error instanceof GatewayError) report({ kind: 'fault', error })
    })
  }

  function take(to: LinkHandlers, message: Msg, prefix: string): void {
    if (deliveries.count() >= maxUnsettled) to.report({ kind: 'dropped', frame: toFrame(message, prefix) })
    else to.deliver(deliveries.track(message, prefix))
  }

  async function setUp(connection: NatsConnection, to: LinkHandlers): Promise<void> {
    if (config.deliver === 'jetstream' && config.stream !== undefined) {
      await ensureStream(connection, config.stream, report)
    }
    subscriptions = (config.subscriptions ?? []).map(({ subject, queue, prefix = '' }) =>
      connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        // A refused subscription also shows in the status events, which are what we report.
        callback: (error, message) => {
          if (error === null) take(to, message, prefix)
        },
      }),
    )
    await connection.flush().catch((error: unknown) => {
      throw connectError(error, 'the subscriptions')
    })
    for (const { subject } of config.subscriptions ?? []) to.report({ kind: 'consuming', source: subject })
  }

  async function drain(): Promise<void> {
    const ended = subscriptions.map((subscription) => subscription.drain().catch(() => undefined))
    await Promise.race([Promise.all(ended), patience()])
    await Promise.race([deliveries.all(), patience()])
  }

  async function stop(): Promise<void> {
    draining ??= drain()
    await draining
    await Promise.race([Promise.all(senders.map((sender) => sender.idle())), patience()])
    for (const sender of senders) sender.close()
    await kept?.close()
  }

  function senderFor({ address }: OutgoingFrame): Sender {
    const { subject = '', deliver = config.deliver } = address
    return deliver === 'jetstream' && !subject.startsWith(INBOX) ? stream : core
  }

  function sendAll(frames: readonly OutgoingFrame[]): Promise<Outcomes> {
    if (frames.every((frame) => senderFor(frame) === core)) return core.sendAll(frames)
    return Promise.all(frames.map((frame) => outcomeOf(senderFor(frame).send(frame))))
  }

  return {
    name: config.name ?? 'nats',
    async start(to) {
      handlers = to
      kept = keepConnection(config, {
        setUp: (connection) => setUp(connection, to),
        up(connection) {
          current = connection
          for (const sender of senders) sender.attach(connection)
        },
        down() {
          current = undefined
          for (const sender of senders) sender.detach()
        },
        violated: core.violated,
        report,
      })
      await kept.opened
    },
    send: (frame) => senderFor(frame).send(frame),
    sendAll,
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
