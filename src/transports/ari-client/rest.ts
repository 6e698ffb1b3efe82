import { createRequire } from 'node:module'
import type { Pool } from 'undici'
import { GatewayError } from '../../errors.js'
import { clientMaterial } from '../tls.js'
import { type AriConfig, accessOf, ariBase, authorization } from './config.js'
import { answerError, noAnswer } from './errors.js'

/** HEAD is missing on purpose: Asterisk answers it with a body. */
export type AriMethod = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What a request says beside method and path. */
export interface AriRequest {
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON. What is long belongs here: a URL beyond 4 KiB is refused. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Milliseconds until the request counts as failed, its wait for a connection included. Default: that of the link. */
  readonly deadlineMs?: number
  /** Gives the request up. */
  readonly signal?: AbortSignal
}

/** Requests to one Asterisk, over a bounded number of kept connections. */
export interface AriRest {
  /**
   * Resolves with what Asterisk answered: JSON as plain data, undefined where the answer is empty.
   * @param path its parts below `/ari`, not encoded: `['channels', id, 'variable']`.
   * @throws AriError with Asterisk's status; GatewayError `link.lost` with fate `retry` when no answer came (the
   * request may have been carried out); `link.refused` or `link.too-large` for a request that must not be sent.
   */
  request(method: AriMethod, path: readonly string[], options?: AriRequest): Promise<unknown>
  /** Leaves the connections that there are: requests on their way fail, later ones get new connections. */
  renew(): void
  /** Later requests go over new connections, opened with what the configuration gives then; those on their way finish. */
  reopen(): void
  /** Ends all connections; requests on their way fail. Idempotent. */
  close(): Promise<void>
}

/** Asterisk closes a connection that was idle for 15 s; we are earlier. Milliseconds. */
const KEEP_ALIVE_MS = 10_000
const MAX_REPLY_BYTES = 64 * 1024 * 1024
const MAX_URL = 4000
/** What Asterisk takes. */
const MAX_BODY_BYTES = 40_960
/** Characters of a path that go into a message of ours. */
const MAX_SHOWN = 300

/** Loaded with the first link to an Asterisk: it takes a tenth of the start of a gateway that has none. */
const loadUndici = () => createRequire(import.meta.url)('undici') as typeof import('undici') // its own types

/** Makes the requests of one link. */
export function makeRest(config: AriConfig): AriRest {
  const { origin, path: root } = ariBase(config)
  const { connectTimeoutMs = 10_000, requestTimeoutMs = 10_000 } = config
  const poolOptions = (): Pool.Options => ({
    connections: config.maxConcurrentRequests ?? 16,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_REPLY_BYTES,
    connect: { timeout: connectTimeoutMs, ...clientMaterial(accessOf(config).tls) },
  })
  const undici = loadUndici()
  const open = () => new undici.Pool(origin, poolOptions())
  const headersNow = () => ({ authorization: authorization(accessOf(config)), accept: 'application/json' })
  let pool = open()
  let headers = headersNow()

  async function once(
    method: AriMethod,
    url: string,
    what: string,
    body: string | undefined,
    { deadlineMs, signal: halt }: AriRequest,
  ) {
    const timeoutMs = deadlineMs ?? requestTimeoutMs
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = halt === undefined ? deadline : AbortSignal.any([deadline, halt])
    try {
      const reply = await pool.request({
        method,
        path: url,
        signal,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: body ?? null,
      })
      return { status: reply.statusCode, text: await reply.body.text() }
    } catch (error) {
      throw noAnswer(what, deadline.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error)
    }
  }

  return {
    async request(method, path, options = {}) {
      const what = `${method} /${shortened(path.join('/'))}`
      const url = urlOf(root, method, path, options, what)
      const body = bodyOf(options, what)
      const { status, text } = await once(method, url, what, body, options)
      if (status < 200 || status >= 300) throw answerError(what, status, text)
      return text === '' ? undefined : jsonOf(text, what)
    },
    renew() {
      void pool.destroy()
      pool = open()
    },
    reopen() {
      void pool.close()
      pool = open()
      headers = headersNow()
    },
    close: () => pool.destroy(),
  }
}

function urlOf(root: string, method: AriMethod, path: readonly string[], options: AriRequest, what: string): string {
  const refuse = (why: string) => new GatewayError('link.refused', `${what} is not sent: ${why}`)
  const bad = path.find((part) => !isSound(part))
  if (bad !== undefined) throw refuse(`${JSON.stringify(shortened(bad))} cannot be a part of a path`)
  // Asterisk 22.10.1 dies of it. What the body says counts more than the query.
  const moves = method === 'POST' && path.length === 3 && path[0] === 'channels' && path[2] === 'move'
  const app = options.body?.app === undefined ? options.query?.app : options.body.app
  if (moves && !isText(app)) throw refuse('it names no `app`')
  const query = new URLSearchParams(options.query).toString()
  const url = `${root}/${path.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
  if (url.length > MAX_URL) throw refuse(`its address has ${url.length} characters, ${MAX_URL} are taken`)
  return url
}

function bodyOf({ body }: AriRequest, what: string): string | undefined {
  if (body === undefined) return undefined
  const text = JSON.stringify(body)
  const bytes = Buffer.byteLength(text)
  if (bytes <= MAX_BODY_BYTES) return text
  throw new GatewayError(
    'link.too-large',
    `${what} is not sent: its body has ${bytes} bytes, ${MAX_BODY_BYTES} are taken`,
  )
}

const shortened = (text: string) => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)

const isText = (value: unknown) => typeof value === 'string' && value !== ''

function isSound(part: string): boolean {
  if (part === '' || part === '.' || part === '..') return false
  return !/[\u0000-\u001f\u007f]/.test(part) && part.isWellFormed()
}

function jsonOf(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new GatewayError('link.refused', `${what}: the answer is no JSON`, { fate: 'retry', cause: error })
  }
}
