import { type Announcer, makeAnnouncer } from '../calls/announcer.js'
import { watchedNode } from '../calls/watched-node.js'
import type { Config, NatsLinkConfig, RouteConfig } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import type { Health, Log, Metrics } from '../telemetry/index.js'
import type { Delivery, LinkEvent } from '../transports/transport.js'
import { makeDeadLetters } from './dead-letters.js'
import type { Dialects } from './dialects.js'
import { callKey, type Hub, type HubLink, makeHub } from './hub.js'
import { type Intake, makeIntake } from './intake.js'
import { type Jobs, makeJobs } from './jobs.js'
import { type Lanes, makeLanes } from './lanes.js'
import { deadLetterAddress, makeTransport, nodeSubject } from './links.js'
import { xccPassedOver } from './observed.js'
import { makeRoute, type Route, says } from './route.js'
import { memoryState, type StateStore } from './state.js'
import { makeSyncDesk, type SyncDesk } from './sync.js'

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
}

/** Everything that belongs to one link. */
interface Station extends HubLink {
  readonly jobs: Jobs
  readonly intake: Intake
  /** Takes requests to the node we announce there. */
  readonly node: ((delivery: Delivery) => void) | undefined
  readonly announcer: Announcer | undefined
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

  function report(each: Station, event: LinkEvent, seen: { up: boolean }): void {
    parts.health.report(each.name, event)
    note(each, event, log)
    if (event.kind === 'down') each.jobs.broken()
    if (event.kind !== 'up') return
    each.announcer?.announce()
    // Whatever was said while the link was down has passed us by.
    if (seen.up && asks(each.name)) askFor(each.name)
    seen.up = true
  }

  const asks = (link: string) => config.routes.some((route) => route.from === link && route.sync.ask)

  function askFor(link: string): void {
    sync.ask(link).catch((error: unknown) => log.warn('a full picture could not be asked for', { link, err: error }))
  }

  async function start(): Promise<void> {
    await Promise.all(
      stations.map(async (each) => {
        const seen = { up: false }
        await each.transport.start({
          deliver: (delivery) => (isForNode(each, delivery) ? each.node!(delivery) : each.intake.take(delivery)),
          report: (event) => report(each, event, seen),
        })
        each.announcer?.start()
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
    await Promise.all(stations.map((each) => each.announcer?.stop()))
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
    group: config.group,
    node: to.type === 'nats' ? to.node.uuid : undefined,
    metrics: metrics.route(route.name),
  })
}

/** Routes whose calls can be watched on a link but not steered. */
function watchedRoutes(link: string, routes: readonly Route[]): Route[] {
  return routes.filter((route) => route.to === link && says(route.target, 'cdr') && !says(route.source, 'cdr'))
}

function hubLink(name: string, routes: readonly Route[], { config, dialects, metrics }: GatewayParts): HubLink {
  const link = config.links[name]!
  const dialect = dialects.get(link.dialect)!
  const isSource = routes.some((route) => route.from === name)
  const answers = config.routes.some((route) => route.to === name && route.sync.answer) && says(dialect, 'sync')
  const isNode = link.type === 'nats' && watchedRoutes(name, routes).length > 0
  const transport = makeTransport(name, link, dialect, { isSource: isSource || answers, isNode }, config)
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
  const jobs = makeJobs(config.group, link.name, now)
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
    passOver: settings.type === 'nats' ? xccPassedOver : () => undefined,
    onTaken: sync.note,
    now,
  })
  const watched = settings.type === 'nats' ? nodeOf(link, settings, around) : undefined
  return { ...link, jobs, intake, node: watched?.take, announcer: watched?.announcer }
}

function isForNode({ node, name: _name }: Station, { frame }: Delivery): boolean {
  return node !== undefined && frame.address.subject?.startsWith(NODE_PREFIX) === true
}

const NODE_PREFIX = nodeSubject('').slice(0, -1)

function nodeOf(link: HubLink, settings: NatsLinkConfig, around: Surroundings) {
  const { parts, routes, store, lanes } = around
  const watched = watchedRoutes(link.name, routes)
  if (watched.length === 0) return undefined
  const { uuid, name, register, updateIntervalMs } = settings.node
  const announcer = makeAnnouncer({
    uuid,
    name,
    address: nodeSubject(uuid),
    version: parts.version,
    intervalMs: updateIntervalMs,
    dialect: link.dialect,
    transport: link.transport,
    log: parts.log,
    sessions: async () => (await Promise.all(watched.map((route) => store.callsOf(route.from)))).flat().length,
  })
  const keyOf = (route: Route, id: string) => callKey(route.from, undefined, id)
  async function lookUp(id: string) {
    for (const route of watched) {
      const view = await store.call(keyOf(route, id))
      if (view?.told[route.name]?.opened) return { route, view, key: keyOf(route, id) }
    }
    return undefined
  }
  const node = watchedNode({
    uuid,
    ctrlSubject: String(watched[0]!.target.settings['ctrl-subject'] ?? 'cn.xswitch.ctrl'),
    announce: () => (register ? announcer.announce() : undefined),
    reply: (subject, body) => void send(link, { subject }, body, parts.log),
    calls: {
      find: async (id) => (await lookUp(id))?.view.channel,
      async claim(id, controller, takeover) {
        const found = await lookUp(id)
        if (found === undefined) return 'unknown'
        let claim: 'owned' | 'taken' = 'taken'
        await lanes.run([found.key], async () => {
          const view = (await store.call(found.key)) ?? found.view
          const owner = view.channel.controller
          if (owner !== undefined && owner !== controller && !takeover) return
          claim = 'owned'
          if (owner === controller) return
          const channel = { ...view.channel, controller }
          await store.putCall(found.key, { ...view, channel })
          if (channel.state === 'ended') return
          const facts = found.route.sayOther({ kind: 'channel', ...channel, change: 'state' })
          for (const frame of found.route.write(facts, [])) void link.transport.send(frame).catch(() => undefined)
        })
        return claim
      },
    },
  })
  return {
    announcer: register ? announcer : undefined,
    take(delivery: Delivery): void {
      link.metrics.taken()
      node
        .take(delivery.frame)
        .catch((error: unknown) => parts.log.error('a request could not be answered', { link: link.name, err: error }))
        .finally(() => delivery.settle('done'))
    },
  }
}

async function send(link: HubLink, address: { subject: string }, body: Uint8Array, log: Log): Promise<void> {
  try {
    await link.transport.send({ address, headers: {}, body })
  } catch (error) {
    log.warn('a reply could not be sent', { link: link.name, subject: address.subject, err: error })
  }
}

/** Healthy links are quiet: changes of state are worth a line, single frames are not. */
function note({ name, metrics }: Station, event: LinkEvent, log: Log): void {
  const link = name
  switch (event.kind) {
    case 'up':
      metrics.up(true)
      log.info('link up', { link })
      break
    case 'down':
      metrics.up(false)
      log.warn('link down', { link, ...(event.error && { err: event.error }) })
      break
    case 'reconnecting':
      metrics.reconnect()
      log.debug('link reconnecting', { link, attempt: event.attempt, delayMs: event.delayMs })
      break
    case 'fault':
      log.error('link fault', { link, err: event.error })
      break
    case 'returned':
      metrics.unroutable()
      log.debug('nobody is bound to receive a message', { link, address: event.frame.address })
      break
    case 'dropped':
      metrics.dropped('buffer-full')
      break
    case 'consuming':
      log.info('link consuming', { link, source: event.source })
      break
    case 'blocked':
      log.warn('the peer takes nothing for now', { link, reason: event.reason })
      break
    case 'unblocked':
      log.info('the peer takes messages again', { link })
  }
}
