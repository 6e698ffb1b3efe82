import type { Dialect } from '../mapping/dialect.js'
import { type ChannelFact, channelKey, type Fact, type FactOf, type Meta, type Scope } from '../model/index.js'
import type { LinkMetrics } from '../telemetry/index.js'
import type { OutgoingFrame, Transport } from '../transports/transport.js'
import { endedBy, numberOf } from './effects.js'
import type { Route } from './route.js'
import type { CallView, StateStore } from './state.js'
import { observe } from './tracker.js'

/** A link with what speaks on it. */
export interface HubLink {
  readonly name: string
  readonly transport: Transport
  readonly dialect: Dialect
  readonly metrics: LinkMetrics
}

/** Facts of one wire message, on their way through the gateway. */
export interface Arrival {
  readonly link: string
  readonly facts: readonly Fact[]
  /** Groups the message passed before. */
  readonly path: readonly string[]
  /** Set when the message was the full picture of something. */
  readonly full: Scope | undefined
  /** What the facts' own meta are made from. */
  readonly meta: Meta
}

/** The middle of the gateway: what arrives on one link is told to the others. */
export interface Hub {
  /**
   * Takes facts in and tells them on. The promise within the answer resolves when every target has
   * confirmed; the outer one, when the next message of the same channels may be taken.
   */
  take(arrival: Arrival): Promise<{ readonly confirmed: Promise<void> }>
  /** Keys whose order an arrival's work depends on, or `all`. */
  keysOf(arrival: Arrival): readonly string[] | 'all'
  readonly routes: readonly Route[]
}

/** What the hub is made of. */
export interface HubParts {
  readonly links: ReadonlyMap<string, HubLink>
  readonly routes: readonly Route[]
  readonly store: StateStore
  /** UTC milliseconds; undefined where there is no clock, and then no times are made up. */
  readonly now: () => number | undefined
}

/** What one arrival comes to: what each route is to say, and the channels as they are known since. */
interface Work {
  readonly outlets: readonly { readonly route: Route; readonly facts: Fact[] }[]
  readonly views: Map<string, CallView>
}

/** Store key of a channel: its link, its node and its id. */
export function callKey(link: string, node: string | undefined, id: string | undefined): string {
  return `${link}\u0000${channelKey(node, id)}`
}

/** Makes the hub. */
export function makeHub({ links, routes, store, now }: HubParts): Hub {
  const routesFrom = new Map<string, Route[]>()
  for (const route of routes) routesFrom.set(route.from, [...(routesFrom.get(route.from) ?? []), route])

  async function take(arrival: Arrival): Promise<{ confirmed: Promise<void> }> {
    const outlets = (routesFrom.get(arrival.link) ?? []).map((route) => ({ route, facts: [] as Fact[] }))
    const work: Work = { outlets, views: new Map() }
    for (const fact of arrival.facts) {
      // Most messages tell of one channel: what is known of it is asked for once.
      const known = fact.kind === 'channel' ? work.views.get(callKey(arrival.link, fact.node, fact.id)) : undefined
      if (fact.kind === 'channel' && known !== undefined) sayChannel(arrival.link, fact, known, work)
      else await tell(arrival, fact, work)
    }
    if (arrival.full !== undefined && arrival.path.length === 0) await endMissing(arrival, arrival.full, work)
    const parcels = outlets.map(({ route, facts }) => ({ route, frames: write(route, facts, arrival.path) }))
    // Only what can be written was told: a message that fails above leaves its channels as they were.
    for (const [key, view] of work.views) await store.putCall(key, view)
    const sends = parcels.map(({ route, frames }) => send(route, frames))
    return { confirmed: sends.length === 1 ? sends[0]! : Promise.all(sends).then(() => undefined) }
  }

  async function tell(arrival: Arrival, fact: Fact, work: Work): Promise<void> {
    if (fact.kind === 'channel') return tellChannel(arrival.link, fact, work)
    if (fact.kind === 'terminal') await noteTerminal(arrival.link, fact)
    for (const { route, facts } of work.outlets) if (route.kinds.has(fact.kind)) facts.push(...route.sayOther(fact))
    if (fact.kind === 'lifecycle') await endCallsOf(arrival.link, fact, work)
  }

  async function tellChannel(link: string, fact: ChannelFact, work: Work): Promise<void> {
    const key = callKey(link, fact.node, fact.id)
    sayChannel(link, fact, work.views.get(key) ?? (await store.call(key)), work)
  }

  function sayChannel(link: string, fact: ChannelFact, known: CallView | undefined, work: Work): void {
    const view = observe(known, fact, link, now())
    const told = { ...view.told }
    for (const { route, facts } of work.outlets) {
      if (!route.kinds.has('channel')) continue
      const said = route.sayChannel({ fact, view })
      told[route.name] = said.told
      for (const each of said.facts) if (route.kinds.has(each.kind)) facts.push(each)
    }
    work.views.set(callKey(link, fact.node, fact.id), { ...view, told })
  }

  async function noteTerminal(link: string, fact: FactOf<'terminal'>): Promise<void> {
    if (fact.serial === undefined) return
    const before = await store.terminal(link, fact.serial)
    const number = fact.number ?? before?.number
    const online = fact.state === undefined ? (before?.online ?? false) : fact.state === 'online'
    await store.putTerminal(link, { serial: fact.serial, online, ...(number !== undefined && { number }) })
  }

  /** What a full picture no longer lists is over: of this link's own, never of another's. */
  async function endMissing(arrival: Arrival, scope: Scope, work: Work): Promise<void> {
    const { meta } = arrival
    if (scope === 'channels') {
      const listed = new Set(
        arrival.facts.map((fact) => (fact.kind === 'channel' ? callKey(arrival.link, fact.node, fact.id) : '')),
      )
      for (const [key, view] of await store.callsOf(arrival.link)) {
        if (!listed.has(key)) await tellChannel(arrival.link, endedBy(view, 'missing', meta), work)
      }
    } else if (scope === 'terminals') {
      const listed = new Set(arrival.facts.map((fact) => (fact.kind === 'terminal' ? fact.serial : undefined)))
      for (const { serial, online } of await store.terminalsOf(arrival.link)) {
        if (!online || listed.has(serial)) continue
        const gone: FactOf<'terminal'> = {
          kind: 'terminal',
          serial,
          state: 'offline',
          change: 'state',
          meta: { ...meta, id: `${meta.id}-${serial}` },
        }
        await tell(arrival, gone, work)
      }
    }
  }

  async function endCallsOf(link: string, fact: FactOf<'lifecycle'>, work: Work): Promise<void> {
    const { event, number, meta = {} } = fact
    if (number === undefined || (event !== 'voice-crash' && event !== 'reboot')) return
    for (const [, view] of await store.callsOf(link)) {
      if (numberOf(view.channel) === number) await tellChannel(link, endedBy(view, event, meta), work)
    }
  }

  function write(route: Route, facts: readonly Fact[], path: readonly string[]): readonly OutgoingFrame[] {
    if (facts.length === 0) return []
    const frames = route.write(facts, path)
    if (frames.length > 0) route.translated()
    return frames
  }

  /** Every frame is sent and counted by itself, also when another of them is refused. */
  async function send(route: Route, frames: readonly OutgoingFrame[]): Promise<void> {
    if (frames.length === 0) return
    const { transport } = links.get(route.to)!
    const outcomes = await Promise.allSettled(frames.map((frame) => transport.send(frame)))
    let refusal: PromiseRejectedResult | undefined
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') route.sent()
      else refusal ??= outcome
    }
    if (refusal !== undefined) throw refusal.reason
  }

  function keysOf({ link, facts, full }: Arrival): readonly string[] | 'all' {
    if (full !== undefined || facts.some((fact) => fact.kind === 'lifecycle')) return 'all'
    return [...new Set(facts.map((fact) => laneOf(link, fact)))]
  }

  return { take, keysOf, routes }
}

function laneOf(link: string, fact: Fact): string {
  if (fact.kind === 'channel' || fact.kind === 'cdr') return callKey(link, fact.node, fact.id)
  if ('channel' in fact && typeof fact.channel === 'string') return callKey(link, fact.node, fact.channel)
  return `${link}\u0000${fact.kind}`
}
