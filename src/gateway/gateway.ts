import { setTimeout as delay } from 'node:timers/promises'
import type { LinkEvent, LinkHandlers } from '../transports/transport.js'
import { makeHub } from './hub.js'
import { linkLog } from './link-log.js'
import { makeStation } from './make-station.js'
import { makePost } from './post.js'
import type { Inheritance, ReplicaUse } from './replicas/index.js'
import { makeReloading, type Reloading } from './rules/index.js'
import { ownCertificateEnd } from './secrets.js'
import { announcersOf, desksOf, inherit, type Station } from './station.js'
import { systemNames } from './systems.js'
import {
  type GatewayParts,
  hubLink,
  type Middle,
  mayMend,
  replicasOf,
  SHARED_STATE,
  steeredNode,
  steeredRoutes,
  syncDesk,
} from './wiring.js'

/** A gateway: links, and the routes between them. */
export interface Gateway {
  /** Opens all links and asks for full pictures. Resolves when every link stood once. */
  start(): Promise<void>
  readonly reloading: Pick<Reloading, 'look' | 'status'>
  /** The routes of the rules that hold. */
  routes(): readonly { readonly name: string; readonly from: string; readonly to: string }[]
  /** Stops taking, finishes what was taken, says goodbye, closes. Idempotent. */
  stop(): Promise<void>
}

/** What telling that our nodes leave may take. Milliseconds. */
const GOODBYE_MS = 1000
/** So long requests wait for the events of the switch that they are for: without these nobody knows how they end. Milliseconds. */
const EVENTS_COME_MS = 5000
/** What leaving the store may take that does not answer. Milliseconds. */
const STORE_CLOSES_MS = 2000
/** What answering the commands that a stop cuts short may take. Milliseconds. */
const LAST_ANSWERS_MS = 3000

/** Makes a gateway from a checked configuration. */
export function makeGateway(parts: GatewayParts): Gateway {
  const { config, log, rules, secrets, now = Date.now } = parts
  const refuse = systemNames(config.links)
  const links = new Map(Object.keys(config.links).map((name) => [name, hubLink(name, parts, refuse)]))
  const replicas = replicasOf(parts, now)
  const { store, revisions } = replicas
  const reloading = makeReloading({ ...parts, store, revisions, now })
  const isShared = config.store !== undefined
  const post = makePost(links, parts.metrics, parts.tracing, log)
  const isDrawn = (link: string) => config.links[link]?.type === 'ari'
  const hub = makeHub({ isDrawn, rules, store, post, stages: parts.metrics.stages, now })
  const sync = syncDesk(parts, links, store, now)
  const middle: Middle = { parts, hub, post, replicas, links, now }
  const steered = steeredRoutes(rules.current().routes).map((route) => steeredNode(route, middle))
  const stations = new Map([...links].map(([name, link]) => [name, makeStation(link, { ...middle, sync, steered })]))
  const all = [...stations.values()]
  /** Resolves for each link once it stood. */
  const standing = new Map<string, Promise<void>>()
  /** Links that could be taken from now. */
  const inReach = new Set<string>()
  /** Since when somebody else took from a link before we do now, and until when we do. */
  const turns = new Map<string, { readonly since: number; readonly ended: AbortController }>()
  let stopping: Promise<void> | undefined

  function report(each: Station, event: LinkEvent): void {
    parts.health.report(each.name, event)
    noteReach(each.name, event)
    if (event.kind === 'interrupted') each.jobs.broken()
    each.absence.report(event)
    if (event.kind === 'down' || event.kind === 'standby') for (const node of each.isAsteriskOf) node.xnode.lost()
    if (event.kind !== 'up') return
    for (const node of each.isAsteriskOf) node.xnode.back()
    if (replicas.holds(each.name)) wake(each)
  }

  function noteReach(link: string, event: LinkEvent): void {
    const { kind } = event
    if (kind === 'up' || (kind === 'standby' && event.isDown !== true)) inReach.add(link)
    else if (kind === 'down' || kind === 'reconnecting' || kind === 'standby') inReach.delete(link)
  }

  /** Requests about the calls of a link are carried out from now on. */
  function wake({ name, isAsteriskOf }: Station): void {
    for (const { desk } of isAsteriskOf) desk.awake(turns.get(name)?.since ?? 0)
  }

  function endTurn(name: string): void {
    turns.get(name)?.ended.abort()
    turns.delete(name)
  }

  /** Whatever was said while the link was down has passed us by, and controllers may have forgotten us. */
  function backAgain(each: Station): void {
    if (!replicas.holds(each.name)) return
    for (const node of steered) if (node.to === each.name && replicas.holds(node.from)) node.announcer?.announce()
    each.node?.announcer?.announce()
    if (asks(each.name)) askFor(each.name)
  }

  const asks = (link: string) => rules.current().config.routes.some((route) => route.from === link && route.sync.ask)

  function askFor(link: string): void {
    sync.ask(link).catch((error: unknown) => log.warn('a full picture could not be asked for', { link, err: error }))
  }

  function startLink(each: Station): Promise<void> {
    const note = linkLog(each.name, each.metrics, log)
    let wasUp = false
    const handlers: LinkHandlers = {
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
    }
    each.metrics.certificate('ours', ownCertificateEnd(secrets.link(each.name)))
    const isConfirmed = () => replicas.isConfirmed(each.name)
    return each.transport.start(handlers, { standby: isShared, isConfirmed, mayMend })
  }

  function renewed(name: string): void {
    const each = stations.get(name)!
    each.metrics.certificate('ours', ownCertificateEnd(secrets.link(name)))
    each.transport.renew?.()
  }

  /** A link that does not stand yet is taken from as soon as it does, unless another replica has it by then. */
  function begin(name: string, legacy: Inheritance, since: number | undefined): void {
    const each = stations.get(name)!
    const ended = new AbortController()
    turns.set(name, { since: since ?? 0, ended })
    inherit(each, legacy, post, { log, ended: ended.signal })
    const stands = standing.get(name)!.then(() => {
      if (!replicas.holds(name) || stopping !== undefined) return
      parts.health.begin(name)
      each.metrics.holds(true)
      each.absence.begin(since)
      if (isShared) each.transport.consume(since)
      for (const announcer of announcersOf(each)) announcer.start()
      for (const node of each.isAsteriskOf) node.inherit(legacy.commands)
      each.node?.desk.awake(since ?? 0)
      if (asks(name)) askFor(name)
    })
    stands.catch(() => undefined) // whoever starts the gateway is told
    if (each.isAsteriskOf.length === 0) return
    const waited = delay(EVENTS_COME_MS, undefined, { ref: false, signal: ended.signal })
    waited.then(() => wake(each)).catch(() => undefined) // the turn ended before
  }

  const use: ReplicaUse = {
    stands: (link) => inReach.has(link),
    prepare: reloading.prepare,
    take(names, legacyOf, since) {
      for (const name of names) begin(name, legacyOf(name), since)
    },
    async drop(names) {
      const dropped = names.map((name) => stations.get(name)!)
      names.forEach(endTurn)
      for (const node of dropped.flatMap(({ isAsteriskOf }) => isAsteriskOf)) node.xnode.leave()
      for (const announcer of dropped.flatMap(announcersOf)) announcer.pause()
      for (const desk of dropped.flatMap(desksOf)) desk.sleep()
      for (const { absence, metrics } of dropped) {
        absence.end()
        metrics.holds(false)
      }
      await Promise.all(dropped.map(({ transport }) => transport.release()))
    },
    begun(link, frames) {
      for (const desk of desksOf(stations.get(link)!)) for (const frame of frames) desk.begunElsewhere(frame)
    },
    overhear(letters) {
      const ours = letters.filter(({ to }) => config.links[to]?.type === 'ari-server')
      post(ours).catch((error: unknown) => log.warn('an application could not be told', { err: error }))
    },
  }

  async function start(): Promise<void> {
    reloading.start()
    secrets.start(renewed)
    for (const each of all) standing.set(each.name, startLink(each))
    const shared = replicas.start(use, (event) => {
      parts.health.report(SHARED_STATE, event)
      if (event.kind === 'fault') log.error('shared state fault', { err: event.error })
      else if (event.kind === 'down')
        log.warn('shared state out of reach', { ...(event.error && { err: event.error }) })
      else if (event.kind === 'up') log.info('shared state in reach')
    })
    await Promise.all([...standing.values(), shared])
    log.info('gateway started', { group: config.group, routes: config.routes.map((route) => route.name) })
  }

  async function end(): Promise<void> {
    parts.health.stop()
    replicas.retire()
    reloading.stop()
    secrets.stop()
    for (const { name } of all) endTurn(name)
    for (const { absence } of all) absence.end()
    sync.stop()
    log.info('gateway stopping')
    const tookUntil = now()
    await Promise.all(all.map((each) => each.transport.drain()))
    for (const node of steered) node.xnode.stop()
    await within(LAST_ANSWERS_MS, Promise.all(all.flatMap(({ desks }) => desks.map((desk) => desk.idle()))))
    const announcers = all.filter(({ name }) => replicas.holds(name)).flatMap(announcersOf)
    if (replicas.hasOthers()) for (const announcer of announcers) announcer.pause()
    // A link that is down takes no goodbye.
    else await within(GOODBYE_MS, Promise.all(announcers.map((announcer) => announcer.stop())))
    await within(config.stopGraceMs, replicas.handOver(tookUntil))
    await Promise.all(all.map((each) => each.transport.stop()))
    await within(STORE_CLOSES_MS, replicas.stop())
    log.info('gateway stopped')
  }

  const routes = () => rules.current().config.routes.map(({ name, from, to }) => ({ name, from, to }))
  async function look(): ReturnType<Reloading['look']> {
    const [outcome] = await Promise.all([reloading.look(), secrets.look()])
    return outcome
  }

  return { start, reloading: { look, status: reloading.status }, routes, stop: () => (stopping ??= end()) }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, delay(ms, undefined, { ref: false })])
}
