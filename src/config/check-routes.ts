import type { Fault } from './fault.js'
import { nearest } from './nearest.js'
import type { RawConfig, RawLink, RawRoute } from './raw-view.js'
import { oneOf } from './wording.js'
import type { YamlSource } from './yaml-source.js'

/** Kinds of links whose frames carry headers, and with them the groups that a message has passed. */
const HEADER_LINKS: ReadonlySet<string> = new Set(['amqp', 'nats', 'ari'])

/** Faults of routes: links that do not exist, routes to themselves or said twice, cycles without a guard. */
export function checkRoutes(source: YamlSource, { links, routes }: RawConfig): Fault[] {
  const names = links.map((link) => link.name)
  const faults = routes.flatMap((route) => [
    ...checkEnds(source, route, names),
    ...checkListening(source, route, links),
    ...checkTwins(source, route, routes.slice(0, routes.indexOf(route))),
  ])
  const carriesHeaders = (name: string) => {
    const type = links.find((link) => link.name === name)?.type
    return type === undefined || HEADER_LINKS.has(type) // a link with a fault of its own is not judged here
  }
  for (const route of unguardedRoutes(routes, carriesHeaders)) {
    const what = `messages can come back by this route, and \`${route.to}\` carries no header that would stop them`
    faults.push(source.fault([...route.path, 'to'], 'config.route', what, 'take a route out of the circle'))
  }
  return faults
}

function checkEnds(source: YamlSource, route: RawRoute, names: readonly string[]): Fault[] {
  const faults: Fault[] = []
  for (const end of ['from', 'to'] as const) {
    const name = route[end]
    if (name === undefined || names.includes(name)) continue
    const meant = nearest(name, names)
    const right = meant === undefined ? `want ${oneOf(names) || 'a link of this file'}` : `did you mean \`${meant}\`?`
    faults.push(source.fault([...route.path, end], 'config.link', `there is no link \`${name}\``, right))
  }
  if (route.from !== undefined && route.from === route.to) {
    const what = `the route leads from \`${route.to}\` to itself`
    faults.push(source.fault([...route.path, 'to'], 'config.route', what, 'name two links'))
  }
  return faults
}

function checkListening(source: YamlSource, route: RawRoute, links: readonly RawLink[]): Fault[] {
  if (links.find(({ name }) => name === route.from)?.type !== 'ari-server') return []
  const what = `nothing is ever taken from \`${route.from}\`: applications only listen there`
  return [source.fault([...route.path, 'from'], 'config.route', what, 'name it in `to`')]
}

function checkTwins(source: YamlSource, route: RawRoute, earlier: readonly RawRoute[]): Fault[] {
  const faults: Fault[] = []
  const name = nameOf(route)
  if (name !== undefined && earlier.some((other) => nameOf(other) === name)) {
    const what = `a route above is called \`${name}\` too`
    faults.push(source.fault([...route.path, 'name'], 'config.route', what, 'give each route a `name` of its own'))
  }
  const twin = earlier.find((other) => other.from === route.from && other.to === route.to && other.from !== undefined)
  const shared = twin === undefined ? undefined : sharedFact(twin, route)
  if (shared !== undefined) {
    const what = `${shared} from \`${route.from}\` would reach \`${route.to}\` twice: a route above takes it too`
    faults.push(source.fault([...route.path, 'facts'], 'config.route', what, 'give the routes different `facts`'))
  }
  return faults
}

function nameOf({ name, from, to }: RawRoute): string | undefined {
  if (name !== undefined) return name
  return from === undefined || to === undefined ? undefined : `${from}-to-${to}`
}

function sharedFact(one: RawRoute, other: RawRoute): string | undefined {
  if (one.facts === undefined && other.facts === undefined) return 'every fact'
  if (one.facts === undefined || other.facts === undefined) return (one.facts ?? other.facts)?.[0]
  return one.facts.find((kind) => other.facts?.includes(kind))
}

/** Routes that lie on a circle and end on a link without headers, so that nothing stops what comes back. */
export function unguardedRoutes<R extends { readonly from: string | undefined; readonly to: string | undefined }>(
  routes: readonly R[],
  carriesHeaders: (link: string) => boolean,
): R[] {
  return routes.filter(({ from, to }) => {
    if (from === undefined || to === undefined || from === to || carriesHeaders(to)) return false
    return reaches(routes, to, from)
  })
}

function reaches(
  routes: ReadonlyArray<{ readonly from: string | undefined; readonly to: string | undefined }>,
  start: string,
  goal: string,
): boolean {
  const seen = new Set([start])
  for (const place of seen) {
    if (place === goal) return true
    for (const { from, to } of routes) if (from === place && to !== undefined) seen.add(to)
  }
  return false
}
