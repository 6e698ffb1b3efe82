import {
  type Change,
  type ChannelFact,
  type Draft,
  FACT_ACCESS,
  type Flags,
  type Membership,
  type State,
} from '../../model/index.js'
import type { Occasion } from './occasion.js'

/** A channel fact that says one thing of what is known: in which state the channel is, and what is announced. */
export function saying(
  { fact, view, told }: Occasion,
  state: State | undefined,
  change: Change,
  flags?: Flags,
): ChannelFact {
  const { channel } = view
  const said = FACT_ACCESS.channel.fact(channel as Draft) as unknown as ChannelFact // a channel fact by its maker
  said.change = change
  // Whom a leg sees at its ends has been said as caller and callee, who else is in its bridge as peers.
  leaveOut(said, 'own')
  leaveOut(said, 'far')
  if (said.bridge !== undefined) said.bridge = withoutMembers(said.bridge)
  if (state === undefined) leaveOut(said, 'state')
  else said.state = state
  if (flags !== undefined) said.flags = over(channel.flags, flags)
  if (told.direction !== undefined) said.direction = told.direction
  if (fact.meta !== undefined) said.meta = fact.meta
  if (fact.ext !== undefined) said.ext = fact.ext
  return said
}

/** Takes a field from a fact, whose layout stays that of all facts: one that lost a field is a slow one. */
export function leaveOut(fact: ChannelFact, field: keyof ChannelFact): void {
  if (fact[field] !== undefined) fact[field] = undefined as never // as in all facts that are read
}

function over(known: Flags | undefined, { held, bridged, controllable }: Flags): Flags {
  const flags: { readonly [Name in keyof Required<Flags>]: boolean | undefined } = {
    held: held ?? known?.held,
    bridged: bridged ?? known?.bridged,
    ready: known?.ready,
    loopback: known?.loopback,
    controllable: controllable ?? known?.controllable,
    offered: known?.offered,
  }
  return flags as Flags // absent ones undefined, as in all facts
}

function withoutMembers({ members: _, ...bridge }: Membership): Membership {
  return bridge
}
