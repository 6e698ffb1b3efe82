import {
  type ChannelFact,
  channelKey,
  type DeviceState,
  type Fact,
  type FactOf,
  type Meta,
  type Scope,
} from '../model/index.js'
import { type LinkMetrics, type Span, type StageMetrics, UNTRACED } from '../telemetry/index.js'
import type { OutgoingFrame, Transport } from '../transports/transport.js'
import { type EndReason, endedBy, enteredBy, numberOf } from './effects.js'
import { toldByBridges, toldOfMember } from './membership.js'
import { ownText } from './own-text.js'
import { type Post, sayOnceKept } from './post.js'
import type { Route } from './route.js'
import type { RouteTable, RuleSource } from './rules/index.js'
import type { CallView, Letters, StateStore, TakenMessage, TerminalView, Told } from './state.js'
import { observe } from './tracker.js'

/** A link with its transport. */
export interface HubLink {
  readonly name: string
  readonly transport: Transport
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
  /** Revisions of rules whose calls the full picture tells nothing of unless it lists them. */
  readonly blind?: ReadonlySet<string>
  /** The facts are about channels that their switch is to make next. */
  readonly planned?: boolean
  /** The link brings a share of the calls, and hears besides what each share has to know. */
  readonly isShare?: boolean
  /** What the facts' own meta are made from. */
  readonly meta: Meta
  /** When the message came, and when it was read, by `performance.now()`. */
  readonly timing?: { readonly takenAt: number; readonly readAt: number }
  /** The message, where its source sends it again until it is settled. */
  readonly taken?: TakenMessage | undefined
  /** What is done with the message, for those who follow it. Default: nobody does. */
  readonly span?: Span
}

/** What became of an arrival. */
export interface Taken {
  readonly confirmed: Promise<void>
  /** What follows from it and nobody told: of channels, by pictures that do not list them any more, and by crashes. */
  readonly inferred: readonly ChannelFact[]
}

/** The middle of the gateway: what arrives on one link is told to the others. */
export interface Hub {
  /**
   * Takes facts in and tells them on. The promise within the answer resolves when every target has
   * confirmed. @throws GatewayError for what cannot be written; nothing has changed then.
   */
  take(arrival: Arrival): Taken
}

/** What the hub is made of. */
export interface HubParts {
  /** Links whose full pictures we draw ourselves: what they repeat is no news, and what they no longer list was lost while nobody looked. */
  readonly isDrawn: (link: string) => boolean
  /** Routes, and which of them a call goes by. */
  readonly rules: RuleSource
  readonly store: StateStore
  readonly post: Post
  /** Where it is counted how long it takes. Default: nowhere. */
  readonly stages?: StageMetrics
  /** UTC milliseconds; undefined where there is no clock, and then no times are made up. */
  readonly now: () => number | undefined
}

/** What a route is to say. */
interface Outlet {
  readonly route: Route
  readonly facts: Fact[]
}

/** What one arrival comes to: what each route is to say, and the channels as they are known since. */
interface Work {
  /** Of the current rules, and of others that calls go by. */
  readonly outlets: Map<RouteTable, readonly Outlet[]>
  readonly views: Map<string, CallView>
  /** Terminals by serial, and states of devices by name, as they are known since. */
  readonly terminals: Map<string, TerminalView>
  readonly devices: Map<string, DeviceState>
  readonly inferred: ChannelFact[]
  readonly planned: boolean
}

/** Store key of a channel: its link, its node and its id. */
export const callKey = keyMaker()

/** A message tells most often of one channel only, several times: its key is made once. */
function keyMaker(): (link: string, node: string | undefined, id: string | undefined) => string {
  let [lastLink, lastNode, lastId, lastKey]: (string | undefined)[] = []
  return (link, node, id) => {
    if (lastKey !== undefined && id === lastId && node === lastNode && link === lastLink) return lastKey
    const key = ownText(`${link}\u0000${channelKey(node, id)}`)
    ;[lastLink, lastNode, lastId, lastKey] = [link, node, id, key]
    return key
  }
}

/** Store key of the channel that a fact is about; undefined where it is about none. */
export function callKeyOf(link: string, fact: Fact): string | undefined {
  if (fact.kind !== 'channel' && fact.kind !== 'cdr' && !isOnCall(fact)) return undefined
  const id = isOnCall(fact) ? fact.channel : fact.id
  return id === undefined ? undefined : callKey(link, fact.node, id)
}

/** Makes the hub. */
export function makeHub({ isDrawn, rules, store, post, stages, now }: HubParts): Hub {
  function outletsOf(table: RouteTable, link: string, { outlets }: Work): readonly Outlet[] {
    let found = outlets.get(table)
    if (found === undefined) {
      found = table.routesFrom(link).map((route) => ({ route, facts: [] }))
      outlets.set(table, found)
    }
    return found
  }

  function take(arrival: Arrival): Taken {
    const { span = UNTRACED } = arrival
    const work: Work = {
      outlets: new Map(),
      views: new Map(),
      terminals: new Map(),
      devices: new Map(),
      inferred: [],
      planned: arrival.planned === true,
    }
    const { takenAt, readAt = performance.now() } = arrival.timing ?? {}
    span.stage('decide', undefined, () => {
      for (const fact of arrival.facts) tell(arrival, fact, work)
      if (arrival.full !== undefined && arrival.path.length === 0) endMissing(arrival, arrival.full, work)
    })
    const decidedAt = performance.now()
    stages?.decide(decidedAt - readAt)
    const letters: Letters[] = []
    for (const outlets of work.outlets.values())
      for (const { route, facts } of outlets)
        letters.push({ to: route.to, route: route.name, frames: write(route, facts, arrival.path, span) })
    const writtenAt = performance.now()
    stages?.write(writtenAt - decidedAt)
    // Only what can be written was told: a message that fails above leaves everything as it was.
    const { views: calls, terminals, devices } = work
    const kept = store.keep({ link: arrival.link, calls, terminals, devices, letters, taken: arrival.taken })
    return { confirmed: sayOnceKept(kept, letters, post, { takenAt, writtenAt }), inferred: work.inferred }
  }

  function tell(arrival: Arrival, fact: Fact, work: Work): void {
    if (fact.kind === 'channel') {
      if (fact.full === true && isDrawn(arrival.link)) tellPictured(arrival.link, fact, work)
      else tellChannel(arrival.link, fact, work)
    } else tellOther(arrival, fact, work)
  }

  function tellOther(arrival: Arrival, fact: Exclude<Fact, ChannelFact>, work: Work): void {
    if (fact.kind === 'terminal') {
      tellTerminal(arrival.link, fact, work)
      return
    }
    // Whoever brings a share of the calls hears what every share has to know; a link beside tells it on, once.
    if (arrival.isShare === true) {
      if (fact.kind === 'lifecycle') endCallsOf(arrival.link, fact, work)
      return
    }
    if (isDrawn(arrival.link) && isNoNews(arrival.link, fact, work)) return
    const key = callKeyOf(arrival.link, fact)
    const call = key === undefined ? undefined : (work.views.get(key) ?? store.call(key))
    if (isOnCall(fact) && call?.channel.controller !== undefined) fact.controller ??= call.channel.controller
    for (const { route, facts } of outletsOf(rules.ofCall(call), arrival.link, work)) {
      // Of a channel that is hidden from those who steer they hear nothing.
      if (!route.kinds.has(fact.kind) || (route.steered && call?.told[route.name]?.opened === false)) continue
      facts.push(...route.sayOther(fact))
    }
    if (fact.kind === 'lifecycle') endCallsOf(arrival.link, fact, work)
  }

  function tellChannel(link: string, fact: ChannelFact, work: Work): void {
    const known = knownCall(link, fact.node, fact.id, work)
    if (fact.serial !== undefined && fact.terminal === undefined && known?.channel.terminal === undefined) {
      const number = store.numberOf(fact.serial)
      if (number !== undefined) fact.terminal = number
    }
    sayChannel(link, fact, known, work)
    for (const member of fact.bridge?.members ?? []) {
      if (member === fact.id) continue
      const other = knownCall(link, fact.node, member, work)
      if (other !== undefined) sayChannel(link, toldOfMember(fact, member), other, work)
    }
  }

  /**
   * A picture shows what entered our application, not when, nor whether it was told: of what is known to have entered
   * or left since, the events know more.
   */
  function tellPictured(link: string, fact: ChannelFact, work: Work): void {
    if (fact.flags?.controllable === undefined) {
      tellChannel(link, fact, work)
      return
    }
    const { controllable: _, ...flags } = fact.flags
    const known = knownCall(link, fact.node, fact.id, work)?.channel
    tellChannel(link, { ...fact, flags }, work)
    // One that talks was accepted when somebody knew it, and would be ended as one that nobody accepts.
    if (known?.flags?.controllable !== undefined || known?.state === 'ended' || fact.state === 'answered') return
    tellInferred(link, enteredBy(fact), work)
  }

  function tellInferred(link: string, fact: ChannelFact, work: Work): void {
    work.inferred.push(fact)
    tellChannel(link, fact, work)
  }

  function knownCall(link: string, node: string | undefined, id: string | undefined, { views }: Work) {
    const key = callKey(link, node, id)
    return views.get(key) ?? store.call(key)
  }

  /** A telephone that left one server is offline only for those who hear of no other server that has it. */
  function tellTerminal(link: string, fact: FactOf<'terminal'>, work: Work): void {
    const isNews = noteTerminal(link, fact, work)
    const { serial, state, change } = fact
    if (change === 'state' && !isNews && isDrawn(link)) return
    if (serial !== undefined && fact.number === undefined) {
      const number = work.terminals.get(serial)?.number ?? store.numberOf(serial)
      if (number !== undefined) fact.number = number
    }
    const online = serial !== undefined && state === 'offline' && change === 'state' ? store.onlineAt(serial) : []
    const elsewhere = online.filter((other) => other !== link)
    for (const { route, facts } of outletsOf(rules.current(), link, work)) {
      if (!route.kinds.has('terminal')) continue
      if (elsewhere.some((other) => isHeardBy(other, route.to))) route.suppressed()
      else facts.push(...route.sayOther(fact))
    }
  }

  /** Bridges in a picture are told by what their channels do; devices, when they are another way than before. */
  function isNoNews(link: string, fact: Fact, { devices }: Work): boolean {
    if (fact.kind === 'bridge') return fact.full === true
    if (fact.kind !== 'device' || fact.name === undefined || fact.state === undefined) return false
    const before = devices.get(fact.name) ?? store.deviceState(link, fact.name)
    devices.set(fact.name, fact.state)
    return before === fact.state
  }

  function isHeardBy(link: string, target: string): boolean {
    return rules
      .current()
      .routesFrom(link)
      .some((route) => route.to === target && route.kinds.has('terminal'))
  }

  function sayChannel(link: string, fact: ChannelFact, known: CallView | undefined, work: Work): void {
    if (known?.channel.state === 'ended') {
      sayNothing(link, fact, work)
      return
    }
    const view = observe(known, fact, link, now())
    const told: Record<string, Told> = { ...view.told }
    const table = rules.ofCall(known)
    for (const { route, facts } of outletsOf(table, link, work)) {
      if (!route.kinds.has('channel')) continue
      const said = route.sayChannel({ fact, view })
      told[route.name] = said.told
      for (const each of said.facts) if (route.kinds.has(each.kind)) facts.push(each)
    }
    const { revision } = table
    work.views.set(callKey(link, fact.node, fact.id), {
      ...view,
      told,
      revision,
      ...(work.planned && { planned: true }),
    })
  }

  /** Nothing follows the end of a call, unless the target has the source's own rules. */
  function sayNothing(link: string, fact: ChannelFact, work: Work): void {
    for (const { route, facts } of outletsOf(rules.current(), link, work)) {
      if (!route.kinds.has('channel')) continue
      if (route.isWithinDialect) facts.push(fact)
      else route.suppressed()
    }
  }

  /** Answers whether the terminal was another way before. */
  function noteTerminal(link: string, fact: FactOf<'terminal'>, { terminals }: Work): boolean {
    if (fact.serial === undefined) return false
    const before = terminals.get(fact.serial) ?? store.terminal(link, fact.serial)
    const number = fact.number || before?.number
    const online = fact.state === undefined ? (before?.online ?? false) : fact.state === 'online'
    terminals.set(fact.serial, { serial: fact.serial, online, ...(number !== undefined && { number }) })
    return online !== before?.online || number !== before.number
  }

  /** What a full picture no longer lists is over: of this link's own, never of another's. */
  function endMissing(arrival: Arrival, scope: Scope, work: Work): void {
    const { meta } = arrival
    if (scope === 'channels') {
      const reason: EndReason = isDrawn(arrival.link) ? 'unseen' : 'missing'
      const listed = new Set(
        arrival.facts.map((fact) => (fact.kind === 'channel' ? callKey(arrival.link, fact.node, fact.id) : '')),
      )
      for (const [key, view] of store.callsOf(arrival.link)) {
        if (listed.has(key) || view.planned === true) continue
        if (arrival.blind?.has(rules.ofCall(view).revision)) continue
        tellInferred(arrival.link, endedBy(view, reason, meta), work)
      }
    } else if (scope === 'terminals') {
      const listed = new Set(arrival.facts.map((fact) => (fact.kind === 'terminal' ? fact.serial : undefined)))
      for (const { serial, online } of store.terminalsOf(arrival.link)) {
        if (!online || listed.has(serial)) continue
        const gone: FactOf<'terminal'> = {
          kind: 'terminal',
          serial,
          state: 'offline',
          change: 'state',
          meta: { ...meta, id: `${meta.id}-${serial}` },
        }
        tell(arrival, gone, work)
      }
    } else if (scope === 'bridges') {
      const bridges = arrival.facts.filter((fact) => fact.kind === 'bridge')
      for (const [, { channel }] of store.callsOf(arrival.link)) {
        const told = toldByBridges(channel, bridges, meta)
        if (told !== undefined) tellInferred(arrival.link, told, work)
      }
    }
  }

  function endCallsOf(link: string, fact: FactOf<'lifecycle'>, work: Work): void {
    const { event, number, meta = {} } = fact
    if (number === undefined || (event !== 'voice-crash' && event !== 'reboot')) return
    for (const [, view] of store.callsOf(link)) {
      if (numberOf(view.channel) === number) tellInferred(link, endedBy(view, event, meta), work)
    }
  }

  function write(route: Route, facts: readonly Fact[], path: readonly string[], span: Span): readonly OutgoingFrame[] {
    if (facts.length === 0) return []
    const frames = span.stage('write', route.name, ({ headers }) => route.write(facts, path, headers))
    if (frames.length > 0) route.translated()
    return frames
  }

  return { take }
}

type FactOnCall = FactOf<'dtmf'> | FactOf<'playback'> | FactOf<'recording'> | FactOf<'speech'>

/** Whether a fact is about what happens on a call, which is told to the owner of the call. */
function isOnCall(fact: Fact): fact is FactOnCall {
  const { kind } = fact
  return kind === 'dtmf' || kind === 'playback' || kind === 'recording' || kind === 'speech'
}
