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
  /** Forgets a call that is over, so that a load without end needs no memory without end. Its uuid ends in `-NUMBER`, counted from 0. */
  forget(uuid: string): void
  /** Messages of calls that were forgotten: copies, or told after the end. */
  late(): number
  /** Calls that are remembered. */
  remembered(): number
}

/** What arrived of one call, or of anything else that messages are about. */
interface Story {
  readonly ids: Set<string>
  readonly events: Set<number>
  latest: number
}

/** Numbers of which nearly all below the largest are there, in little room. */
function numbers() {
  const above = new Set<number>()
  let allBelow = 0
  return {
    add(number: number): void {
      above.add(number)
      while (above.delete(allBelow)) allBelow += 1
    },
    has: (number: number) => number < allBelow || above.has(number),
  }
}

const numberOf = (uuid: string) => Number(uuid.slice(uuid.lastIndexOf('-') + 1))

/** Nothing so far. */
export function noArrivals(): Arrivals {
  const stories = new Map<string, Story>()
  const forgotten = numbers()
  const outOfOrder: string[] = []
  let received = 0
  let duplicates = 0
  let late = 0
  let lastAtMs: number | undefined
  let longestGapMs = 0

  function storyOf(entity: string): Story {
    const known = stories.get(entity)
    if (known !== undefined) return known
    const story = { ids: new Set<string>(), events: new Set<number>(), latest: 0 }
    stories.set(entity, story)
    return story
  }

  function count({ entity, word, id, sequence = -1 }: Heard): void {
    if (sequence >= 0 && forgotten.has(numberOf(entity))) {
      late += 1
      return
    }
    const story = storyOf(entity)
    const { ids, events, latest } = story
    if (ids.has(id)) duplicates += 1
    else if (sequence >= 0) {
      if (!events.has(sequence)) received += 1
      events.add(sequence)
      if (sequence < latest) outOfOrder.push(`${entity} #${sequence} (${word}) after #${latest}`)
      else story.latest = sequence
    }
    ids.add(id)
  }

  return {
    take(heard, atMs) {
      if (lastAtMs !== undefined) longestGapMs = Math.max(longestGapMs, atMs - lastAtMs)
      lastAtMs = atMs
      count(heard)
    },
    received: () => received,
    duplicates: () => duplicates,
    outOfOrder: () => outOfOrder,
    longestGapMs: () => longestGapMs,
    missing(sent) {
      const all = [...sent].flatMap(([uuid, events]) => Array.from({ length: events }, (_, at) => ({ uuid, at })))
      return all.filter(({ uuid, at }) => !stories.get(uuid)?.events.has(at)).map(({ uuid, at }) => `${uuid} #${at}`)
    },
    forget(uuid) {
      stories.delete(uuid)
      forgotten.add(numberOf(uuid))
    },
    late: () => late,
    remembered: () => stories.size,
  }
}
