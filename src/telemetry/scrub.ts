import { GatewayError } from '../errors.js'

/** Keys whose values never reach a log, however deep they lie. */
const SECRET_KEY = /^(pass(word|phrase)?|secret|token|nkey|seed|creds|credentials|authorization)$/i
/** Keys that hold what a message says: numbers, names, texts of callers. */
const BODY_KEY = /^(body|body64|raw|payload)$/i
const MAX_DEPTH = 6
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/"'\\]+@/gi

const PEM = /-----BEGIN [^-]*-----.*?-----END [^-]*-----/gs

/** Takes user and password out of every URL in a text, and every PEM block. */
export function scrubText(text: string): string {
  return text.replace(URL_CREDENTIALS, '$1***@').replace(PEM, '***')
}

/**
 * A copy of the fields of a log line that is safe to write: secrets by key become `***`, bodies
 * and bytes their length, errors plain objects with code, fate, message and cause; the stack only
 * where an error is not one of ours.
 */
export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`
  if (depth >= MAX_DEPTH) return '…'
  if (value instanceof Error) return scrubError(value, depth)
  if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1))
  if (value instanceof Date) return value.toISOString()
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [String(key), scrubField(String(key), item, depth)]))
}

function scrubField(key: string, value: unknown, depth: number): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  if (SECRET_KEY.test(key)) return '***'
  if (!BODY_KEY.test(key) || typeof value === 'number') return scrub(value, depth + 1)
  if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`
  return typeof value === 'string' ? `(${value.length} characters)` : '(left out)'
}

function scrubError(error: Error, depth: number): unknown {
  const isOurs = error instanceof GatewayError
  const code = (error as NodeJS.ErrnoException).code // Node's own errors carry one too
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    ...(isOurs && { fate: error.fate }),
    message: error.message,
    ...(!isOurs && { stack: error.stack }),
    ...(error.cause !== undefined && { cause: scrub(error.cause, depth + 1) }),
  }
}
