import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { ERROR_CODES, type ErrorCode } from '../errors.js'
import type { FactKind } from '../model/index.js'

/**
 * Why a message was let go without a dead letter: a buffer was full, the gateway was stopping,
 * its dead letter could not be published either, or an answer to a request could not be sent.
 */
const DROP_REASONS = ['buffer-full', 'stopping', 'dead-letter-failed', 'reply-failed', 'late'] as const
/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number]

/** What an observer sees and passes over on purpose. */
const IGNORED_KINDS = ['result', 'node-request', 'controller-request', 'other-request', 'unknown-event', 'own'] as const
/** One of {@link IGNORED_KINDS}. */
export type IgnoredKind = (typeof IGNORED_KINDS)[number]

/** What becomes of changed mapping files and routes. */
const RELOAD_OUTCOMES = ['applied', 'refused'] as const
/** One of {@link RELOAD_OUTCOMES}. */
type ReloadOutcome = (typeof RELOAD_OUTCOMES)[number]

/** What is counted of one link. Every function is cheap enough to call for each message. */
export interface LinkMetrics {
  taken(): void
  deadLetter(code: ErrorCode): void
  unroutable(): void
  loop(): void
  reconnect(): void
  dropped(reason: DropReason): void
  ignored(kind: IgnoredKind): void
  unknownWord(): void
  /** Messages taken and not settled yet. */
  inFlight(messages: number): void
  up(isUp: boolean): void
  /** Something may have been missed on a source that tells nothing twice. */
  gap(): void
  /** Whether this replica takes from the link. */
  holds(isHeld: boolean): void
  /** Commands, and whatever else waits for something to happen there; counted when somebody asks. */
  waits(count: () => number): void
}

/** What is counted of one route. */
export interface RouteMetrics {
  translated(): void
  sent(): void
  unsaid(kind: FactKind): void
  suppressed(): void
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
  /** From now on this revision of the rules holds. */
  rules(revision: string): void
  reload(outcome: ReloadOutcome): void
  readonly contentType: string
  /** The exposition text of Prometheus. */
  text(): Promise<string>
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

/** Makes the metrics. Every series of a link or route begins at zero, so that rates have a start. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.process !== false) collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'gateway_build_info',
    help: 'Always 1; the version is in the label.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: options.version }, 1)
  const forLink = linkFactory(registry)
  const forRoute = routeFactory(registry)
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
  const rules = new Gauge({
    name: 'gateway_rules_info',
    help: 'Always 1; the revision of mappings and routes that holds is in the label.',
    labelNames: ['revision'],
    registers: [registry],
  })
  const reloads = counter(
    registry,
    'gateway_reloads_total',
    'Changes of mappings and routes, by what became of them.',
    ['outcome'],
  )
  return {
    link: (name) => known(links, name, 'link'),
    route: (name, to) => known(routes, keyOf(name, to), 'route'),
    hasRoute: (name, to) => routes.has(keyOf(name, to)),
    addRoutes,
    rules(revision) {
      rules.reset()
      rules.set({ revision }, 1)
    },
    reload: reloads.bindEach(RELOAD_OUTCOMES),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}

function known<T>(all: ReadonlyMap<string, T>, name: string, kind: string): T {
  const found = all.get(name)
  if (found === undefined) throw new Error(`no ${kind} ${name} among the metrics`)
  return found
}

interface Series {
  readonly labels: Record<string, string>
  value: number
}

/**
 * A counter whose series are bound once: `bind` gives the function that counts, `bindEach` one for each value of the
 * last label. The sums are ours, and the library gets them when somebody asks: its own way to count is slow.
 */
function counter(registry: Registry, name: string, help: string, labels: string[]) {
  const all: Series[] = []
  new Counter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset()
      for (const series of all) this.inc(series.labels, series.value)
    },
  })
  const bind = (...values: string[]) => {
    const series: Series = {
      labels: Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])),
      value: 0,
    }
    all.push(series)
    return (amount = 1) => {
      series.value += amount
    }
  }
  function bindEach<K extends string>(keys: readonly K[], ...values: string[]) {
    const each = new Map(keys.map((key) => [key, bind(...values, key)]))
    return (key: K, amount = 1) => each.get(key)?.(amount)
  }
  return { bind, bindEach }
}

function linkFactory(registry: Registry): (link: string) => LinkMetrics {
  const make = (noun: string, help: string, ...more: string[]) =>
    counter(registry, `gateway_${noun}_total`, help, ['link', ...more])
  const taken = make('taken_messages', 'Messages taken from a link.')
  const deadLetters = make('dead_letter_messages', 'Messages put aside with the reason, by error code.', 'code')
  const unroutable = make('unroutable_messages', 'Messages that the peer confirmed although nobody receives them.')
  const loops = make('looped_messages', 'Messages cut because they had been here before or took too many hops.')
  const reconnects = make('link_reconnects', 'Tries to connect again.')
  const dropped = make('dropped_messages', 'Messages lost without a dead letter, by reason.', 'reason')
  const ignored = make('ignored_messages', 'Messages passed over on purpose, by kind.', 'kind')
  const unknownWords = make('unknown_words', 'Values of a wire that its mapping has no word for.')
  const flying = new Map<string, number>()
  new Gauge({
    name: 'gateway_in_flight_messages',
    help: 'Messages taken from a link and not settled yet.',
    labelNames: ['link'],
    registers: [registry],
    collect() {
      for (const [link, messages] of flying) this.set({ link }, messages)
    },
  })
  const waits = new Map<string, (() => number)[]>()
  new Gauge({
    name: 'gateway_steering_waits',
    help: 'Commands, listeners and timers that wait for something to happen on an Asterisk.',
    labelNames: ['link'],
    registers: [registry],
    collect() {
      for (const [link, counts] of waits)
        this.set(
          { link },
          counts.reduce((sum, count) => sum + count(), 0),
        )
    },
  })
  const gaps = make('gaps', 'Times in which messages of a link may have been missed.')
  const held = new Gauge({
    name: 'gateway_lease_held',
    help: '1 while this replica takes from a link, else 0.',
    labelNames: ['link'],
    registers: [registry],
  })
  const up = new Gauge({
    name: 'gateway_link_up',
    help: '1 while a link is connected, else 0.',
    labelNames: ['link'],
    registers: [registry],
  })
  return (link) => {
    const state = up.labels(link)
    state.set(0)
    const lease = held.labels(link)
    lease.set(0)
    flying.set(link, 0)
    return {
      taken: taken.bind(link),
      deadLetter: deadLetters.bindEach(Object.keys(ERROR_CODES) as ErrorCode[], link), // keys of the table itself
      unroutable: unroutable.bind(link),
      loop: loops.bind(link),
      reconnect: reconnects.bind(link),
      dropped: dropped.bindEach(DROP_REASONS, link),
      ignored: ignored.bindEach(IGNORED_KINDS, link),
      unknownWord: unknownWords.bind(link),
      inFlight: (messages) => void flying.set(link, messages),
      up: (isUp) => state.set(isUp ? 1 : 0),
      gap: gaps.bind(link),
      holds: (isHeld) => lease.set(isHeld ? 1 : 0),
      waits: (count) => void waits.set(link, [...(waits.get(link) ?? []), count]),
    }
  }
}

function routeFactory(registry: Registry): (route: string, to: string) => RouteMetrics {
  const make = (noun: string, help: string, ...labels: string[]) =>
    counter(registry, `gateway_${noun}_total`, help, labels)
  const translated = make('translated_messages', 'Messages translated for a route.', 'route')
  const sent = make('sent_messages', 'Messages that the target of a route confirmed.', 'link', 'route')
  const unsaid = make('unsaid_facts', 'Facts that the target dialect has no word for, by kind.', 'route', 'kind')
  const suppressed = make('suppressed_facts', 'Facts not sent because the target had been told already.', 'route')
  return (route, to) => {
    const unsaidKinds = new Map<FactKind, () => void>()
    return {
      translated: translated.bind(route),
      sent: sent.bind(to, route),
      unsaid(kind) {
        const known = unsaidKinds.get(kind) ?? unsaid.bind(route, kind)
        unsaidKinds.set(kind, known)
        known()
      },
      suppressed: suppressed.bind(route),
    }
  }
}
