import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GatewayError } from '../errors.js'
import type { Readiness } from './health.js'
import type { Log } from './log.js'
import { scrubText } from './scrub.js'
import type { Liveness } from './stalls.js'

/** What the admin server shows. */
export interface AdminOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Who changes anything has to know it. Default: nobody may change anything. */
  readonly token?: string
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  liveness(): Liveness
  readiness(): Readiness
  /** How everything is; shown as JSON. */
  status(): Promise<object>
  /** Which rules hold; shown as JSON. */
  rules(): object
  /** Looks at the rules' files at once; what came of it is shown as JSON. */
  reload(): Promise<{ readonly outcome: 'applied' | 'refused' | 'unchanged' }>
  /** Takes secrets that are known out of a text of JSON. */
  withoutSecrets(json: string): string
  readonly log: Log
}

/** A running admin server. */
export interface AdminServer {
  /** The port it listens on. */
  readonly port: number
  /** Stops listening and ends open connections. Idempotent. */
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const plain = (status: number, body: string, headers: Answer['headers'] = {}): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
  headers,
})

const json = ({ withoutSecrets }: AdminOptions, status: number, value: object): Answer => ({
  status,
  type: 'application/json',
  body: withoutSecrets(scrubText(`${JSON.stringify(value, null, 2)}\n`)),
})

/** Bounds of what a peer may do; nobody sends much here, and nobody stays. */
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 3000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  /** Between two looks for requests that take too long. */
  connectionsCheckingInterval: 1000,
} as const
const MAX_CONNECTIONS = 100
const READING = ['GET', 'HEAD']

interface Page {
  readonly methods: readonly string[]
  answer(options: AdminOptions, request: IncomingMessage): Answer | Promise<Answer>
}

const reads = (answer: (options: AdminOptions) => Answer | Promise<Answer>): Page => ({ methods: READING, answer })

const PAGES: ReadonlyMap<string, Page> = new Map([
  ['/metrics', reads(async ({ metrics }) => ({ status: 200, type: metrics.contentType, body: await metrics.text() }))],
  [
    '/livez',
    reads(({ liveness }) => {
      const { live, reason } = liveness()
      return live ? plain(200, 'ok') : plain(503, reason ?? 'it does not live')
    }),
  ],
  [
    '/readyz',
    reads((options) => {
      const found = options.readiness()
      return json(options, found.ready ? 200 : 503, found)
    }),
  ],
  ['/status', reads(async (options) => json(options, 200, await options.status()))],
  ['/rules', reads((options) => json(options, 200, options.rules()))],
  ['/reload', { methods: ['POST'], answer: reload }],
])

/**
 * Serves `/metrics` (Prometheus), `/livez` (200 while the process gets its work done), `/readyz` (200 when every link is
 * ready, else 503; JSON with the state of each link), `/status` and `/rules` (JSON), and `POST /reload` to who knows the
 * token (200 with what came of it as JSON, 422 where it was refused).
 * @throws GatewayError config.invalid when the address cannot be listened on.
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = createServer(LIMITS, (request, response) => {
    request.resume() // no page reads a body
    answer(options, request).then(
      (made) => send(request, response, made),
      (error: unknown) => {
        options.log.error('the admin server could not answer', { err: error })
        send(request, response, plain(500, 'internal error'))
      },
    )
  })
  server.maxConnections = MAX_CONNECTIONS
  await listen(server, options)
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  let stopped: Promise<void> | undefined
  return { port, stop: () => (stopped ??= close(server)) }
}

async function answer(options: AdminOptions, request: IncomingMessage): Promise<Answer> {
  const page = PAGES.get((request.url ?? '/').split('?', 1)[0] ?? '/')
  if (page === undefined) return plain(404, `not found; there are ${[...PAGES.keys()].join(', ')}`)
  const allow = page.methods.join(', ')
  if (!page.methods.includes(request.method ?? '')) return plain(405, `only ${allow}`, { allow })
  return page.answer(options, request)
}

async function reload(options: AdminOptions, request: IncomingMessage): Promise<Answer> {
  const { token, reload: look } = options
  if (token === undefined) return plain(403, 'nobody may: the configuration has no `admin.token`')
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (given === undefined || !isEqual(given, token))
    return plain(401, 'want the header Authorization: Bearer TOKEN', { 'www-authenticate': 'Bearer' })
  const found = await look()
  return json(options, found.outcome === 'refused' ? 422 : 200, found)
}

/** In a time that tells nothing of the two. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function listen(server: Server, { host, port }: AdminOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new GatewayError('config.invalid', `the admin server cannot listen on ${host}:${port}`, { cause }))
    })
    server.listen(port, host, resolve)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
