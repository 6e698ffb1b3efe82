import { STATUS_CODES } from 'node:http'
import type { Identity } from './identity.js'
import { isObject, type JsonObject, parseJson, textOf } from './json.js'
import { type Reply, refusal } from './reply.js'
import type { Request } from './request.js'
import { METHODS } from './route.js'

/** How a frame from a client is answered. */
export interface FrameReader {
  readonly identity: Identity
  /** The application that answers are said to be for: the first of the socket. */
  readonly application: string
  readonly readOnly: boolean
  answer(request: Request): Reply
}

/** A reply, with a reason where it differs from that of the status. */
type Verdict = Reply & { readonly reason?: string }

const bad = (message: string): Verdict => ({ ...refusal(400, message), reason: 'Bad request' })

/** Answers a text frame of a client: a request to the same operations as over HTTP, or a mistake. */
export function answerFrame(text: string, reader: FrameReader): string {
  const parsed = parseJson(text)
  const frame = isObject(parsed) ? parsed : undefined
  const uri = textOf(frame, 'uri')
  const verdict: Verdict =
    frame === undefined ? { status: 400, reason: 'Failed to parse request message JSON' } : judge(frame, uri, reader)
  const { status, contentType, body, reason = STATUS_CODES[status] ?? '' } = verdict
  return JSON.stringify({
    type: 'RESTResponse',
    transaction_id: textOf(frame, 'transaction_id'),
    request_id: textOf(frame, 'request_id'),
    status_code: status,
    reason_phrase: reason,
    uri: uri.split('?')[0],
    ...(body !== undefined && { content_type: contentType, message_body: body }),
    application: reader.application,
    timestamp: reader.identity.stamp(),
    asterisk_id: reader.identity.asteriskId,
  })
}

function judge(frame: JsonObject, uri: string, { readOnly, answer }: FrameReader): Verdict {
  const method = textOf(frame, 'method')
  if (textOf(frame, 'type') === '') return bad("No 'type' property.")
  if (frame.type !== 'RESTRequest') return bad('Unknown request type.')
  if (uri === '') return bad("Empty or missing 'uri' property.")
  if (!['OPTIONS', ...METHODS].includes(method)) return bad("Unknown or missing 'method' property.")
  const [path = '', search = ''] = uri.split('?', 2)
  if (path === 'events' && method === 'GET') return bad("Can't upgrade to websocket from a websocket")
  // A path begins below `/ari`; before the first slash there is nothing that could be asked for.
  if (path.startsWith('/')) return refusal(405, 'Invalid method')
  const query = new URLSearchParams(search)
  for (const [name, value] of queryStrings(frame)) query.append(name, value)
  const contentType = textOf(frame, 'content_type')
  return answer({ method, path, query, contentType, body: textOf(frame, 'message_body'), readOnly })
}

function queryStrings(frame: JsonObject): [string, string][] {
  const list = frame.query_strings
  if (!Array.isArray(list)) return []
  return list.filter(isObject).map((each) => [textOf(each, 'name'), textOf(each, 'value')])
}
