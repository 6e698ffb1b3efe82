import type { Arrivals } from '../arrivals.js'

/** By then everything about an ended call has come, and by then what has not come is lost. Milliseconds. */
const SETTLED_MS = 5000
const LOST_MS = 60_000

/** Goes through calls as they end, and forgets them, so that a load without end is counted in bounded memory. */
export interface Account {
  /** A call ended, of which the broker has so many events. */
  ended(uuid: string, events: number): void
  /** Closes what can be closed; `all` gives nothing any more time. */
  settle(all?: boolean): void
  /** Events that did not come. */
  lost(): number
  /** Calls that ended and may still have events on their way. */
  open(): number
}

/** @param now any clock, milliseconds */
export function openAccount(arrivals: Arrivals, now: () => number = () => performance.now()): Account {
  const calls = new Map<string, { readonly events: number; readonly at: number }>()
  let lost = 0
  return {
    ended: (uuid, events) => void calls.set(uuid, { events, at: now() }),
    settle(all = false) {
      for (const [uuid, { events, at }] of calls) {
        const age = all ? Number.POSITIVE_INFINITY : now() - at
        if (age < SETTLED_MS) return // the others are younger
        const missing = arrivals.missing(new Map([[uuid, events]])).length
        if (missing > 0 && age < LOST_MS) continue
        lost += missing
        arrivals.forget(uuid)
        calls.delete(uuid)
      }
    },
    lost: () => lost,
    open: () => calls.size,
  }
}
