import { randomUUID } from 'node:crypto'
import type { Claim } from '../calls/xnode/index.js'
import type { Log } from '../telemetry/index.js'
import type { HubLink } from './hub.js'
import type { Lanes } from './lanes.js'
import type { Route } from './route.js'
import type { CallView, StateStore } from './state.js'
import { stating } from './stating.js'

/** What ownership of the calls of one route is kept and told with. */
export interface OwnershipParts {
  readonly store: StateStore
  readonly lanes: Lanes
  readonly route: Route
  /** The link that controllers are on. */
  readonly bus: HubLink
  readonly group: string
  readonly log: Log
  readonly now: () => number
}

/**
 * Makes a controller the owner of a call, unless another is; with `takeover` in any case. In the order of the call's
 * own events. A new owner is told once how the call is, unless that is what was just announced to all; later events
 * come to it by themselves.
 */
export async function claimCall(
  parts: OwnershipParts,
  key: string,
  controller: string,
  takeover: boolean,
): Promise<Claim> {
  let outcome: Claim = 'unknown'
  await parts.lanes.run([key], async () => {
    const owned = await parts.store.own(key, controller, takeover)
    outcome = owned.claim
    if (owned.claim !== 'owned' || owned.before === controller) return
    if (owned.before === undefined && owned.view.channel.state === 'new') return
    tellOwner(parts, owned.view)
  })
  return outcome
}

function tellOwner({ route, bus, group, log, now }: OwnershipParts, view: CallView): void {
  const meta = { id: `${group}-${bus.name}-owner-${randomUUID()}`, at: now() }
  for (const frame of route.write(route.sayOther({ ...stating(view), meta }), []))
    bus.transport
      .send(frame)
      .catch((error: unknown) => log.warn('an owner could not be told of its call', { link: bus.name, err: error }))
}
