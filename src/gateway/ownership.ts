import { randomUUID } from 'node:crypto'
import type { Claim } from '../calls/xnode/index.js'
import type { Log } from '../telemetry/index.js'
import type { HubLink } from './hub.js'
import { type Post, sayOnceKept } from './post.js'
import type { Route } from './route.js'
import { type CallView, type Letters, owned, type StateStore } from './state.js'
import { stating } from './stating.js'

/** What ownership of the calls of one route is kept and told with. */
export interface OwnershipParts {
  readonly store: StateStore
  /** The route by which controllers are told of a call. */
  readonly routeOf: (view: CallView) => Route
  /** The link that controllers are on. */
  readonly bus: HubLink
  readonly post: Post
  readonly group: string
  readonly log: Log
  readonly now: () => number
}

/**
 * Makes a controller the owner of a call, unless another is; with `takeover` in any case. A new owner is told once
 * how the call is, unless that is what was just announced to all; later events come to it by themselves.
 * Resolves when nobody can take it for themselves any more.
 */
export async function claimCall(
  parts: OwnershipParts,
  key: string,
  controller: string,
  takeover: boolean,
): Promise<Claim> {
  const { store, bus, post, log } = parts
  const outcome = owned(store.call(key), controller, takeover)
  if (outcome.claim !== 'owned' || outcome.before === controller) return outcome.claim
  const { before, view } = outcome
  const letters = before === undefined && view.channel.state === 'new' ? [] : [statement(parts, view)]
  const kept = store.keep({ link: view.link, calls: new Map([[key, view]]), letters })
  sayOnceKept(kept, letters, post).catch((error: unknown) =>
    log.warn('an owner could not be told of its call', { link: bus.name, channel: view.channel.id, err: error }),
  )
  await kept.written
  return 'owned'
}

function statement({ routeOf, bus, group, now }: OwnershipParts, view: CallView): Letters {
  const meta = { id: `${group}-${bus.name}-owner-${randomUUID()}`, at: now() }
  const route = routeOf(view)
  return { to: bus.name, frames: route.write(route.sayOther({ ...stating(view), meta }), []) }
}
