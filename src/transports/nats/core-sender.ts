import type { NatsConnection, PermissionViolationError, PublishOptions } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import type { Outcomes, OutgoingFrame } from '../transport.js'
import { forbidden, publishRefusal } from './errors.js'
import { encodedHeaders } from './frames.js'

/** How reply subjects begin that clients make for themselves; no stream listens there. */
export const INBOX = '_INBOX.'
/** What may be published and not yet confirmed. */
const MAX_FRAMES = 8192
const MAX_BYTES = 16 * 1024 * 1024
/** Milliseconds to wait after a failed flush when the library has not told of a lost connection. */
const RETRY_MS = 100

/** Publishes frames and calls them sent once the server has read them. */
export interface Sender {
  /** A connection stands: publish on it. */
  attach(connection: NatsConnection): void
  /** It is lost; frames wait. */
  detach(): void
  send(frame: OutgoingFrame): Promise<void>
  /** The server told that it dropped what we published to a subject. Answers whether that was only answers. */
  violated(error: PermissionViolationError): boolean
  /** Frames that are neither confirmed nor refused. */
  unconfirmed(): number
  /** Resolves once everything is confirmed. */
  idle(): Promise<void>
  /** Refuses what is left with fate `retry`. */
  close(): void
}

/** A sender that takes frames together, too. */
export interface CoreSender extends Sender {
  /** Like `send` for each; never rejects. */
  sendAll(frames: readonly OutgoingFrame[]): Promise<Outcomes>
}

/** Frames somebody waits for together. */
interface Parcel {
  /** How many of them are neither confirmed nor refused. */
  open: number
  readonly outcomes: (GatewayError | undefined)[]
  readonly resolve: (outcomes: Outcomes) => void
}

/** One frame and its place in its parcel. */
interface Letter {
  readonly number: number
  readonly frame: OutgoingFrame
  readonly parcel: Parcel
  readonly at: number
}

function settle({ parcel, at }: Letter, error?: GatewayError): void {
  parcel.outcomes[at] = error
  parcel.open -= 1
  if (parcel.open === 0) parcel.resolve(parcel.outcomes)
}

function isReply({ frame }: Letter): boolean {
  return frame.isReply === true
}

interface Batch {
  readonly letters: Letter[]
  readonly violations: Map<string, PermissionViolationError>
}

function publish(connection: NatsConnection, frame: OutgoingFrame): void {
  const { subject = '', reply } = frame.address
  const headers = encodedHeaders(frame)
  const options: PublishOptions = headers === undefined ? { reply: reply ?? '' } : { reply: reply ?? '', headers }
  connection.publish(subject, frame.body, options)
}

/**
 * Core NATS has no acknowledgements, and what is published around a disconnect vanishes in silence. But a
 * flush begun in the same turn as the publications before it resolves only after the server has read them,
 * and rejects when the connection went first. So everything that waits is published and flushed as one
 * batch; batches of a lost connection go out again in their old order.
 *
 * @param resumeAfterMs after a connection was lost, what is no reply waits for so many milliseconds of the next one:
 * whoever listens there lost it as well, and core NATS keeps nothing for those who are not back yet
 */
export function coreSender(resumeAfterMs = 0): CoreSender {
  let connection: NatsConnection | undefined
  let waiting: Letter[] = []
  /** Letters of failed batches; before anything that waits. */
  let returned: Letter[] = []
  const flying = new Set<Batch>()
  let frames = 0
  let bytes = 0
  let counter = 0
  let scheduled = false
  let paused = false
  let wasLost = false
  let resuming: NodeJS.Timeout | undefined
  let closed = false
  const onIdle: (() => void)[] = []

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(pump) // gathers what the current turn of the event loop brings
  }

  function resume(): void {
    clearTimeout(resuming)
    resuming = undefined
    schedule()
  }

  function land(batch: Batch): boolean {
    if (!flying.delete(batch)) return false
    for (const { frame } of batch.letters) bytes -= frame.body.length
    frames -= batch.letters.length
    return true
  }

  function confirmed(batch: Batch): void {
    // The server tells of a forbidden publication before it answers the flush, but by a stream of events
    // that is read a little later.
    setImmediate(() => {
      if (!land(batch)) return
      for (const letter of batch.letters) {
        const { subject = '' } = letter.frame.address
        const violation = batch.violations.size > 0 ? batch.violations.get(subject) : undefined
        settle(letter, violation === undefined ? undefined : forbidden(violation))
      }
      if (waiting.length > 0) schedule()
      else rest()
    })
  }

  function failed(batch: Batch): void {
    if (!land(batch)) return
    returned.push(...batch.letters)
    if (paused) return
    paused = true
    setTimeout(() => {
      paused = false
      schedule()
    }, RETRY_MS)
  }

  function rest(): void {
    if (waiting.length + returned.length + flying.size > 0) return
    for (const resolve of onIdle.splice(0)) resolve()
  }

  /** @returns false when the connection takes nothing at all. */
  function post(on: NatsConnection, letter: Letter, batch: Batch): boolean {
    const { frame } = letter
    try {
      publish(on, frame)
    } catch (error) {
      const refusal = publishRefusal(error, frame.address.subject ?? '', frame.body.length)
      if (refusal === undefined) return false
      settle(letter, refusal)
      return true
    }
    batch.letters.push(letter)
    bytes += frame.body.length
    frames++
    return true
  }

  function pump(): void {
    scheduled = false
    if (connection === undefined || paused) return
    if (returned.length > 0) {
      waiting = [...returned.sort((a, b) => a.number - b.number), ...waiting]
      returned = []
    }
    const batch: Batch = { letters: [], violations: new Map() }
    let taken = 0
    const held = resuming === undefined ? [] : waiting.filter((letter) => !isReply(letter))
    const ready = resuming === undefined ? waiting : waiting.filter(isReply)
    for (const letter of ready) {
      if (frames >= MAX_FRAMES || bytes >= MAX_BYTES || !post(connection, letter, batch)) break
      taken++
    }
    waiting = taken === ready.length ? held : [...ready.slice(taken), ...held]
    if (batch.letters.length === 0) {
      rest()
      return
    }
    flying.add(batch)
    connection.flush().then(
      () => confirmed(batch),
      () => failed(batch),
    )
  }

  function sendAll(these: readonly OutgoingFrame[]): Promise<Outcomes> {
    const open = these.length
    if (open === 0) return Promise.resolve([])
    if (closed) return Promise.resolve(these.map(stopping))
    return new Promise((resolve) => {
      const parcel: Parcel = { open, outcomes: new Array<undefined>(open).fill(undefined), resolve }
      for (let at = 0; at < open; at++) waiting.push({ number: counter++, frame: these[at]!, parcel, at })
      schedule()
    })
  }

  return {
    attach(to) {
      connection = to
      if (wasLost && resumeAfterMs > 0) resuming = setTimeout(resume, resumeAfterMs)
      schedule()
    },
    detach() {
      connection = undefined
      wasLost = true
      clearTimeout(resuming)
      resuming = undefined
      for (const batch of flying) if (land(batch)) returned.push(...batch.letters)
    },
    async send(frame) {
      const [error] = await sendAll([frame])
      if (error !== undefined) throw error
    },
    sendAll,
    unconfirmed: () => waiting.length + returned.length + frames,
    violated(error) {
      for (const batch of flying) batch.violations.set(error.subject, error)
      const dropped = [...flying]
        .flatMap(({ letters }) => letters)
        .filter(({ frame }) => frame.address.subject === error.subject)
      return dropped.length > 0 && dropped.every(isReply)
    },
    idle: () =>
      new Promise((resolve) => {
        onIdle.push(resolve)
        resume()
        rest()
      }),
    close() {
      closed = true
      clearTimeout(resuming)
      const left = [...returned, ...[...flying].flatMap(({ letters }) => letters), ...waiting]
      flying.clear()
      returned = []
      waiting = []
      for (const letter of left) settle(letter, stopping())
      rest()
    },
  }
}

const stopping = () => new GatewayError('gateway.stopping', 'the link was stopped first', { fate: 'retry' })
