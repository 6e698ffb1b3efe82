import { createHash, randomBytes } from 'node:crypto'
import type { Delivery, Settlement } from '../transports/transport.js'
import { HEADERS } from './headers.js'

/** One message being worked on, from its arrival until every target confirmed it. */
export interface Job {
  /** Names the message: the publisher's own name for it, or one of ours, made at its arrival. */
  readonly id: string
  readonly delivery: Delivery
  /** Settles the message with its source; a copy of it that came meanwhile is settled alike. */
  settle(outcome: Settlement): void
}

/** The messages of one link that are being worked on. */
export interface Jobs {
  /** Undefined when the message is a copy, sent again by the broker, of one still being worked on. */
  begin(delivery: Delivery): Job | undefined
  /** The link broke: acknowledgements on their way may not have arrived. */
  broken(): void
  count(): number
}

interface Entry {
  readonly key: string
  readonly id: string
  copies: Delivery[]
}

/** Settled messages remembered so that a copy of them gets the same name again. */
const REMEMBERED = 2048
/** Acknowledgements older than this had arrived before the link broke. Milliseconds. */
const ACK_DOUBT_MS = 2000

/**
 * Names messages and recognises copies. A broker sends unacknowledged messages again after a broken
 * connection: a copy of one that is still being worked on waits for it and is settled with it, a copy of
 * one that was finished as the link broke gets the same name, so that receivers can drop it.
 */
export function makeJobs(group: string, link: string, now: () => number = Date.now): Jobs {
  const session = randomBytes(6).toString('hex')
  let arrivals = 0
  let open = 0
  const working = new Map<string, Entry[]>()
  let finished: { key: string; id: string; at: number }[] = []
  let doubtful: { key: string; id: string }[] = []
  /** Messages whose delivery died with a connection: each of them comes once more. */
  const stale = new Set<Entry>()

  function nameOf({ frame, messageId, redelivered }: Delivery, hash: string, key: string): string {
    const given = frame.headers[HEADERS.id]
    if (given !== undefined && given !== '') return given
    if (messageId !== undefined && messageId !== '') return `${messageId}-${hash}`
    if (redelivered) {
      const at = doubtful.findIndex((each) => each.key === key)
      if (at >= 0) return doubtful.splice(at, 1)[0]!.id
    }
    arrivals += 1
    return `${group}-${link}-${session}-${arrivals.toString(36)}-${hash}`
  }

  function finish(entry: Entry): void {
    const list = working.get(entry.key)!
    // Its copy is still to come and must get the same name.
    if (stale.delete(entry)) doubtful.push({ key: entry.key, id: entry.id })
    if (list.length === 1) working.delete(entry.key)
    else list.splice(list.indexOf(entry), 1)
    finished.push({ key: entry.key, id: entry.id, at: now() })
    if (finished.length >= 2 * REMEMBERED) finished = finished.slice(-REMEMBERED)
  }

  return {
    begin(delivery) {
      const hash = createHash('sha1').update(delivery.frame.body).digest('base64url').slice(0, 11)
      const key = `${delivery.frame.headers[HEADERS.id] ?? delivery.messageId ?? ''}/${hash}`
      const same = working.get(key)
      const waiting = delivery.redelivered ? same?.find((entry) => stale.has(entry)) : undefined
      if (waiting !== undefined) {
        waiting.copies.push(delivery)
        stale.delete(waiting)
        return undefined
      }
      const entry: Entry = { key, id: nameOf(delivery, hash, key), copies: [delivery] }
      if (same === undefined) working.set(key, [entry])
      else same.push(entry)
      open += 1
      let settled = false
      return {
        id: entry.id,
        delivery,
        settle(outcome) {
          if (settled) return
          settled = true
          open -= 1
          finish(entry)
          for (const copy of entry.copies) copy.settle(outcome)
        },
      }
    },
    broken() {
      const since = now() - ACK_DOUBT_MS
      doubtful = finished.filter((each) => each.at >= since)
      for (const entries of working.values()) for (const entry of entries) stale.add(entry)
    },
    count: () => open,
  }
}
