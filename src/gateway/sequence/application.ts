import type { ChannelFact, Fact, Membership, State } from '../../model/index.js'
import type { Occasion, SequenceOptions } from './occasion.js'
import { bridging, holding, isSilent, opening, parting, progressing, said, withoutEnd } from './progress.js'
import { saying } from './saying.js'

/**
 * For applications that a channel is handed to: first that it is theirs, last that it is not any more and
 * then its end; between these each state once, bridges in pairs, hold as it changes.
 */
export function sayToApplication(occasion: Occasion, options: SequenceOptions): Fact[] {
  if (isSilent(occasion, options)) return []
  const { view, told } = occasion
  const out: Fact[] = []
  if (!told.opened) {
    const start = opening(occasion, 'control')
    start.flags = { ...start.flags, controllable: true }
    out.push(start)
  }
  if (view.channel.state === 'ended') return [...out, ...leaving(occasion)]
  return [...out, ...progressing(occasion), ...bridging(occasion).map(placed), ...holding(occasion)]
}

function leaving(occasion: Occasion): Fact[] {
  const { told } = occasion
  const out: Fact[] = []
  if (told.bridgedTo !== undefined) out.push(withoutEnd(placed(parting(occasion))))
  const last = (told.states.at(-1) ?? 'new') as State // only states were put there
  const end = saying(occasion, last, 'control', { ...said(told), controllable: false })
  told.closed = true
  return [...out, withoutEnd(end), saying(occasion, 'ended', 'state', { ...said(told), held: false })]
}

/** A fact about a bridge with the bridge itself, where its source names none: both legs are in the same. */
function placed(fact: ChannelFact): ChannelFact {
  const { id = '', peers: [peer = ''] = [], flags, bridge } = fact
  const members = flags?.bridged === true ? [id, peer] : [peer]
  const place: Membership = {
    id: bridge?.id ?? [id, peer].sort().join('+'),
    members: members.filter((each) => each !== ''),
  }
  return { ...fact, bridge: { ...bridge, ...place } }
}
