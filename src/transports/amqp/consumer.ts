import { setTimeout as delay } from 'node:timers/promises'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import type { Delivery, LinkHandlers } from '../transport.js'
import { type AckLedger, ackLedger } from './ack-ledger.js'
import type { AmqpConfig, AmqpConsume } from './config.js'
import { reasonOf } from './errors.js'
import { messageId, sentAt, toFrame } from './frames.js'
import { declareSources, queueName } from './topology.js'

/** Takes messages from one queue while a connection stands and it is wanted, and again on the next one. */
export interface QueueConsumer {
  /** Declares what is configured and, unless it stands by, begins to consume. @throws GatewayError when it cannot. */
  begin(model: ChannelModel): Promise<void>
  /** Declares again what is configured, on a connection that stands. @throws GatewayError when it cannot. */
  declare(model: ChannelModel): Promise<void>
  /** The connection is gone; what is unsettled will come again. */
  lost(): void
  /** Ends a standby, on the connection that stands and on every later one. */
  consume(): void
  /** Stands by. Resolves when the broker has back what is unsettled, or is not heard of any more. */
  release(): Promise<void>
  /**
   * Takes nothing more for good; what was taken can still be settled. The broker is not told before `release`:
   * of several replicas the next one would be given younger messages while we still work on their elders.
   */
  cancel(): void
  unsettled(): number
  /** Sends the acknowledgements that wait and returns to the broker what is unsettled. */
  close(): Promise<void>
}

/** Milliseconds we wait for a peer's word that a channel is closed. */
const CLOSE_TIMEOUT_MS = 2000

/** One channel, from before it consumes until nothing comes by it any more. */
interface Session {
  readonly channel: Channel
  readonly ledger: AckLedger
  /** `released`: closed by us, what is unsettled was given back. `lost`: closed by the broker, or with the connection. */
  state: 'open' | 'released' | 'lost'
  /** Messages may have come. */
  begun: boolean
  /** The broker lets us consume. */
  consumes: boolean
  /** Why it ended, or would end where nobody says better. */
  reason: unknown
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

/** Closes a channel; false when the broker did not say that it has read all we sent there. */
function closeInOrder(channel: Channel): Promise<boolean> {
  const closed = channel.close().then(
    () => true,
    () => false,
  )
  return Promise.race([closed, delay(CLOSE_TIMEOUT_MS, false, { ref: false })])
}

/** What a consumer needs beside its configuration. */
interface ConsumerParts {
  readonly handlers: LinkHandlers
  /** It waits for `consume` before it takes anything. */
  readonly standby: boolean
  /** Called whenever a delivery was settled or given up. */
  readonly onSettled: () => void
}

/** Makes the consumer of one queue. */
export function queueConsumer(config: AmqpConfig, entry: AmqpConsume, parts: ConsumerParts): QueueConsumer {
  const { handlers, onSettled } = parts
  const name = queueName(entry)
  let wanted = !parts.standby
  let cancelled = false
  /** The connection that stands, once everything is declared. */
  let standing: ChannelModel | undefined
  let session: Session | undefined
  let releasing: Promise<unknown> = Promise.resolve()

  const takes = () => wanted && !cancelled

  async function declare(model: ChannelModel): Promise<void> {
    await declareSources(model, config, handlers.report)
  }

  async function open(model: ChannelModel): Promise<void> {
    await releasing // what goes back must be there before anything younger is taken
    const channel = await model.createChannel()
    if (!takes() || session !== undefined) return void channel.close().catch(() => undefined)
    const mine: Session = {
      channel,
      ledger: ackLedger(channel, onSettled),
      state: 'open',
      begun: false,
      consumes: false,
      reason: 'the broker cancelled the consumer; was the queue deleted?',
    }
    session = mine
    channel.on('error', (error: Error) => {
      mine.reason = error
    })
    channel.on('close', () => interrupted(model, mine))
    await begin(model, mine).catch((error: unknown) => {
      if (session === mine) session = undefined
      if (mine.state !== 'released') refuse(error)
    })
  }

  async function begin(model: ChannelModel, mine: Session): Promise<void> {
    const { channel } = mine
    await channel.prefetch(config.prefetch ?? 256)
    await channel.consume(name, (message) => take(model, mine, message))
    if (mine.state !== 'open') throw mine.reason
    mine.consumes = true
    mine.begun = true
    handlers.report({ kind: 'consuming', source: name })
  }

  function take(model: ChannelModel, mine: Session, message: ConsumeMessage | null): void {
    if (message === null) interrupted(model, mine)
    else if (mine.state !== 'released' && !cancelled) {
      mine.begun = true
      mine.ledger.open(message)
      handlers.deliver(toDelivery(message, mine.ledger))
    }
  }

  function interrupted(model: ChannelModel, mine: Session): void {
    mine.ledger.end()
    if (mine.state !== 'open') return
    mine.state = 'lost'
    if (mine.begun) handlers.report({ kind: 'interrupted', source: name })
    if (session === mine && mine.consumes) {
      session = undefined
      void reopen(model, mine)
    }
    mine.channel.close().catch(() => undefined)
  }

  function refuse(cause: unknown): never {
    const text = `cannot consume queue "${name}": ${reasonOf(cause)}`
    throw new GatewayError('link.refused', text, { fate: 'retry', cause })
  }

  /** The consumer ended. Where the connection ended with it nothing is to be done: `begin` comes again. */
  async function reopen(model: ChannelModel, { reason }: Session): Promise<void> {
    await delay(0) // a connection tells of its end after its channels have told of theirs
    if (standing !== model || !takes()) return
    const text = `consuming queue "${name}" was interrupted: ${reasonOf(reason)}`
    handlers.report({ kind: 'fault', error: new GatewayError('link.lost', text, { fate: 'retry', cause: reason }) })
    await keepTrying(model, 1)
  }

  /** Opens a session on a connection that stands, however often it takes. Before try number 0 nothing has failed. */
  async function keepTrying(model: ChannelModel, first: 0 | 1): Promise<void> {
    for (let attempt = first; ; attempt++) {
      if (attempt > 0) await delay(backoffMs(attempt, config.reconnect))
      if (standing !== model || !takes()) return
      try {
        if (attempt > 0) await declare(model)
        return await open(model)
      } catch (error) {
        if (standing === model && error instanceof GatewayError) handlers.report({ kind: 'fault', error })
      }
    }
  }

  async function giveBack(): Promise<void> {
    const mine = session
    if (mine === undefined) return
    session = undefined
    mine.state = 'released'
    mine.ledger.flush()
    const owed = mine.ledger.unsettled() > 0
    mine.ledger.end()
    // We may be the ones who take it again.
    if (owed) handlers.report({ kind: 'interrupted', source: name })
    // Not by cancelling first: younger messages would go to the next consumer before those that we still hold.
    const inOrder = await closeInOrder(mine.channel)
    if (!inOrder && !owed && mine.begun) handlers.report({ kind: 'interrupted', source: name })
  }

  return {
    async begin(model) {
      if (cancelled) return
      model.once('close', () => {
        if (standing === model) standing = undefined
      })
      await declare(model)
      standing = model
      if (takes()) await open(model)
    },
    declare,
    lost() {
      session?.ledger.end()
      session = undefined
      standing = undefined
    },
    consume() {
      wanted = true
      if (standing !== undefined) void keepTrying(standing, 0)
    },
    async release() {
      wanted = false
      releasing = Promise.all([releasing, giveBack()])
      await releasing
    },
    cancel() {
      cancelled = true
    },
    unsettled: () => session?.ledger.unsettled() ?? 0,
    async close() {
      session?.ledger.flush()
      await session?.channel.close().catch(() => undefined)
    },
  }
}
