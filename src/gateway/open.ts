import { loadSteering, type SteeringTables } from '../calls/xnode/index.js'
import type { Config, Fault, RouteConfig, YamlSource } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import {
  createHealth,
  createLog,
  createMetrics,
  type Health,
  type Log,
  type LogSink,
  type Metrics,
} from '../telemetry/index.js'
import { type Dialects, openDialects } from './dialects.js'
import { type Gateway, makeGateway } from './gateway.js'
import { type GatewayParts, SHARED_STATE } from './wiring.js'

/** A gateway ready to start, with what it tells about itself. */
export interface OpenedGateway {
  readonly gateway: Gateway
  readonly metrics: Metrics
  readonly health: Health
  readonly log: Log
  readonly faults?: undefined
}

/** Name of the mapping setting that says where calls are announced that nobody owns. */
const ANNOUNCE_SETTING = 'ctrl-subject'

/** What a gateway is opened with beside its configuration. */
export interface OpenOptions {
  readonly version: string
  /** Where the log goes. Default standard output. */
  readonly sink?: LogSink
  /** Makes the transport of a link. Default: one to its broker. */
  readonly makeTransport?: GatewayParts['makeTransport']
}

/** Loads the mappings of a configuration and makes its gateway, or tells every fault. */
export function openGateway(
  config: Config,
  source: YamlSource,
  { version, sink, makeTransport }: OpenOptions,
): OpenedGateway | { readonly faults: readonly Fault[] } {
  const opened = openDialects(config.mappings, config.settings, config.limits)
  if ('faults' in opened) return opened
  const { dialects } = opened
  const faults = unknownDialects(config, source, dialects)
  if (faults.length > 0) return { faults }
  const steering = openSteering(config)
  if ('faults' in steering) return steering
  const targets = new Map(config.routes.map((route) => [route.name, targetOf(route, config, dialects)]))
  const log = createLog(config.log, sink)
  const metrics = createMetrics({
    links: Object.keys(config.links),
    routes: config.routes.map(({ name, to }) => ({ name, to })),
    version,
  })
  const sources = Object.keys(config.links).map((name) => ({
    name,
    isSource: config.routes.some((route) => route.from === name),
  }))
  const health = createHealth([
    ...sources,
    ...(config.store === undefined ? [] : [{ name: SHARED_STATE, isSource: false }]),
  ])
  const gateway = makeGateway({
    config,
    dialects,
    targetOf: (route) => targets.get(route.name)!,
    steering: steering.tables,
    metrics,
    health,
    log,
    version,
    ...(makeTransport && { makeTransport }),
  })
  return { gateway, metrics, health, log }
}

/** Steering tables by the links that name them, or every fault of all. */
function openSteering({
  links,
}: Config): { readonly tables: ReadonlyMap<string, SteeringTables> } | { readonly faults: readonly Fault[] } {
  const tables = new Map<string, SteeringTables>()
  const faults: Fault[] = []
  for (const [name, link] of Object.entries(links)) {
    if (link.type !== 'ari' || link.steer === undefined) continue
    const loaded = loadSteering(link.steer.tables)
    if ('faults' in loaded) faults.push(...loaded.faults)
    else tables.set(name, loaded.tables)
  }
  return faults.length > 0 ? { faults } : { tables }
}

function unknownDialects(config: Config, source: YamlSource, dialects: Dialects): Fault[] {
  return Object.entries(config.links).flatMap(([name, { dialect }]) => {
    if (dialects.has(dialect)) return []
    const what = `no mapping file is for the dialect ${dialect}`
    return [
      source.fault(
        ['links', name, 'dialect'],
        'config.link',
        what,
        `known dialects: ${[...dialects.keys()].join(', ')}`,
      ),
    ]
  })
}

/** A route may announce calls elsewhere than the mapping says: then its target has a mapping with that setting. */
function targetOf(route: RouteConfig, config: Config, dialects: Dialects): Dialect {
  const dialect = dialects.get(config.links[route.to]!.dialect)!
  if (route.subject === undefined || dialect.settings[ANNOUNCE_SETTING] === route.subject) return dialect
  const own = { ...config.settings[dialect.name], [ANNOUNCE_SETTING]: route.subject }
  const opened = openDialects(config.mappings, { ...config.settings, [dialect.name]: own }, config.limits)
  // The same files were accepted before; only a mapping without that setting can refuse.
  return 'faults' in opened ? dialect : opened.dialects.get(dialect.name)!
}
