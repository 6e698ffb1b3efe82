import { decodeEnvelope } from '../codecs/json-rpc/index.js'
import type { IgnoredKind } from '../telemetry/index.js'

/**
 * What an observer of an XCC bus hears that is none of a translator's business: results, requests and
 * events no mapping knows. Undefined for a body that is none of these, and so is at fault.
 */
export function xccPassedOver(body: Uint8Array): IgnoredKind | undefined {
  try {
    const envelope = decodeEnvelope(body)
    if (envelope.kind === 'response') return 'result'
    if (envelope.kind === 'event') return KNOWN_EVENTS.has(envelope.method) ? undefined : 'unknown-event'
    if (envelope.method.startsWith('XNode.')) return 'node-request'
    return envelope.method.startsWith('XCtrl.') ? 'controller-request' : 'other-request'
  } catch {
    return undefined
  }
}

/** Events that a mapping takes: one of these that it could not take is at fault. */
const KNOWN_EVENTS = new Set([
  'Event.Channel',
  'Event.CDR',
  'Event.DTMF',
  'Event.NodeRegister',
  'Event.NodeUpdate',
  'Event.NodeUnregister',
])
