import type { Config } from '../../config/index.js'
import { amqpTopology } from '../links.js'
import { isWatched, says } from '../route.js'
import { ANNOUNCE_SETTING, type RulesDraft } from './ruleset.js'

/**
 * What links are opened for and cannot take up while they stand, one text for each: what is consumed, declared and
 * bound, and which nodes stand for whom. Rules may change as long as these stay.
 */
export interface Serving {
  /** All of them, and no others. */
  readonly fixed: ReadonlySet<string>
  /** Of these a new ruleset may need fewer. */
  readonly declared: ReadonlySet<string>
}

/** What a draft asks of its links. */
export function servingOf({ config, dialects, ways }: RulesDraft): Serving {
  const fixed = new Set<string>()
  const declared = new Set<string>()
  for (const [name, link] of Object.entries(config.links)) {
    const isSource = isTakenFrom(name, config, dialects)
    if (isSource) fixed.add(`that messages are taken from \`links.${name}\``)
    if (link.type !== 'amqp') continue
    const { exchanges, consume } = amqpTopology(link, dialects.get(link.dialect)!, { isSource })
    for (const { name: exchange, type } of exchanges)
      declared.add(`that \`links.${name}\` has the ${type} exchange ${JSON.stringify(exchange)}`)
    for (const { exchange, key } of consume.flatMap(({ bindings = [], shard }) => [
      ...bindings,
      ...(shard?.bindings ?? []),
    ]))
      declared.add(`that \`links.${name}\` hears ${JSON.stringify(key)} of the exchange ${JSON.stringify(exchange)}`)
  }
  for (const { route, source, target, steered } of ways) {
    const isWatchedThere = config.links[route.to]!.type === 'nats' && isWatched(source, target)
    if (!steered && !isWatchedThere) continue
    const from = `that calls of \`links.${route.from}\` are`
    const to = `on \`links.${route.to}\``
    fixed.add(`${from} ${steered ? 'steered' : 'watched'} ${to}`)
    // Controllers are known by their place below it, also those that own running calls.
    fixed.add(`${from} announced under ${JSON.stringify(target.settings[ANNOUNCE_SETTING])} ${to}`)
  }
  return { fixed, declared }
}

/** Whether messages of a link are translated, or syncs answered that are asked there. */
export function isTakenFrom(
  name: string,
  { routes, links }: Pick<Config, 'routes' | 'links'>,
  dialects: RulesDraft['dialects'],
): boolean {
  const answers = routes.some(({ to, sync }) => to === name && sync.answer)
  return routes.some(({ from }) => from === name) || (answers && says(dialects.get(links[name]!.dialect)!, 'sync'))
}

/** What of the one is not in the other, in words. */
export function unserved(before: Serving, after: Serving): string[] {
  const gained = [...after.fixed].filter((each) => !before.fixed.has(each))
  const lost = [...before.fixed].filter((each) => !after.fixed.has(each))
  // What a link that is not heard yet would have to declare follows from that.
  const undeclared = gained.length > 0 ? [] : [...after.declared].filter((each) => !before.declared.has(each))
  return [
    ...[...gained, ...undeclared].map((each) => `they want ${each}, and the links were opened without that`),
    ...lost.map((each) => `they end ${each}, for which the links were opened`),
  ]
}
