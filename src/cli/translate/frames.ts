import { isUtf8 } from 'node:buffer'
import { GatewayError } from '../../errors.js'
import type { Address } from '../../mapping/message.js'

type Headers = Readonly<Record<string, string>>

/** One message of a link, apart from any link. */
export interface Frame {
  readonly address: Address | undefined
  readonly headers: Headers
  readonly body: Uint8Array
}

/** A line of JSON: a frame whose body may also be given as JSON itself. */
export interface ParsedLine {
  readonly address: Address | undefined
  readonly headers: Headers
  /** Bytes, or the JSON value that stood in `body`. */
  readonly body: Uint8Array | { readonly json: unknown }
}

const KEYS = ['address', 'headers', 'body', 'body64']
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Reads a line such as `{"address":{…},"headers":{…},"body":"…"}`. @throws GatewayError codec.* */
export function parseLine(bytes: Uint8Array): ParsedLine {
  if (!isUtf8(bytes)) throw new GatewayError('codec.encoding', 'the line is not UTF-8')
  const json = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  if (!isPlain(json)) throw wrong('the line', 'want an object with `address`, `headers` and `body`')
  if (Array.isArray(json.facts)) return { address: undefined, headers: {}, body: { json } }
  const odd = Object.keys(json).find((key) => !KEYS.includes(key))
  if (odd !== undefined) throw wrong(odd, `no such key; want ${KEYS.join(', ')}`)
  return {
    address: json.address === undefined ? undefined : texts(json.address, 'address'),
    headers: json.headers === undefined ? {} : texts(json.headers, 'headers'),
    body: bodyOf(json),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('codec.malformed', 'the line is not JSON; with --frames each line is one', { cause })
  }
}

function bodyOf({ body, body64 }: Record<string, unknown>): ParsedLine['body'] {
  if (body64 !== undefined) {
    if (body !== undefined) throw wrong('body64', 'want either `body` or `body64`')
    if (typeof body64 !== 'string' || !BASE64.test(body64)) throw wrong('body64', 'want base64')
    return Buffer.from(body64, 'base64')
  }
  if (typeof body === 'string') return Buffer.from(body)
  if (typeof body === 'object' && body !== null) return { json: body }
  throw wrong('body', 'want the text of the message, or `body64` for bytes that are not UTF-8')
}

function texts(value: unknown, name: string): Record<string, string> {
  if (!isPlain(value)) throw wrong(name, 'want an object of texts')
  const odd = Object.entries(value).find(([, each]) => typeof each !== 'string')
  if (odd !== undefined) throw wrong(`${name}.${odd[0]}`, 'want text')
  return value as Record<string, string>
}

/** The line of a frame, without a line feed. */
export function frameLine({ address = {}, headers, body }: Frame): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const content = isUtf8(body) ? { body: bytes.toString('utf8') } : { body64: bytes.toString('base64') }
  return JSON.stringify({ address, headers, ...content })
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(where: string, right: string): GatewayError {
  return new GatewayError('codec.field', `${where}: ${right}`)
}
