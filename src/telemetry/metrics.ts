import { collectDefaultMetrics, Registry } from 'prom-client'
import { makeInstruments } from './metrics/instruments.js'
import { type LinkMetrics, linkFactory } from './metrics/link-metrics.js'
import { type RouteMetrics, routeFactory } from './metrics/route-metrics.js'

export type { DropReason, IgnoredKind, LinkMetrics } from './metrics/link-metrics.js'
export type { RouteMetrics } from './metrics/route-metrics.js'

/** What becomes of changed mapping files and routes. */
const RELOAD_OUTCOMES = ['applied', 'refused'] as const
/** One of {@link RELOAD_OUTCOMES}. */
type ReloadOutcome = (typeof RELOAD_OUTCOMES)[number]

/**
 * Where a message spends its time, in milliseconds: from its receipt until its bytes are facts, until it is decided
 * what is to be said of these, until that is written, and until the target of a route has confirmed it.
 */
export interface StageMetrics {
  read(milliseconds: number): void
  decide(milliseconds: number): void
  write(milliseconds: number): void
  confirm(milliseconds: number): void
}

/** All metrics of a gateway, in a registry of their own. */
export interface Metrics {
  /** @throws Error for a name that was not given to {@link createMetrics}. */
  link(name: string): LinkMetrics
  /** @throws Error for a name that was not given to {@link createMetrics}, nor added since. */
  route(name: string, to: string): RouteMetrics
  hasRoute(name: string, to: string): boolean
  /** Counts these routes, too; one that is counted with the same target goes on. */
  addRoutes(routes: MetricsOptions['routes']): void
  readonly stages: StageMetrics
  /** From now on this revision of the rules holds. */
  rules(revision: string): void
  reload(outcome: ReloadOutcome): void
  /** Who knows whether the gateway is ready; asked when somebody asks. */
  ready(isReady: () => boolean): void
  /** The series of one metric as they are now; none of one that there is not. */
  series(name: string): Promise<readonly MetricSeries[]>
  readonly contentType: string
  /** The exposition text of Prometheus. */
  text(): Promise<string>
}

/** One series of a metric. */
export interface MetricSeries {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number | undefined>>
}

/** Which links and routes there are: the closed sets of the labels. */
export interface MetricsOptions {
  readonly links: readonly string[]
  readonly routes: ReadonlyArray<{ readonly name: string; readonly to: string }>
  /** Version in `gateway_build_info`. */
  readonly version: string
  /** Also the figures of the process (memory, CPU, event loop). Default true. */
  readonly process?: boolean
}

/** Sums that the library names like counters although they go down; each is told by type beside it. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** Makes the metrics. Every series of a link or route begins at zero, so that rates have a start. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.process !== false) {
    collectDefaultMetrics({ register: registry })
    for (const name of MISNAMED) registry.removeSingleMetric(name)
  }
  const make = makeInstruments(registry)
  make.setGauge('gateway_build_info').set({ version: options.version }, 1)
  const forLink = linkFactory(make)
  const forRoute = routeFactory(make)
  const links = new Map(options.links.map((name) => [name, forLink(name)]))
  const routes = new Map<string, RouteMetrics>()
  // A name may have another target by other rules.
  const keyOf = (name: string, to: string) => `${name} to ${to}`
  const addRoutes: Metrics['addRoutes'] = (added) => {
    for (const { name, to } of added) {
      const key = keyOf(name, to)
      if (!routes.has(key)) routes.set(key, forRoute(name, to))
    }
  }
  addRoutes(options.routes)
  const rules = make.setGauge('gateway_rules_info')
  const reloads = make.counter('gateway_reloads_total')
  const ready = make.readGauge('gateway_ready')
  const stage = make.histogram('gateway_stage_seconds')
  return {
    link: (name) => known(links, name, 'link'),
    route: (name, to) => known(routes, keyOf(name, to), 'route'),
    hasRoute: (name, to) => routes.has(keyOf(name, to)),
    addRoutes,
    stages: {
      read: stage.bind('read'),
      decide: stage.bind('decide'),
      write: stage.bind('write'),
      confirm: stage.bind('confirm'),
    },
    rules(revision) {
      rules.reset()
      rules.set({ revision }, 1)
    },
    reload: reloads.bindEach(RELOAD_OUTCOMES),
    ready: (isReady) => ready.bind(() => (isReady() ? 1 : 0)),
    series: async (name) => (await registry.getSingleMetric(name)?.get())?.values ?? [],
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}

function known<T>(all: ReadonlyMap<string, T>, name: string, kind: string): T {
  const found = all.get(name)
  if (found === undefined) throw new Error(`no ${kind} ${name} among the metrics`)
  return found
}
