import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import { type BackoffConfig, backoffMs } from '../backoff.js'
import type { LinkEvent } from '../transport.js'
import { type Seen, watchEvents } from './seen.js'
import type { Json } from './shapes.js'

/** What a resync works with. */
export interface ResyncParts<P> {
  /** Reads how things are. */
  take(seen: Seen): Promise<P>
  /** Tells it; called in the same turn in which `take` looked at `seen` for the last time. */
  tell(pictures: P): void
  /** Resolves when there is room to tell something. */
  room(): Promise<void>
  report(event: LinkEvent): void
  readonly backoff: BackoffConfig | undefined
}

/** Reads and tells full pictures, one at a time, each until it succeeds or the connection is lost. */
export interface Resync {
  /** Whether events are looked at, because a picture is being taken. */
  isWatching(): boolean
  /** Takes in an event. */
  note(event: Json): void
  /** There is reason for a picture, and a connection stands. One that is being read may be too old: another follows it. */
  start(): void
  /** The connection is lost. */
  halt(): void
  /** Halts for good. Idempotent. */
  close(): void
}

export function makeResync<P>(parts: ResyncParts<P>): Resync {
  let seen: Seen | undefined
  let running: AbortController | undefined
  /** There was a reason since the last reading began. */
  let isDue = false
  let isClosed = false

  /** Watches only while it reads: lists hold what events told before, and waiting for room can take hours. */
  async function attempt(signal: AbortSignal): Promise<void> {
    await parts.room()
    if (signal.aborted) return
    isDue = false
    const watch = watchEvents()
    seen = watch
    try {
      const pictures = await parts.take(watch)
      if (!signal.aborted) parts.tell(pictures)
    } finally {
      if (seen === watch) seen = undefined
    }
  }

  async function run({ signal }: AbortController): Promise<void> {
    let failures = 0
    while (isDue && !signal.aborted) {
      try {
        await attempt(signal)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        isDue = true
        const failure = error instanceof GatewayError ? error : new GatewayError('link.refused', String(error))
        const text = `no picture of how things are; trying again: ${failure.message}`
        parts.report({ kind: 'fault', error: new GatewayError(failure.code, text, { fate: 'retry', cause: error }) })
        await delay(backoffMs(++failures, parts.backoff), undefined, { signal }).catch(() => undefined)
      }
    }
    if (!signal.aborted) running = undefined
  }

  function halt(): void {
    running?.abort()
    running = undefined
    seen = undefined
  }

  return {
    isWatching: () => seen !== undefined,
    note: (event) => seen?.note(event),
    start() {
      if (isClosed) return
      isDue = true
      if (running !== undefined) return
      running = new AbortController()
      void run(running)
    },
    halt,
    close() {
      isClosed = true
      halt()
    },
  }
}
