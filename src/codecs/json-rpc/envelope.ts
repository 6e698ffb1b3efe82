import { GatewayError } from '../../errors.js'
import { describeValue } from '../fault.js'
import { type JsonLimits, readJson } from '../json-body.js'
import { isPlainObject, type Json, type JsonObject } from '../json-value.js'

/** An id as it travels: XCC means text, peers also send numbers. */
export type RpcId = string | number

/** The error member of a response. */
export interface RpcError {
  /** -32700 parse, -32600 request, -32601 method, -32602 params, -32603 internal, -32000 server. */
  readonly code: number
  readonly message: string
  readonly data?: Json
}

interface Common {
  /** Absent also where the wire said null. */
  readonly id?: RpcId
  /** The wire said `"id":null`: nobody waits, unless the message came with a reply subject; then echo the null. */
  readonly idIsNull: boolean
}

/** `Event.<Name>`. An id is no more than a member; `result` and `error` are kept for peers that put an outcome there. */
export interface EventEnvelope extends Common {
  readonly kind: 'event'
  readonly method: string
  readonly params?: JsonObject
  readonly result?: Json
  readonly error?: RpcError
}

/** Any other method. Params are whatever came, so that the receiver can answer -32602. */
export interface RequestEnvelope extends Common {
  readonly kind: 'request'
  readonly method: string
  readonly params?: Json
}

/** No method. With an error the result, if any, does not count. */
export type ResponseEnvelope = Common & { readonly kind: 'response' } & (
    | { readonly result: Json; readonly error?: never }
    | { readonly error: RpcError; readonly result?: never }
  )

/**
 * One XCC message. Its members stand where they stand on the wire (`method`, `id`, `params`,
 * `result`, `error`), so a path such as `params.uuid` means the same here and there.
 */
export type Envelope = EventEnvelope | RequestEnvelope | ResponseEnvelope

/** Stands in where a peer's error carries no code of its own. */
const SERVER_ERROR = -32000

/**
 * Reads one XCC body: JSON-RPC 2.0 in UTF-8, on one line or many, with or without byte order mark.
 *
 * Taken as peers send it: `jsonrpc` may be missing; `id` may be text, a whole number, null or
 * missing; `error` null beside a result, or a bare text; `method` or `params` null or method
 * empty, which all count as missing; other members of the envelope are passed over.
 *
 * Errors: `codec.limit` (bytes, depth), `codec.encoding` (not UTF-8), `codec.malformed` (not
 * JSON, with line and column; or not JSON-RPC, naming the member).
 */
export function decodeEnvelope(body: Uint8Array, limits: JsonLimits = {}): Envelope {
  return envelopeOf(readJson(body, limits))
}

function malformed(member: string, want: string, came: unknown): GatewayError {
  return new GatewayError('codec.malformed', `${member}: want ${want}, got ${describeValue(came)}`)
}

function envelopeOf(root: unknown): Envelope {
  if (!isPlainObject(root)) throw malformed('body', 'one JSON-RPC object', root)
  const { jsonrpc, method, result } = root
  if (jsonrpc !== undefined && jsonrpc !== '2.0') throw malformed('jsonrpc', '"2.0"', jsonrpc)
  if (method !== undefined && method !== null && typeof method !== 'string') throw malformed('method', 'text', method)
  const common = idOf(root.id)
  const error = errorOf(root.error)
  if (typeof method === 'string' && method !== '') return called(common, method, root, error)
  // JSON.parse made `root`, so every value in it is JSON.
  if (error !== undefined) return { kind: 'response', ...common, error }
  if (result === undefined) throw malformed('body', 'a method, a result or an error', root)
  return { kind: 'response', ...common, result: result as Json }
}

function called(common: Common, method: string, root: Record<string, unknown>, error?: RpcError): Envelope {
  const params = root.params ?? undefined
  if (!method.startsWith('Event.')) {
    return { kind: 'request', ...common, method, ...(params === undefined ? {} : { params: params as Json }) }
  }
  if (params !== undefined && !isPlainObject(params)) throw malformed('params', `an object in ${method}`, params)
  return {
    kind: 'event',
    ...common,
    method,
    ...(params === undefined ? {} : { params: params as JsonObject }),
    ...(root.result === undefined ? {} : { result: root.result as Json }),
    ...(error === undefined ? {} : { error }),
  }
}

function idOf(id: unknown): Common {
  if (id === undefined) return { idIsNull: false }
  if (id === null) return { idIsNull: true }
  // A number beyond the safe range was rounded by the parser and would be echoed as another one.
  if (typeof id === 'string' || Number.isSafeInteger(id)) return { id: id as RpcId, idIsNull: false }
  throw malformed('id', 'text, a whole number or null', id)
}

function errorOf(error: unknown): RpcError | undefined {
  if (error === undefined || error === null) return undefined
  if (typeof error === 'string') return { code: SERVER_ERROR, message: error }
  if (!isPlainObject(error)) throw malformed('error', 'an object', error)
  const { code, message, data } = error
  if (Number.isSafeInteger(code) && typeof message === 'string') {
    return { code: code as number, message, ...(data === undefined ? {} : { data: data as Json }) }
  }
  return { code: SERVER_ERROR, message: typeof message === 'string' ? message : '', data: error as JsonObject }
}
