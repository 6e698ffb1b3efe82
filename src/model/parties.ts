import type { Channel, Party } from './generated.js'

/**
 * The channel with its parties told both ways: as caller and callee, which are the same for all legs of a
 * call, and as own and far, which is how one leg sees them. A leg that comes in to the switch is the
 * caller's own; one that goes out is the callee's. Each party gets what its other name was told; where the
 * two were told differently, both stay as they are. Without a direction nothing can be said. The very same
 * object where nothing is missing.
 */
export function completeParties<C extends Channel>(channel: C): C {
  if (channel.direction === undefined) return channel
  const isInbound = channel.direction === 'inbound'
  const [ownSide, farSide] = isInbound ? (['caller', 'callee'] as const) : (['callee', 'caller'] as const)
  const own = together(channel.own, channel[ownSide])
  const far = together(channel.far, channel[farSide])
  if (own === undefined && far === undefined) return channel
  return {
    ...channel,
    ...(own && { own, [ownSide]: own }),
    ...(far && { far, [farSide]: far }),
  }
}

/** Undefined where neither is to change. */
function together(one: Party | undefined, other: Party | undefined): Party | undefined {
  const name = one?.name ?? other?.name
  const number = one?.number ?? other?.number
  if (isDifferent(one?.name, other?.name) || isDifferent(one?.number, other?.number)) return undefined
  if (one?.name === other?.name && one?.number === other?.number) return undefined
  return { ...(name !== undefined && { name }), ...(number !== undefined && { number }) }
}

function isDifferent(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other
}
