import { isTraceHeader, TRACE_HEADERS } from '../transports/trace-headers.js'
import type { Frame } from '../transports/transport.js'

/** The place in a trace that a message comes from. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly isSampled: boolean
}

type Headers = Frame['headers']

/** Headers of a message that belongs to no trace. */
export const NO_TRACE: Headers = Object.freeze({})

/** `version-trace-span-flags`; versions above 00 may have more behind it. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]{0,200})?$/
const SAMPLED = 1
/** Longest state that is carried on, characters; the W3C's own measure. */
const MAX_STATE = 512
const PRINTABLE = /^[\x20-\x7e]+$/

/** Undefined for a text that is no context; by the W3C it counts as absent then. */
export function readTraceparent(text: string | undefined): TraceContext | undefined {
  const match = text === undefined ? null : TRACEPARENT.exec(text)
  if (match === null || (match[1] === '00' && match[5] !== undefined)) return undefined
  const flags = Number.parseInt(match[4]!, 16)
  return { traceId: match[2]!, spanId: match[3]!, isSampled: (flags & SAMPLED) !== 0 }
}

/** The header's text. */
export function writeTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

/**
 * The trace context among the headers of a message, as it came but for its names in lower case; {@link NO_TRACE} where there
 * is none, or one that is malformed. A malformed state is left out, what it belongs to is not.
 */
export function traceHeadersOf(headers: Headers): Headers {
  let parent: string | undefined
  let state: string | undefined
  for (const name in headers) {
    if (!isTraceHeader(name)) continue
    const key = name.toLowerCase()
    // A name that is right goes before one that is only read as such.
    const value = headers[key] ?? headers[name]!
    if (key === TRACE_HEADERS.parent) parent = value
    else state = value
  }
  if (parent === undefined || readTraceparent(parent) === undefined) return NO_TRACE
  if (state === undefined || state.length > MAX_STATE || !PRINTABLE.test(state))
    return { [TRACE_HEADERS.parent]: parent }
  return { [TRACE_HEADERS.parent]: parent, [TRACE_HEADERS.state]: state }
}

/** Headers with another trace context in the place of their own; without one they stay as they are. */
export function withTrace(headers: Headers, trace: Headers): Headers {
  if (trace[TRACE_HEADERS.parent] === undefined) return headers
  const others = Object.entries(headers).filter(([name]) => !isTraceHeader(name))
  return { ...Object.fromEntries(others), ...trace }
}
