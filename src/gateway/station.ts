import { setTimeout as delay } from 'node:timers/promises'
import type { Announcer } from '../calls/announcer.js'
import type { GatewayError } from '../errors.js'
import type { Log } from '../telemetry/index.js'
import type { Absence } from './absence.js'
import type { HubLink } from './hub.js'
import type { Intake } from './intake.js'
import type { Jobs, Unsettled } from './jobs.js'
import type { Post } from './post.js'
import type { Inheritance } from './replicas/index.js'
import type { RequestTaker } from './requests.js'
import { asGatewayError } from './route.js'
import type { SteeredNode } from './steered.js'
import type { WatchedNode } from './watched.js'

/** Everything that belongs to one link. */
export interface Station extends HubLink {
  readonly jobs: Jobs
  readonly intake: Intake
  readonly absence: Absence
  /** The node that we announce there, if any. */
  readonly node: WatchedNode | undefined
  /** Those who take requests that come here. */
  readonly desks: readonly RequestTaker[]
  /** Nodes whose Asterisk this is. */
  readonly isAsteriskOf: readonly SteeredNode[]
}

/** Those who speak of nodes while we take from a link. */
export function announcersOf({ node, isAsteriskOf }: Station): Announcer[] {
  return [node, ...isAsteriskOf].flatMap((each) => (each?.announcer === undefined ? [] : [each.announcer]))
}

/** Requests that are answered while we take from a link. */
export function desksOf({ node, isAsteriskOf }: Station): RequestTaker[] {
  return [node, ...isAsteriskOf].flatMap((each) => (each === undefined ? [] : [each.desk]))
}

type Unsaid = Inheritance['unsaid'][number]

/** What a turn is taken over with, beside what was left. */
interface Turn {
  readonly log: Log
  /** Somebody else takes from the link. */
  readonly ended: AbortSignal
}

/** A broker that lost a consumer notices it in less, and then sends again what that one left. Milliseconds. */
const COMES_AGAIN_MS = 60_000

/**
 * Goes on where another replica was cut off: what it may not have said is said again, under the same names, before
 * anything else; and what it took and did not settle is known when it comes again. What is refused for good is put aside
 * as a dead letter when the message that it follows from comes again; without such a message it is counted as dropped.
 */
export function inherit(station: Station, { lastTaken, taken, unsaid }: Inheritance, post: Post, turn: Turn): void {
  const { jobs } = station
  const unsettled = jobs.adopt(taken, lastTaken)
  jobs.broken()
  // Of a message that was refused before, its dead letter is the last.
  const lastOf = new Map(unsaid.map((each) => [each.taken, each] as const))
  for (const each of unsaid) {
    const isOutdated = each.taken !== undefined && lastOf.get(each.taken) !== each
    const message = each.taken === undefined || isOutdated ? undefined : unsettled.get(each.taken)
    void say(each, { station, message, isOutdated }, post, turn)
  }
}

/** What letters follow from. */
interface Origin {
  readonly station: Station
  /** Absent where none comes again. */
  readonly message: Unsettled | undefined
  /** Something else became of the message since. */
  readonly isOutdated: boolean
}

async function say({ letters, said }: Unsaid, origin: Origin, post: Post, turn: Turn): Promise<void> {
  const { station, message, isOutdated } = origin
  try {
    await post(letters).catch(async (error: unknown) => {
      const failure = asGatewayError(error)
      if (failure.fate !== 'reject') throw failure
      turn.log.error('what another replica had to say was refused', { link: station.name, err: failure })
      if (message !== undefined) await putAside(station, message, failure, turn)
      else if (!isOutdated) station.metrics.dropped('dead-letter-failed')
    })
    await said()
    message?.settle('done')
  } catch {
    message?.settle('retry')
  }
}

/**
 * Resolves once the message is begun as one that was refused, and its dead letter kept: should we die before, the next
 * replica does all this again. One that does not come again is counted as dropped.
 */
async function putAside({ metrics }: Station, message: Unsettled, error: GatewayError, turn: Turn): Promise<void> {
  turn.ended.throwIfAborted()
  const begun = new AbortController()
  message.refuse(error, () => begun.abort())
  const signal = AbortSignal.any([begun.signal, turn.ended])
  await delay(COMES_AGAIN_MS, undefined, { ref: false, signal }).then(
    () => metrics.dropped('dead-letter-failed'),
    () => {
      if (!begun.signal.aborted) turn.ended.throwIfAborted()
    },
  )
}
