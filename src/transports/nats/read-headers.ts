import type { MsgHdrs } from '@nats-io/nats-core'
import type { Frame } from '../transport.js'

/** Most headers of a message that are read, and most bytes of them. What comes beyond is left out. */
const MAX_HEADERS = 256
const MAX_HEADER_BYTES = 64 * 1024

const NONE: Frame['headers'] = Object.freeze({})

/** A message of core NATS or of a stream. */
export interface WithHeaders {
  readonly headers?: MsgHdrs | undefined
}

/** Where the client library keeps the bytes of a message: headers first, `hdr` of them, or -1 where there are none. */
interface RawMessage {
  readonly _msg: { readonly hdr: number }
  readonly _rdata: Uint8Array
}

/**
 * The headers of a message, as texts; values of a header that came several times are joined by `, `.
 *
 * Read from the bytes: the library's own reader ends the connection at a name or value that it does not like, and takes
 * a time that grows with the square of their number, both for whatever a publisher writes.
 */
export function readHeaders(message: WithHeaders): Frame['headers'] {
  const raw = rawOf(message)
  // Not a message of the library's own class: whoever made it made its headers.
  if (raw === undefined) return given(message)
  const { hdr } = raw._msg
  return hdr > 0 ? parse(raw._rdata.subarray(0, Math.min(hdr, MAX_HEADER_BYTES))) : NONE
}

/** A message of a stream wraps one of core NATS. */
function rawOf(message: object): RawMessage | undefined {
  const inner = 'msg' in message && typeof message.msg === 'object' && message.msg !== null ? message.msg : message
  // Fields that the library does not declare; a test holds them to its real messages.
  return '_msg' in inner && '_rdata' in inner ? (inner as RawMessage) : undefined
}

function given({ headers }: WithHeaders): Frame['headers'] {
  if (headers === undefined) return NONE
  return Object.fromEntries(headers.keys().map((name) => [name, headers.values(name).join(', ')]))
}

function parse(bytes: Uint8Array): Frame['headers'] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const found = new Map<string, string>()
  // The first line names the protocol.
  let at = text.indexOf('\r\n') + 2
  while (at > 1 && at < text.length) {
    const end = text.indexOf('\r\n', at)
    const line = text.slice(at, end < 0 ? text.length : end)
    at = end + 2
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon)
    const before = found.get(name)
    if (before === undefined && found.size >= MAX_HEADERS) continue
    const value = line.slice(colon + 1).trim()
    found.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return found.size === 0 ? NONE : Object.fromEntries(found)
}
