import { isUtf8 } from 'node:buffer'
import { GatewayError } from '../errors.js'
import { locateJsonFault, positionOf } from './json-locate.js'

/** Limits of one body. */
export interface JsonLimits {
  /** Default 4194304. */
  readonly bytes?: number
  /** Levels of objects and lists, the outermost being the first. Default 64. */
  readonly depth?: number
}

const DEFAULT_BYTES = 4 * 1024 * 1024
const DEFAULT_DEPTH = 64

/**
 * Reads a body of JSON in UTF-8, on one line or many, with or without byte order mark. Numbers are those of
 * JavaScript: a whole number beyond 2^53 is rounded, and one beyond 10^308 is infinity, with which no event is written.
 *
 * Errors: `codec.limit` (bytes, depth), `codec.encoding` (not UTF-8), `codec.malformed` (not JSON, with line
 * and column).
 */
export function readJson(body: Uint8Array, { bytes = DEFAULT_BYTES, depth = DEFAULT_DEPTH }: JsonLimits): unknown {
  if (body.length > bytes) throw new GatewayError('codec.limit', `${body.length} bytes: want at most ${bytes}`)
  const text = textOf(body)
  const tooDeep = opensMoreThan(text, depth) ? firstBeyondDepth(body, depth) : -1
  if (tooDeep !== -1) {
    const before = textOf(body.subarray(0, tooDeep))
    const { line, column } = positionOf(before, before.length)
    throw new GatewayError('codec.limit', `line ${line}, column ${column}: want at most ${depth} levels of nesting`)
  }
  return parse(text)
}

/** Whether a text has more opening brackets than this, in strings or not: one with fewer need not be looked through. */
function opensMoreThan(text: string, limit: number): boolean {
  let left = limit
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) if (--left < 0) return true
  }
  return false
}

/** Index of the bracket that opens one level too many, or -1. Brackets in strings do not count. */
function firstBeyondDepth(body: Uint8Array, limit: number): number {
  let depth = 0
  let inString = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!
    if (inString) {
      if (byte === 0x5c) i++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if ((byte | 0x20) === 0x7b) {
      if (++depth > limit) return i
    } else if ((byte | 0x20) === 0x7d) depth--
  }
  return -1
}

function textOf(body: Uint8Array): string {
  if (!isUtf8(body)) throw new GatewayError('codec.encoding', 'the body is not UTF-8')
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const fault = locateJsonFault(text)
    const reason =
      fault === undefined
        ? 'the body is not JSON'
        : `line ${fault.line}, column ${fault.column}: want ${fault.want}, got ${fault.got}`
    throw new GatewayError('codec.malformed', reason, { cause })
  }
}
