import { randomUUID } from 'node:crypto'
import { type Announcer, makeAnnouncer } from '../calls/announcer.js'
import type { NodeOnOffer } from '../calls/shared-subject.js'
import {
  controllersBelow,
  makeXNode,
  type SteeredCalls,
  type SteeringTables,
  statusOf,
  type XNode,
} from '../calls/xnode/index.js'
import { encodeAsyncResult } from '../codecs/json-rpc/index.js'
import type { AriLinkConfig, NatsLinkConfig } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import { type Channel, completeCause, type Fact, type Meta } from '../model/index.js'
import type { Log, Tracing } from '../telemetry/index.js'
import type { AriRest } from '../transports/ari-client/index.js'
import type { Frame } from '../transports/transport.js'
import { aboutOf } from './about.js'
import { makeCommandLog, over } from './command-log.js'
import { HEADERS } from './headers.js'
import { callKey, type Hub, type HubLink } from './hub.js'
import { nodeSubject } from './links.js'
import { claimCall } from './ownership.js'
import type { Post } from './post.js'
import { followRequests, forwarded, makeReplier, makeRequestTaker, type RequestTaker } from './requests.js'
import type { Route } from './route.js'
import type { CallView, StateStore } from './state.js'

/** An Asterisk whose calls controllers on one bus steer. */
export interface SteeredNode {
  /** Absent where the node is not to be announced. */
  readonly announcer: Announcer | undefined
  /** Takes the requests to this node. */
  readonly desk: RequestTaker
  readonly xnode: XNode
  /** Goes on where another replica was cut off; `commands` are those that it began to carry out, by their names. */
  inherit(commands: ReadonlyMap<string, Frame>): void
  readonly offer: NodeOnOffer
}

/** What a steered node is made of. */
export interface SteeredParts {
  /** The link to the Asterisk, and what it says of itself. */
  readonly ari: { readonly name: string; readonly settings: AriLinkConfig; readonly rest: AriRest }
  readonly bus: HubLink
  readonly busSettings: NatsLinkConfig
  readonly dialect: () => Dialect
  /** The route by which controllers are told of calls, by the current rules and by those of a call. */
  readonly route: () => Route
  readonly routeOf: (view: CallView) => Route
  readonly tables: SteeringTables
  readonly store: StateStore
  /** Whether this replica has the events of the Asterisk, and answers for it. */
  readonly isOurs: () => boolean
  readonly hub: Hub
  readonly post: Post
  readonly log: Log
  readonly tracing: Pick<Tracing, 'command'>
  readonly version: string
  readonly group: string
  readonly now: () => number
}

/** Makes the node. */
export function makeSteeredNode(parts: SteeredParts): SteeredNode {
  const { ari, bus, busSettings, dialect, route, isOurs, log, tables } = parts
  const { node, app, steer } = ari.settings
  const controllers = controllersBelow(() => String(route().target.settings['ctrl-subject']))
  const calls = steeredCalls(parts)
  const announcer = makeAnnouncer({
    uuid: node,
    name: node,
    address: nodeSubject(node),
    version: parts.version,
    intervalMs: busSettings.node.updateIntervalMs,
    dialect,
    transport: bus.transport,
    headers: { [HEADERS.path]: parts.group },
    log,
    sessions: async () => (await calls.all()).length,
    more: async () => {
      const { total, peak, peak5Min, rate, ratePeak5Min } = xnode.figures.counted()
      // An Asterisk that is out of reach is told of all the same.
      const status = await statusOf({ ari: ari.rest }).catch(() => undefined)
      const uptime = status && { uptimeSeconds: Math.floor(status.uptimeMs / 1000) }
      return {
        figures: { sessionsSinceStartup: total, ...uptime },
        ext: {
          [dialect().name]: {
            sps_last: rate,
            sps_last_5min: ratePeak5Min,
            session_peak_5min: peak5Min,
            session_peak_max: peak,
            shutdown: xnode.isDraining(),
          },
        },
      }
    },
  })
  const { register } = busSettings.node
  const reply = makeReplier(bus, log)
  const xnode: XNode = makeXNode({
    nodeUuid: node,
    app,
    ari: ari.rest,
    calls,
    tables,
    controllers,
    commands: makeCommandLog(parts.store, ari.name),
    spanOf: followRequests(bus.name, node, parts.tracing, log),
    acceptWithinMs: steer!.acceptWithinMs,
    otherwise:
      steer!.continueAt === undefined
        ? { hangup: completeCause({ name: steer!.hangup ?? 'NO_USER_RESPONSE' })!.code! }
        : { continueAt: steer!.continueAt },
    shutdownWithinMs: steer!.shutdownWithinMs,
    announce() {
      if (register) announcer.announce()
    },
    update() {
      if (register) announcer.update()
    },
    leave: () => void announcer.stop(),
    reply,
    answered: bus.metrics.command,
    later: (controller, id, result) =>
      reply(controllers.subjectOf(controller), encodeAsyncResult(id, result, busSettings.node.results)),
    log,
  })
  const desk = makeRequestTaker({
    link: bus,
    subjects: [nodeSubject(node)],
    isOurs,
    answer: xnode.take,
    isNoted: xnode.isNoted,
    log,
  })
  return {
    announcer: register ? announcer : undefined,
    desk,
    xnode,
    inherit(commands) {
      void xnode.inherit()
      for (const [key, frame] of commands)
        xnode
          .orphan(frame)
          .catch((error: unknown) => log.warn('a request of another replica could not be answered', { err: error }))
          .finally(() => over(parts.store, ari.name, key))
    },
    offer: forwarded(bus, () => isOurs() && desk.isAwake(), xnode.offer),
  }
}

/** Whether a channel is, or was, offered to us among others, and is none of our calls. */
function isOffered({ flags }: Channel): boolean {
  return flags?.offered !== undefined
}

/** Whether a channel serves ourselves: no controller had it made, and nobody called by it. */
function isOwn({ direction, flags, controller }: Channel): boolean {
  return flags?.loopback === true && direction === 'outbound' && controller === undefined
}

/** The calls of one Asterisk in the gateway's own state. */
function steeredCalls({ ari, store, hub, post, routeOf, bus, log, group, now }: SteeredParts): SteeredCalls {
  const { node } = ari.settings
  const keyOf = (uuid: string) => callKey(ari.name, node, uuid)

  async function find(uuid: string): Promise<Channel | undefined> {
    const view = store.call(keyOf(uuid))
    return view === undefined || view.channel.state === 'ended' ? undefined : view.channel
  }

  function metaOf(): Meta {
    const id = `${group}-${ari.name}-command-${randomUUID()}`
    return { id, origin: { group, link: ari.name, node }, at: now(), clock: 'receipt' }
  }

  async function take(facts: readonly Fact[], planned: boolean): Promise<void> {
    const meta = metaOf()
    const arrival = { link: ari.name, facts, path: [], full: undefined, planned, meta }
    for (const [index, fact] of facts.entries()) fact.meta = { ...meta, id: `${meta.id}/${index}` }
    const { confirmed } = hub.take(arrival)
    confirmed.catch((error: unknown) =>
      log.warn('a call could not be told of', { link: bus.name, id: meta.id, ...aboutOf(facts), err: error }),
    )
  }

  async function unplan(key: string): Promise<void> {
    const view = store.call(key)
    if (view?.planned !== true) return
    await store.keep({ link: ari.name, calls: new Map([[key, { ...view, planned: false }]]) }).written
  }

  return {
    find,
    claim: (uuid, controller, takeover) =>
      claimCall({ store, routeOf, bus, post, group, log, now }, keyOf(uuid), controller, takeover),
    tell: (facts) => take(facts, false),
    plan: (facts) => take(facts, true),
    unplan: (uuid) => unplan(keyOf(uuid)),
    all: async () =>
      store
        .callsOf(ari.name)
        .map(([, view]) => view)
        .filter(({ planned }) => planned !== true)
        .map(({ channel }) => channel)
        .filter((channel) => !isOwn(channel) && !isOffered(channel)),
  }
}
