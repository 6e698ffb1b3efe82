import type { ChannelFact, Fact } from '../../model/index.js'
import type { Occasion, SequenceOptions } from './occasion.js'
import { bridging, holding, isSilent, opening, parting, progressing, said, withoutEnd } from './progress.js'
import { leaveOut, saying } from './saying.js'

/**
 * For receivers that must be told of a channel before anything else, and nothing after its end: the
 * first event is the announcement, no state is said twice, a bridge that is still open is closed before
 * the end, and the account of the call stands beside the end.
 */
export function sayAnnounced(occasion: Occasion, options: SequenceOptions): Fact[] {
  if (isSilent(occasion, options)) return []
  const { view, told } = occasion
  const out: Fact[] = []
  if (!told.opened) out.push(announcement(occasion, options))
  if (view.channel.state === 'ended') return [...out, ...ending(occasion, options)]
  out.push(...progressing(occasion))
  if (view.channel.flags?.ready === true && !told.ready) {
    told.ready = true
    out.push(saying(occasion, undefined, 'ready', said(told)))
  }
  out.push(...bridging(occasion), ...holding(occasion))
  return out
}

function announcement(occasion: Occasion, { steerable }: SequenceOptions): ChannelFact {
  const fact = opening(occasion, 'state')
  if (!steerable) fact.vars = { ...fact.vars, patchbay_steerable: 'false' }
  return fact
}

function ending(occasion: Occasion, { makeCdr, cdrOrder }: SequenceOptions): Fact[] {
  const { told } = occasion
  const out: Fact[] = []
  if (told.bridgedTo !== undefined) out.push(withoutEnd(parting(occasion)))
  told.closed = true
  const end = saying(occasion, 'ended', 'state', { ...said(told), held: false })
  const account = makeCdr ? [accountOf(end)] : []
  // Whom it talked to is in the account; at its end a call has no peer any more.
  leaveOut(end, 'peers')
  return cdrOrder === 'before-end' ? [...out, ...account, end] : [...out, end, ...account]
}

/** The account of a call: who and when, not how it was at the end. */
function accountOf({ kind: _kind, state: _state, change: _change, flags: _flags, ...channel }: ChannelFact): Fact {
  return { kind: 'cdr', ...channel }
}
