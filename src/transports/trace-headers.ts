/** Headers that carry the trace context of a message on every wire, by the W3C's Trace Context: written in lower case, read in any. */
export const TRACE_HEADERS = { parent: 'traceparent', state: 'tracestate' } as const

const NAMES: ReadonlySet<string> = new Set(Object.values(TRACE_HEADERS))

/** Whether a header is one of {@link TRACE_HEADERS}, in whatever case. */
export function isTraceHeader(name: string): boolean {
  return NAMES.has(name) || NAMES.has(name.toLowerCase())
}
