import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import type { Journal } from '../../transports/nats/index.js'
import type { AdoptedMessage } from '../jobs.js'
import type { Kept, Letters, TakenMessage } from '../state.js'
import { type Record, recordsOf } from './checkpoints.js'
import { type Batch, batchToBytes, type Entry, type TreesOf } from './journal-text.js'

/** What the replica before left of a line. */
export interface Legacy {
  /** Number of the last message that it took. */
  readonly lastTaken: number
  /** Messages that it took and that may come again, in the order of arrival. */
  readonly taken: readonly AdoptedMessage[]
  /** What it may not have said, in order, with the number of the message it follows from. */
  readonly unsaid: readonly {
    readonly letters: readonly Letters[]
    readonly taken: number | undefined
    readonly said: Kept['said']
  }[]
}

/** The journal of what one link told: followed while another replica takes from the link, written while we do. */
export interface Line {
  readonly link: string
  isWriting(): boolean
  /** Place of the last batch that is known. */
  place(): number
  /** Takes in a batch that another replica wrote. */
  follow(place: number, batch: Batch): void
  /** Passes a batch over that cannot be read. */
  skip(place: number): void
  /** Whether something was written between what was followed last and this batch. */
  misses(batch: Batch): boolean
  /**
   * Begins to write. Nobody who wrote before can go on from then on. Undefined where others wrote meanwhile: once
   * that was followed it can be tried again. @throws GatewayError `state.unavailable`, also when it is ended meanwhile
   */
  begin(): Promise<Legacy | undefined>
  /** Appends an entry that says nothing new, where it writes. */
  renew(): void
  /** Appends an entry with others of the same moment. */
  add(entry: Omit<Entry, 'number'>): Kept
  /** What is in the journal and perhaps not in the bucket, by key, with the place up to which that is so. */
  dirty(): { readonly records: ReadonlyMap<string, Record>; readonly place: number }
  /** Before this place nothing is needed any more but what is in the bucket. */
  needed(): number
  /** Everything up to a place is in the bucket. */
  saved(place: number): void
  /** Resolves when everything that was added is written, and that it was said. */
  settled(): Promise<void>
  /** Writes no more: what waits is lost to us. */
  end(): void
}

/** What a line is made of. */
export interface LineParts {
  readonly link: string
  readonly me: string
  readonly journal: Journal
  readonly treesOf: TreesOf
  /** Another replica wrote while we did. */
  outrun(): void
  /** An entry of so many bytes is too large to be kept: should we die now, it is lost. */
  tooLarge(bytes: number): void
}

/** Messages remembered that may come again. */
const REMEMBERED = 16_384
/** How soon it is written that letters arrived, when nothing else is to be written. Milliseconds. */
const SAID_WITHIN_MS = 100
/** The same where the acknowledgement of a message waits for it. */
const ACKNOWLEDGED_WITHIN_MS = 2

interface Taken {
  entry: number
  readonly number: number
  readonly key: string
  readonly id: string
  /** Its place in the order of acknowledgements; undefined while it cannot have been acknowledged. Of one that was too large nobody knows that. */
  said: number | undefined
}

/** Whoever waits until it is written that something was said. */
interface Waiting {
  resolve(): void
  reject(error: unknown): void
}

interface Dirty {
  readonly record: Record
  readonly place: number
}

const NOTHING: readonly never[] = Object.freeze([])
const outrunError = () => new GatewayError('state.outrun', 'another replica went on in our place', { fate: 'retry' })

/** Makes the line of one link; it follows until it is told to begin. */
export function makeLine({ link, me, journal, treesOf, outrun, tooLarge }: LineParts): Line {
  let last = 0
  let place = 0
  let lastTaken = 0
  let checkpoint = 0
  /** What a batch said that could not be read is not known. */
  let isSkipped = false
  /** The letters of all entries up to this one arrived, as far as it is known; and as it was written last. */
  let saidUpTo = 0
  let saidWritten = 0
  /** Entries whose letters may not have arrived, in order. */
  const unsaid = new Map<number, Entry>()
  /** Where these stand, as far as they are written. */
  const unsaidAt = new Map<number, number>()
  let taken: Taken[] = []
  /** Those that cannot have been acknowledged, by entry. */
  const unsaidTaken = new Map<number, Taken>()
  let saidCount = 0
  /** Said, which is not written yet: by entry, in the order of saying. */
  let justSaid = new Map<number, Waiting>()
  const changed = new Map<string, Dirty>()
  let writing: AbortController | undefined
  let beginning: AbortController | undefined
  let waiting: Entry[] = []
  let nextBatch = batchPromise()
  let flying: Promise<void> | undefined
  let saidTimer: NodeJS.Timeout | undefined
  let hurryTimer: NodeJS.Timeout | undefined
  /** An acknowledgement waits for what was said to be written. */
  let isHurried = false
  /** An entry is to be written although it says nothing new. */
  let isRenewed = false
  /** The stream takes an append of a name that it knows for a copy: no two lines of one process may share names. */
  const turn = randomBytes(4).toString('hex')
  let appends = 0

  function batchPromise() {
    let resolve: () => void = () => undefined
    let reject: (error: unknown) => void = () => undefined
    const promise = new Promise<void>((yes, no) => {
      resolve = yes
      reject = no
    })
    promise.catch(() => undefined) // an entry that nobody waits for is no fault
    return { promise, resolve, reject }
  }

  function remember(entry: Entry, at: number): void {
    if (unsaid.has(entry.number)) unsaidAt.set(entry.number, at)
    for (const [key, record] of recordsOf(link, entry)) changed.set(key, { record, place: at })
  }

  function rememberTaken({ number: entry, letters, taken: message }: Entry): void {
    if (message === undefined) return
    // Of a message that is refused a second entry tells what becomes of it then.
    const known = message.number > (taken.at(-1)?.number ?? 0) ? undefined : takenAs(message)
    const one: Taken = known ?? { entry, number: message.number, key: message.key, id: message.id, said: undefined }
    if (known === undefined) taken.push(one)
    if (taken.length > 2 * REMEMBERED) taken = taken.slice(-REMEMBERED)
    unsaidTaken.delete(one.entry)
    one.entry = entry
    one.said = letters === undefined ? ++saidCount : undefined
    if (letters !== undefined) unsaidTaken.set(entry, one)
  }

  function takenAs({ number, id }: TakenMessage): Taken | undefined {
    return taken.findLast((each) => each.number === number && each.id === id)
  }

  function forgetSaid(entry: number): void {
    unsaid.delete(entry)
    const one = unsaidTaken.get(entry)
    if (one === undefined) return
    unsaidTaken.delete(entry)
    one.said = ++saidCount
  }

  /** Another replica wrote that it was said. */
  function hearSaid(entry: number): void {
    forgetSaid(entry)
    unsaidAt.delete(entry)
  }

  function updateSaid(): void {
    const [first] = unsaid.keys()
    saidUpTo = first === undefined ? last : first - 1
    if (flying !== undefined || writing === undefined) return
    if (isHurried) hurryTimer ??= setTimeout(flush, ACKNOWLEDGED_WITHIN_MS)
    else if (saidUpTo > saidWritten || justSaid.size > 0) saidTimer ??= setTimeout(flush, SAID_WITHIN_MS)
  }

  function stopTimers(): void {
    clearTimeout(saidTimer)
    clearTimeout(hurryTimer)
    saidTimer = undefined
    hurryTimer = undefined
  }

  function flush(): void {
    stopTimers()
    if (flying !== undefined || writing === undefined) return
    isHurried = false
    if (waiting.length === 0 && justSaid.size === 0 && saidUpTo <= saidWritten && !isRenewed) return
    isRenewed = false
    const entries = waiting.splice(0)
    const promise = nextBatch
    nextBatch = batchPromise()
    const { signal } = writing
    flying = write(entries, signal)
      .then(promise.resolve, (error: unknown) => {
        promise.reject(signal.aborted ? signal.reason : error)
        if (signal.aborted) return
        end(error)
        outrun()
      })
      .finally(() => {
        flying = undefined
        if (waiting.length > 0) flush()
        else updateSaid()
      })
  }

  /** What is too large for one message goes in two; what is alone and still too large loses its letters. */
  async function write(entries: readonly Entry[], halt: AbortSignal): Promise<void> {
    const bytes = batchOf(entries)
    if (bytes.length > journal.maxBytes() && entries.length > 1) {
      const middle = Math.ceil(entries.length / 2)
      await write(entries.slice(0, middle), halt)
      await write(entries.slice(middle), halt)
      return
    }
    const { number = last, taken: message } = entries[0] ?? {}
    const isTooLarge = bytes.length > journal.maxBytes()
    if (isTooLarge) tooLarge(bytes.length)
    await append(isTooLarge ? batchOf([{ number, taken: message }]) : bytes, entries, halt)
    if (halt.aborted) throw outrunError()
  }

  function batchOf(entries: readonly Entry[]): Uint8Array {
    const lastEntry = entries.at(-1)?.number ?? last
    const said = Math.min(saidUpTo, lastEntry)
    const saidNow = [...justSaid.keys()]
    return batchToBytes({ by: me, last: lastEntry, lastTaken, said, saidNow, checkpoint, entries }, treesOf)
  }

  /** Whoever copies the line into the bucket sees a place only together with what stands there. */
  async function append(bytes: Uint8Array, entries: readonly Entry[], halt: AbortSignal): Promise<void> {
    const said = saidUpTo
    const told = justSaid
    justSaid = new Map()
    try {
      const at = await journal.append(link, bytes, `${me}-${link}-${turn}-${++appends}`, place, halt)
      if (at === 'outrun') throw outrunError()
      place = at
    } catch (error) {
      for (const each of told.values()) each.reject(halt.aborted ? halt.reason : error)
      throw error
    }
    saidWritten = said
    for (const [entry, each] of told) {
      unsaidAt.delete(entry)
      each.resolve()
    }
    for (const entry of entries) remember(entry, place)
  }

  function end(error: unknown = outrunError()): void {
    beginning?.abort(error)
    writing?.abort(error)
    writing = undefined
    stopTimers()
    waiting = []
    nextBatch.reject(error)
    nextBatch = batchPromise()
    for (const each of justSaid.values()) each.reject(error)
    justSaid = new Map()
  }

  function legacy(): Legacy {
    return {
      lastTaken,
      taken: taken.map(({ number, key, id, said: order }) => ({ number, key, id, said: order })),
      unsaid: [...unsaid.values()].map(({ number, letters = NOTHING, taken: message }) => ({
        letters,
        taken: message?.number,
        said: () => said(number),
      })),
    }
  }

  /** Where no message waits for it nobody is in a hurry to write it. */
  function said(number: number): Promise<void> | undefined {
    if (!unsaid.has(number)) return undefined
    const isAwaited = unsaidTaken.has(number)
    if (writing === undefined) return isAwaited ? Promise.reject(outrunError()) : undefined
    forgetSaid(number)
    const { promise, ...waits } = batchPromise()
    justSaid.set(number, waits)
    isHurried ||= isAwaited
    updateSaid()
    return isAwaited ? promise : undefined
  }

  return {
    link,
    isWriting: () => writing !== undefined,
    place: () => place,
    follow(at, batch) {
      place = at
      isSkipped = false
      last = batch.last
      lastTaken = batch.lastTaken
      checkpoint = batch.checkpoint
      saidUpTo = batch.said
      saidWritten = batch.said
      for (const number of batch.saidNow) hearSaid(number)
      for (const entry of batch.entries) {
        if (entry.letters !== undefined) unsaid.set(entry.number, entry)
        remember(entry, at)
        rememberTaken(entry)
      }
      for (const number of unsaid.keys()) {
        if (number > saidUpTo) break
        hearSaid(number)
      }
      for (const [key, { place: since }] of changed) if (since <= checkpoint) changed.delete(key)
    },
    skip(at) {
      place = at
      isSkipped = true
    },
    misses({ last: lastOfBatch, entries }) {
      const before = (entries[0]?.number ?? lastOfBatch + 1) - 1
      return place > 0 && !isSkipped && before > last
    },
    async begin() {
      const halt = new AbortController()
      beginning = halt
      try {
        await append(batchOf([]), [], halt.signal)
        if (halt.signal.aborted) throw halt.signal.reason
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'state.outrun') return undefined
        throw error
      } finally {
        beginning = undefined
      }
      writing = halt
      return legacy()
    },
    add(change) {
      if (writing === undefined) {
        const written = Promise.reject(outrunError())
        written.catch(() => undefined) // whoever needs it looks at it
        return { written, said: () => undefined }
      }
      const number = ++last
      const letters = change.letters?.filter(({ frames }) => frames.length > 0) ?? NOTHING
      const { letters: _, ...rest } = change
      const entry: Entry = { ...rest, number, ...(letters.length > 0 && { letters }) }
      if (change.taken !== undefined) lastTaken = Math.max(lastTaken, change.taken.number)
      rememberTaken(entry)
      if (letters.length > 0) unsaid.set(number, entry)
      waiting.push(entry)
      const { promise } = nextBatch
      if (waiting.length === 1) setImmediate(flush)
      return { written: promise, said: () => said(number) }
    },
    dirty() {
      const records = new Map([...changed].map(([key, { record }]) => [key, record] as const))
      return { records, place }
    },
    renew() {
      isRenewed = true
      flush()
    },
    needed() {
      const [first] = unsaidAt.values()
      return first ?? place
    },
    saved(upTo) {
      checkpoint = upTo
      for (const [key, { place: since }] of changed) if (since <= upTo) changed.delete(key)
    },
    async settled() {
      while (
        writing !== undefined &&
        (waiting.length > 0 || flying !== undefined || justSaid.size > 0 || saidUpTo > saidWritten)
      ) {
        flush()
        await (flying ?? delay(0))
      }
    },
    end: () => end(),
  }
}
