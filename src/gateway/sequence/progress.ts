import type { ChannelFact, Fact, Flags, State } from '../../model/index.js'
import type { Occasion, SequenceOptions } from './occasion.js'
import { leaveOut, saying } from './saying.js'

/** States a call passes once, in this order; a receiver is told each of them at most once. */
const PROGRESS: readonly State[] = ['ringing', 'early', 'answered']

/** Whether a receiver that must be told of a channel first is told nothing at all. */
export function isSilent({ view, told }: Occasion, { loopback, onlyControllable }: SequenceOptions): boolean {
  const { flags, state, controller } = view.channel
  if (told.opened || told.closed) return told.closed
  const isReachable = flags?.controllable === true || flags?.offered === true
  if (onlyControllable && !isReachable && controller === undefined) return true
  return state === undefined || (flags?.loopback === true && !loopback)
}

/** The first thing said of a channel. A call that nobody dialled from here has come in. */
export function opening(occasion: Occasion, change: 'state' | 'control'): ChannelFact {
  const { view, told } = occasion
  told.opened = true
  told.direction = view.channel.direction ?? 'inbound'
  const fact = saying(occasion, 'new', change, { held: false, bridged: false })
  const { created } = fact.times ?? {}
  leaveOut(fact, 'peers')
  leaveOut(fact, 'bridge')
  leaveOut(fact, 'cause')
  leaveOut(fact, 'durations')
  if (created === undefined) leaveOut(fact, 'times')
  else fact.times = { created }
  return fact
}

/** The state that a call has come to, where that is news. */
export function progressing(occasion: Occasion): Fact[] {
  const { view, told } = occasion
  const { state } = view.channel
  if (state === undefined || !PROGRESS.includes(state) || told.states.includes(state)) return []
  told.states.push(state)
  return [saying(occasion, state, 'state', said(told))]
}

/** Bridges come in pairs: one that is still open is closed before the next. */
export function bridging(occasion: Occasion): ChannelFact[] {
  const { view, told } = occasion
  const { flags, peers } = view.channel
  const peer = flags?.bridged === true ? (peers?.[0] ?? '') : undefined
  if (peer === told.bridgedTo) return []
  const out: ChannelFact[] = []
  if (told.bridgedTo !== undefined) out.push(parting(occasion))
  told.bridgedTo = peer
  if (peer !== undefined) out.push(saying(occasion, 'answered', 'bridge', { ...said(told), bridged: true }))
  return out
}

/** The end of a bridge, with the peer that it was told with. */
export function parting(occasion: Occasion): ChannelFact {
  const { told } = occasion
  const fact = saying(occasion, 'answered', 'bridge', { ...said(told), bridged: false })
  if (told.bridgedTo) fact.peers = [told.bridgedTo]
  told.bridgedTo = undefined
  return fact
}

/** Hold and its end. */
export function holding(occasion: Occasion): ChannelFact[] {
  const { view, told } = occasion
  const held = view.channel.flags?.held ?? false
  if (held === told.held) return []
  told.held = held
  return [saying(occasion, 'answered', 'hold', said(told))]
}

/** Flags as the receiver knows them, for an event that announces something else. */
export function said(told: Occasion['told']): Flags {
  return { held: told.held, bridged: told.bridgedTo !== undefined }
}

/** What is told before the end does not know of it yet. */
export function withoutEnd(fact: ChannelFact): ChannelFact {
  const { ended: _ended, ...times } = fact.times ?? {}
  const open: ChannelFact = { ...fact, times }
  leaveOut(open, 'cause')
  leaveOut(open, 'durations')
  return open
}
