import type { Fact, State } from '../../model/index.js'
import type { Occasion, SequenceOptions } from './occasion.js'
import { leaveOut, saying } from './saying.js'

/**
 * For receivers that take events one by one: each change once, a state that is not new not again. A call
 * that is only just known is told like one with early media, so the one after the other is no news.
 */
export function sayPlain(occasion: Occasion, options: SequenceOptions): Fact[] {
  const { view, told } = occasion
  const { channel } = view
  const flags = channel.flags ?? {}
  if (told.closed || (!told.opened && flags.loopback === true && !options.loopback)) return []
  const out: Fact[] = []
  const state = channel.state
  if (state === 'ended') {
    told.closed = true
    return [saying(occasion, 'ended', 'state')]
  }
  if (state !== undefined && sameWord(state) !== told.states.at(-1)) {
    told.opened = true
    told.states = [sameWord(state)]
    const fact = saying(occasion, state, 'state', { bridged: false, held: false })
    // A peer is told with the bridge, which comes next where there is one.
    if (told.bridgedTo === undefined) leaveOut(fact, 'peers')
    out.push(fact)
  }
  const peer = flags.bridged === true ? (channel.peers?.[0] ?? '') : undefined
  if (peer !== told.bridgedTo && told.opened) {
    told.bridgedTo = peer
    const fact = saying(occasion, 'answered', 'bridge', { bridged: peer !== undefined })
    if (peer === undefined) leaveOut(fact, 'peers')
    out.push(fact)
  }
  const held = flags.held ?? false
  if (held !== told.held && told.opened) {
    told.held = held
    out.push(saying(occasion, 'answered', 'hold', { held }))
  }
  return out
}

function sameWord(state: State): State {
  return state === 'new' ? 'early' : state
}
