import { type Channel, completeParties } from '../model/index.js'

/**
 * Says who calls whom, for a leg that its source told from its own point of view. A leg of unknown direction
 * is taken for one that came in, as it is announced. What a leg that goes out has dialled is its own number.
 */
export function settleParties(channel: Channel): void {
  const { own, far, direction = 'inbound' } = channel
  const { caller, callee } = completeParties<Channel>({ direction, ...(own && { own }), ...(far && { far }) })
  if (caller !== undefined) channel.caller = caller
  if (callee !== undefined) channel.callee = callee
  if (direction === 'outbound' && channel.dialled === undefined && callee?.number !== undefined)
    channel.dialled = callee.number
}
