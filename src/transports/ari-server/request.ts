import { isObject, type JsonObject, parseJson } from './json.js'
import { type Reply, refusal } from './reply.js'
import type { Call, Operation } from './route.js'
import type { Router } from './router.js'

/** A request for one of our operations, however it came. */
export interface Request {
  readonly method: string
  /** Path below `/ari` without the slash before it, not decoded yet. */
  readonly path: string
  readonly query: URLSearchParams
  readonly contentType: string
  readonly body: string
  readonly readOnly: boolean
}

/**
 * Answers a request, whatever it holds: an operation that throws is a server error.
 *
 * @param failed is told of such an operation.
 */
export function answer(
  router: Router,
  request: Request,
  failed: (operation: Operation, cause: unknown) => void,
): Reply {
  const { method, path, readOnly } = request
  if (readOnly && method !== 'GET' && method !== 'OPTIONS') return refusal(403, 'Write access denied')
  const segments = decodePath(path)
  const match = segments === undefined ? undefined : router.find(method, segments)
  if (match === undefined) return refusal(404, 'Resource not found')
  if (match.operation === undefined) {
    const headers = { allow: match.allow }
    return method === 'OPTIONS' ? { status: 204, headers } : refusal(405, 'Invalid method', headers)
  }
  const call = callOf(match.path, request)
  if (call === undefined) return refusal(400, 'Error parsing request body')
  try {
    return match.operation.handle(call)
  } catch (cause) {
    failed(match.operation, cause)
    return refusal(500, 'Internal server error')
  }
}

/** Undefined when it is not well encoded. */
function decodePath(path: string): string[] | undefined {
  if (path === '') return []
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

/** Undefined when the body is not the JSON that it claims to be. */
function callOf(path: Call['path'], { query, contentType, body: text }: Request): Call | undefined {
  const type = contentType.split(';')[0]!.trim().toLowerCase()
  const form = new URLSearchParams(type === 'application/x-www-form-urlencoded' ? text : '')
  let body: JsonObject = {}
  if (type === 'application/json' && text !== '') {
    const parsed = parseJson(text)
    if (parsed === undefined) return undefined
    if (isObject(parsed)) body = parsed
  }
  const all = (name: string): string[] => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    if (Array.isArray(value)) return value.filter(isPlain).map(String)
    if (isPlain(value)) return [String(value)]
    return form.has(name) ? form.getAll(name) : query.getAll(name)
  }
  return {
    path,
    body,
    param: (name) => all(name)[0] ?? '',
    list: (name) => all(name).flatMap((value) => value.split(',')),
  }
}

/** Whether a value can stand for a parameter. To turn any other into a text may run what the client wrote, or the stack out. */
function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
