import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../telemetry/index.js'
import type { SharedStore } from '../../transports/nats/index.js'
import type { Frame, LinkEvent } from '../../transports/transport.js'
import { type Letters, memoryState, type StateStore } from '../state.js'
import { makeCheckpoints } from './checkpoints.js'
import type { Duties } from './duties.js'
import type { TreesOf } from './journal-text.js'
import { makeLeases } from './leases.js'
import type { Legacy } from './line.js'
import { makeSharedState } from './shared-state.js'

/** What the replica before left of a link, with the requests that it was carrying out, by name. */
export interface Inheritance extends Legacy {
  readonly commands: ReadonlyMap<string, Frame>
}

/** What a replica does with the duties that fall to it. */
export interface ReplicaUse {
  /**
   * Begins to take from the links of a duty.
   * @param since when somebody else took last, UTC milliseconds; absent where nobody ever did
   */
  take(links: readonly string[], legacyOf: (link: string) => Inheritance, since: number | undefined): void
  /** Stops at once: another replica takes. What it was told of is not ours any more. */
  drop(links: readonly string[]): Promise<void>
  /** Another replica says something. */
  overhear(letters: readonly Letters[]): void
}

/** This process as one of several that behave as one gateway, or as the only one. */
export interface Replicas {
  readonly store: StateStore
  /** Whether this one takes from a link. */
  holds(link: string): boolean
  /** Whether others go on when this one stops. */
  hasOthers(): boolean
  /** Resolves once it knows what all know; duties fall to it from then on. @throws GatewayError `state.store`, `link.connect` */
  start(use: ReplicaUse, report: (event: LinkEvent) => void): Promise<void>
  /** Leaves all duties to others, once nothing more is taken and all is said. */
  handOver(): Promise<void>
  stop(): Promise<void>
}

const NO_LEGACY: Inheritance = { taken: [], unsaid: [], commands: new Map() }

/** The only replica: everything is its duty, and what it knows ends with it. */
export function soleReplica(duties: Duties, now: () => number): Replicas {
  return {
    store: memoryState(now),
    holds: () => true,
    hasOthers: () => false,
    async start(use) {
      for (const links of duties.values()) use.take(links, () => NO_LEGACY, undefined)
    },
    handOver: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
}

/** What a replica is made of. */
export interface ReplicasParts {
  readonly shared: SharedStore
  readonly keepMs: number
  readonly duties: Duties
  readonly treesOf: TreesOf
  readonly log: Log
  readonly now: () => number
}

/** Pause before a line is tried again that could not be taken over. Milliseconds. */
const AGAIN_MS = 200

/** One of several replicas on one store. */
export function makeReplicas({ shared, keepMs, duties, treesOf, log, now }: ReplicasParts): Replicas {
  const { bucket, journal } = shared
  const me = `${hostname().replace(/[^A-Za-z0-9_-]/g, '-')}-${randomBytes(4).toString('hex')}`
  const dutyOf = new Map([...duties].flatMap(([duty, links]) => links.map((link) => [link, duty] as const)))
  /** Duties that were begun here. */
  const active = new Set<string>()
  let use: ReplicaUse | undefined
  let isStopped = false

  const state = makeSharedState({
    me,
    links: [...dutyOf.keys()],
    journal,
    checkpoints: makeCheckpoints(bucket, treesOf, keepMs, now),
    treesOf,
    outrun(link) {
      const duty = dutyOf.get(link)!
      leases.forget(duty)
      lost(duty)
    },
    onFollowed: (letters) => use?.overhear(letters),
    log,
    now,
  })
  const leases = makeLeases({
    bucket,
    me,
    duties: [...duties.keys()],
    taken: (duty, since) => void begin(duty, since),
    lost,
    log,
  })

  async function inherited(link: string): Promise<readonly [string, Inheritance]> {
    const legacy = await state.takeOver(link)
    return [link, { ...legacy, commands: new Map(state.commandsOf(link)) }]
  }

  async function begin(duty: string, since: number | undefined): Promise<void> {
    const links = duties.get(duty)!
    while (!isStopped && leases.holds(duty)) {
      try {
        const found = await Promise.all(links.map(inherited))
        if (isStopped) return
        if (!leases.holds(duty)) return await relearn(links)
        const legacies = new Map(found)
        active.add(duty)
        log.info('duty begun', { duty, ...(since !== undefined && { afterMs: now() - since }) })
        use?.take(links, (link) => legacies.get(link)!, since)
        return
      } catch (error) {
        log.warn('a duty could not be begun; trying again', { duty, err: error })
        await delay(AGAIN_MS)
      }
    }
  }

  function lost(duty: string): void {
    if (!active.delete(duty) || isStopped) return
    const links = duties.get(duty)!
    log.warn('duty lost to another replica', { duty })
    void relearn(links)
  }

  async function relearn(links: readonly string[]): Promise<void> {
    await use?.drop(links)
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

  return {
    store: state.store,
    holds: (link) => active.has(dutyOf.get(link) ?? ''),
    hasOthers: leases.hasOthers,
    async start(given, report) {
      use = given
      let isOpen = false
      await shared.open(() => {
        if (!isOpen) return
        const again = Promise.all([state.again(), leases.start()])
        again.catch((error: unknown) => log.warn('the shared state is not followed yet', { err: error }))
      }, report)
      await state.open()
      isOpen = true
      await leases.start()
      log.info('replica ready', { replica: me, duties: [...duties.keys()] })
    },
    async handOver() {
      const mine = [...active]
      active.clear()
      await Promise.all(
        mine.map(async (duty) => {
          await Promise.all(duties.get(duty)!.map(state.settled))
          await leases.release(duty)
          log.info('duty handed over', { duty })
        }),
      )
    },
    async stop() {
      isStopped = true
      await leases.stop()
      state.close()
      await shared.close()
    },
  }
}
