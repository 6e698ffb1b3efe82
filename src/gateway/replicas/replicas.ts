import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../telemetry/index.js'
import type { SharedStore } from '../../transports/nats/index.js'
import type { Frame, LinkEvent } from '../../transports/transport.js'
import { type Letters, memoryState, type StateStore } from '../state.js'
import type { Duties } from './duties.js'
import type { TreesOf } from './journal-text.js'
import { makeLeases } from './leases.js'
import type { Legacy } from './line.js'
import { makeRevisionTexts, type RevisionTexts } from './revisions.js'
import { makeSharedState } from './shared-state.js'

/** What the replica before left of a link, with the requests that it was carrying out, by name. */
export interface Inheritance extends Legacy {
  readonly commands: ReadonlyMap<string, Frame>
}

/** What a replica does with the duties that fall to it. */
export interface ReplicaUse {
  /** Whether a link could be taken from at once. */
  stands(link: string): boolean
  /** Gets ready for the calls of a duty, which are known by then, before it is begun. Never rejects. */
  prepare?(links: readonly string[]): Promise<void>
  /**
   * Begins to take from the links of a duty.
   * @param since when somebody else took last, UTC milliseconds; absent where nobody ever did
   */
  take(links: readonly string[], legacyOf: (link: string) => Inheritance, since: number | undefined): void
  /** Stops at once: another replica takes. What it was told of is not ours any more. */
  drop(links: readonly string[]): Promise<void>
  /** Another replica says something. */
  overhear(letters: readonly Letters[]): void
  /** Another replica began to carry requests out, for a link that it takes from. */
  begun(link: string, frames: readonly Frame[]): void
}

/** This process as one of several that behave as one gateway, or as the only one. */
export interface Replicas {
  readonly store: StateStore
  /** Absent where there are no others. */
  readonly revisions: RevisionTexts | undefined
  /** Whether this one takes from a link. */
  holds(link: string): boolean
  /** Whether it was confirmed lately that no other one does. */
  isConfirmed(link: string): boolean
  /** Whether others go on when this one stops. */
  hasOthers(): boolean
  /** Resolves once it knows what all know; duties fall to it from then on. @throws GatewayError `state.store`, `link.connect` */
  start(use: ReplicaUse, report: (event: LinkEvent) => void): Promise<void>
  /** Takes no duty any more that it does not have. */
  retire(): void
  /**
   * Leaves all duties to others, once nothing more is taken and all is said.
   * @param since when the last was taken, UTC milliseconds
   */
  handOver(since: number): Promise<void>
  stop(): Promise<void>
}

const NO_LEGACY: Inheritance = { lastTaken: 0, taken: [], unsaid: [], commands: new Map() }

/** The only replica: everything is its duty, and what it knows ends with it. */
export function soleReplica(duties: Duties, now: () => number): Replicas {
  return {
    store: memoryState(now),
    revisions: undefined,
    holds: () => true,
    isConfirmed: () => true,
    hasOthers: () => false,
    async start(use) {
      for (const links of duties.values()) use.take(links, () => NO_LEGACY, undefined)
    },
    retire: () => undefined,
    handOver: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
}

/** What a replica is made of. */
export interface ReplicasParts {
  readonly shared: SharedStore
  readonly keepMs: number
  /** Time after which a replica that has two leases more than another gives one to it, milliseconds; 0: never. */
  readonly spreadAfterMs: number
  readonly duties: Duties
  readonly treesOf: TreesOf
  readonly log: Log
  readonly now: () => number
}

/** Pause before a line is tried again that could not be taken over. Milliseconds. */
const AGAIN_MS = 200
/** So often a duty is begun before it is left to another replica. */
const BEGIN_TRIES = 2
/** Pause between two looks whether duties are spread evenly. Milliseconds. */
const SPREAD_EVERY_MS = 500

/** One of several replicas on one store. */
export function makeReplicas({ shared, keepMs, spreadAfterMs, duties, treesOf, log, now }: ReplicasParts): Replicas {
  const { bucket, journal } = shared
  const me = `${hostname().replace(/[^A-Za-z0-9_-]/g, '-')}-${randomBytes(4).toString('hex')}`
  const dutyOf = new Map([...duties].flatMap(([duty, links]) => links.map((link) => [link, duty] as const)))
  /** Duties that were begun here. */
  const active = new Set<string>()
  /** The last try to begin a duty; those before it are given up. */
  const beginning = new Map<string, object>()
  /** Duties that are being left: what their links know is read anew. */
  const forgoing = new Map<string, Promise<void>>()
  let use: ReplicaUse | undefined
  let spreading: NodeJS.Timeout | undefined
  let isStopped = false

  const state = makeSharedState({
    me,
    links: [...dutyOf.keys()],
    bucket,
    journal,
    keepMs,
    treesOf,
    outrun(link) {
      const duty = dutyOf.get(link)!
      leases.forget(duty)
      lost(duty)
    },
    onFollowed: (letters) => use?.overhear(letters),
    onBegun: (link, frames) => use?.begun(link, frames),
    log,
    now,
  })
  const leases = makeLeases({
    bucket,
    me,
    duties: [...duties.keys()],
    spreadAfterMs,
    isAble: (duty) => duties.get(duty)!.every((link) => use?.stands(link) === true),
    taken: (duty, since) => void begin(duty, since),
    lost,
    log,
  })

  async function inherited(link: string, still: () => boolean): Promise<readonly [string, Inheritance]> {
    const legacy = await state.takeOver(link, still)
    return [link, { ...legacy, commands: new Map(state.commandsOf(link)) }]
  }

  async function begin(duty: string, since: number | undefined): Promise<void> {
    const links = duties.get(duty)!
    const mine = {}
    beginning.set(duty, mine)
    const still = () => !isStopped && leases.holds(duty) && beginning.get(duty) === mine
    await forgoing.get(duty)
    for (let tries = 1; still(); tries++) {
      try {
        const legacies = new Map(await Promise.all(links.map((link) => inherited(link, still))))
        await use?.prepare?.(links)
        if (!still()) break
        active.add(duty)
        log.info('duty begun', { duty, ...(since !== undefined && { afterMs: now() - since }) })
        use?.take(links, (link) => legacies.get(link)!, since)
        return
      } catch (error) {
        if (!still()) break
        if (tries >= BEGIN_TRIES && leases.hasOthers()) {
          log.error('a duty cannot be begun here and is left to another replica', { duty, err: error })
          return forgo(duty, since ?? now())
        }
        log.warn('a duty could not be begun; trying again', { duty, err: error })
        await delay(AGAIN_MS)
      }
    }
    // Some of its lines may be written here already.
    if (beginning.get(duty) === mine) forgo(duty)
  }

  function lost(duty: string): void {
    for (const link of duties.get(duty)!) state.halt(link)
    const wasBegun = active.delete(duty)
    if (isStopped) return
    if (wasBegun) log.warn('duty lost to another replica', { duty })
    // Also where it was only being begun: lines may be written here by then, and missed what the other one writes.
    forgo(duty)
  }

  /** @param since until when the duty was done, UTC milliseconds, where its lease is still to be given back */
  function forgo(duty: string, since?: number): void {
    const before = forgoing.get(duty) ?? Promise.resolve()
    const done = before
      .then(() => relearn(duty, since))
      .finally(() => {
        if (forgoing.get(duty) === done) forgoing.delete(duty)
      })
    forgoing.set(duty, done)
  }

  async function relearn(duty: string, since: number | undefined): Promise<void> {
    if (isStopped) return
    const links = duties.get(duty)!
    await use?.drop(links).catch((error: unknown) => log.warn('a link could not be left', { links, err: error }))
    if (since !== undefined) await leave(duty, since)
    for (const link of links) {
      while (!isStopped) {
        try {
          await state.giveUp(link)
          break
        } catch (error) {
          log.warn('the state of a link could not be read again; trying again', { link, err: error })
          await delay(AGAIN_MS)
        }
      }
    }
  }

  async function leave(duty: string, since: number): Promise<void> {
    try {
      await Promise.all(duties.get(duty)!.map(state.settled))
      await leases.release(duty, since)
      log.info('duty handed over', { duty })
    } catch (error) {
      log.warn('a duty could not be handed over; another replica takes it after a while', { duty, err: error })
    }
  }

  /** One at a time, and none in the middle of a command: the next replica could not tell its end. */
  function spread(): void {
    if (forgoing.size > 0 || !leases.hasTooMany()) return
    const isIdle = (link: string) => state.commandsOf(link).size === 0
    const duty = [...active].find((each) => duties.get(each)!.every(isIdle))
    if (duty === undefined) return
    log.info('duty goes to a replica that has fewer', { duty })
    active.delete(duty)
    forgo(duty, now())
  }

  return {
    store: state.store,
    revisions: makeRevisionTexts(bucket),
    holds: (link) => active.has(dutyOf.get(link) ?? ''),
    isConfirmed: (link) => leases.isConfirmed(dutyOf.get(link) ?? ''),
    hasOthers: leases.hasOthers,
    async start(given, report) {
      use = given
      let isOpen = false
      await shared.open(() => {
        if (!isOpen) return
        state.again()
        void leases.start()
      }, report)
      await state.open()
      isOpen = true
      await leases.start()
      if (spreadAfterMs > 0) spreading = setInterval(spread, SPREAD_EVERY_MS).unref()
      log.info('replica ready', { replica: me, duties: [...duties.keys()] })
    },
    retire() {
      clearInterval(spreading)
      leases.retire()
    },
    async handOver(since) {
      active.clear()
      await Promise.all([...duties.keys()].filter(leases.holds).map((duty) => leave(duty, since)))
    },
    async stop() {
      isStopped = true
      clearInterval(spreading)
      await leases.stop()
      state.close()
      await shared.close()
    },
  }
}
