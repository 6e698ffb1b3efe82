import type { Announcer } from '../calls/announcer.js'
import type { Log } from '../telemetry/index.js'
import type { Absence } from './absence.js'
import type { HubLink } from './hub.js'
import type { Intake } from './intake.js'
import type { Jobs } from './jobs.js'
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

/**
 * Goes on where another replica was cut off: what it may not have said is said again, under the same names, before
 * anything else; and what it took and did not settle is known when it comes again.
 */
export function inherit(
  { name, jobs, metrics }: Station,
  { lastTaken, taken, unsaid }: Inheritance,
  post: Post,
  log: Log,
): void {
  const settles = jobs.adopt(taken, lastTaken)
  jobs.broken()
  for (const { letters, taken: number, said } of unsaid) {
    const settle = (number === undefined ? undefined : settles.get(number)) ?? (() => undefined)
    post(letters)
      .catch((error: unknown) => {
        const failure = asGatewayError(error)
        log.error('what another replica had to say was refused', { link: name, err: failure })
        if (failure.fate !== 'reject') throw failure
        metrics.dropped('dead-letter-failed')
      })
      .then(said)
      .then(
        () => settle('done'),
        () => settle('retry'),
      )
  }
}
