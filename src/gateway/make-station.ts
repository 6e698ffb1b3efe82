import { randomUUID } from 'node:crypto'
import type { Config } from '../config/index.js'
import type { Fact, Meta, Scope } from '../model/index.js'
import { type Absence, watchAbsence } from './absence.js'
import { type DeadLetterPlace, makeDeadLetters } from './dead-letters.js'
import type { HubLink } from './hub.js'
import { makeIntake } from './intake.js'
import { makeJobs } from './jobs.js'
import { deadLetterPlace } from './links.js'
import { assignMeta } from './meta.js'
import { xccPassOver } from './observed.js'
import { oneATurn } from './one-a-turn.js'
import { makeSharedDesk } from './shared-desk.js'
import type { Station } from './station.js'
import { tracedLink } from './traced-send.js'
import { makeWatchedNode, nodesOf, watchedRoutes } from './watched.js'
import type { Surroundings } from './wiring.js'

/** Nodes whose events on an XCC bus are our own words. */
function announcedNodes({ links }: Config): ReadonlySet<string> {
  const nodes = Object.values(links).map((each) =>
    each.type === 'nats' ? each.node.uuid : each.type === 'ari' ? each.node : '',
  )
  return new Set(nodes.filter((node) => node !== ''))
}

function deadLetterPlaceOf(name: string, { parts, links }: Surroundings): DeadLetterPlace | undefined {
  const place = deadLetterPlace(name, parts.config.links)
  return place && { ...place, transport: tracedLink(place.link, links.get(place.link)!.transport, parts.tracing) }
}

/** Makes everything that belongs to one link. */
export function makeStation(link: HubLink, around: Surroundings): Station {
  const { parts, hub, sync, post, replicas, now } = around
  const { store } = replicas
  const { config, rules, log, tracing } = parts
  const settings = config.links[link.name]!
  const isAsteriskOf = around.steered.filter(({ from }) => from === link.name)
  const isBusOf = around.steered.filter(({ to }) => to === link.name)
  const window = settings.type === 'amqp' ? settings.prefetch : undefined
  const comeAgain = window !== undefined || (settings.type === 'nats' && settings.capture !== undefined)
  const jobs = makeJobs({
    group: config.group,
    link: link.name,
    window,
    comeAgain,
    onCopy: link.metrics.duplicate,
    now,
  })
  link.metrics.calls(() => store.callsOf(link.name).filter(([, { planned }]) => planned !== true).length)
  const noteSteered = oneATurn<readonly Fact[]>((facts) => {
    for (const node of isAsteriskOf) node.xnode.note(facts)
  })
  const intake = makeIntake({
    link,
    group: config.group,
    hub,
    rules,
    store,
    jobs,
    deadLetters: makeDeadLetters(link.name, deadLetterPlaceOf(link.name, around), link.metrics, log, now),
    stages: parts.metrics.stages,
    log,
    tracing,
    ownNodes: settings.type === 'nats' ? announcedNodes(config) : new Set(),
    qualify: settings.type === 'ari' && settings.qualifyIds ? settings.node : undefined,
    passOver: settings.type === 'nats' ? xccPassOver(() => rules.current().dialectOf(link.name)) : () => undefined,
    isShare: settings.type === 'amqp' && settings.shard !== undefined,
    onTaken(arrival, inferred) {
      sync.note(arrival)
      for (const { kind } of arrival.facts) if (kind === 'gap') link.metrics.gap()
      if (isAsteriskOf.length > 0) noteSteered([...arrival.facts, ...inferred])
    },
    now,
  })
  const watched = watchedRoutes(link.name, rules.current().routes)
  const node =
    settings.type === 'nats' && watched.length > 0
      ? makeWatchedNode({
          link,
          settings,
          rules,
          nodes: nodesOf(watched, config.links),
          store,
          post,
          isOurs: () => replicas.holds(link.name),
          log,
          tracing,
          version: parts.version,
          group: config.group,
          now,
        })
      : undefined
  const nodes = [...isBusOf, ...(node === undefined ? [] : [node])]
  const shared = settings.type === 'nats' ? settings.node.shared : undefined
  const anyNode = shared === undefined || nodes.length === 0 ? [] : [makeSharedDesk(link, shared.subject, nodes, log)]
  const absence = absenceOf(link, around)
  return { ...link, jobs, intake, absence, node, desks: [...nodes.map(({ desk }) => desk), ...anyNode], isAsteriskOf }
}

/** Core NATS keeps nothing for us; a link to an Asterisk tells its gaps itself, and reads everything anew. */
function absenceOf({ name, metrics }: HubLink, { parts, hub, now }: Surroundings): Absence {
  const { config, log } = parts
  const link = config.links[name]!

  function take(facts: readonly Fact[], full?: Scope): void {
    const meta: Meta = {
      id: `${config.group}-${name}-absence-${randomUUID()}`,
      origin: { group: config.group, link: name },
      at: now(),
    }
    assignMeta(facts, meta)
    hub
      .take({ link: name, facts, path: [], full, meta })
      .confirmed.catch((error: unknown) => log.warn('an absence could not be told of', { link: name, err: error }))
  }

  const listens = link.type === 'nats' && link.capture === undefined && config.routes.some(({ from }) => from === name)
  return watchAbsence({
    noticedMs: link.type === 'nats' ? link.pingIntervalMs * (link.maxPingsOut + 1) : 0,
    ...(listens && {
      missed(from, until, reason) {
        log.warn('messages may have been missed', { link: name, from, until, reason })
        metrics.gap()
        take([{ kind: 'gap', from, until, reason }])
      },
    }),
    awayMs: config.awayMs,
    ...(link.type === 'ari' && {
      gone() {
        log.warn('calls are ended, for their Asterisk stays away', { link: name, awayMs: config.awayMs })
        take([], 'channels')
      },
    }),
    now,
  })
}
