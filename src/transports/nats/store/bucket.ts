import { type KV, type KvEntry, KvWatchInclude } from '@nats-io/kv'
import type { GatewayError } from '../../../errors.js'
import { isOutrun, unavailable } from './faults.js'
import { lastingTrouble } from './lasting-trouble.js'

/** A value in a bucket. */
export interface BucketEntry {
  readonly key: string
  /** Undefined where it was removed. */
  readonly text: string | undefined
  /** Grows with every write to the bucket. */
  readonly revision: number
  /** When it was written, by the server's clock. UTC milliseconds. */
  readonly at: number
}

/**
 * Texts by key that all replicas see; those that nobody writes again vanish after the age of the bucket.
 * Everything rejects with `state.unavailable` (fate `retry`) while the store cannot be reached.
 */
export interface Bucket {
  /** Every value there is. */
  all(): Promise<BucketEntry[]>
  get(key: string): Promise<BucketEntry | undefined>
  /** Writes, whatever is there. Answers the new revision. */
  put(key: string, text: string): Promise<number>
  /**
   * Writes unless somebody did since `revision` (0: since never). Answers the new revision, or undefined where
   * somebody did.
   */
  swap(key: string, text: string, revision: number): Promise<number | undefined>
  /** Removes; where a `revision` is given, unless somebody wrote since. */
  remove(key: string, revision?: number): Promise<boolean>
  /**
   * Tells what is there under a pattern of keys, and every change from then on. Answers what ends it; where it ends by
   * itself, `ended` is called.
   */
  watch(pattern: string, tell: (entry: BucketEntry) => void, ended: () => void): Promise<() => void>
}

/** Between two values that are read, longer than any server takes. Milliseconds. */
const SILENCE_MS = 5000

/** Letters that NATS takes in a key; any other text is written in base64, marked by a sign that no name begins with. */
const PLAIN = /^[A-Za-z0-9_-]+$/
const ENCODED = '='

/** Any text as one part of a key. */
export function keyPart(text: string): string {
  return PLAIN.test(text) ? text : `${ENCODED}${Buffer.from(text).toString('base64url')}`
}

/** The reverse of {@link keyPart}. */
export function textOfPart(part: string): string {
  return part.startsWith(ENCODED) ? Buffer.from(part.slice(1), 'base64url').toString('utf8') : part
}

function entryOf({ key, operation, revision, value, created }: KvEntry): BucketEntry {
  return {
    key,
    revision,
    at: created.getTime(),
    text: operation === 'PUT' ? Buffer.from(value).toString('utf8') : undefined,
  }
}

/**
 * @param current the bucket while a connection stands
 * @param troubled is told the reason when writing fails for long although a connection stands, and undefined once it succeeds
 */
export function makeBucket(current: () => KV | undefined, troubled: (reason: string | undefined) => void): Bucket {
  const writing = lastingTrouble(() => current() !== undefined, troubled)
  const there = (): KV => {
    const kv = current()
    if (kv === undefined) throw unavailable('the connection is down')
    return kv
  }
  const asked = async <T>(what: string, ask: (kv: KV) => Promise<T>): Promise<T> => {
    try {
      return await ask(there())
    } catch (error) {
      throw isOutrun(error) ? error : unavailable(what, error)
    }
  }
  const unlessOutrun = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work
    } catch (error) {
      if (isOutrun(error)) return undefined
      throw error as GatewayError // `asked` throws nothing else
    }
  }

  async function all(kv: KV): Promise<BucketEntry[]> {
    const found: BucketEntry[] = []
    const { values, streamInfo } = await kv.status()
    if (values === 0) return found
    const { last_seq: last } = streamInfo.state
    const watched = await kv.watch({ include: KvWatchInclude.LastValue })
    // It says nothing of a server that went away with it.
    const giveUp = () => watched.stop()
    let timer = setTimeout(giveUp, SILENCE_MS)
    try {
      for await (const entry of watched) {
        clearTimeout(timer)
        timer = setTimeout(giveUp, SILENCE_MS)
        found.push(entryOf(entry))
        // Where a value changes while it is read, the server (2.9) says for ever that one is left.
        const isWhole = entry.delta === 0 || entry.revision >= last
        if (isWhole) return found.filter(({ text }) => text !== undefined)
      }
    } finally {
      clearTimeout(timer)
    }
    throw new Error('it ended before the last value')
  }

  return {
    all: () => asked('reading everything', all),
    get: (key) =>
      asked(`reading ${key}`, async (kv) => {
        const entry = await kv.get(key)
        return entry === null ? undefined : entryOf(entry)
      }),
    put: (key, text) => writing.watch(() => asked(`writing ${key}`, (kv) => kv.put(key, text))),
    swap: (key, text, revision) =>
      unlessOutrun(asked(`writing ${key}`, (kv) => kv.put(key, text, { previousSeq: revision }))),
    async remove(key, revision) {
      const options = revision === undefined ? {} : { previousSeq: revision }
      const gone = asked(`removing ${key}`, (kv) => kv.delete(key, options).then(() => true))
      return (await unlessOutrun(gone)) === true
    },
    watch: (pattern, tell, ended) =>
      asked(`watching ${pattern}`, async (kv) => {
        const watched = await kv.watch({ key: pattern, include: KvWatchInclude.LastValue })
        let isWanted = true
        const end = () => {
          if (isWanted) ended()
          isWanted = false
        }
        const reading = (async () => {
          for await (const entry of watched) tell(entryOf(entry))
        })()
        reading.then(end, end)
        return () => {
          isWanted = false
          watched.stop()
        }
      }),
  }
}
