import { setTimeout as delay } from 'node:timers/promises'
import type { Config, RouteConfig } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import type { Health, Log, Metrics } from '../telemetry/index.js'
import type { LinkEvent } from '../transports/transport.js'
import { makeDeadLetters } from './dead-letters.js'
import type { Dialects } from './dialects.js'
import { type Hub, type HubLink, makeHub } from './hub.js'
import { type Intake, makeIntake } from './intake.js'
import { type Jobs, makeJobs } from './jobs.js'
import { type Lanes, makeLanes } from './lanes.js'
import { linkLog } from './link-log.js'
import { deadLetterAddress, makeTransport } from './links.js'
import { xccPassOver } from './observed.js'
import { makeRoute, type Route, says } from './route.js'
import { memoryState, type StateStore } from './state.js'
import { makeSyncDesk, type SyncDesk } from './sync.js'
import { makeWatchedNode, type WatchedNode, watchedRoutes } from './watched.js'

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

/** Everything that belongs to one link. */
interface Station extends HubLink {
  readonly jobs: Jobs
  readonly intake: Intake
  /** The node that we announce there, if any. */
  readonly node: WatchedNode | undefined
}

/** Makes a gateway from a checked configuration. */
export function makeGateway(parts: GatewayParts): Gateway {
  const { config, log, now = Date.now } = parts
  const store = memoryState(now)
  const lanes = makeLanes()
  const routes = config.routes.map((route) => routeOf(route, parts))
  const links = new Map(Object.keys(config.links).map((name) => [name, hubLink(name, routes, parts)]))
  const hub = makeHub({ links, routes, store, now })
  const sync = syncDesk(parts, links, routes, store, now)
  const stations = [...links.values()].map((link) =>
    station(link, { parts, hub, sync, lanes, store, routes, links, now }),
  )
  let stopping: Promise<void> | undefined

  function report(each: Station, event: LinkEvent): void {
    parts.health.report(each.name, event)
    if (event.kind === 'interrupted') each.jobs.broken()
  }

  /** Whatever was said while the link was down has passed us by, and controllers may have forgotten us. */
  function backAgain(each: Station): void {
    each.node?.announcer?.announce()
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
          deliver: (delivery) => (each.node?.isFor(delivery) ? each.node.take(delivery) : each.intake.take(delivery)),
          report(event) {
            note(event)
            report(each, event)
            if (event.kind !== 'up') return
            if (wasUp) backAgain(each)
            wasUp = true
          },
        })
        each.node?.announcer?.start()
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
    const goodbyes = Promise.all(stations.map((each) => each.node?.announcer?.stop()))
    // A link that is down takes no goodbye.
    await Promise.race([goodbyes, delay(GOODBYE_MS, undefined, { ref: false })])
    await Promise.all(stations.map((each) => each.transport.stop()))
    log.info('gateway stopped')
  }

  return { start, stop: () => (stopping ??= end()) }
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
    group: config.group,
    node: to.type === 'nats' ? to.node.uuid : undefined,
    metrics: metrics.route(route.name),
  })
}

function hubLink(name: string, routes: readonly Route[], parts: GatewayParts): HubLink {
  const { config, dialects, metrics } = parts
  const link = config.links[name]!
  const dialect = dialects.get(link.dialect)!
  const isSource = routes.some((route) => route.from === name)
  const answers = config.routes.some((route) => route.to === name && route.sync.answer) && says(dialect, 'sync')
  const isNode = link.type === 'nats' && watchedRoutes(name, routes).length > 0
  const make = parts.makeTransport ?? makeTransport
  const transport = make(name, link, dialect, { isSource: isSource || answers, isNode }, config)
  return { name, dialect, transport, metrics: metrics.link(name) }
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

interface Surroundings {
  readonly parts: GatewayParts
  readonly hub: Hub
  readonly sync: SyncDesk
  readonly lanes: Lanes
  readonly store: StateStore
  readonly routes: readonly Route[]
  readonly links: ReadonlyMap<string, HubLink>
  readonly now: () => number
}

function station(link: HubLink, around: Surroundings): Station {
  const { parts, hub, sync, lanes, now } = around
  const { config, log } = parts
  const settings = config.links[link.name]!
  const window = settings.type === 'amqp' ? settings.prefetch : undefined
  const jobs = makeJobs({ group: config.group, link: link.name, window, now })
  const ownNodes = new Set(
    Object.values(config.links).flatMap((each) => (each.type === 'nats' ? [each.node.uuid] : [])),
  )
  const intake = makeIntake({
    link,
    group: config.group,
    hub,
    lanes,
    jobs,
    deadLetters: makeDeadLetters(link.name, link.transport, deadLetterAddress(settings), link.metrics, log, now),
    log,
    ownNodes,
    passOver: settings.type === 'nats' ? xccPassOver(link.dialect) : () => undefined,
    onTaken: sync.note,
    now,
  })
  const watched = watchedRoutes(link.name, around.routes)
  const node =
    settings.type === 'nats' && watched.length > 0
      ? makeWatchedNode({
          link,
          settings,
          routes: watched,
          store: around.store,
          lanes,
          log,
          version: parts.version,
          group: config.group,
        })
      : undefined
  return { ...link, jobs, intake, node }
}
