import type { Change, ChannelFact, Flags, State } from '../../model/index.js'
import type { Occasion } from './occasion.js'

/** A channel fact that says one thing of what is known: in which state the channel is, and what is announced. */
export function saying(
  { fact, view, told }: Occasion,
  state: State | undefined,
  change: Change,
  flags?: Flags,
): ChannelFact {
  const said: ChannelFact = { kind: 'channel', ...view.channel, change }
  if (state === undefined) delete said.state
  else said.state = state
  if (flags !== undefined) said.flags = { ...view.channel.flags, ...flags }
  if (told.direction !== undefined) said.direction = told.direction
  if (fact.meta !== undefined) said.meta = fact.meta
  if (fact.ext !== undefined) said.ext = fact.ext
  return said
}
