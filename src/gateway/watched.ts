import { type Announcer, makeAnnouncer } from '../calls/announcer.js'
import type { NodeOnOffer } from '../calls/shared-subject.js'
import { watchedNode } from '../calls/watched-node.js'
import { controllersBelow } from '../calls/xnode/index.js'
import { encodeAsyncResult } from '../codecs/json-rpc/index.js'
import type { Config, NatsLinkConfig } from '../config/index.js'
import type { Log, Tracing } from '../telemetry/index.js'
import { HEADERS } from './headers.js'
import { callKey, type HubLink } from './hub.js'
import { nodeSubject } from './links.js'
import { claimCall } from './ownership.js'
import type { Post } from './post.js'
import { followRequests, forwarded, makeReplier, makeRequestTaker, type RequestTaker } from './requests.js'
import { isWatched, type Route } from './route.js'
import type { RuleSource, Ruleset } from './rules/index.js'
import type { CallView, StateStore } from './state.js'

/** The node under which controllers on one link see calls that they may watch but not steer. */
export interface WatchedNode {
  /** Absent where the node is not to be announced. */
  readonly announcer: Announcer | undefined
  /** Takes the requests to the node, and to the nodes whose calls are watched under their own names. */
  readonly desk: RequestTaker
  readonly offer: NodeOnOffer
}

/** What it is made of. */
export interface WatchedParts {
  readonly link: HubLink
  /** Nodes that calls of a link are told of, where its dialect names any: those of {@link nodesOf}. */
  readonly nodes: ReadonlyMap<string, string>
  readonly settings: NatsLinkConfig
  readonly rules: RuleSource<Ruleset>
  readonly store: StateStore
  /** Whether this replica answers for the node. */
  readonly isOurs: () => boolean
  readonly post: Post
  readonly log: Log
  readonly tracing: Pick<Tracing, 'command'>
  readonly version: string
  readonly group: string
  readonly now: () => number
}

/** Routes whose calls can be watched on a link but not steered: their source knows no controllers. */
export function watchedRoutes(link: string, routes: readonly Route[]): Route[] {
  return routes.filter((route) => route.to === link && !route.steered && isWatched(route.source, route.target))
}

/** The node of each source whose calls are told under its name, by the name of its link. */
export function nodesOf(routes: readonly Route[], links: Config['links']): ReadonlyMap<string, string> {
  return new Map(
    routes.flatMap(({ from }) => {
      const link = links[from]
      return link?.type === 'ari' ? [[from, link.node] as const] : []
    }),
  )
}

/** Makes the node of a link. */
export function makeWatchedNode(parts: WatchedParts): WatchedNode {
  const { link, settings, rules, store, log } = parts
  const { uuid, name, register, updateIntervalMs, results } = settings.node
  const announcer = makeAnnouncer({
    uuid,
    name,
    address: nodeSubject(uuid),
    version: parts.version,
    intervalMs: updateIntervalMs,
    dialect: () => rules.current().dialectOf(link.name),
    transport: link.transport,
    headers: { [HEADERS.path]: parts.group },
    log,
    sessions: async () =>
      watchedRoutes(link.name, rules.current().routes).flatMap((route) => store.callsOf(route.from)).length,
  })
  const controllers = controllersBelow(() =>
    String(watchedRoutes(link.name, rules.current().routes)[0]!.target.settings['ctrl-subject']),
  )
  const reply = makeReplier(link, log)
  const announce = () => {
    if (register) announcer.announce()
  }
  const node = watchedNode({
    uuid,
    controllers,
    spanOf: followRequests(link.name, uuid, parts.tracing, log),
    announce,
    reply,
    answered: link.metrics.command,
    later: (controller, id, result) => reply(controllers.subjectOf(controller), encodeAsyncResult(id, result, results)),
    calls: {
      find: async (id) => lookUp(parts, id)?.view.channel,
      async claim(id, controller, takeover) {
        const found = lookUp(parts, id)
        if (found === undefined) return 'unknown'
        const { post, group, now } = parts
        return claimCall(
          { store, routeOf: () => found.route, bus: link, post, group, log, now },
          found.key,
          controller,
          takeover,
        )
      },
    },
  })
  return {
    announcer: register ? announcer : undefined,
    desk: makeRequestTaker({
      link,
      subjects: [uuid, ...parts.nodes.values()].map(nodeSubject),
      isOurs: parts.isOurs,
      answer: node.take,
      log,
    }),
    offer: forwarded(link, parts.isOurs, {
      uuid,
      has: async (id) => lookUp(parts, id) !== undefined,
      reaches: () => false,
      holds: () => false,
      takesCalls: () => false,
      load: () => 0,
      announce,
      take: node.take,
    }),
  }
}

interface Found {
  readonly route: Route
  readonly key: string
  readonly view: CallView
}

function lookUp({ link, rules, nodes, store }: WatchedParts, id: string): Found | undefined {
  for (const from of new Set(watchedRoutes(link.name, rules.current().routes).map((route) => route.from))) {
    const key = callKey(from, nodes.get(from), id)
    const view = store.call(key)
    if (view === undefined || view.channel.state === 'ended') continue
    const told = (route: Route) => route.from === from && view.told[route.name]?.opened === true
    const route = watchedRoutes(link.name, rules.ofCall(view).routes).find(told)
    if (route !== undefined) return { route, key, view }
  }
  return undefined
}
