import { loadSteering, type SteeringTables } from '../../calls/xnode/index.js'
import type { Config, Fault, RouteConfig } from '../../config/index.js'
import type { Dialect } from '../../mapping/dialect.js'
import type { Metrics } from '../../telemetry/index.js'
import { type Dialects, type OpenMapping, openDialects, type ReadText } from '../dialects.js'
import { makeRoute, type Route } from '../route.js'
import { recordReads } from './record.js'
import { nameOf, type RuleTexts, revisionOf } from './texts.js'

/** The part of a ruleset that the middle of the gateway needs. */
export interface RouteTable {
  readonly revision: string
  readonly routes: readonly Route[]
  routesFrom(link: string): readonly Route[]
}

/** Everything that mapping files, routes and steering tables come to, compiled together. It never changes. */
export interface Ruleset extends RouteTable, RulesDraft {
  /** The dialect of a link. */
  dialectOf(link: string): Dialect
  /** Steering tables of a link whose calls are steered. */
  steeringOf(link: string): SteeringTables
}

/** A ruleset before it is known whether it may run: it counts nothing yet. */
export interface RulesDraft {
  readonly revision: string
  /** The configuration with the routes, mappings and settings of these rules. */
  readonly config: Config
  readonly dialects: Dialects
  readonly texts: RuleTexts
  readonly steering: ReadonlyMap<string, SteeringTables>
  readonly ways: readonly Way[]
}

/** A route with the dialects that it joins. */
export interface Way {
  readonly route: RouteConfig
  readonly source: Dialect
  readonly target: Dialect
  /** Controllers steer what it tells them of. */
  readonly steered: boolean
}

/** What rules are compiled with. */
export interface CompileOptions {
  /** Folder of the configuration. */
  readonly folder: string
  readonly read: ReadText
  readonly open: OpenMapping
}

/** Name of the mapping setting that says where calls are announced that nobody owns. */
export const ANNOUNCE_SETTING = 'ctrl-subject'

/** Compiles the rules of a configuration, or tells every fault of its files. Dialects of links are not checked here. */
export function draftRules(
  config: Config,
  { folder, read, open }: CompileOptions,
): RulesDraft | { readonly faults: readonly Fault[] } {
  const recorder = recordReads(read)
  const opened = openDialects(config.mappings, config.settings, config.limits, recorder.read, open)
  if ('faults' in opened) return opened
  const { dialects } = opened
  const steering = openSteering(config, recorder.read)
  if ('faults' in steering) return steering
  const ways = config.routes.flatMap((route): Way[] => {
    const source = dialects.get(config.links[route.from]!.dialect)
    const target = targetOf(route, config, dialects, recorder.read, open)
    return source && target ? [{ route, source, target, steered: isSteered(route, config) }] : []
  })
  const name = (path: string) => nameOf(path, folder)
  const files = [...recorder.seen].map(([path, text]) => [name(path), text!] as const)
  const texts: RuleTexts = {
    routes: config.routes,
    settings: config.settings,
    mappings: config.mappings.map(name),
    steering: Object.fromEntries(steeredLinks(config).map(([link, path]) => [link, name(path)])),
    files: Object.fromEntries(files),
  }
  return { revision: revisionOf(texts), config, dialects, texts, steering: steering.tables, ways }
}

/** Links whose calls are steered, with the files of their tables. */
export function steeredLinks({ links }: Config): (readonly [link: string, path: string])[] {
  return Object.entries(links).flatMap(([name, link]) =>
    link.type === 'ari' && link.steer !== undefined ? [[name, link.steer.tables] as const] : [],
  )
}

function openSteering(
  config: Config,
  read: ReadText,
): { readonly tables: ReadonlyMap<string, SteeringTables> } | { readonly faults: readonly Fault[] } {
  const tables = new Map<string, SteeringTables>()
  const faults: Fault[] = []
  for (const [name, path] of steeredLinks(config)) {
    const loaded = loadSteering(path, read)
    if ('faults' in loaded) faults.push(...loaded.faults)
    else tables.set(name, loaded.tables)
  }
  return faults.length > 0 ? { faults } : { tables }
}

/** A route may announce calls elsewhere than the mapping says: then its target has a mapping with that setting. */
function targetOf(
  route: RouteConfig,
  config: Config,
  dialects: Dialects,
  read: ReadText,
  open: OpenMapping,
): Dialect | undefined {
  const dialect = dialects.get(config.links[route.to]!.dialect)
  if (dialect === undefined) return undefined
  if (route.subject === undefined || dialect.settings[ANNOUNCE_SETTING] === route.subject) return dialect
  const own = { ...config.settings[dialect.name], [ANNOUNCE_SETTING]: route.subject }
  const opened = openDialects(config.mappings, { ...config.settings, [dialect.name]: own }, config.limits, read, open)
  // The same files were accepted before; only a mapping without that setting can refuse.
  return 'faults' in opened ? dialect : opened.dialects.get(dialect.name)!
}

/** Whether controllers steer what a route tells them of. */
function isSteered({ from, to }: RouteConfig, { links }: Config): boolean {
  const source = links[from]!
  return source.type === 'ari' && source.steer !== undefined && links[to]!.type === 'nats'
}

/** Makes the routes of a draft that may run. */
export function makeRuleset(draft: RulesDraft, metrics: Metrics): Ruleset {
  const { config, dialects, steering, ways } = draft
  metrics.addRoutes(config.routes)
  const routes = ways.map((way) => routeOf(way, config, metrics))
  const from = new Map<string, Route[]>()
  for (const route of routes) from.set(route.from, [...(from.get(route.from) ?? []), route])
  return {
    ...draft,
    routes,
    routesFrom: (link) => from.get(link) ?? NO_ROUTES,
    dialectOf: (link) => dialects.get(config.links[link]!.dialect)!,
    steeringOf: (link) => steering.get(link)!,
  }
}

const NO_ROUTES: readonly Route[] = []

function routeOf({ route, source, target, steered }: Way, { links, group }: Config, metrics: Metrics): Route {
  const to = links[route.to]!
  return makeRoute({
    name: route.name,
    from: route.from,
    to: route.to,
    kinds: new Set(route.facts),
    source,
    target,
    loopback: route.loopback,
    cdrOrder: route.cdrOrder,
    steered,
    group,
    node: to.type === 'nats' ? to.node.uuid : undefined,
    metrics: metrics.route(route.name, route.to),
  })
}
