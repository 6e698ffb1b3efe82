import type { ChannelFact, Fact, Flags, State } from '../../model/index.js'
import type { Occasion, SequenceOptions } from './occasion.js'
import { saying } from './saying.js'

/** States a call passes once, in this order; a controller is told each of them at most once. */
const PROGRESS: readonly State[] = ['ringing', 'early', 'answered']

/**
 * For receivers that must be told of a channel before anything else, and nothing after its end: the
 * first event is the announcement, no state is said twice, a bridge that is still open is closed before
 * the end, and the account of the call stands beside the end.
 */
export function sayAnnounced(occasion: Occasion, options: SequenceOptions): Fact[] {
  const { view, told } = occasion
  const { channel } = view
  const flags = channel.flags ?? {}
  if (told.closed || (!told.opened && flags.loopback === true && !options.loopback)) return []
  if (!told.opened && channel.state === undefined) return []
  const out: Fact[] = []
  if (!told.opened) {
    told.opened = true
    // A call that nobody dialled from here has come in; that is what its announcement means.
    told.direction = channel.direction ?? 'inbound'
    out.push(opening(occasion, options))
  }
  if (channel.state === 'ended') return [...out, ...ending(occasion, options)]
  const { state } = channel
  if (state !== undefined && PROGRESS.includes(state) && !told.states.includes(state)) {
    told.states.push(state)
    out.push(saying(occasion, state, 'state', said(told)))
  }
  if (flags.ready === true && !told.ready) {
    told.ready = true
    out.push(saying(occasion, undefined, 'ready', said(told)))
  }
  out.push(...bridging(occasion), ...holding(occasion))
  return out
}

/** Flags as the receiver knows them, for an event that announces something else. */
function said(told: Occasion['told']): Flags {
  return { held: told.held, bridged: told.bridgedTo !== undefined }
}

function opening(occasion: Occasion, options: SequenceOptions): ChannelFact {
  const fact = saying(occasion, 'new', 'state', { held: false, bridged: false })
  const { created } = fact.times ?? {}
  delete fact.peers
  delete fact.cause
  delete fact.durations
  if (created === undefined) delete fact.times
  else fact.times = { created }
  if (!options.steerable) fact.vars = { ...fact.vars, patchbay_steerable: 'false' }
  return fact
}

function bridging(occasion: Occasion): Fact[] {
  const { view, told } = occasion
  const { flags, peers } = view.channel
  const peer = flags?.bridged === true ? (peers?.[0] ?? '') : undefined
  if (peer === told.bridgedTo) return []
  const out: Fact[] = []
  if (told.bridgedTo !== undefined) out.push(parting(occasion))
  told.bridgedTo = peer
  if (peer !== undefined) out.push(saying(occasion, 'answered', 'bridge', { ...said(told), bridged: true }))
  return out
}

function parting(occasion: Occasion): Fact {
  const { told } = occasion
  const fact = saying(occasion, 'answered', 'bridge', { ...said(told), bridged: false })
  if (told.bridgedTo) fact.peers = [told.bridgedTo]
  told.bridgedTo = undefined
  return fact
}

function holding(occasion: Occasion): Fact[] {
  const { view, told } = occasion
  const held = view.channel.flags?.held ?? false
  if (held === told.held) return []
  told.held = held
  return [saying(occasion, 'answered', 'hold', said(told))]
}

function ending(occasion: Occasion, { makeCdr, cdrOrder }: SequenceOptions): Fact[] {
  const { told } = occasion
  const out: Fact[] = []
  if (told.bridgedTo !== undefined) out.push(withoutEnd(parting(occasion)))
  told.closed = true
  const end = saying(occasion, 'ended', 'state', { ...said(told), held: false })
  const account = makeCdr ? [accountOf(end)] : []
  // Whom it talked to is in the account; at its end a call has no peer any more.
  delete end.peers
  return cdrOrder === 'before-end' ? [...out, ...account, end] : [...out, end, ...account]
}

/** The account of a call: who and when, not how it was at the end. */
function accountOf({ kind: _kind, state: _state, change: _change, flags: _flags, ...channel }: ChannelFact): Fact {
  return { kind: 'cdr', ...channel }
}

/** What is told before the end does not know of it yet. */
function withoutEnd(fact: Fact): Fact {
  if (fact.kind !== 'channel') return fact
  const { cause: _cause, durations: _durations, ...rest } = fact
  const { ended: _ended, ...times } = fact.times ?? {}
  return { ...rest, times }
}
