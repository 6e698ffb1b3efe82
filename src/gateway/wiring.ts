import type { SteeringTables } from '../calls/xnode/index.js'
import type { NatsLinkConfig } from '../config/index.js'
import type { GatewayError } from '../errors.js'
import type { Health, Log, Metrics, Tracing } from '../telemetry/index.js'
import type { AriRest } from '../transports/ari-client/index.js'
import { makeSharedStore } from '../transports/nats/index.js'
import type { OpenMapping } from './dialects.js'
import type { Hub, HubLink } from './hub.js'
import { makeTransport } from './links.js'
import type { Post } from './post.js'
import { makeDuties, makeReplicas, type Replicas, soleReplica } from './replicas/index.js'
import type { Route } from './route.js'
import { type ConfigFile, isTakenFrom, type ReadConfig, type RouteTable, type Rules } from './rules/index.js'
import type { Secrets } from './secrets.js'
import { shardsAround } from './shards.js'
import type { StateStore } from './state.js'
import { makeSteeredNode, type SteeredNode } from './steered.js'
import { makeSyncDesk, type SyncDesk } from './sync.js'
import type { RefuseSystem } from './systems.js'
import { nodesOf, watchedRoutes } from './watched.js'

/** The store of replicas among the links of the readiness; no link can have that name. */
export const SHARED_STATE = 'shared state'

/** What a gateway is made of. */
export interface GatewayParts extends ReadConfig {
  readonly rules: Rules
  /** Folder of the configuration. */
  readonly folder: string
  readonly open: OpenMapping
  /** Where the configuration is followed; absent where it is in no file. */
  readonly file: ConfigFile | undefined
  readonly secrets: Secrets
  readonly metrics: Metrics
  readonly health: Health
  readonly log: Log
  readonly tracing: Tracing
  readonly version: string
  readonly now?: () => number
  /** Makes the transport of a link; by default one to its broker. */
  readonly makeTransport?: typeof makeTransport
}

/** Who looks after a broker may mend its users and certificates, and files of ours are looked at again. */
export function mayMend({ code }: GatewayError): boolean {
  return code === 'link.connect' || code === 'link.forbidden'
}

/** This process as the only replica, or as one of those that share a store. */
export function replicasOf({ config, rules, secrets, metrics, log }: GatewayParts, now: () => number): Replicas {
  const { routes, dialects } = rules.current()
  const names = Object.keys(config.links)
  const watched = names.flatMap((name) => (config.links[name]!.type === 'nats' ? watchedRoutes(name, routes) : []))
  const onDuty = names.filter((name) => isTakenFrom(name, config, dialects) || watched.some(({ to }) => to === name))
  const duties = makeDuties(
    onDuty,
    watched.map(({ from, to }) => [from, to]),
  )
  for (const link of [...duties.values()].flat()) metrics.link(link).holds(false)
  const { store } = config
  if (store === undefined) return soleReplica(duties, now)
  const nats = () => secrets.link(store.link) as NatsLinkConfig // `check` lets no other link keep it
  const shared = makeSharedStore({
    ...store,
    nats: { ...nats(), access: nats, name: `${store.link} state` },
    group: config.group,
    mayMend,
  })
  const treesOf = (name: string) => rules.current().dialects.get(name)?.codec.trees
  const { keepMs, spreadAfterMs } = store
  return makeReplicas({ shared, keepMs, spreadAfterMs, duties, treesOf, log, now })
}

/** One for each node on each bus, also where several routes share its facts: that of its calls. */
export function steeredRoutes(routes: readonly Route[]): Route[] {
  const steered = routes.filter((route) => route.steered)
  return steered.filter((route) => {
    const all = steered.filter(({ from, to }) => from === route.from && to === route.to)
    return route === (all.find(({ kinds }) => kinds.has('channel')) ?? all[0])
  })
}

/** A link with its transport. */
export function hubLink(name: string, parts: GatewayParts, refuse: RefuseSystem): HubLink {
  const { config, metrics, secrets } = parts
  const { routes, dialects, dialectOf } = parts.rules.current()
  const link = config.links[name]!
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
  const roles = {
    isSource,
    shards: shardsAround(name, config.links, (each) => isTakenFrom(each, config, dialects)),
    isNode,
    nodes: [...nodes],
    refuseSystem: refuse.bind(undefined, name),
    current: () => secrets.link(name),
  }
  const transport = make(name, link, dialectOf(name), roles, config)
  const counted = metrics.link(name)
  counted.outbox(transport.unconfirmed)
  return { name, transport, metrics: counted }
}

/** What asks for full pictures and answers those who ask. */
export function syncDesk(
  parts: GatewayParts,
  links: ReadonlyMap<string, HubLink>,
  store: StateStore,
  now: () => number,
): SyncDesk {
  const { config, rules, log } = parts
  return makeSyncDesk({ group: config.group, links, rules, store, options: config.sync, log, now })
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
  readonly steered: readonly PlacedNode[]
}

/** A steered node between its two links. */
interface PlacedNode extends SteeredNode {
  readonly from: string
  readonly to: string
}

/** The route of a ruleset by which controllers on a bus steer calls of an Asterisk. */
function steeredRoute({ routes }: RouteTable, from: string, to: string): Route | undefined {
  return steeredRoutes(routes).find((route) => route.from === from && route.to === to)
}

/** The node of a route by which controllers steer. */
export function steeredNode(route: Route, { parts, hub, post, replicas, links, now }: Middle): PlacedNode {
  const { config, rules, log, tracing, version } = parts
  const settings = config.links[route.from]
  const busSettings = config.links[route.to]
  const { transport } = links.get(route.from)!
  if (settings?.type !== 'ari' || busSettings?.type !== 'nats' || !('rest' in transport))
    throw new Error(`${route.name} is steered, and not between an Asterisk and a NATS`)
  const currentRoute = () => steeredRoute(rules.current(), route.from, route.to) ?? route
  const node = makeSteeredNode({
    ari: { name: route.from, settings, rest: transport.rest as AriRest },
    bus: links.get(route.to)!,
    busSettings,
    dialect: () => rules.current().dialectOf(route.to),
    route: currentRoute,
    // Calls of a replica with another configuration may go by rules without one.
    routeOf: (view) => steeredRoute(rules.ofCall(view), route.from, route.to) ?? currentRoute(),
    tables: currentTables(() => rules.current().steeringOf(route.from)),
    store: replicas.store,
    isOurs: () => replicas.holds(route.from),
    hub,
    post,
    log,
    tracing,
    version,
    group: config.group,
    now,
  })
  links.get(route.from)!.metrics.waits(node.xnode.open)
  return { ...node, from: route.from, to: route.to }
}

/** Tables that are looked up at each use. */
function currentTables(tables: () => SteeringTables): SteeringTables {
  return {
    endpointOf: (dialString) => tables().endpointOf(dialString),
    mediaOf: (data) => tables().mediaOf(data),
    speechOf: (text, engine, voice) => tables().speechOf(text, engine, voice),
    causeNumber: (name) => tables().causeNumber(name),
    codeOf: (cause) => tables().codeOf(cause),
    placeOf: (hook, name) => tables().placeOf(hook, name),
  }
}
