import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import { GatewayError } from '../../errors.js'
import { fault } from './fault.js'

/** A body as text, and with one byte for each UTF-16 unit of it where it is ASCII. */
export interface Decoded {
  readonly text: string
  readonly ascii: Uint8Array | undefined
}

/** Decodes a body, checked for length and encoding. Control characters are looked at by {@link refuseControls}. */
export function decodeBody(body: Uint8Array | string, maxBytes: number): Decoded {
  if (typeof body === 'string') {
    if (body.length > maxBytes) throw tooLong(maxBytes)
    const bytes = Buffer.from(body)
    if (bytes.length > maxBytes) throw tooLong(maxBytes)
    return { text: body, ascii: bytes.length === body.length ? bytes : undefined }
  }
  if (body.byteLength > maxBytes) throw tooLong(maxBytes)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (isAscii(bytes)) return { text: bytes.toString('latin1'), ascii: bytes }
  if (!isUtf8(bytes)) throw brokenUtf8(bytes)
  return { text: bytes.toString('utf8'), ascii: undefined }
}

function tooLong(maxBytes: number): GatewayError {
  return new GatewayError('codec.limit', `the body is longer than maxBytes (${maxBytes}); raise the limit or split it`)
}

/** Decoding marks each broken sequence; the first mark that is not in the bytes themselves is the place. */
function brokenUtf8(bytes: Buffer): GatewayError {
  const text = bytes.toString('utf8')
  let at = text.indexOf('\ufffd')
  let scanned = 0
  let offset = 0
  while (at >= 0) {
    offset += Buffer.byteLength(text.slice(scanned, at))
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) break
    offset += 3
    scanned = at + 1
    at = text.indexOf('\ufffd', scanned)
  }
  return fault('codec.encoding', text, Math.max(at, 0), 'the body is not UTF-8 here; send UTF-8, or bytes as !binary')
}

const REFUSED = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** Refuses the raw characters that libyaml refuses: controls, lone surrogates, U+FFFE and U+FFFF. */
export function refuseControls(text: string): void {
  const at = text.search(REFUSED)
  if (at < 0) return
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
  throw fault('codec.encoding', text, at, `U+${code} may not stand in YAML as it is; write it as an escape in "…"`)
}
