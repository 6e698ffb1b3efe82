import { GatewayError } from '../errors.js'
import type { Dialect, EncodedMessage } from '../mapping/dialect.js'
import { type ChannelFact, channelKey, type Fact, type FactKind } from '../model/index.js'
import { NO_TRACE, type RouteMetrics } from '../telemetry/index.js'
import type { OutgoingFrame } from '../transports/transport.js'
import { headersOnWay, wayOf } from './headers.js'
import { nothingTold, type SequenceOptions, sequenceFor } from './sequence/index.js'
import type { CallView, Told } from './state.js'

/** A channel fact with what is known of its channel since. */
export interface Observed {
  readonly fact: ChannelFact
  readonly view: CallView
}

/** What one route makes of facts; it keeps nothing itself. */
export interface Route {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly kinds: ReadonlySet<FactKind>
  readonly source: Dialect
  readonly target: Dialect
  /** Those whom the target tells of calls may steer them. */
  readonly steered: boolean
  /** Source and target speak alike, and facts pass as they are. */
  readonly isWithinDialect: boolean
  /** What a channel fact gives the target, and what the target has been told then. */
  sayChannel(observed: Observed): { facts: Fact[]; told: Told }
  /** Facts of other kinds as the target gets them. */
  sayOther(fact: Fact): Fact[]
  /** Writes facts as frames, in order. `path` is the way the source message came, `trace` the headers of the trace it belongs to. */
  write(facts: readonly Fact[], path: readonly string[], trace?: OutgoingFrame['headers']): OutgoingFrame[]
  /** Counts a fact that the target has been told already. */
  suppressed(): void
  /** Counts a message of which something was said. */
  translated(): void
  /** Counts a frame that the target confirmed. */
  sent(): void
}

/** What a route is made of. */
export interface RouteParts {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly kinds: ReadonlySet<FactKind>
  readonly source: Dialect
  readonly target: Dialect
  readonly loopback: boolean
  readonly cdrOrder: SequenceOptions['cdrOrder']
  /** Those whom the target tells of calls may steer them. */
  readonly steered: boolean
  readonly group: string
  /** Node under which the target sees a source that has no nodes of its own. */
  readonly node: string | undefined
  readonly metrics: RouteMetrics
}

/** Order key of everything about terminals, on targets that tell several of them in one message. */
export const TERMINALS = 'terminals'

/** Makes a route. */
export function makeRoute(parts: RouteParts): Route {
  const { source, target, metrics, node } = parts
  const sameDialect = source.name === target.name
  const sequence = sequenceFor(target.name)
  const keyOf = orderKeys(target)
  const options: SequenceOptions = {
    loopback: parts.loopback || sameDialect,
    makeCdr: isWatched(source, target),
    cdrOrder: parts.cdrOrder,
    onlyControllable: parts.steered,
    steerable: parts.steered || !isWatched(source, target),
  }

  function sayChannel({ fact, view }: Observed): { facts: Fact[]; told: Told } {
    const before = view.told[parts.name]
    const told = before === undefined ? nothingTold() : { ...before, states: before.states.slice() }
    if (sameDialect) return { facts: [fact], told }
    const facts = sequence({ fact, view, told }, options)
    if (facts.length === 0) metrics.suppressed()
    for (const [index, each] of facts.entries()) place(each, index, facts.length)
    return { facts, told }
  }

  /** Gives a fact of ours without a node the one the target knows us by, and a name of its own where several come from one. */
  function place(fact: Fact, index: number, count: number): void {
    if (count > 1 && fact.meta?.id !== undefined) fact.meta = { ...fact.meta, id: `${fact.meta.id}.${index}` }
    const placed = fact as { node?: string } // every kind that a link's dialect reads can name one
    if (node !== undefined && placed.node === undefined) placed.node = node
  }

  function write(facts: readonly Fact[], path: readonly string[], trace = NO_TRACE): OutgoingFrame[] {
    const way = wayOf([...path, parts.group])
    const frames: OutgoingFrame[] = []
    // Facts of one key may share a message; those of different keys must not, or their orders would depend on each other.
    for (const [key, some] of groupByKey(facts, keyOf)) {
      const { messages, unsaid } = target.encode({ facts: some })
      for (const message of messages) frames.push(frameOf(message, key, way, trace))
      for (const fact of unsaid) metrics.unsaid(fact.kind)
    }
    return frames
  }

  return {
    name: parts.name,
    from: parts.from,
    to: parts.to,
    kinds: parts.kinds,
    source,
    target,
    steered: parts.steered,
    isWithinDialect: sameDialect,
    sayChannel,
    sayOther(fact) {
      const own = { ...fact }
      // The full picture of one source is no full picture of all that a target hears of.
      if (!sameDialect) delete own.full
      place(own, 0, 1)
      return [own]
    },
    write,
    suppressed: metrics.suppressed,
    translated: metrics.translated,
    sent: metrics.sent,
  }
}

/** Whether calls of a source are watched at a target, not steered: the source knows neither controllers nor accounts. */
export function isWatched(source: Dialect, target: Dialect): boolean {
  return knowsControllers(target) && !knowsControllers(source)
}

/** Controllers are told where calls are announced. */
function knowsControllers({ settings }: Dialect): boolean {
  return settings['ctrl-subject'] !== undefined
}

/** Whether a dialect has a word for a kind of fact. */
export function says(dialect: Dialect, kind: FactKind): boolean {
  return dialect.messages.some((message) => message.rule.fact === kind)
}

function frameOf(
  { address, facts, body }: EncodedMessage,
  orderKey: string,
  way: string,
  trace: OutgoingFrame['headers'],
): OutgoingFrame {
  const meta = facts[0]?.meta
  const own = headersOnWay(facts, way)
  const headers = trace === NO_TRACE ? own : { ...own, ...trace }
  return { address, headers, body, orderKey, messageId: meta?.id, at: meta?.at }
}

function groupByKey(
  facts: readonly Fact[],
  keyOf: (fact: Fact) => string,
): Iterable<readonly [string, readonly Fact[]]> {
  const first = keyOf(facts[0]!)
  const keys = facts.map(keyOf)
  if (keys.every((key) => key === first)) return [[first, facts]]
  const groups = new Map<string, Fact[]>()
  for (const [at, fact] of facts.entries()) {
    const key = keys[at]!
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [fact])
    else group.push(fact)
  }
  return groups
}

/** Facts with equal keys keep their order all the way. */
function orderKeys(target: Dialect): (fact: Fact) => string {
  const together = target.messages.some((message) => message.many && message.rule.fact === 'terminal')
  return (fact) => {
    if (fact.kind === 'channel' || fact.kind === 'cdr') return channelKey(fact.node, fact.id)
    if (fact.kind === 'terminal') return together ? TERMINALS : `terminal ${fact.serial ?? ''}`
    if ('channel' in fact && typeof fact.channel === 'string') return channelKey(fact.node, fact.channel)
    return fact.kind
  }
}

/** The error of a fact that cannot be written; any other error is a bug and stays one. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError('codec.value', 'an unexpected fault while translating', { cause: error })
}
