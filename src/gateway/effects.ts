import type { Cause, Channel, ChannelFact, Meta } from '../model/index.js'
import type { CallView } from './state.js'

/**
 * Why the gateway itself ends a call: its terminal crashed or rebooted; a full picture no longer lists it; or
 * it ended, or its switch did, while the link was down.
 */
export type EndReason = 'voice-crash' | 'reboot' | 'missing' | 'unseen'

/** Causes by their FreeSWITCH names; the first two have no number in Q.850. */
const CAUSES: Readonly<Record<EndReason, Cause>> = {
  'voice-crash': { name: 'CRASH' },
  reboot: { name: 'SYSTEM_SHUTDOWN' },
  missing: { name: 'NORMAL_UNSPECIFIED', code: 31 },
  unseen: { name: 'NETWORK_OUT_OF_ORDER', code: 38 },
}

/** The end of a call that its source does not tell itself. */
export function endedBy({ channel }: CallView, reason: EndReason, meta: Meta): ChannelFact {
  return {
    kind: 'channel',
    ...(channel.id !== undefined && { id: channel.id }),
    ...(channel.node !== undefined && { node: channel.node }),
    state: 'ended',
    change: 'state',
    cause: CAUSES[reason],
    meta: { ...meta, id: `${meta.id}-${channel.id}` },
  }
}

/** The entry into our application of a channel that a picture shows there. */
export function enteredBy({ full: _, ...fact }: ChannelFact): ChannelFact {
  const { flags, meta = {} } = fact
  return {
    ...fact,
    change: 'control',
    flags: { ...flags, controllable: true },
    meta: { ...meta, id: `${meta.id}-entered` },
  }
}

/** Dial number of the terminal that a leg belongs to. */
export function numberOf({ terminal, direction, caller, callee, dialled }: Channel): string | undefined {
  if (terminal !== undefined) return terminal
  return direction === 'outbound' ? (callee?.number ?? dialled) : caller?.number
}
