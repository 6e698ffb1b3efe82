import { setTimeout as delay } from 'node:timers/promises'
import type { Announcer } from '../calls/announcer.js'
import type { SteeringTables } from '../calls/xnode/index.js'
import type { Config, RouteConfig } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import type { Health, Log, Metrics } from '../telemetry/index.js'
import type { AriRest } from '../transports/ari-client/index.js'
import type { LinkEvent } from '../transports/transport.js'
import { type DeadLetterPlace, makeDeadLetters } from './dead-letters.js'
import type { Dialects } from './dialects.js'
import { type Hub, type HubLink, makeHub } from './hub.js'
import { type Intake, makeIntake } from './intake.js'
import { type Jobs, makeJobs } from './jobs.js'
import { type Lanes, makeLanes } from './lanes.js'
import { linkLog } from './link-log.js'
import { deadLetterPlace, makeTransport } from './links.js'
import { xccPassOver } from './observed.js'
import type { RequestTaker } from './requests.js'
import { makeRoute, type Route, says } from './route.js'
import { makeSharedDesk } from './shared-desk.js'
import { memoryState, type StateStore } from './state.js'
import { makeSteeredNode, type SteeredNode } from './steered.js'
import { makeSyncDesk, type SyncDesk } from './sync.js'
import { type RefuseSystem, systemNames } from './systems.js'
import { makeWatchedNode, nodesOf, type WatchedNode, watchedRoutes } from './watched.js'

/** A gateway: links, and the routes between them. */
export interface Gateway {
  /** Opens all links and asks for full pictures. Resolves when every link stood once. */
  start(): Promise<void>
  /** Stops taking, finishes what was taken, says goodbye, closes. Idempotent. */
  stop(): Promise<void>
}

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

/** What telling that our nodes leave may take. Milliseconds. */
const GOODBYE_MS = 1000
/** What answering the commands that a stop cuts short may take. Milliseconds. */
const LAST_ANSWERS_MS = 3000

/** Everything that belongs to one link. */
interface Station extends HubLink {
  readonly jobs: Jobs
  readonly intake: Intake
  /** The node that we announce there, if any. */
  readonly node: WatchedNode | undefined
  /** Those who take requests that come here. */
  readonly desks: readonly RequestTaker[]
  /** Nodes that are steered from here. */
  readonly isBusOf: readonly SteeredNode[]
  /** Nodes whose Asterisk this is. */
  readonly isAsteriskOf: readonly SteeredNode[]
}

function announcersOf({ node, isBusOf }: Station): Announcer[] {
  return [node, ...isBusOf].flatMap((each) => (each?.announcer === undefined ? [] : [each.announcer]))
}

/** Makes a gateway from a checked configuration. */
export function makeGateway(parts: GatewayParts): Gateway {
  const { config, log, now = Date.now } = parts
  const store = memoryState(now)
  const lanes = makeLanes()
  const routes = config.routes.map((route) => routeOf(route, parts))
  const refuse = systemNames(config.links)
  const links = new Map(Object.keys(config.links).map((name) => [name, hubLink(name, routes, parts, refuse)]))
  const hub = makeHub({ links, routes, store, now })
  const sync = syncDesk(parts, links, routes, store, now)
  const steered = steeredRoutes(routes).map((route) => steeredNode(route, { parts, hub, lanes, store, links, now }))
  const stations = [...links.values()].map((link) =>
    station(link, { parts, hub, sync, lanes, store, routes, links, steered, now }),
  )
  let stopping: Promise<void> | undefined

  function report(each: Station, event: LinkEvent): void {
    parts.health.report(each.name, event)
    if (event.kind === 'interrupted') each.jobs.broken()
    if (event.kind === 'down') for (const node of each.isAsteriskOf) node.xnode.lost()
    if (event.kind === 'up') for (const node of each.isAsteriskOf) node.xnode.back()
  }

  /** Whatever was said while the link was down has passed us by, and controllers may have forgotten us. */
  function backAgain(each: Station): void {
    for (const announcer of announcersOf(each)) announcer.announce()
    if (asks(each.name)) askFor(each.name)
  }

  const asks = (link: string) => config.routes.some((route) => route.from === link && route.sync.ask)

  function askFor(link: string): void {
    sync.ask(link).catch((error: unknown) => log.warn('a full picture could not be asked for', { link, err: error }))
  }

  async function start(): Promise<void> {
    await Promise.all(
      stations.map(async (each) => {
        const note = linkLog(each.name, each.metrics, log)
        let wasUp = false
        await each.transport.start({
          deliver(delivery) {
            const desk = each.desks.find((one) => one.isFor(delivery))
            if (desk === undefined) each.intake.take(delivery)
            else desk.take(delivery)
          },
          report(event) {
            note(event)
            report(each, event)
            if (event.kind !== 'up') return
            if (wasUp) backAgain(each)
            wasUp = true
          },
        })
        for (const announcer of announcersOf(each)) announcer.start()
      }),
    )
    for (const { name } of stations) if (asks(name)) askFor(name)
    log.info('gateway started', { group: config.group, routes: routes.map((route) => route.name) })
  }

  async function end(): Promise<void> {
    parts.health.stop()
    sync.stop()
    log.info('gateway stopping')
    await Promise.all(stations.map((each) => each.transport.drain()))
    await lanes.idle()
    for (const node of steered) node.xnode.stop()
    await within(LAST_ANSWERS_MS, Promise.all(stations.flatMap(({ desks }) => desks.map((desk) => desk.idle()))))
    // A link that is down takes no goodbye.
    await within(GOODBYE_MS, Promise.all(stations.flatMap(announcersOf).map((announcer) => announcer.stop())))
    await Promise.all(stations.map((each) => each.transport.stop()))
    log.info('gateway stopped')
  }

  return { start, stop: () => (stopping ??= end()) }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, delay(ms, undefined, { ref: false })])
}

function routeOf(route: RouteConfig, { config, dialects, targetOf, metrics }: GatewayParts): Route {
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
function steeredRoutes(routes: readonly Route[]): Route[] {
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

function hubLink(name: string, routes: readonly Route[], parts: GatewayParts, refuse: RefuseSystem): HubLink {
  const { config, dialects, metrics } = parts
  const link = config.links[name]!
  const dialect = dialects.get(link.dialect)!
  const isSource = routes.some((route) => route.from === name)
  const answers = config.routes.some((route) => route.to === name && route.sync.answer) && says(dialect, 'sync')
  const watched = watchedRoutes(name, routes)
  const isNode = link.type === 'nats' && watched.length > 0
  const make = parts.makeTransport ?? makeTransport
  const nodes = new Set(
    nodesOf(
      [...steeredRoutes(routes), ...watched].filter(({ to }) => to === name),
      config.links,
    ).values(),
  )
  const roles = { isSource: isSource || answers, isNode, nodes: [...nodes], refuseSystem: refuse.bind(undefined, name) }
  const transport = make(name, link, dialect, roles, config)
  return { name, dialect, transport, metrics: metrics.link(name), isDrawn: link.type === 'ari' }
}

function syncDesk(
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

interface Middle {
  readonly parts: GatewayParts
  readonly hub: Hub
  readonly lanes: Lanes
  readonly store: StateStore
  readonly links: ReadonlyMap<string, HubLink>
  readonly now: () => number
}

interface Surroundings extends Middle {
  readonly sync: SyncDesk
  readonly routes: readonly Route[]
  readonly steered: readonly PlacedNode[]
}

/** A steered node between its two links. */
interface PlacedNode extends SteeredNode {
  readonly from: string
  readonly to: string
}

function steeredNode(route: Route, { parts, hub, lanes, store, links, now }: Middle): PlacedNode {
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
    store,
    hub,
    lanes,
    log,
    version,
    group: config.group,
    now,
  })
  links.get(route.from)!.metrics.waits(node.xnode.open)
  return { ...node, from: route.from, to: route.to }
}

/** Nodes whose events on an XCC bus are our own words. */
function announcedNodes({ links }: Config): ReadonlySet<string> {
  const nodes = Object.values(links).map((each) =>
    each.type === 'nats' ? each.node.uuid : each.type === 'ari' ? each.node : '',
  )
  return new Set(nodes.filter((node) => node !== ''))
}

function deadLetterPlaceOf(name: string, { parts, links }: Surroundings): DeadLetterPlace | undefined {
  const place = deadLetterPlace(name, parts.config.links)
  return place && { transport: links.get(place.link)!.transport, address: place.address }
}

function station(link: HubLink, around: Surroundings): Station {
  const { parts, hub, sync, lanes, now } = around
  const { config, log } = parts
  const settings = config.links[link.name]!
  const isAsteriskOf = around.steered.filter(({ from }) => from === link.name)
  const isBusOf = around.steered.filter(({ to }) => to === link.name)
  const window = settings.type === 'amqp' ? settings.prefetch : undefined
  const jobs = makeJobs({ group: config.group, link: link.name, window, now })
  const intake = makeIntake({
    link,
    group: config.group,
    hub,
    lanes,
    jobs,
    deadLetters: makeDeadLetters(link.name, deadLetterPlaceOf(link.name, around), link.metrics, log, now),
    log,
    ownNodes: settings.type === 'nats' ? announcedNodes(config) : new Set(),
    qualify: settings.type === 'ari' && settings.qualifyIds ? settings.node : undefined,
    passOver: settings.type === 'nats' ? xccPassOver(link.dialect) : () => undefined,
    onTaken(arrival, inferred) {
      sync.note(arrival)
      for (const node of isAsteriskOf) {
        node.xnode.note(arrival.facts)
        node.xnode.note(inferred)
      }
    },
    now,
  })
  const watched = watchedRoutes(link.name, around.routes)
  const node =
    settings.type === 'nats' && watched.length > 0
      ? makeWatchedNode({
          link,
          settings,
          routes: watched,
          nodes: nodesOf(watched, config.links),
          store: around.store,
          lanes,
          log,
          version: parts.version,
          group: config.group,
          now,
        })
      : undefined
  const nodes = [...isBusOf, ...(node === undefined ? [] : [node])]
  const shared = settings.type === 'nats' ? settings.node.shared : undefined
  const anyNode = shared === undefined || nodes.length === 0 ? [] : [makeSharedDesk(link, shared.subject, nodes, log)]
  return { ...link, jobs, intake, node, desks: [...nodes.map(({ desk }) => desk), ...anyNode], isBusOf, isAsteriskOf }
}
