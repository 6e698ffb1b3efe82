import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConsumerMessages, type JsMsg, jetstream, jetstreamManager, type StreamInfo } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import type { LinkHandlers } from '../transport.js'
import {
  type ConsumerDesk,
  type ConsumerOptions,
  holdPlace,
  nextConsumer,
  type OwnConsumer,
} from './capture-consumer.js'
import { captureLedger, type Noted } from './capture-ledger.js'
import type { NatsCapture, NatsConfig } from './config.js'
import { reasonOf } from './errors.js'
import { messageId, toFrame } from './frames.js'
import { covers, ensureStream, streamOver } from './stream.js'

/** Takes what a stream recorded, on whatever connection stands, while it does not stand by. */
export interface Capture {
  /** Sees to the stream on a new connection and, unless it stands by, begins to take. @throws GatewayError when it cannot. */
  begin(connection: NatsConnection): Promise<void>
  /** The connection stands, for the first time or again. */
  up(connection: NatsConnection): void
  down(): void
  /** Ends a standby. */
  consume(): void
  /** Stands by. What is unsettled comes to whoever takes next; settling it does nothing any more. */
  release(): Promise<void>
  /** Takes nothing more. Resolves when all that was taken is settled, and the server told of it. */
  drain(): Promise<void>
}

/** Messages that the server may send before it is asked for more. */
const ASKED = 500
/** Milliseconds between signs of life from a consumer that has nothing to send; two may be missing. */
const HEARTBEAT_MS = 1000
/** Milliseconds after a consumer was deleted: with its stream, a server of line 2.9 spoils what is made anew while it clears away. */
const DELETED_MS = 500
/** Milliseconds to wait for answers of JetStream, and for the server to have read our last acknowledgements. */
const ANSWER_MS = 2000

/** What is taken by one consumer. */
interface Session {
  readonly messages: ConsumerMessages
  /** Number of the next delivery, if none is lost on the way. */
  delivery: number
  /** Sequence of the next message, if none was removed from the stream. */
  sequence: number
  readonly told: number
}

/** Makes the capture of a link. */
export function makeCapture(
  config: NatsConfig,
  capture: NatsCapture,
  handlers: LinkHandlers,
  standby: boolean,
): Capture {
  const { report } = handlers
  const { ackWaitMs = 60_000, maxUnacked = 1000 } = capture
  const instance = randomBytes(4).toString('hex')
  const options: ConsumerOptions = { base: capture.consumer, instance, ackWaitMs, maxUnacked }
  const ledger = captureLedger()
  let connection: NatsConnection | undefined
  let session: Session | undefined
  /** The turn of our last consumer, and the stream it was on; absent for whoever has not taken since its standby. */
  let taken: { readonly turn: number; readonly created: string } | undefined
  let standsBy = standby
  let drained = false
  /** Whether it was reported that we take. */
  let isTold = false
  /** Changes whenever what is under way has become pointless. */
  let era = 0
  let failures = 0
  let lastFault: string | undefined
  const trouble = `stream of ${capture.consumer}`

  const takes = () => !standsBy && !drained

  async function deskOf(on: NatsConnection): Promise<ConsumerDesk> {
    const manager = await jetstreamManager(on, { checkAPI: false, timeout: ANSWER_MS })
    return { connection: on, manager, timeoutMs: ANSWER_MS }
  }

  async function findStream({ connection: on, manager }: ConsumerDesk): Promise<StreamInfo> {
    const { stream, anyStream = false } = capture
    const found = anyStream ? await streamOver(manager, stream.subjects) : undefined
    const info = found ?? (await ensureStream(on, stream, report, ANSWER_MS))
    if (info.config.retention === 'limits') return info
    const text = `stream "${info.config.name}" removes what is acknowledged; a capture wants one with retention "limits"`
    throw new GatewayError('link.refused', text)
  }

  async function open(on: NatsConnection, mine: number): Promise<void> {
    const desk = await deskOf(on)
    const stream = await findStream(desk)
    if (mine !== era) return
    const next = taken === undefined ? undefined : { turn: taken.turn, next: goOnFrom(stream, taken.created) }
    const own = await nextConsumer(desk, stream, options, next)
    if (mine !== era) return // whoever is next removes it
    if (own === undefined) return giveWay(stream.config.name)
    if (taken === undefined) ledger.clear(own.start)
    taken = { turn: own.turn, created: stream.created }
    await pull(on, own)
    if (mine !== era) return // told by whoever goes on
    if (!isTold) report({ kind: 'consuming', source: `stream ${stream.config.name}` })
    isTold = true
    mended()
  }

  /** Where we go on ourselves: all that is unsettled comes again, and is recognised. */
  function goOnFrom({ created, state }: StreamInfo, before: string): number {
    if (created === before) ledger.cut(state.last_seq)
    else ledger.clear(1) // somebody made the stream anew
    return ledger.next()
  }

  async function pull(on: NatsConnection, { info, start, told }: OwnConsumer): Promise<void> {
    const mine = era
    const consumer = jetstream(on, { timeout: ANSWER_MS }).consumers.getConsumerFromInfo(info)
    const messages = await consumer.consume({
      bind: true,
      max_messages: Math.min(ASKED, maxUnacked),
      idle_heartbeat: HEARTBEAT_MS,
      callback: (message) => {
        if (mine === era && session !== undefined) take(session, message)
      },
    })
    if (mine !== era) return void messages.close()
    session = { messages, delivery: 1, sequence: start, told }
    void watch(session)
  }

  function take(from: Session, message: JsMsg): void {
    const { deliverySequence, streamSequence } = message.info
    if (deliverySequence !== from.delivery) {
      restart() // one was lost on the way, and would come late
      return
    }
    from.delivery++
    failures = 0
    if (streamSequence > from.sequence) missed(streamSequence - from.sequence)
    from.sequence = Math.max(from.sequence, streamSequence + 1)
    const noted = ledger.note(message)
    if (noted === undefined) return
    const wanted = capture.subjects.find(({ subject }) => covers(subject, message.subject))
    if (wanted === undefined) noted.settle('done')
    else deliver(message, noted, wanted.prefix ?? '', streamSequence <= from.told)
  }

  function deliver(message: JsMsg, { isAgain, settle }: Noted, prefix: string, wasTold: boolean): void {
    const frame = toFrame(message, prefix)
    handlers.deliver({
      frame,
      receivedAt: Math.floor(message.info.timestampNanos / 1e6), // the stream received it for us
      messageId: messageId(frame),
      sourceSequence: message.seq,
      redelivered: isAgain || wasTold || message.redelivered,
      settle,
    })
  }

  function missed(count: number): void {
    const text = `${count} messages were removed from the stream of "${capture.consumer}" before they were taken`
    report({ kind: 'fault', error: new GatewayError('link.lost', text, { fate: 'retry' }) })
  }

  /** The library only asks again where a consumer went silent, and would wait for ever for one that is gone. */
  async function watch(one: Session): Promise<void> {
    for await (const status of one.messages.status()) {
      if (one !== session) return
      const isLost = status.type === 'heartbeat' && status.lastConsumerSequence >= one.delivery
      const isSilent = status.type === 'heartbeats_missed' || status.type === 'no_responders'
      if (status.type === 'consumer_deleted') await delay(DELETED_MS, undefined, { ref: false })
      else if (!isLost && !isSilent) continue
      if (one === session) restart()
    }
  }

  function end(): void {
    era++
    void session?.messages.close()
    session = undefined
  }

  function restart(): void {
    end()
    if (connection !== undefined && takes()) void keepTrying(connection, era)
  }

  async function keepTrying(on: NatsConnection, mine: number): Promise<void> {
    while (mine === era) {
      try {
        if (failures++ > 0) await delay(backoffMs(failures - 1, config.connect), undefined, { ref: false })
        if (mine === era) return await open(on, mine)
      } catch (error) {
        if (mine === era) failed(error)
      }
    }
  }

  function failed(error: unknown): void {
    const fault = asFault(error)
    interrupt()
    if (fault.message !== lastFault) report({ kind: 'trouble', of: trouble, error: fault })
    lastFault = fault.message
  }

  function mended(): void {
    if (lastFault !== undefined) report({ kind: 'mended', of: trouble })
    lastFault = undefined
  }

  function interrupt(): void {
    if (isTold) report({ kind: 'interrupted', source: trouble })
    isTold = false
  }

  function asFault(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error
    const text = `cannot take from the stream of "${capture.consumer}": ${reasonOf(error)}`
    return new GatewayError('link.refused', text, { fate: 'retry', cause: error })
  }

  /** Two that take at a time would both get everything, so whoever came last has it. */
  function giveWay(stream: string): void {
    end()
    standsBy = true
    ledger.clear(1)
    const text = `another gateway took over "${capture.consumer}" of stream "${stream}"; nothing more is taken from there`
    interrupt()
    report({ kind: 'fault', error: new GatewayError('link.lost', text, { fate: 'retry' }) })
  }

  /** Whoever goes on reads how far we came. */
  async function flushed(): Promise<void> {
    const flushing = connection?.flush().catch(() => undefined)
    await Promise.race([flushing, delay(ANSWER_MS, undefined, { ref: false })])
  }

  return {
    async begin(on) {
      end()
      const mine = era
      try {
        if (takes()) return await open(on, mine)
        const desk = await deskOf(on)
        await holdPlace(desk, await findStream(desk), options)
      } catch (error) {
        throw asFault(error)
      }
    },
    up(on) {
      connection = on
      failures = 0
      if (session === undefined) restart()
    },
    down() {
      mended()
      connection = undefined
      end()
    },
    consume() {
      standsBy = false
      failures = 0
      restart()
    },
    async release() {
      mended()
      standsBy = true
      taken = undefined
      end()
      if (ledger.held() > 0) interrupt()
      isTold = false
      ledger.clear(1)
      await flushed()
    },
    async drain() {
      drained = true
      end()
      await ledger.settled()
      await flushed()
    },
  }
}
