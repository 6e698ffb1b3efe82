import type { Log } from '../../telemetry/index.js'
import type { Bucket, BucketEntry } from '../../transports/nats/index.js'

/** Who does what: of each duty one replica has the lease. */
export interface Leases {
  /** Begins to take leases, and to keep them. Call again with every connection to the store. */
  start(): Promise<void>
  holds(duty: string): boolean
  /** Whether the store confirmed a lease of ours so lately that nobody else can have it. */
  isConfirmed(duty: string): boolean
  /** Whether other replicas are alive. */
  hasOthers(): boolean
  /** Counts a lease as lost without asking anybody. */
  forget(duty: string): void
  /** Whether this replica has two leases more than another, and should give one to it; never while leases move. */
  hasTooMany(): boolean
  /**
   * Gives a lease back: another replica takes it at once.
   * @param since until when its duty was done, UTC milliseconds
   */
  release(duty: string, since: number): Promise<void>
  /** From now on takes no lease that it does not have. */
  retire(): void
  /** Keeps no lease any more; those not given back are taken when we were silent for long enough. */
  stop(): Promise<void>
}

/** What leases are made with. */
export interface LeasesParts {
  readonly bucket: Bucket
  /** Name of this replica. */
  readonly me: string
  readonly duties: readonly string[]
  /** Time after which leases count as at rest, milliseconds; 0: they stay where they are. */
  readonly spreadAfterMs: number
  /** Whether the duty could be done from this very moment on. */
  isAble(duty: string): boolean
  /** @param since when the replica before gave its last sign of life, or took last before it gave the lease back, UTC milliseconds; absent for the very first one */
  taken(duty: string, since: number | undefined): void
  /** Another replica has it: this one was silent for too long. */
  lost(duty: string): void
  readonly log: Log
}

/** Milliseconds between two renewals. */
const BEAT_MS = 400
/** Silence after which a lease may be taken. Milliseconds. */
const SILENCE_MS = 2000
/** Who could not do a duty yet leaves it to others for so long. Milliseconds. */
const COURTESY_MS = 1000
/** Whose writes stood still for longer than that knows nothing of the silence of others. Milliseconds. */
const PAUSE_MS = 1500
/** Pause before watches are begun again. Milliseconds. */
const WATCH_AGAIN_MS = 500
/** A replica that was not heard for so long is gone. Milliseconds. */
const ALIVE_MS = 5000
/** Whoever holds more leases waits longer for the next one, so that they spread. Milliseconds for each. */
const MODESTY_MS = 30

interface Lease {
  readonly holder: string
  /** Last renewal by the holder's clock, UTC milliseconds; of one that was given back, when its holder took last. */
  readonly at: number
  readonly released?: boolean
}

interface Seen extends Lease {
  readonly revision: number
  /** By our own clock. */
  readonly seenAt: number
}

const leaseKey = (duty: string) => `lease.${duty}`
const replicaKey = (replica: string) => `replica.${replica}`

/**
 * A lease is judged by the contender's own clock, from the renewals that it saw; and only while its own writes
 * succeed, for when the store takes none, nobody can renew anything. Two contenders write with the revision they
 * saw, so one of them wins.
 */
export function makeLeases({ bucket, me, duties, spreadAfterMs, isAble, taken, lost, log }: LeasesParts): Leases {
  const held = new Map<string, number>()
  /** When the store last confirmed it, by our own clock. */
  const confirmedAt = new Map<string, number>()
  const seen = new Map<string, Seen>()
  const claiming = new Set<string>()
  const others = new Map<string, number>()
  /** When a lease changed hands or a replica came, by our own clock. */
  let movedAt = Number.NEGATIVE_INFINITY
  /** Until when a lease that we gave back is left to others, by our own clock. */
  const leftUntil = new Map<string, number>()
  const silences = new Map<string, NodeJS.Timeout>()
  const clock = () => performance.now()
  /** Since when every write of ours succeeded, none of them late. */
  let writingSince: number | undefined
  let wroteAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let beating: Promise<void> = Promise.resolve()
  let unwatch: (() => void)[] = []
  /** How often it was begun to watch. */
  let watches = 0
  let isRetired = false
  let isStopped = false

  const renewal = () => JSON.stringify({ holder: me, at: Date.now() } satisfies Lease)
  const releaseAt = (at: number) => JSON.stringify({ holder: me, at, released: true } satisfies Lease)

  function note({ key, text, revision }: BucketEntry): void {
    const duty = key.slice(leaseKey('').length)
    // Replicas of another configuration may have others.
    if (!duties.includes(duty)) return
    if (text === undefined || (seen.get(duty)?.revision ?? 0) >= revision) return
    const lease = JSON.parse(text) as Lease // written by a replica of ours
    if (seen.get(duty)?.holder !== lease.holder) movedAt = clock()
    seen.set(duty, { ...lease, revision, seenAt: clock() })
    if (lease.holder === me) {
      // The answer to a renewal may be lost, and the renewal stands.
      if (held.has(duty) && lease.released !== true) held.set(duty, revision)
      return
    }
    if (held.has(duty)) lose(duty)
    if (lease.released === true) claimSoon(duty)
    else watchSilence(duty)
  }

  /** Renewals may go on for ever; the silence after the last one is over at this very moment. */
  function watchSilence(duty: string): void {
    clearTimeout(silences.get(duty))
    if (!isStopped) silences.set(duty, setTimeout(() => claimSoon(duty), SILENCE_MS).unref())
  }

  function lose(duty: string): void {
    held.delete(duty)
    if (!isStopped) lost(duty)
  }

  function noteReplica({ key, text }: BucketEntry): void {
    const replica = key.slice(replicaKey('').length)
    if (replica === me) return
    if (!others.has(replica)) movedAt = clock()
    if (text === undefined) others.delete(replica)
    else others.set(replica, clock())
  }

  const hasOthers = () => [...others.values()].some((seenAt) => clock() - seenAt < ALIVE_MS)

  function hasTooMany(): boolean {
    if (spreadAfterMs === 0 || clock() - movedAt < spreadAfterMs) return false
    const holders = [...seen.values()].map(({ holder }) => holder)
    const alive = [...others].flatMap(([replica, at]) => (clock() - at < SILENCE_MS ? [replica] : []))
    const counts = alive.map((replica) => holders.filter((holder) => holder === replica).length)
    return held.size - Math.min(...counts) >= 2
  }

  /** Watches that end by themselves, or cannot be begun, are begun anew. */
  async function watchAll(): Promise<void> {
    const mine = ++watches
    const anew = () => {
      if (mine !== watches || isStopped) return
      watches += 1
      setTimeout(() => void watchAll(), WATCH_AGAIN_MS).unref()
    }
    const begun = await Promise.allSettled([
      bucket.watch(`${leaseKey('')}>`, note, anew),
      bucket.watch(`${replicaKey('')}>`, noteReplica, anew),
    ])
    const ends = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    if (mine !== watches || isStopped) {
      for (const end of ends) end()
      return
    }
    for (const end of unwatch.splice(0)) end()
    unwatch = ends
    const failed = begun.find((each) => each.status === 'rejected')
    if (failed === undefined) return
    log.debug('leases are not watched for now', { err: failed.reason })
    anew()
  }

  /** @param sentAt nobody can have it for as long as silence lasts from then on */
  function hold(duty: string, revision: number, sentAt: number): void {
    held.set(duty, revision)
    confirmedAt.set(duty, sentAt)
  }

  async function renew(duty: string): Promise<void> {
    const revision = held.get(duty)
    if (revision === undefined) return
    const sentAt = clock()
    const next = await bucket.swap(leaseKey(duty), renewal(), revision)
    if (!held.has(duty)) return
    if (next !== undefined) hold(duty, next, sentAt)
    else await lookAgain(duty)
  }

  /** Somebody wrote since: another replica, or we ourselves without hearing of it. */
  async function lookAgain(duty: string): Promise<void> {
    const there = await bucket.get(leaseKey(duty))
    if (there !== undefined) note(there)
    else if (held.has(duty)) lose(duty)
  }

  function isFree(duty: string): boolean {
    const lease = seen.get(duty)
    if (lease === undefined || lease.holder === me) return true
    const courtesyMs = isAble(duty) || !hasOthers() ? 0 : COURTESY_MS
    if (lease.released === true) return clock() - lease.seenAt >= courtesyMs
    if (clock() - wroteAt > PAUSE_MS) return false
    const silentSince = Math.max(lease.seenAt, writingSince ?? Number.POSITIVE_INFINITY)
    return clock() - silentSince >= SILENCE_MS + courtesyMs
  }

  function claimSoon(duty: string): void {
    const modestyMs = (Math.random() + held.size) * MODESTY_MS
    setTimeout(() => void claim(duty).catch(() => undefined), modestyMs).unref() // the next beat tries again
  }

  async function claim(duty: string): Promise<void> {
    if (isRetired || held.has(duty) || claiming.has(duty) || writingSince === undefined || !isFree(duty)) return
    if (clock() < (leftUntil.get(duty) ?? 0)) return
    claiming.add(duty)
    try {
      const before = seen.get(duty)
      const sentAt = clock()
      const revision = await bucket.swap(leaseKey(duty), renewal(), before?.revision ?? 0)
      if (revision === undefined) return await lookAgain(duty)
      if (isStopped) return
      hold(duty, revision, sentAt)
      const silentMs = before === undefined || before.released === true ? undefined : Date.now() - before.at
      log.info('lease taken', { duty, ...(silentMs !== undefined && { after: before!.holder, silentMs }) })
      taken(duty, before?.at)
    } finally {
      claiming.delete(duty)
    }
  }

  async function beat(): Promise<void> {
    try {
      await bucket.put(replicaKey(me), String(Date.now()))
      const now = clock()
      // A store that answered nobody for a while has to give the holders their turn.
      if (writingSince === undefined || now - wroteAt > PAUSE_MS) writingSince = now
      wroteAt = now
      await Promise.all([...held.keys()].map(renew))
      await Promise.all(duties.map(claim))
    } catch {
      // Nobody can write now; the store's own faults are told by its connection.
      writingSince = undefined
    }
  }

  function beats(): void {
    beating = beat().finally(() => {
      if (!isStopped) timer = setTimeout(beats, BEAT_MS)
    })
  }

  return {
    async start() {
      await watchAll()
      if (timer === undefined && !isStopped) timer = setTimeout(beats, 0)
    },
    retire() {
      isRetired = true
    },
    holds: (duty) => held.has(duty),
    isConfirmed: (duty) => held.has(duty) && clock() - (confirmedAt.get(duty) ?? 0) < SILENCE_MS,
    hasOthers,
    hasTooMany,
    forget: (duty) => void held.delete(duty),
    async release(duty, since) {
      // A renewal under way would leave us with an old revision.
      await beating
      const revision = held.get(duty)
      if (revision === undefined) return
      held.delete(duty)
      leftUntil.set(duty, clock() + ALIVE_MS)
      const released = releaseAt(since)
      if ((await bucket.swap(leaseKey(duty), released, revision)) !== undefined) return
      const there = await bucket.get(leaseKey(duty))
      if (there?.text !== undefined && (JSON.parse(there.text) as Lease).holder === me)
        await bucket.swap(leaseKey(duty), released, there.revision)
    },
    async stop() {
      isRetired = true
      isStopped = true
      clearTimeout(timer)
      for (const silence of silences.values()) clearTimeout(silence)
      for (const end of unwatch.splice(0)) end()
      await beating
      await bucket.remove(replicaKey(me)).catch(() => undefined)
    },
  }
}
