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
  /** From now on events are looked at, because a picture will be taken. */
  watch(): void
  isWatching(): boolean
  /** Takes in an event. */
  note(event: Json): void
  /** A connection stands: takes a picture. Where one is being taken, that one serves. */
  start(): void
  /** The connection is lost; who waits for a picture gets that of the next one. */
  halt(): void
  /** Resolves with the next picture that is told. */
  next(): Promise<void>
  /** Refuses those who wait. */
  close(): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: GatewayError) => void
}

export function makeResync<P>(parts: ResyncParts<P>): Resync {
  let seen: Seen | undefined
  let running: AbortController | undefined
  let waiting: Waiter[] = []

  async function attempt(signal: AbortSignal): Promise<boolean> {
    await parts.room()
    if (signal.aborted) return true
    seen ??= watchEvents()
    const pictures = await parts.take(seen)
    if (!signal.aborted) parts.tell(pictures)
    return true
  }

  async function run(halt: AbortController): Promise<void> {
    for (let failures = 1; !halt.signal.aborted; failures++) {
      try {
        await attempt(halt.signal)
        break
      } catch (error) {
        if (halt.signal.aborted) return
        const failure = error instanceof GatewayError ? error : new GatewayError('link.refused', String(error))
        const text = `no picture of how things are; trying again: ${failure.message}`
        parts.report({ kind: 'fault', error: new GatewayError(failure.code, text, { fate: 'retry', cause: error }) })
        await delay(backoffMs(failures, parts.backoff), undefined, { signal: halt.signal }).catch(() => undefined)
      }
    }
    if (halt.signal.aborted) return
    running = undefined
    seen = undefined
    for (const { resolve } of waiting.splice(0)) resolve()
  }

  return {
    watch() {
      seen ??= watchEvents()
    },
    isWatching: () => seen !== undefined,
    note: (event) => seen?.note(event),
    start() {
      if (running !== undefined) return
      running = new AbortController()
      void run(running)
    },
    halt() {
      running?.abort()
      running = undefined
      seen = undefined
    },
    next: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
    close() {
      const stopping = new GatewayError('gateway.stopping', 'the link was stopped first', { fate: 'retry' })
      for (const { reject } of waiting) reject(stopping)
      waiting = []
    },
  }
}
