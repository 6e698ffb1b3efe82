import { isObject, type JsonObject, parseJson } from './json.js'
import { type Reply, refusal } from './reply.js'
import type { Call } from './route.js'
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

/** Answers a request. */
export function answer(router: Router, request: Request): Reply {
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
  return call === undefined ? refusal(400, 'Error parsing request body') : match.operation.handle(call)
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
    if (Array.isArray(value)) return value.map(String)
    if (['string', 'number', 'boolean'].includes(typeof value)) return [String(value)]
    return form.has(name) ? form.getAll(name) : query.getAll(name)
  }
  return {
    path,
    body,
    param: (name) => all(name)[0] ?? '',
    list: (name) => all(name).flatMap((value) => value.split(',')),
  }
}
