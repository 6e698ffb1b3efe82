import { setTimeout as delay } from 'node:timers/promises'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import type { Delivery, LinkHandlers } from '../transport.js'
import { type AckLedger, ackLedger } from './ack-ledger.js'
import type { AmqpConfig, AmqpConsume } from './config.js'
import { reasonOf } from './errors.js'
import { messageId, sentAt, toFrame } from './frames.js'
import { declareExchanges, declareQueue, queueName } from './topology.js'

/** Takes messages from one queue while a connection stands, and again on the next one. */
export interface QueueConsumer {
  /** Declares what is configured and begins to consume. @throws GatewayError when it cannot. */
  begin(model: ChannelModel): Promise<void>
  /** The connection is gone; what is unsettled will come again. */
  lost(): void
  /** Stops taking; what was taken can still be settled. */
  cancel(): Promise<void>
  unsettled(): number
  /** Sends the acknowledgements that wait and returns to the broker what is unsettled. */
  close(): Promise<void>
}

interface Session {
  readonly channel: Channel
  readonly ledger: AckLedger
  readonly consumerTag: string
}

function toDelivery(message: ConsumeMessage, ledger: AckLedger): Delivery {
  return {
    frame: toFrame(message),
    receivedAt: Date.now(),
    sentAt: sentAt(message),
    messageId: messageId(message),
    redelivered: message.fields.redelivered,
    settle: (outcome) => ledger.settle(message, outcome),
  }
}

/** @param onSettled is called whenever a delivery was settled or given up. */
export function queueConsumer(
  config: AmqpConfig,
  entry: AmqpConsume,
  handlers: LinkHandlers,
  onSettled: () => void,
): QueueConsumer {
  const name = queueName(entry)
  let session: Session | undefined
  let cancelled = false

  function end(): void {
    session?.ledger.end()
    session = undefined
  }

  async function open(model: ChannelModel): Promise<void> {
    await declareExchanges(model, config, handlers.report)
    await declareQueue(model, config, entry, handlers.report)
    const channel = await model.createChannel()
    const ledger = ackLedger(channel, onSettled)
    let reason: unknown = 'the broker cancelled the consumer; was the queue deleted?'
    let live = true
    let begun = false
    const interrupted = () => {
      ledger.end()
      if (begun && live) handlers.report({ kind: 'interrupted', source: name })
      if (live && !cancelled && session?.channel === channel) void reopen(model, () => reason)
      live = false
      channel.close().catch(() => undefined)
    }
    channel.on('error', (error: Error) => {
      reason = error
    })
    channel.on('close', interrupted)
    await channel.prefetch(config.prefetch ?? 256)
    const take = (message: ConsumeMessage | null) => {
      if (message === null) return interrupted()
      begun = true
      ledger.open(message)
      handlers.deliver(toDelivery(message, ledger))
    }
    const consuming = channel.consume(name, take)
    const { consumerTag } = await consuming.catch((error: unknown) => refuse(error))
    if (!live) return refuse(reason)
    session = { channel, ledger, consumerTag }
    begun = true
    handlers.report({ kind: 'consuming', source: name })
  }

  function refuse(cause: unknown): never {
    const text = `cannot consume queue "${name}": ${reasonOf(cause)}`
    throw new GatewayError('link.refused', text, { fate: 'retry', cause })
  }

  /** The consumer ended. Where the connection ended with it nothing is to be done: `begin` comes again. */
  async function reopen(model: ChannelModel, reason: () => unknown): Promise<void> {
    session = undefined
    let standing = true
    model.once('close', () => {
      standing = false
    })
    await delay(0) // a connection tells of its end after its channels have told of theirs
    if (!standing) return
    const text = `consuming queue "${name}" was interrupted: ${reasonOf(reason())}`
    handlers.report({ kind: 'fault', error: new GatewayError('link.lost', text, { fate: 'retry', cause: reason() }) })
    for (let attempt = 1; session === undefined; attempt++) {
      await delay(backoffMs(attempt, config.reconnect))
      if (!standing || cancelled) return
      await open(model).catch((error: unknown) => {
        if (standing && error instanceof GatewayError) handlers.report({ kind: 'fault', error })
      })
    }
  }

  return {
    begin: (model) => (cancelled ? Promise.resolve() : open(model)),
    lost: end,
    async cancel() {
      cancelled = true
      const current = session
      if (current !== undefined) await current.channel.cancel(current.consumerTag).catch(() => undefined)
    },
    unsettled: () => session?.ledger.unsettled() ?? 0,
    async close() {
      session?.ledger.flush()
      await session?.channel.close().catch(() => undefined)
    },
  }
}
