import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import { stopPatience } from '../patience.js'
import type { Delivery, LinkHandlers, Outcomes, OutgoingFrame, Transport } from '../transport.js'
import { type Capture, makeCapture } from './capture.js'
import type { NatsConfig } from './config.js'
import { type KeptConnection, keepConnection } from './connection.js'
import { coreSender, INBOX, type Sender } from './core-sender.js'
import { messageId, toFrame } from './frames.js'
import { ensureStream } from './stream.js'
import { streamSender } from './stream-sender.js'
import { makeSubscriber, type Subscriber } from './subscriber.js'

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
      const frame = toFrame(message, prefix, message.reply)
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
 * acknowledges nothing: settling a delivery only makes room for the next. What a stream records (`recording`) is
 * acknowledged there when it is settled, in the order of the stream.
 *
 * A frame is sent when the server has read it (`deliver: core`) or a stream has stored it
 * (`deliver: jetstream`). An address may choose by itself with `deliver`; subjects that begin with
 * `_INBOX.` are always core. `send` rejects with `link.forbidden`, `link.too-large`, `link.refused`
 * (subject or headers that NATS cannot carry) or, stopped, `gateway.stopping`. `start` rejects with
 * `link.connect` for refused credentials and certificates and `link.refused` for a stream that overlaps
 * with another, or does not take what it should. A silent peer is noticed within `pingIntervalMs` times `maxPingsOut + 1`.
 */
export function natsTransport(config: NatsConfig): Transport {
  const maxUnsettled = config.maxUnsettled ?? 16_384
  const deliveries = settlements()
  let handlers: LinkHandlers | undefined
  let kept: KeptConnection | undefined
  let current: NatsConnection | undefined
  let subscriber: Subscriber | undefined
  let capture: Capture | undefined
  let standsBy = false
  let releasing: Promise<void> | undefined
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
    if (deliveries.count() >= maxUnsettled)
      to.report({ kind: 'dropped', frame: toFrame(message, prefix, message.reply) })
    else to.deliver(deliveries.track(message, prefix))
  }

  async function setUp(connection: NatsConnection): Promise<void> {
    if (config.deliver === 'jetstream' && config.stream !== undefined) {
      await ensureStream(connection, config.stream, report)
    }
    await capture?.begin(connection)
    await subscriber?.begin(connection)
  }

  function reportStandby(): void {
    const waits = config.recording !== undefined || config.subscriptions?.some(({ always }) => !always)
    if (standsBy && waits) report({ kind: 'standby', ...(current === undefined && { isDown: true }) })
  }

  async function release(): Promise<void> {
    standsBy = true
    await Promise.all([subscriber?.release(), capture?.release()])
    reportStandby()
  }

  async function drain(): Promise<void> {
    await Promise.race([Promise.all([subscriber?.drain(), capture?.drain()]), patience()])
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
    async start(to, { standby = false, mayMend } = {}) {
      handlers = to
      standsBy = standby
      if (standby) releasing = Promise.resolve()
      subscriber = makeSubscriber(config.subscriptions ?? [], {
        standby,
        take: (message, prefix) => take(to, message, prefix),
        report,
      })
      if (config.recording !== undefined) capture = makeCapture(config, config.recording, to, standby)
      kept = keepConnection(config, {
        setUp,
        up(connection) {
          current = connection
          for (const sender of senders) sender.attach(connection)
          capture?.up(connection)
          subscriber?.again()
        },
        down() {
          current = undefined
          for (const sender of senders) sender.detach()
          capture?.down()
        },
        violated: core.violated,
        report,
        mayMend,
      })
      await kept.opened
      if (standby) reportStandby()
    },
    consume() {
      if (!standsBy) return
      standsBy = false
      releasing = undefined
      subscriber?.consume()
      capture?.consume()
    },
    release: () => (releasing ??= release()),
    send: (frame) => senderFor(frame).send(frame),
    sendAll,
    unconfirmed: () => core.unconfirmed() + stream.unconfirmed(),
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
