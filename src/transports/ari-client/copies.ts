/** How many events are remembered: copies come close together. */
const REMEMBERED = 256

/** Knows copies of events. */
export interface Copies {
  /** Whether the same bytes came a short while ago. */
  isCopy(timestamp: string, body: Uint8Array): boolean
}

/**
 * Asterisk sends an event once for each subscription that covers it, and those of playbacks and recordings on a
 * bridge twice. Copies have the same bytes, the time in milliseconds among them; two events that differ in nothing
 * say nothing that one does not. One pair of `Copies` belongs to one socket.
 */
export function makeCopies(): Copies {
  const known = new Map<string, Uint8Array[]>()
  const order: string[] = []
  let next = 0

  function forget(key: string): void {
    const bodies = known.get(key)
    bodies?.shift()
    if (bodies?.length === 0) known.delete(key)
  }

  return {
    isCopy(timestamp, body) {
      const key = `${timestamp} ${body.length}`
      const bodies = known.get(key)
      if (bodies?.some((other) => Buffer.compare(other, body) === 0)) return true
      if (bodies === undefined) known.set(key, [body])
      else bodies.push(body)
      const oldest = order[next]
      order[next] = key
      next = (next + 1) % REMEMBERED
      if (oldest !== undefined) forget(oldest)
      return false
    },
  }
}
