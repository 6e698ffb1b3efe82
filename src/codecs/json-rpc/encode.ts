import { GatewayError } from '../../errors.js'
import { bodyBytes, joinedBytes } from '../body-bytes.js'
import type { RpcId } from './envelope.js'

/** What {@link encodeMessage} writes: the members of an envelope as they stand on the wire. */
export interface MessageTree {
  /** null is written as null, undefined not at all. */
  readonly id?: RpcId | null | undefined
  readonly method?: string | undefined
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

/** How an asynchronous result is framed: as a bare response, which the real client needs, or under a name. */
export type ResultStyle = 'response' | 'Event.Result'

/**
 * Writes a message as compact JSON, `jsonrpc` first, then id, method, params, result and error
 * where they are there. Types are the business of the checks; this only refuses what JSON cannot
 * write at all (`codec.value`: a bigint, a cycle) and a message without method, result and error.
 */
export function encodeMessage({ id, method, params, result, error }: MessageTree): Uint8Array {
  if (method === undefined && result === undefined && error === undefined) {
    throw new GatewayError('codec.value', 'a message needs a method, a result or an error')
  }
  let text = '{"jsonrpc":"2.0"'
  if (id !== undefined) text += `,"id":${json('id', id)}`
  if (method !== undefined) text += `,"method":${quoted(method)}`
  if (params !== undefined) text += `,"params":${json('params', params)}`
  if (result !== undefined) text += `,"result":${json('result', result)}`
  if (error !== undefined) text += `,"error":${json('error', error)}`
  return bodyBytes(`${text}}`)
}

/** Methods come from outside, too; so many are remembered. */
const MAX_METHODS = 1000
const TAIL = Buffer.from('}')

const quotedMethods = new Map<string, string>()

/** Methods are few: their JSON is made once. */
function quoted(method: string): string {
  let text = quotedMethods.get(method)
  if (text === undefined) {
    text = JSON.stringify(method)
    if (quotedMethods.size < MAX_METHODS) quotedMethods.set(method, text)
  }
  return text
}

function json(member: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new GatewayError('codec.value', `${member} cannot be written as JSON`, { cause })
  }
  if (text === undefined) throw new GatewayError('codec.value', `${member} cannot be written as JSON`)
  return text
}

const heads = new Map<string, Uint8Array>()

/** An event whose params are JSON in UTF-8 already. */
export function encodeWrittenEvent(method: string, params: Uint8Array): Uint8Array {
  let head = heads.get(method)
  if (head === undefined) {
    head = Buffer.from(`{"jsonrpc":"2.0","method":${quoted(method)},"params":`)
    if (heads.size < MAX_METHODS) heads.set(method, head)
  }
  return joinedBytes(head, params, TAIL)
}

/** An event: a notification without id. */
export function encodeEvent(method: string, params: unknown): Uint8Array {
  return encodeMessage({ method, params })
}

/** A request; without an id nobody is asked for a result. Ids we make are text. */
export function encodeRequest(id: RpcId | undefined, method: string, params: unknown): Uint8Array {
  return encodeMessage({ id, method, params })
}

/** A reply on the requester's own subject. Echo the id as it came, null included. */
export function encodeResult(id: RpcId | null, result: unknown): Uint8Array {
  return encodeMessage({ id, result: result ?? null })
}

/** A reply that says the envelope itself was at fault; every other failure is a result with a code. */
export function encodeError(id: RpcId | null, code: number, message: string): Uint8Array {
  return encodeMessage({ id, error: { code, message } })
}

/**
 * The outcome of a request, published on a controller's subject. The id must be text: a number
 * or null there locks up or crashes the real client (`codec.field`).
 */
export function encodeAsyncResult(id: RpcId | null, result: unknown, style: ResultStyle = 'response'): Uint8Array {
  if (typeof id !== 'string') {
    throw new GatewayError('codec.field', `id: want text on a controller's subject, got ${id === null ? 'null' : id}`)
  }
  return style === 'response' ? encodeResult(id, result) : encodeMessage({ id, method: style, params: result })
}
