import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import type { Log } from '../../telemetry/index.js'
import type { Journal, JournalEntry } from '../../transports/nats/index.js'

/** The one reader of everything that all replicas append to the journal. */
export interface Following {
  /** Tells every entry from a place on, and those that come later, over all connections. */
  from(place: number): Promise<void>
  /** Goes on behind the last entry that was told, as soon as that can be done. */
  again(): void
  /** Place of the last entry that was told. */
  lastPlace(): number
  /** Resolves when everything up to a place was told, or nothing more is. */
  reached(place: number): Promise<void>
  close(): void
}

/** Pause before the journal is followed again that could not be. Milliseconds. */
const AGAIN_MS = 200

/**
 * @param tell may be told an entry twice, where one connection follows another
 * @param shortened is told that what was told is not in the journal any more: it lost its end, or is another
 */
export function makeFollowing(
  journal: Journal,
  tell: (entry: JournalEntry) => void,
  shortened: () => void,
  log: Log,
): Following {
  /** How often it was begun to follow anew. */
  let follows = 0
  let unfollow: (() => void) | undefined
  let lastPlace = 0
  /** Which journal that place is in. */
  let madeAt = ''
  let isTrying = false
  let isAsked = false
  let isClosed = false

  function take(entry: JournalEntry): void {
    lastPlace = Math.max(lastPlace, entry.place)
    tell(entry)
  }

  async function followFrom(place: number): Promise<void> {
    const mine = ++follows
    const stop = await journal.follow(place, take, () => {
      if (mine === follows) again()
    })
    if (isClosed) return stop()
    unfollow?.()
    unfollow = stop
  }

  async function goOn(): Promise<void> {
    const [end, now] = await Promise.all([journal.end(), journal.madeAt()])
    // Another one may have got more entries by now than were read of the one before.
    if (end < lastPlace || now !== madeAt) {
      const what = now === madeAt ? 'the journal lost its end' : 'the journal was made anew'
      log.error(`${what}; all is read again`, { end, read: lastPlace })
      lastPlace = end
      madeAt = now
      shortened()
    }
    await followFrom(lastPlace + 1)
  }

  /** One try at a time: whoever asks while one is under way gets another behind it. */
  function again(): void {
    isAsked = true
    if (isClosed || isTrying) return
    isAsked = false
    isTrying = true
    const over = () => {
      isTrying = false
      if (isAsked) again()
    }
    goOn().then(over, (error: unknown) => {
      log.debug('the journal is not followed for now', { err: error })
      isAsked = true
      setTimeout(over, AGAIN_MS).unref()
    })
  }

  return {
    async from(place) {
      lastPlace = place - 1
      madeAt = await journal.madeAt()
      await followFrom(place)
    },
    again,
    lastPlace: () => lastPlace,
    async reached(place) {
      while (lastPlace < place && !isClosed) await delay(2)
    },
    close() {
      isClosed = true
      unfollow?.()
    },
  }
}

/** Tells what stands in the journal now, from a place to another. @throws GatewayError `state.unavailable` */
export async function readJournal(
  journal: Journal,
  from: number,
  last: number,
  tell: (entry: JournalEntry) => void,
): Promise<void> {
  if (last < from) return
  let done: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    done = resolve
  })
  let isWhole = false
  const stop = await journal.follow(
    from,
    (entry) => {
      if (entry.place <= last) tell(entry)
      isWhole ||= entry.place >= last
      if (isWhole) done()
    },
    () => done(),
  )
  await ended
  stop()
  if (!isWhole) throw new GatewayError('state.unavailable', 'the journal was not read to its end', { fate: 'retry' })
}
