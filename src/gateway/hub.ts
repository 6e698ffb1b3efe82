import type { Dialect } from '../mapping/dialect.js'
import {
  type ChannelFact,
  channelKey,
  type DeviceState,
  type Fact,
  type FactOf,
  type Meta,
  type Scope,
} from '../model/index.js'
import type { LinkMetrics } from '../telemetry/index.js'
import type { OutgoingFrame, Transport } from '../transports/transport.js'
import { type EndReason, endedBy, numberOf } from './effects.js'
import { toldByBridges, toldOfMember } from './membership.js'
import { ownText } from './own-text.js'
import type { Route } from './route.js'
import type { CallView, StateStore, TerminalView, Told } from './state.js'
import { observe } from './tracker.js'

/** A link with what speaks on it. */
export interface HubLink {
  readonly name: string
  readonly transport: Transport
  readonly dialect: Dialect
  readonly metrics: LinkMetrics
  /**
   * Its full pictures are drawn by ourselves after each connect: what they repeat is no news, and what they
   * no longer list was lost while nobody looked.
   */
  readonly isDrawn: boolean
}

/** Facts of one wire message, on their way through the gateway. */
export interface Arrival {
  readonly link: string
  readonly facts: readonly Fact[]
  /** Groups the message passed before. */
  readonly path: readonly string[]
  /** Set when the message was the full picture of something. */
  readonly full: Scope | undefined
  /** The facts are about channels that their switch is to make next. */
  readonly planned?: boolean
  /** What the facts' own meta are made from. */
  readonly meta: Meta
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
   * confirmed; the outer one, when the next message of the same channels may be taken.
   */
  take(arrival: Arrival): Promise<Taken>
  /** Keys whose order an arrival's work depends on, or `all`. */
  keysOf(arrival: Arrival): readonly string[] | 'all'
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

/** Makes the hub. */
export function makeHub({ links, routes, store, now }: HubParts): Hub {
  const routesFrom = new Map<string, Route[]>()
  for (const route of routes) routesFrom.set(route.from, [...(routesFrom.get(route.from) ?? []), route])

  async function take(arrival: Arrival): Promise<Taken> {
    const outlets = (routesFrom.get(arrival.link) ?? []).map((route) => ({ route, facts: [] as Fact[] }))
    const work: Work = {
      outlets,
      views: new Map(),
      terminals: new Map(),
      devices: new Map(),
      inferred: [],
      planned: arrival.planned === true,
    }
    for (const fact of arrival.facts) {
      const telling = tell(arrival, fact, work)
      if (telling !== undefined) await telling
    }
    if (arrival.full !== undefined && arrival.path.length === 0) await endMissing(arrival, arrival.full, work)
    const parcels = outlets.map(({ route, facts }) => ({ route, frames: write(route, facts, arrival.path) }))
    // Only what can be written was told: a message that fails above leaves everything as it was.
    for (const [key, view] of work.views) {
      const putting = store.putCall(key, view)
      if (putting !== undefined) await putting
    }
    for (const terminal of work.terminals.values()) await store.putTerminal(arrival.link, terminal)
    for (const [name, state] of work.devices) await store.putDeviceState(arrival.link, name, state)
    const sends = parcels.map(({ route, frames }) => send(route, frames))
    const confirmed = sends.length === 1 ? sends[0]! : Promise.all(sends).then(() => undefined)
    return { confirmed, inferred: work.inferred }
  }

  /** Without a promise where the fact could be told at once: nearly all facts can. */
  function tell(arrival: Arrival, fact: Fact, work: Work): Promise<void> | undefined {
    if (fact.kind !== 'channel') return tellOther(arrival, fact, work)
    const { link } = arrival
    if (fact.bridge !== undefined || fact.serial !== undefined) return tellChannel(link, fact, work)
    const known = knownCall(link, fact.node, fact.id, work)
    if (known instanceof Promise) return known.then((view) => sayChannel(link, fact, view, work))
    sayChannel(link, fact, known, work)
    return undefined
  }

  async function tellOther(arrival: Arrival, fact: Exclude<Fact, ChannelFact>, work: Work): Promise<void> {
    if (fact.kind === 'terminal') return tellTerminal(arrival.link, fact, work)
    if (links.get(arrival.link)?.isDrawn === true && (await isNoNews(arrival.link, fact, work))) return
    const call = isOfCall(fact) ? await knownCall(arrival.link, fact.node, fact.channel, work) : undefined
    if (isOfCall(fact) && call?.channel.controller !== undefined) fact.controller ??= call.channel.controller
    for (const { route, facts } of work.outlets) {
      // Of a channel that is hidden from those who steer they hear nothing.
      if (!route.kinds.has(fact.kind) || (route.steered && call?.told[route.name]?.opened === false)) continue
      facts.push(...route.sayOther(fact))
    }
    if (fact.kind === 'lifecycle') await endCallsOf(arrival.link, fact, work)
  }

  async function tellChannel(link: string, fact: ChannelFact, work: Work): Promise<void> {
    const known = await knownCall(link, fact.node, fact.id, work)
    if (fact.serial !== undefined && fact.terminal === undefined && known?.channel.terminal === undefined) {
      const number = await store.numberOf(fact.serial)
      if (number !== undefined) fact.terminal = number
    }
    sayChannel(link, fact, known, work)
    for (const member of fact.bridge?.members ?? []) {
      if (member === fact.id) continue
      const other = await knownCall(link, fact.node, member, work)
      if (other !== undefined) sayChannel(link, toldOfMember(fact, member), other, work)
    }
  }

  function tellInferred(link: string, fact: ChannelFact, work: Work): Promise<void> {
    work.inferred.push(fact)
    return tellChannel(link, fact, work)
  }

  function knownCall(link: string, node: string | undefined, id: string | undefined, { views }: Work) {
    const key = callKey(link, node, id)
    return views.get(key) ?? store.call(key)
  }

  /** A telephone that left one server is offline only for those who hear of no other server that has it. */
  async function tellTerminal(link: string, fact: FactOf<'terminal'>, work: Work): Promise<void> {
    const isNews = await noteTerminal(link, fact, work)
    const { serial, state, change } = fact
    if (change === 'state' && !isNews && links.get(link)?.isDrawn === true) return
    if (serial !== undefined && fact.number === undefined) {
      const number = work.terminals.get(serial)?.number ?? (await store.numberOf(serial))
      if (number !== undefined) fact.number = number
    }
    const online = serial !== undefined && state === 'offline' && change === 'state' ? await store.onlineAt(serial) : []
    const elsewhere = online.filter((other) => other !== link)
    for (const { route, facts } of work.outlets) {
      if (!route.kinds.has('terminal')) continue
      if (elsewhere.some((other) => isHeardBy(other, route.to))) route.suppressed()
      else facts.push(...route.sayOther(fact))
    }
  }

  /** Bridges in a picture are told by what their channels do; devices, when they are another way than before. */
  async function isNoNews(link: string, fact: Fact, { devices }: Work): Promise<boolean> {
    if (fact.kind === 'bridge') return fact.full === true
    if (fact.kind !== 'device' || fact.name === undefined || fact.state === undefined) return false
    const before = devices.get(fact.name) ?? (await store.deviceState(link, fact.name))
    devices.set(fact.name, fact.state)
    return before === fact.state
  }

  function isHeardBy(link: string, target: string): boolean {
    return (routesFrom.get(link) ?? []).some((route) => route.to === target && route.kinds.has('terminal'))
  }

  function sayChannel(link: string, fact: ChannelFact, known: CallView | undefined, work: Work): void {
    if (known?.channel.state === 'ended') {
      sayNothing(fact, work)
      return
    }
    const view = observe(known, fact, link, now())
    const told: Record<string, Told> = { ...view.told }
    for (const { route, facts } of work.outlets) {
      if (!route.kinds.has('channel')) continue
      const said = route.sayChannel({ fact, view })
      told[route.name] = said.told
      for (const each of said.facts) if (route.kinds.has(each.kind)) facts.push(each)
    }
    work.views.set(callKey(link, fact.node, fact.id), { ...view, told, ...(work.planned && { planned: true }) })
  }

  /** Nothing follows the end of a call, unless the target has the source's own rules. */
  function sayNothing(fact: ChannelFact, { outlets }: Work): void {
    for (const { route, facts } of outlets) {
      if (!route.kinds.has('channel')) continue
      if (route.isWithinDialect) facts.push(fact)
      else route.suppressed()
    }
  }

  /** Answers whether the terminal was another way before. */
  async function noteTerminal(link: string, fact: FactOf<'terminal'>, { terminals }: Work): Promise<boolean> {
    if (fact.serial === undefined) return false
    const before = terminals.get(fact.serial) ?? (await store.terminal(link, fact.serial))
    const number = fact.number || before?.number
    const online = fact.state === undefined ? (before?.online ?? false) : fact.state === 'online'
    terminals.set(fact.serial, { serial: fact.serial, online, ...(number !== undefined && { number }) })
    return online !== before?.online || number !== before.number
  }

  /** What a full picture no longer lists is over: of this link's own, never of another's. */
  async function endMissing(arrival: Arrival, scope: Scope, work: Work): Promise<void> {
    const { meta } = arrival
    if (scope === 'channels') {
      const reason: EndReason = links.get(arrival.link)?.isDrawn ? 'unseen' : 'missing'
      const listed = new Set(
        arrival.facts.map((fact) => (fact.kind === 'channel' ? callKey(arrival.link, fact.node, fact.id) : '')),
      )
      for (const [key, view] of await store.callsOf(arrival.link)) {
        if (!listed.has(key) && view.planned !== true)
          await tellInferred(arrival.link, endedBy(view, reason, meta), work)
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
    } else if (scope === 'bridges') {
      const bridges = arrival.facts.filter((fact) => fact.kind === 'bridge')
      for (const [, { channel }] of await store.callsOf(arrival.link)) {
        const told = toldByBridges(channel, bridges, meta)
        if (told !== undefined) await tellInferred(arrival.link, told, work)
      }
    }
  }

  async function endCallsOf(link: string, fact: FactOf<'lifecycle'>, work: Work): Promise<void> {
    const { event, number, meta = {} } = fact
    if (number === undefined || (event !== 'voice-crash' && event !== 'reboot')) return
    for (const [, view] of await store.callsOf(link)) {
      if (numberOf(view.channel) === number) await tellInferred(link, endedBy(view, event, meta), work)
    }
  }

  function write(route: Route, facts: readonly Fact[], path: readonly string[]): readonly OutgoingFrame[] {
    if (facts.length === 0) return []
    const frames = route.write(facts, path)
    if (frames.length > 0) route.translated()
    return frames
  }

  /** Every frame is sent and counted by itself, also when another of them is refused. */
  function send(route: Route, frames: readonly OutgoingFrame[]): Promise<void> {
    const { transport } = links.get(route.to)!
    if (frames.length === 0) return Promise.resolve()
    if (frames.length === 1) return transport.send(frames[0]!).then(route.sent)
    if (transport.sendAll === undefined) return sendEach(route, transport, frames)
    return transport.sendAll(frames).then((outcomes) => {
      for (const refusal of outcomes) if (refusal === undefined) route.sent()
      const refusal = outcomes.find((each) => each !== undefined)
      if (refusal !== undefined) throw refusal
    })
  }

  async function sendEach(route: Route, transport: Transport, frames: readonly OutgoingFrame[]): Promise<void> {
    const outcomes = await Promise.allSettled(frames.map((frame) => transport.send(frame)))
    for (const { status } of outcomes) if (status === 'fulfilled') route.sent()
    const refusal = outcomes.find((outcome) => outcome.status === 'rejected')
    if (refusal !== undefined) throw refusal.reason
  }

  function keysOf({ link, facts, full }: Arrival): readonly string[] | 'all' {
    if (full !== undefined || facts.some((fact) => fact.kind === 'lifecycle')) return 'all'
    const lanes = new Set<string>()
    for (const fact of facts) addLanes(link, fact, lanes)
    return [...lanes]
  }

  return { take, keysOf }
}

type FactOfCall = FactOf<'dtmf'> | FactOf<'playback'> | FactOf<'recording'> | FactOf<'speech'>

/** Whether a fact is about what happens on a call, which is told to the owner of the call. */
function isOfCall(fact: Fact): fact is FactOfCall {
  const { kind } = fact
  return kind === 'dtmf' || kind === 'playback' || kind === 'recording' || kind === 'speech'
}

/** What is said of one leg in a bridge concerns the others, too. */
function addLanes(link: string, fact: Fact, lanes: Set<string>): void {
  lanes.add(laneOf(link, fact))
  if (fact.kind !== 'channel' || fact.bridge?.members === undefined) return
  for (const member of fact.bridge.members) lanes.add(callKey(link, fact.node, member))
}

function laneOf(link: string, fact: Fact): string {
  if (fact.kind === 'channel' || fact.kind === 'cdr') return callKey(link, fact.node, fact.id)
  if (fact.kind === 'terminal') return `${link}\u0000${fact.kind}`
  if ('channel' in fact && typeof fact.channel === 'string') return callKey(link, fact.node, fact.channel)
  return `${link}\u0000${fact.kind}`
}
