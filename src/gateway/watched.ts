import { randomUUID } from 'node:crypto'
import { type Announcer, makeAnnouncer } from '../calls/announcer.js'
import { type Claim, watchedNode } from '../calls/watched-node.js'
import type { NatsLinkConfig } from '../config/index.js'
import type { Log } from '../telemetry/index.js'
import type { Delivery } from '../transports/transport.js'
import { HEADERS } from './headers.js'
import { callKey, type HubLink } from './hub.js'
import type { Lanes } from './lanes.js'
import { nodeSubject } from './links.js'
import { isWatched, type Route } from './route.js'
import type { CallView, StateStore } from './state.js'
import { stating } from './stating.js'

/** The node under which controllers on one link see calls that they may watch but not steer. */
export interface WatchedNode {
  /** Absent where the node is not to be announced. */
  readonly announcer: Announcer | undefined
  /** Whether a delivery is a request to the node. */
  isFor(delivery: Delivery): boolean
  take(delivery: Delivery): void
}

/** What it is made of. `routes` are those of {@link watchedRoutes}. */
export interface WatchedParts {
  readonly link: HubLink
  readonly settings: NatsLinkConfig
  readonly routes: readonly Route[]
  readonly store: StateStore
  readonly lanes: Lanes
  readonly log: Log
  readonly version: string
  readonly group: string
}

/** Routes whose calls can be watched on a link but not steered: their source knows no controllers. */
export function watchedRoutes(link: string, routes: readonly Route[]): Route[] {
  return routes.filter((route) => route.to === link && isWatched(route.source, route.target))
}

/** Makes the node of a link. */
export function makeWatchedNode(parts: WatchedParts): WatchedNode {
  const { link, settings, routes, store, log } = parts
  const { uuid, name, register, updateIntervalMs, shared } = settings.node
  const announcer = makeAnnouncer({
    uuid,
    name,
    address: nodeSubject(uuid),
    version: parts.version,
    intervalMs: updateIntervalMs,
    dialect: link.dialect,
    transport: link.transport,
    headers: { [HEADERS.path]: parts.group },
    log,
    sessions: async () => (await Promise.all(routes.map((route) => store.callsOf(route.from)))).flat().length,
  })
  const subjects = new Set([nodeSubject(uuid), ...(shared === undefined ? [] : [shared.subject])])
  const node = watchedNode({
    uuid,
    ctrlSubject: String(routes[0]!.target.settings['ctrl-subject']),
    announce: () => {
      if (register) announcer.announce()
    },
    reply: (subject, body) => {
      link.transport
        .send({ address: { subject, deliver: 'core' }, headers: {}, body })
        .catch((error: unknown) => log.warn('a reply could not be sent', { link: link.name, subject, err: error }))
    },
    calls: {
      find: async (id) => (await lookUp(parts, id))?.view.channel,
      claim: (id, controller, takeover) => claim(parts, id, controller, takeover),
    },
  })
  return {
    announcer: register ? announcer : undefined,
    isFor: ({ frame }) => subjects.has(frame.address.subject ?? ''),
    take(delivery) {
      link.metrics.taken()
      node
        .take(delivery.frame)
        .catch((error: unknown) => log.error('a request could not be answered', { link: link.name, err: error }))
        .finally(() => delivery.settle('done'))
    },
  }
}

interface Found {
  readonly route: Route
  readonly key: string
  readonly view: CallView
}

async function lookUp({ routes, store }: WatchedParts, id: string): Promise<Found | undefined> {
  for (const route of routes) {
    const key = callKey(route.from, undefined, id)
    const view = await store.call(key)
    if (view?.told[route.name]?.opened && view.channel.state !== 'ended') return { route, key, view }
  }
  return undefined
}

/** One compare-and-set, in the order of the call's own events. */
async function claim(parts: WatchedParts, id: string, controller: string, takeover: boolean): Promise<Claim> {
  const found = await lookUp(parts, id)
  if (found === undefined) return 'unknown'
  let outcome: Claim = 'taken'
  await parts.lanes.run([found.key], async () => {
    const view = (await parts.store.call(found.key)) ?? found.view
    const owner = view.channel.controller
    if (owner !== undefined && owner !== controller && !takeover) return
    outcome = 'owned'
    if (owner === controller) return
    const owned = { ...view, channel: { ...view.channel, controller } }
    await parts.store.putCall(found.key, owned)
    tellOwner(parts, found.route, owned)
  })
  return outcome
}

/** A new owner is told once how the call is, unless that is what it was just announced; later events come by themselves. */
function tellOwner({ link, log, group }: WatchedParts, route: Route, view: CallView): void {
  if (view.channel.state === 'new') return
  const meta = { id: `${group}-${link.name}-owner-${randomUUID()}`, at: Date.now() }
  const facts = route.sayOther({ ...stating(view), meta })
  for (const frame of route.write(facts, [])) {
    link.transport
      .send(frame)
      .catch((error: unknown) =>
        log.warn('the owner of a call could not be told of it', { link: link.name, err: error }),
      )
  }
}
