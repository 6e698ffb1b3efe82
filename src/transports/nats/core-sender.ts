import type { NatsConnection, PermissionViolationError, PublishOptions } from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import type { OutgoingFrame } from '../transport.js'
import { forbidden, publishRefusal } from './errors.js'
import { encodedHeaders } from './frames.js'

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
  /** The server told that it dropped what we published to a subject. */
  violated(error: PermissionViolationError): void
  /** Resolves once everything is confirmed. */
  idle(): Promise<void>
  /** Refuses what is left with fate `retry`. */
  close(): void
}

interface Letter {
  readonly number: number
  readonly frame: OutgoingFrame
  readonly resolve: () => void
  readonly reject: (error: GatewayError) => void
}

interface Batch {
  readonly letters: Letter[]
  readonly violations: Map<string, PermissionViolationError>
}

function publish(connection: NatsConnection, frame: OutgoingFrame): void {
  const { subject = '', reply } = frame.address
  const options: PublishOptions = {}
  const headers = encodedHeaders(frame)
  if (headers !== undefined) options.headers = headers
  if (reply !== undefined) options.reply = reply
  connection.publish(subject, frame.body, options)
}

/**
 * Core NATS has no acknowledgements, and what is published around a disconnect vanishes in silence. But a
 * flush begun in the same turn as the publications before it resolves only after the server has read them,
 * and rejects when the connection went first. So everything that waits is published and flushed as one
 * batch; batches of a lost connection go out again in their old order.
 */
export function coreSender(): Sender {
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
  let closed = false
  const onIdle: (() => void)[] = []

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(pump) // gathers what the current turn of the event loop brings
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
      for (const { frame, resolve, reject } of batch.letters) {
        const violation = batch.violations.size > 0 ? batch.violations.get(frame.address.subject ?? '') : undefined
        if (violation === undefined) resolve()
        else reject(forbidden(violation))
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
    const { frame, reject } = letter
    try {
      publish(on, frame)
    } catch (error) {
      const refusal = publishRefusal(error, frame.address.subject ?? '', frame.body.length)
      if (refusal === undefined) return false
      reject(refusal)
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
    for (const letter of waiting) {
      if (frames >= MAX_FRAMES || bytes >= MAX_BYTES || !post(connection, letter, batch)) break
      taken++
    }
    waiting = taken === waiting.length ? [] : waiting.slice(taken)
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

  return {
    attach(to) {
      connection = to
      schedule()
    },
    detach() {
      connection = undefined
      for (const batch of flying) if (land(batch)) returned.push(...batch.letters)
    },
    send(frame) {
      if (closed) return Promise.reject(stopping())
      return new Promise((resolve, reject) => {
        waiting.push({ number: counter++, frame, resolve, reject })
        schedule()
      })
    },
    violated(error) {
      for (const batch of flying) batch.violations.set(error.subject, error)
    },
    idle: () =>
      new Promise((resolve) => {
        onIdle.push(resolve)
        rest()
      }),
    close() {
      closed = true
      const left = [...returned, ...[...flying].flatMap(({ letters }) => letters), ...waiting]
      flying.clear()
      returned = []
      waiting = []
      for (const { reject } of left) reject(stopping())
      rest()
    },
  }
}

const stopping = () => new GatewayError('gateway.stopping', 'the link was stopped first', { fate: 'retry' })
