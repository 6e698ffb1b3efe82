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
import { type Channel, completeCause, type Fact, type Meta } from '../model/index.js'
import type { Log } from '../telemetry/index.js'
import type { AriRest } from '../transports/ari-client/index.js'
import { HEADERS } from './headers.js'
import { callKey, type Hub, type HubLink } from './hub.js'
import type { Lanes } from './lanes.js'
import { nodeSubject } from './links.js'
import { claimCall } from './ownership.js'
import { makeReplier, makeRequestTaker, type RequestTaker } from './requests.js'
import type { Route } from './route.js'
import type { StateStore } from './state.js'

/** An Asterisk whose calls controllers on one bus steer. */
export interface SteeredNode {
  /** Absent where the node is not to be announced. */
  readonly announcer: Announcer | undefined
  /** Takes the requests to this node. */
  readonly desk: RequestTaker
  readonly xnode: XNode
  readonly offer: NodeOnOffer
}

/** What a steered node is made of. */
export interface SteeredParts {
  /** The link to the Asterisk, and what it says of itself. */
  readonly ari: { readonly name: string; readonly settings: AriLinkConfig; readonly rest: AriRest }
  readonly bus: HubLink
  readonly busSettings: NatsLinkConfig
  readonly route: Route
  readonly tables: SteeringTables
  readonly store: StateStore
  readonly hub: Hub
  readonly lanes: Lanes
  readonly log: Log
  readonly version: string
  readonly group: string
  readonly now: () => number
}

/** Makes the node. */
export function makeSteeredNode(parts: SteeredParts): SteeredNode {
  const { ari, bus, busSettings, route, log, tables } = parts
  const { node, app, steer } = ari.settings
  const controllers = controllersBelow(String(route.target.settings['ctrl-subject']))
  const calls = steeredCalls(parts)
  const announcer = makeAnnouncer({
    uuid: node,
    name: node,
    address: nodeSubject(node),
    version: parts.version,
    intervalMs: busSettings.node.updateIntervalMs,
    dialect: bus.dialect,
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
          [bus.dialect.name]: {
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
    later: (controller, id, result) =>
      reply(controllers.subjectOf(controller), encodeAsyncResult(id, result, busSettings.node.results)),
    log,
  })
  return {
    announcer: register ? announcer : undefined,
    desk: makeRequestTaker(bus, [nodeSubject(node)], xnode.take, log),
    xnode,
    offer: xnode.offer,
  }
}

/** Whether a channel serves ourselves: no controller had it made, and nobody called by it. */
function isOwn({ direction, flags, controller }: Channel): boolean {
  return flags?.loopback === true && direction === 'outbound' && controller === undefined
}

/** The calls of one Asterisk in the gateway's own state. */
function steeredCalls({ ari, store, hub, lanes, route, bus, log, group, now }: SteeredParts): SteeredCalls {
  const { node } = ari.settings
  const keyOf = (uuid: string) => callKey(ari.name, node, uuid)

  async function find(uuid: string): Promise<Channel | undefined> {
    const view = await store.call(keyOf(uuid))
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
    const keys = hub.keysOf(arrival)
    const task = async () => {
      const { confirmed } = await hub.take(arrival)
      confirmed.catch((error: unknown) => log.warn('a call could not be told of', { link: bus.name, err: error }))
    }
    await (keys === 'all' ? lanes.runAlone(task) : lanes.run(keys, task))
  }

  async function unplan(key: string): Promise<void> {
    const view = await store.call(key)
    if (view?.planned === true) await store.putCall(key, { ...view, planned: false })
  }

  return {
    find,
    claim: (uuid, controller, takeover) =>
      claimCall({ store, lanes, route, bus, group, log, now }, keyOf(uuid), controller, takeover),
    tell: (facts) => take(facts, false),
    plan: (facts) => take(facts, true),
    unplan: (uuid) => lanes.run([keyOf(uuid)], () => unplan(keyOf(uuid))),
    all: async () =>
      (await store.callsOf(ari.name))
        .map(([, view]) => view)
        .filter(({ planned }) => planned !== true)
        .map(({ channel }) => channel)
        .filter((channel) => !isOwn(channel)),
  }
}
