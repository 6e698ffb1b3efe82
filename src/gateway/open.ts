import { dirname, resolve } from 'node:path'
import { type Config, type Fault, secretValues, type YamlSource } from '../config/index.js'
import {
  createHealth,
  createLog,
  createMetrics,
  type Health,
  type LogSink,
  type Metrics,
  noTracing,
  type RootLog,
  type Tracing,
} from '../telemetry/index.js'
import { rememberMappings } from './dialects.js'
import { type Gateway, makeGateway } from './gateway.js'
import {
  type ConfigFile,
  dialectsOf,
  draftRules,
  isTakenFrom,
  makeRules,
  makeRuleset,
  readThrough,
  unknownDialects,
  unknownMessages,
} from './rules/index.js'
import { followSecrets, serverFaults } from './secrets.js'
import { type GatewayParts, SHARED_STATE } from './wiring.js'

/** A gateway ready to start, with what it tells about itself. */
export interface OpenedGateway {
  readonly gateway: Gateway
  readonly metrics: Metrics
  readonly health: Health
  readonly log: RootLog
  readonly faults?: undefined
}

/** What a gateway is opened with beside its configuration. */
export interface OpenOptions {
  readonly version: string
  /** Where the configuration is followed while the gateway runs. Default: nowhere. */
  readonly file?: ConfigFile
  /** Where the log goes. Default standard output. */
  readonly sink?: LogSink
  /** Default: nothing is traced. */
  readonly tracing?: Tracing
  /** Makes the transport of a link. Default: one to its broker. */
  readonly makeTransport?: GatewayParts['makeTransport']
}

/** Loads the mappings of a configuration and makes its gateway, or tells every fault. */
export function openGateway(
  config: Config,
  source: YamlSource,
  { version, file, sink, tracing = noTracing, makeTransport }: OpenOptions,
): OpenedGateway | { readonly faults: readonly Fault[] } {
  const folder = dirname(resolve(source.file))
  const open = rememberMappings()
  const draft = draftRules(config, { folder, read: readThrough, open })
  if ('faults' in draft) return draft
  const unknown = unknownDialects(dialectsOf(config.links), [...draft.dialects.keys()], source)
  const named = new Map([...draft.dialects].map(([name, { messages }]) => [name, messages.map((each) => each.name)]))
  const faults = [...unknown, ...unknownMessages(config.links, named, source), ...serverFaults(config, source)]
  if (faults.length > 0) return { faults }
  const log = createLog(config.log, sink, secretValues(config))
  const metrics = createMetrics({
    links: Object.keys(config.links),
    routes: config.routes.map(({ name, to }) => ({ name, to })),
    version,
  })
  // An AMQP link to which syncs are sent that we answer has a queue of its own as well.
  const consumes = (name: string) =>
    config.links[name]!.type === 'amqp'
      ? isTakenFrom(name, config, draft.dialects)
      : config.routes.some((route) => route.from === name)
  const sources = Object.keys(config.links).map((name) => ({ name, isSource: consumes(name) }))
  const health = createHealth([
    ...sources,
    ...(config.store === undefined ? [] : [{ name: SHARED_STATE, isSource: false }]),
  ])
  metrics.ready(() => health.read().ready)
  const gateway = makeGateway({
    config,
    source,
    folder,
    open,
    rules: makeRules(makeRuleset(draft, metrics), config.reload.calls, log),
    file,
    secrets: followSecrets({ config, file, hide: log.hide, log }),
    metrics,
    health,
    log,
    tracing,
    version,
    ...(makeTransport && { makeTransport }),
  })
  return { gateway, metrics, health, log }
}
