/**
 * The XCC codec: JSON-RPC 2.0 bodies in and out, and the types their receivers hold them to.
 * The types come from `proto/xcc`. No I/O but reading those files once, at the first check.
 */

export { type Fault, faultText } from '../fault.js'
export type { Json, JsonObject } from '../json-value.js'
export {
  encodeAsyncResult,
  encodeError,
  encodeEvent,
  encodeMessage,
  encodeRequest,
  encodeResult,
  type MessageTree,
  type ResultStyle,
} from './encode.js'
export {
  decodeEnvelope,
  type Envelope,
  type EventEnvelope,
  type RequestEnvelope,
  type ResponseEnvelope,
  type RpcError,
  type RpcId,
} from './envelope.js'
export { checkEvent, describeMember, EVENT_MESSAGES, eventFaults } from './events.js'
export { calledMethod, checkRequest, checkResult, type MethodTypes, xnodeMethods } from './requests.js'
