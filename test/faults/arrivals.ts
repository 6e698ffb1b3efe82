import type { Heard } from './heard.js'

/** What arrived of a load, counted after dropping messages whose `patchbay-id` was there before. */
export interface Arrivals {
  /** Takes one message. `atMs`: when it came, by any clock that is the same for all of them. */
  take(heard: Heard, atMs: number): void
  /** Different events of calls; one event may be told by several messages. */
  received(): number
  /** Messages with an id that was there before. */
  duplicates(): number
  /** Messages that came after a later event of their call. */
  outOfOrder(): readonly string[]
  /** Longest time in which nothing arrived, between the first message and the last. Milliseconds. */
  longestGapMs(): number
  /** Which of these events are missing, as `UUID #SEQUENCE`. `sent`: how many events each call had. */
  missing(sent: ReadonlyMap<string, number>): readonly string[]
}

/** Nothing so far. */
export function noArrivals(): Arrivals {
  const ids = new Set<string>()
  const calls = new Map<string, Set<number>>()
  const latest = new Map<string, number>()
  const outOfOrder: string[] = []
  let received = 0
  let duplicates = 0
  let lastAtMs: number | undefined
  let longestGapMs = 0

  function count({ entity, word, sequence = -1 }: Heard): void {
    if (sequence < 0) return
    const seen = calls.get(entity) ?? new Set()
    calls.set(entity, seen)
    if (!seen.has(sequence)) received += 1
    seen.add(sequence)
    const before = latest.get(entity) ?? 0
    if (sequence < before) outOfOrder.push(`${entity} #${sequence} (${word}) after #${before}`)
    else latest.set(entity, sequence)
  }

  return {
    take(heard, atMs) {
      if (lastAtMs !== undefined) longestGapMs = Math.max(longestGapMs, atMs - lastAtMs)
      lastAtMs = atMs
      if (ids.has(heard.id)) duplicates += 1
      else count(heard)
      ids.add(heard.id)
    },
    received: () => received,
    duplicates: () => duplicates,
    outOfOrder: () => outOfOrder,
    longestGapMs: () => longestGapMs,
    missing(sent) {
      const all = [...sent].flatMap(([uuid, events]) => Array.from({ length: events }, (_, at) => ({ uuid, at })))
      return all.filter(({ uuid, at }) => !calls.get(uuid)?.has(at)).map(({ uuid, at }) => `${uuid} #${at}`)
    },
  }
}
