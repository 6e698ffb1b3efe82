import type { SteeringTables } from '../calls/xnode/index.js'
import type { Config, NatsLinkConfig, RouteConfig } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import type { Health, Log, Metrics } from '../telemetry/index.js'
import type { AriRest } from '../transports/ari-client/index.js'
import { makeSharedStore } from '../transports/nats/index.js'
import type { Dialects } from './dialects.js'
import type { Hub, HubLink } from './hub.js'
import { makeTransport } from './links.js'
import type { Post } from './post.js'
import { makeDuties, makeReplicas, type Replicas, soleReplica } from './replicas/index.js'
import { makeRoute, type Route, says } from './route.js'
import type { StateStore } from './state.js'
import { makeSteeredNode, type SteeredNode } from './steered.js'
import { makeSyncDesk, type SyncDesk } from './sync.js'
import type { RefuseSystem } from './systems.js'
import { nodesOf, watchedRoutes } from './watched.js'

/** The store of replicas among the links of the readiness; no link can have that name. */
export const SHARED_STATE = 'shared state'

/** What a gateway is made of. */
export interface GatewayParts {
  readonly config: Config
  readonly dialects: Dialects
  /** The target dialect of a route, where it differs from that of the others in its settings. */
  readonly targetOf: (route: RouteConfig) => Dialect
  /** Steering tables, by the link whose calls are steered. */
  readonly steering: ReadonlyMap<string, SteeringTables>
  readonly metrics: Metrics
  readonly health: Health
  readonly log: Log
  readonly version: string
  readonly now?: () => number
  /** Makes the transport of a link; by default one to its broker. */
  readonly makeTransport?: typeof makeTransport
}

/** This process as the only replica, or as one of those that share a store. */
export function replicasOf(
  { config, dialects, log }: GatewayParts,
  routes: readonly Route[],
  now: () => number,
): Replicas {
  const names = Object.keys(config.links)
  const watched = names.flatMap((name) => (config.links[name]!.type === 'nats' ? watchedRoutes(name, routes) : []))
  const onDuty = names.filter((name) => isTakenFrom(name, config, dialects) || watched.some(({ to }) => to === name))
  const duties = makeDuties(
    onDuty,
    watched.map(({ from, to }) => [from, to]),
  )
  const { store } = config
  if (store === undefined) return soleReplica(duties, now)
  const nats = config.links[store.link] as NatsLinkConfig // `check` lets no other link keep it
  const shared = makeSharedStore({ ...store, nats: { ...nats, name: `${store.link} state` }, group: config.group })
  const treesOf = (name: string) => dialects.get(name)?.codec.trees
  return makeReplicas({ shared, keepMs: store.keepMs, duties, treesOf, log, now })
}

/** Whether messages of a link are translated, or syncs answered that are asked there. */
function isTakenFrom(name: string, { routes, links }: Config, dialects: Dialects): boolean {
  const answers = routes.some(({ to, sync }) => to === name && sync.answer)
  return routes.some(({ from }) => from === name) || (answers && says(dialects.get(links[name]!.dialect)!, 'sync'))
}

/** A route of the configuration. */
export function routeOf(route: RouteConfig, { config, dialects, targetOf, metrics }: GatewayParts): Route {
  const to = config.links[route.to]!
  return makeRoute({
    name: route.name,
    from: route.from,
    to: route.to,
    kinds: new Set(route.facts),
    source: dialects.get(config.links[route.from]!.dialect)!,
    target: targetOf(route),
    loopback: route.loopback,
    cdrOrder: route.cdrOrder,
    steered: isSteered(route, config),
    group: config.group,
    node: to.type === 'nats' ? to.node.uuid : undefined,
    metrics: metrics.route(route.name),
  })
}

/** One for each node on each bus, also where several routes share its facts: that of its calls. */
export function steeredRoutes(routes: readonly Route[]): Route[] {
  const steered = routes.filter((route) => route.steered)
  return steered.filter((route) => {
    const all = steered.filter(({ from, to }) => from === route.from && to === route.to)
    return route === (all.find(({ kinds }) => kinds.has('channel')) ?? all[0])
  })
}

/** Whether controllers steer what a route tells them of. */
function isSteered({ from, to }: RouteConfig, { links }: Config): boolean {
  const source = links[from]!
  return source.type === 'ari' && source.steer !== undefined && links[to]!.type === 'nats'
}

/** A link with its transport. */
export function hubLink(name: string, routes: readonly Route[], parts: GatewayParts, refuse: RefuseSystem): HubLink {
  const { config, dialects, metrics } = parts
  const link = config.links[name]!
  const dialect = dialects.get(link.dialect)!
  const watched = watchedRoutes(name, routes)
  const isNode = link.type === 'nats' && watched.length > 0
  const make = parts.makeTransport ?? makeTransport
  const nodes = new Set(
    nodesOf(
      [...steeredRoutes(routes), ...watched].filter(({ to }) => to === name),
      config.links,
    ).values(),
  )
  const isSource = isTakenFrom(name, config, dialects)
  const roles = { isSource, isNode, nodes: [...nodes], refuseSystem: refuse.bind(undefined, name) }
  const transport = make(name, link, dialect, roles, config)
  return { name, dialect, transport, metrics: metrics.link(name) }
}

/** What asks for full pictures and answers those who ask. */
export function syncDesk(
  parts: GatewayParts,
  links: ReadonlyMap<string, HubLink>,
  routes: readonly Route[],
  store: StateStore,
  now: () => number,
): SyncDesk {
  const { config, log } = parts
  const answers = new Set(config.routes.filter((route) => route.sync.answer).map((route) => route.to))
  return makeSyncDesk({ group: config.group, links, routes, answers, store, options: config.sync, log, now })
}

/** What stands between all links. */
export interface Middle {
  readonly parts: GatewayParts
  readonly hub: Hub
  readonly post: Post
  readonly replicas: Replicas
  readonly links: ReadonlyMap<string, HubLink>
  readonly now: () => number
}

/** What one link needs of all others. */
export interface Surroundings extends Middle {
  readonly sync: SyncDesk
  readonly routes: readonly Route[]
  readonly steered: readonly PlacedNode[]
}

/** A steered node between its two links. */
interface PlacedNode extends SteeredNode {
  readonly from: string
  readonly to: string
}

/** The node of a route by which controllers steer. */
export function steeredNode(route: Route, { parts, hub, post, replicas, links, now }: Middle): PlacedNode {
  const { config, log, version } = parts
  const settings = config.links[route.from]
  const busSettings = config.links[route.to]
  const { transport } = links.get(route.from)!
  if (settings?.type !== 'ari' || busSettings?.type !== 'nats' || !('rest' in transport))
    throw new Error(`${route.name} is steered, and not between an Asterisk and a NATS`)
  const node = makeSteeredNode({
    ari: { name: route.from, settings, rest: transport.rest as AriRest },
    bus: links.get(route.to)!,
    busSettings,
    route,
    tables: parts.steering.get(route.from)!,
    store: replicas.store,
    isOurs: () => replicas.holds(route.from),
    hub,
    post,
    log,
    version,
    group: config.group,
    now,
  })
  links.get(route.from)!.metrics.waits(node.xnode.open)
  return { ...node, from: route.from, to: route.to }
}
