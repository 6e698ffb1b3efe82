import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import type { Log } from '../../telemetry/index.js'
import type { Bucket, Journal, JournalEntry } from '../../transports/nats/index.js'
import type { Frame } from '../../transports/transport.js'
import { type Change, type Kept, type Letters, memoryState, type StateStore } from '../state.js'
import { makeCheckpoints, type Snapshot } from './checkpoints.js'
import { makeFollowing, readJournal } from './following.js'
import { type Batch, batchFromBytes, type TreesOf } from './journal-text.js'
import { type Legacy, type Line, makeLine } from './line.js'

/**
 * What all replicas know. Each keeps the whole of it in memory, as the journal tells it: a read is never older than
 * the way from another replica takes, and that of a link we take from is never old.
 */
export interface SharedState {
  readonly store: StateStore
  /** Reads everything that is known. */
  open(): Promise<void>
  /** Follows the journal on a new connection, as soon as that can be done. */
  again(): void
  /**
   * Takes over the writing of a link's line. Rejects with `state.unavailable` when that cannot be done for now.
   * @param still whether it is still to be done
   */
  takeOver(link: string, still: () => boolean): Promise<Legacy>
  /** Gives up taking over. */
  halt(link: string): void
  /** Requests that are being carried out for a link, by name. */
  commandsOf(link: string): ReadonlyMap<string, Frame>
  /** Another replica has taken over: forgets what of it was not written, and follows. */
  giveUp(link: string): Promise<void>
  /** Resolves when everything that was kept of a link is written. */
  settled(link: string): Promise<void>
  close(): void
}

/** What it is made of. */
export interface SharedStateParts {
  readonly me: string
  readonly links: readonly string[]
  readonly bucket: Bucket
  readonly journal: Journal
  /** Age at which a value in the bucket vanishes that nobody wrote again. Milliseconds. */
  readonly keepMs: number
  readonly treesOf: TreesOf
  /** Another replica writes the line of a link that we wrote. */
  outrun(link: string): void
  /** What another replica says, as it is told; not what was said before we came. */
  onFollowed(letters: readonly Letters[]): void
  /** Requests that another replica began to carry out for a link. */
  onBegun(link: string, frames: readonly Frame[]): void
  readonly log: Log
  readonly now: () => number
}

/** Pause between two copies of what changed into the bucket. Milliseconds. */
const CHECKPOINT_MS = 1000
/** So long the journal keeps what is in the bucket: acknowledgements to a source may be lost that much later. Milliseconds. */
const HINDSIGHT_MS = 10_000
/** Longest pause between two looks for what nobody changed for long. Milliseconds. */
const REFRESH_MS = 60_000
/** Looks in the life of a value, of which the last third is left for a look that fails. */
const LOOKS = 6
/** Pause before a line is read again that could not be. Milliseconds. */
const READ_AGAIN_MS = 200
/** How long a replica looks for the last words of the one before. */
const BEGIN_TRIES = 200
const BEGIN_PAUSE_MS = 10
/** So many tries without a word from the journal, and its end is looked at. */
const BEGIN_PATIENCE = 10
/** A line whose last entry is so many places behind is written again: whoever starts reads the journal from the oldest one on. */
const LAGGING = 1000

interface Place {
  readonly place: number
  readonly at: number
}

/** Makes it. */
export function makeSharedState(parts: SharedStateParts): SharedState {
  const { me, bucket, journal, keepMs, treesOf, log, now } = parts
  const memory = memoryState(now)
  const commands = new Map<string, Map<string, Frame>>()
  const lines = new Map<string, Line>()
  /** Batches of a line that is being read anew, to be followed afterwards. */
  const buffered = new Map<string, JournalEntry[]>()
  /** Places that are in the bucket, by line, oldest first. */
  const saved = new Map<string, Place[]>()
  /** Lines that were begun here and whose records in the bucket are known. */
  const compared = new WeakSet<Line>()
  /** Places up to which lines stand in the bucket, by our own writing. */
  const copied = new WeakMap<Line, number>()
  /** Lines that are being read anew. */
  const reloads = new Map<string, Promise<void>>()
  /** Those of them that an entry is missing of. */
  const rereading = new Set<string>()
  let isCurrent = false
  let timers: NodeJS.Timeout[] = []
  let isClosed = false

  const checkpoints = makeCheckpoints({
    bucket,
    treesOf,
    keepMs,
    isWriter: async (link) =>
      lines.get(link)?.isWriting() === true && (await journal.lastOf(link)) <= lines.get(link)!.place(),
    now,
  })

  const following = makeFollowing(journal, follow, readAllAnew, log)
  for (const link of parts.links) lines.set(link, newLine(link))

  function newLine(link: string): Line {
    return makeLine({
      link,
      me,
      journal,
      treesOf,
      outrun: () => parts.outrun(link),
      tooLarge: (bytes) => log.error('a change is too large for the journal', { link, bytes }),
    })
  }

  function keep(change: Change): void {
    memory.keep(change)
    if (change.commands === undefined) return
    const open = commands.get(change.link) ?? new Map<string, Frame>()
    commands.set(change.link, open)
    for (const [key, frame] of change.commands) {
      if (frame === undefined) open.delete(key)
      else open.set(key, frame)
    }
  }

  function follow(entry: JournalEntry): void {
    const line = lines.get(entry.line)
    if (line === undefined || line.isWriting()) return
    const later = buffered.get(entry.line)
    if (entry.place <= (later?.at(-1)?.place ?? line.place())) return
    const batch = read(line, entry)
    if (later !== undefined) later.push(entry)
    else if (batch === undefined) line.skip(entry.place)
    else if (line.misses(batch)) readAnew(entry.line)
    else followNow(line, entry.place, batch)
    if (!isCurrent || batch === undefined) return // nothing is said just now of what is only read again
    for (const { letters } of batch.entries) if (letters !== undefined) parts.onFollowed(letters)
  }

  /** An entry that cannot be read keeps nobody from the next one. */
  function read({ link }: Line, { body, place }: JournalEntry): Batch | undefined {
    try {
      return batchFromBytes(body, treesOf)
    } catch (error) {
      log.error('an entry of the journal cannot be read and is passed over', { link, place, err: error })
      return undefined
    }
  }

  function followNow(line: Line, place: number, batch: Batch): void {
    const { link } = line
    line.follow(place, batch)
    for (const entry of batch.entries) {
      keep({ ...entry, link })
      const begun = [...(entry.commands?.values() ?? [])].filter((frame) => frame !== undefined)
      if (begun.length > 0) parts.onBegun(link, begun)
    }
  }

  function readAgain(line: Line, entry: JournalEntry): void {
    if (entry.place <= line.place()) return
    const batch = read(line, entry)
    if (batch === undefined) line.skip(entry.place)
    else followNow(line, entry.place, batch)
  }

  function load(link: string, snapshot: Snapshot | undefined): void {
    if (snapshot !== undefined) keep({ link, ...snapshot })
  }

  async function open(): Promise<void> {
    const snapshots = await checkpoints.read(parts.links)
    for (const link of parts.links) load(link, snapshots.get(link))
    const lasts = await Promise.all(parts.links.map((link) => journal.lastOf(link)))
    const first = await journal.first()
    // Also what is in the bucket already: who is to write next has to know what was not said and what may come again.
    const from = Math.max(1, first)
    await following.from(from)
    await following.reached(Math.max(0, ...lasts))
    isCurrent = true
    every(CHECKPOINT_MS, saveAll)
    every(
      Math.min(REFRESH_MS, keepMs / LOOKS),
      async () => void (await Promise.all(writing().map(({ link }) => checkpoints.refresh(link)))),
    )
  }

  /** An entry was not told: what it changed is in the bucket, or in the journal still. */
  function readAnew(link: string): void {
    if (rereading.has(link)) return
    rereading.add(link)
    log.warn('an entry of the journal did not come; what it is about is read again', { link })
    const isOurs = () => lines.get(link)?.isWriting() === true
    reload(link, isOurs).then(
      () => void rereading.delete(link),
      (error: unknown) => {
        rereading.delete(link)
        log.warn('what is known of a link could not be read again; trying again', { link, err: error })
        setTimeout(() => {
          if (!isClosed && lines.get(link)?.isWriting() === false) readAnew(link)
        }, READ_AGAIN_MS).unref()
      },
    )
  }

  function readAllAnew(): void {
    for (const [link, line] of lines) if (!line.isWriting()) readAnew(link)
  }

  /** One after another for each line. @param isNeedless what has become of it by then */
  function reload(link: string, isNeedless = () => false): Promise<void> {
    const before = reloads.get(link) ?? Promise.resolve()
    const done = before.catch(() => undefined).then(() => (isNeedless() ? undefined : readLine(link)))
    reloads.set(link, done)
    return done
  }

  /** Reads one line anew beside the others: from the bucket, then from the journal. */
  async function readLine(link: string): Promise<void> {
    const later: JournalEntry[] = []
    buffered.set(link, later)
    lines.get(link)?.end()
    const line = newLine(link)
    lines.set(link, line)
    memory.forget(link)
    commands.delete(link)
    load(link, (await checkpoints.read([link])).get(link))
    const end = await journal.end()
    if (end < following.lastPlace()) following.again()
    // What was told stands there, also where the store says otherwise of a line.
    const last = Math.max(await journal.lastOf(link), Math.min(end, following.lastPlace()))
    await readJournal(journal, await journal.first(), last, (entry) => {
      if (entry.line === link) readAgain(line, entry)
    })
    buffered.delete(link)
    for (const entry of later) readAgain(line, entry)
  }

  /** Somebody wrote a line, as its refusals say, and we did not hear of it. */
  async function catchUp(link: string): Promise<void> {
    const known = lines.get(link)!.place()
    const last = await journal.lastOf(link)
    // What comes after it was told, so it will not come any more; or it is not there, whatever we were told.
    if (last === known || last > following.lastPlace()) return following.again()
    log.warn('the journal of a link is read again: its end is not where it was told to be', { link, known, last })
    await reload(link)
    const there = await journal.lastOf(link)
    if (lines.get(link)!.place() > there) lines.get(link)!.skip(there)
  }

  const writing = () => [...lines.values()].filter((line) => line.isWriting())

  async function save(line: Line): Promise<void> {
    // What the replica before put there has to be known, or what ended since would stay, and what lasts would vanish.
    if (!compared.has(line)) await checkpoints.read([line.link])
    compared.add(line)
    const { records, place } = line.dirty()
    if (records.size === 0 && copied.get(line) === place) return
    await checkpoints.write(line.link, records)
    copied.set(line, place)
    line.saved(place)
    await forget(line, place)
  }

  /** Goes what is old enough and said; the last entry of a line always stays. */
  async function forget(line: Line, place: number): Promise<void> {
    const { link } = line
    const places = [...(saved.get(link) ?? []), { place, at: now() }]
    const old = places.filter(({ at }) => at <= now() - HINDSIGHT_MS)
    saved.set(
      link,
      places.filter((each) => !old.includes(each)),
    )
    const before = old.at(-1)
    if (before !== undefined) await journal.forget(link, Math.min(before.place, line.needed()))
  }

  async function saveAll(): Promise<void> {
    for (const line of writing()) {
      if (following.lastPlace() - line.place() > LAGGING) line.renew()
      await save(line).catch((error: unknown) =>
        log.debug('a line could not be copied for now', { link: line.link, err: error }),
      )
    }
  }

  function every(ms: number, work: () => Promise<void>): void {
    const run = () =>
      work()
        .catch((error: unknown) => log.debug('the state could not be copied for now', { err: error }))
        .finally(() => {
          if (!isClosed) timers.push(setTimeout(run, ms).unref())
          timers = timers.slice(-4)
        })
    timers.push(setTimeout(run, ms).unref())
  }

  return {
    store: {
      ...memory,
      keep(change: Change): Kept {
        const line = lines.get(change.link)!
        // What another replica has is not ours to change: we would not hear of it again.
        if (line.isWriting()) keep(change)
        return isNothing(change) ? NOTHING_KEPT : line.add(withoutLink(change))
      },
    },
    open,
    again() {
      if (isCurrent) following.again()
    },
    async takeOver(link, still) {
      for (let tries = 1; tries <= BEGIN_TRIES && still(); tries++) {
        await reloads.get(link)?.catch(() => undefined)
        const line = lines.get(link)!
        const legacy = await line.begin()
        compared.delete(line)
        if (legacy !== undefined) return legacy
        if (tries % BEGIN_PATIENCE === 0) await catchUp(link)
        await delay(BEGIN_PAUSE_MS)
      }
      throw new GatewayError('state.unavailable', `the journal of ${link} goes on elsewhere`, { fate: 'retry' })
    },
    halt: (link) => lines.get(link)?.end(),
    commandsOf: (link) => commands.get(link) ?? new Map<string, Frame>(),
    giveUp: (link) => reload(link),
    settled: async (link) => {
      const line = lines.get(link)!
      await line.settled()
      // The journal has it all: the next replica copies it, should we not be able to.
      if (line.isWriting()) await save(line).catch((error: unknown) => log.debug('not copied', { link, err: error }))
      await line.settled()
      line.end()
    },
    close() {
      isClosed = true
      for (const timer of timers) clearTimeout(timer)
      following.close()
      for (const line of lines.values()) line.end()
    },
  }
}

const NOTHING_KEPT: Kept = { written: undefined, said: () => undefined }

function isNothing({ calls, terminals, devices, letters, taken, commands }: Change): boolean {
  return (
    taken === undefined &&
    commands === undefined &&
    (calls?.size ?? 0) === 0 &&
    (terminals?.size ?? 0) === 0 &&
    (devices?.size ?? 0) === 0 &&
    !letters?.some(({ frames }) => frames.length > 0)
  )
}

function withoutLink({ link: _, ...change }: Change): Omit<Change, 'link'> {
  return change
}
