import { type Cause, type Channel, completeCause } from '../model/index.js'

const CLEARED: Cause = { code: 16, name: 'NORMAL_CLEARING' }
/** SIP 487: the caller gave up. Q.850 has no number for it, switches show 127. */
const REQUEST_TERMINATED = 487
const INTERWORKING = 127

/**
 * Makes the cause of an end complete. A phone that hangs up without a reason leaves its switch without a
 * cause; at the end of an answered call that is normal clearing.
 */
export function settleCause(channel: Channel): void {
  const { times } = channel
  let cause = completeCause(channel.cause)
  const isUntold = cause?.code === undefined && cause?.name === undefined
  if (isUntold && times?.answered !== undefined) cause = { ...cause, ...CLEARED }
  if (cause?.protocol === REQUEST_TERMINATED && cause.code === INTERWORKING)
    cause = { ...cause, name: 'ORIGINATOR_CANCEL' }
  if (cause === undefined) delete channel.cause
  else channel.cause = cause
}
