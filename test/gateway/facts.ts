import type { ChannelFact, Flags, State } from '../../src/model/index.js'

/** A channel fact of a test. */
export function channel(state: State | undefined, more: Partial<ChannelFact> = {}): ChannelFact {
  return {
    kind: 'channel',
    id: 'c1',
    ...(state !== undefined && { state, change: 'state' as const }),
    ...more,
  }
}

/** A channel fact with flags. */
export function flagged(state: State, flags: Flags, more: Partial<ChannelFact> = {}): ChannelFact {
  return channel(state, { flags, ...more })
}
