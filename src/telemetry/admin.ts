import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GatewayError } from '../errors.js'
import type { Readiness } from './health.js'
import type { Log } from './log.js'
import { scrubText } from './scrub.js'

/** What the admin server shows. */
export interface AdminOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  readiness(): Readiness
  /** Which rules hold; shown as JSON. */
  rules(): object
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
}

const plain = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

const json = (status: number, value: object): Answer => ({
  status,
  type: 'application/json',
  body: scrubText(`${JSON.stringify(value, null, 2)}\n`),
})

/**
 * Serves `/metrics` (Prometheus), `/livez` (200 while the process answers), `/readyz` (200 when
 * every link is ready, else 503; JSON with the state of each link) and `/rules` (JSON).
 * @throws GatewayError config.invalid when the address cannot be listened on.
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      (made) => send(request, response, made),
      (error: unknown) => {
        options.log.error('the admin server could not answer', { err: error })
        send(request, response, plain(500, 'internal error'))
      },
    )
  })
  await listen(server, options)
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  let stopped: Promise<void> | undefined
  return { port, stop: () => (stopped ??= close(server)) }
}

const PATHS: ReadonlySet<string | undefined> = new Set(['/metrics', '/livez', '/readyz', '/rules'])

async function answer(options: AdminOptions, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0]
  if (!PATHS.has(path)) return plain(404, 'not found; there are /metrics, /livez, /readyz and /rules')
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET and HEAD')
  if (path === '/livez') return plain(200, 'ok')
  if (path === '/metrics') {
    return { status: 200, type: options.metrics.contentType, body: await options.metrics.text() }
  }
  if (path === '/rules') return json(200, options.rules())
  const readiness = options.readiness()
  return json(readiness.ready ? 200 : 503, readiness)
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 && { allow: 'GET, HEAD' }),
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
