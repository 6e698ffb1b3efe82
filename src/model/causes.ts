import type { Cause } from './generated.js'

/**
 * Q.850 causes that FreeSWITCH has a name for. Codes it does not name (5, 8, 14, 26 and others) and names
 * of its own beyond Q.850, such as ORIGINATOR_CANCEL, have no counterpart.
 */
const CAUSES: readonly (readonly [code: number, name: string])[] = [
  [1, 'UNALLOCATED_NUMBER'],
  [2, 'NO_ROUTE_TRANSIT_NET'],
  [3, 'NO_ROUTE_DESTINATION'],
  [6, 'CHANNEL_UNACCEPTABLE'],
  [7, 'CALL_AWARDED_DELIVERED'],
  [16, 'NORMAL_CLEARING'],
  [17, 'USER_BUSY'],
  [18, 'NO_USER_RESPONSE'],
  [19, 'NO_ANSWER'],
  [20, 'SUBSCRIBER_ABSENT'],
  [21, 'CALL_REJECTED'],
  [22, 'NUMBER_CHANGED'],
  [23, 'REDIRECTION_TO_NEW_DESTINATION'],
  [25, 'EXCHANGE_ROUTING_ERROR'],
  [27, 'DESTINATION_OUT_OF_ORDER'],
  [28, 'INVALID_NUMBER_FORMAT'],
  [29, 'FACILITY_REJECTED'],
  [30, 'RESPONSE_TO_STATUS_ENQUIRY'],
  [31, 'NORMAL_UNSPECIFIED'],
  [34, 'NORMAL_CIRCUIT_CONGESTION'],
  [38, 'NETWORK_OUT_OF_ORDER'],
  [41, 'NORMAL_TEMPORARY_FAILURE'],
  [42, 'SWITCH_CONGESTION'],
  [43, 'ACCESS_INFO_DISCARDED'],
  [44, 'REQUESTED_CHAN_UNAVAIL'],
  [45, 'PRE_EMPTED'],
  [50, 'FACILITY_NOT_SUBSCRIBED'],
  [52, 'OUTGOING_CALL_BARRED'],
  [54, 'INCOMING_CALL_BARRED'],
  [57, 'BEARERCAPABILITY_NOTAUTH'],
  [58, 'BEARERCAPABILITY_NOTAVAIL'],
  [63, 'SERVICE_UNAVAILABLE'],
  [65, 'BEARERCAPABILITY_NOTIMPL'],
  [66, 'CHAN_NOT_IMPLEMENTED'],
  [69, 'FACILITY_NOT_IMPLEMENTED'],
  [79, 'SERVICE_NOT_IMPLEMENTED'],
  [81, 'INVALID_CALL_REFERENCE'],
  [88, 'INCOMPATIBLE_DESTINATION'],
  [95, 'INVALID_MSG_UNSPECIFIED'],
  [96, 'MANDATORY_IE_MISSING'],
  [97, 'MESSAGE_TYPE_NONEXIST'],
  [98, 'WRONG_MESSAGE'],
  [99, 'IE_NONEXIST'],
  [100, 'INVALID_IE_CONTENTS'],
  [101, 'WRONG_CALL_STATE'],
  [102, 'RECOVERY_ON_TIMER_EXPIRE'],
  [103, 'MANDATORY_IE_LENGTH_ERROR'],
  [111, 'PROTOCOL_ERROR'],
  [127, 'INTERWORKING'],
]

const NAMES: ReadonlyMap<number, string> = new Map(CAUSES)
const CODES: ReadonlyMap<string, number> = new Map(CAUSES.map(([code, name]) => [name, code]))

/** Names of causes, as FreeSWITCH has them. */
export const CAUSE_NAMES: readonly string[] = CAUSES.map(([, name]) => name)

/**
 * The cause with the half nobody told: the FreeSWITCH name of its Q.850 code, or the code of its name. What
 * was told stays, also where the two disagree; only code 0, by which switches say that they do not know,
 * counts as not told. Undefined where nothing was told at all; the very same object where nothing is missing.
 */
export function completeCause(cause: Cause | undefined): Cause | undefined {
  if (cause === undefined) return undefined
  const { code: told, name, protocol } = cause
  const code = told === undefined || told === 0 ? (name === undefined ? undefined : CODES.get(name)) : told
  const named = name ?? (code === undefined ? undefined : NAMES.get(code))
  if (code === told && named === name) return cause
  if (code === undefined && named === undefined && protocol === undefined) return undefined
  return {
    ...(code !== undefined && { code }),
    ...(named !== undefined && { name: named }),
    ...(protocol !== undefined && { protocol }),
  }
}
