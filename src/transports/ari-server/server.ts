import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../errors.js'
import { type ApiDocs, makeApiDocs, wholeEvents } from './api-docs.js'
import { type AppSocket, appSocket } from './app-socket.js'
import { makeAuthentication } from './auth.js'
import type { AriServerAccess, AriServerConfig, AriUser } from './config.js'
import { bodyTooLarge, makeHttpServer, readBody, refuseUpgrade, secureAnew, sendReply } from './http-server.js'
import type { Shapes } from './models.js'
import { checkOrigin, PREFLIGHT_HEADERS } from './origins.js'
import { json, page, type Reply, refusal } from './reply.js'
import { answer, type Request } from './request.js'
import { answerFrame } from './rest-over-socket.js'
import { makeRouter } from './router.js'
import { makeResources } from './routes/index.js'
import type { World } from './world.js'

/** A server that applications connect to as they would to an Asterisk. */
export interface AriServer {
  /** Resolves when it listens. @throws GatewayError `link.connect` when it cannot. */
  listen(): Promise<void>
  address(): { readonly host: string; readonly port: number } | undefined
  /** Who comes from now on has to be one of these users, and is shown this certificate. */
  renew(access: AriServerAccess): void
  /** Takes no more connections and says goodbye; resolves once all are closed, or ended because `patience` is. */
  close(patience: Promise<void>): Promise<void>
}

/** What a server tells whoever made it. */
export interface ServerParts {
  readonly config: AriServerConfig
  readonly world: World
  /** Shapes of the events that applications are sent. */
  readonly events: Shapes
  fault(error: GatewayError): void
}

/** A connection that may become a WebSocket. */
interface Visit {
  readonly applications: readonly string[]
  readonly subscribeAll: boolean
  readonly readOnly: boolean
}

/** Longest request line that Asterisk reads. */
const LINE_CHARACTERS = 4096

const unauthorized = refusal(401, 'Authentication required', {
  'www-authenticate': 'Basic realm="Asterisk REST Interface"',
})
const notFound = page(404, 'The requested URL was not found on this server.')
const YES = new Set(['yes', 'true', 'y', 't', '1', 'on'])

export function makeAriServer({ config, world, events, fault }: ServerParts): AriServer {
  const { allowedOrigins = [], bodyBytes = 65_536, maxSockets = 100, requestTimeoutMs = 10_000 } = config
  const { backlogBytes = 4_194_304, pingIntervalMs = 20_000, host = '127.0.0.1', port = 8088 } = config
  const name = config.name ?? 'ari-server'
  const { identity } = world
  const resources = makeResources(world, wholeEvents(events))
  const router = makeRouter(resources)
  const docs = makeApiDocs(resources)
  let { identify } = makeAuthentication(config.users)
  const http = makeHttpServer(config.tls, { bodyBytes, requestTimeoutMs, maxSockets })
  const upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: config.messageBytes ?? 131_072,
    perMessageDeflate: false,
    handleProtocols: () => 'ari',
  })
  const sockets = new Set<AppSocket>()
  const connections = new Set<Socket>()

  const respond = (asked: Request) =>
    answer(router, asked, ({ method, path }, cause) =>
      fault(new GatewayError('link.refused', `${name}: ${method} ${path} failed`, { cause })),
    )

  function userOf(request: IncomingMessage, url: URL): AriUser | undefined {
    return identify(request.headers.authorization, url.searchParams.get('api_key'))
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = checkOrigin(request.headers.origin, allowedOrigins)
    const reply = await replyTo(request, origin !== undefined)
    sendReply(response, { ...reply, headers: { ...reply.headers, ...origin } })
  }

  async function replyTo(request: IncomingMessage, isWelcome: boolean): Promise<Reply> {
    const { method = '', headers } = request
    const url = readUrl(request)
    if (url === undefined) return page(400, 'Request line too long')
    if (!isWelcome) return refusal(403, 'Origin not allowed')
    if (headers.origin !== undefined && method === 'OPTIONS' && 'access-control-request-method' in headers) {
      return { status: 204, headers: PREFLIGHT_HEADERS }
    }
    const path = pathBelow(url)
    if (path === undefined) return notFound
    const user = userOf(request, url)
    if (user === undefined) return unauthorized
    const body = await readBody(request, bodyBytes)
    if (body === undefined) return bodyTooLarge
    const file = /^api-docs\/([^/]+)$/.exec(path)?.[1]
    if (file !== undefined && method === 'GET') return readDocs(docs, file, baseOf(request))
    const contentType = headers['content-type'] ?? ''
    return respond({
      method,
      path,
      query: url.searchParams,
      contentType,
      body,
      readOnly: user.readOnly ?? false,
    })
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined)
    const visit = admit(request)
    if ('status' in visit) refuseUpgrade(socket, visit)
    else upgrades.handleUpgrade(request, socket, head, (opened) => welcome(opened, visit))
  }

  /** Who wants which applications, or why the connection may not become a WebSocket. */
  function admit(request: IncomingMessage): Visit | Reply {
    const url = readUrl(request)
    if (url === undefined) return page(400, 'Request line too long')
    if (checkOrigin(request.headers.origin, allowedOrigins) === undefined) return refusal(403, 'Origin not allowed')
    const path = pathBelow(url)
    if (path === undefined) return notFound
    const user = userOf(request, url)
    if (user === undefined) return unauthorized
    if (path !== 'events') return refusal(404, 'Resource not found')
    const applications = appsOf(url)
    if (applications.length === 0) return page(400, 'HTTP request is missing param: [app]')
    const protocols = request.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim())
    if (protocols !== undefined && !protocols.includes('ari')) {
      return { status: 400, headers: { 'sec-websocket-version': '7, 8, 13' } }
    }
    if (sockets.size >= maxSockets) return refusal(503, 'Too many event sockets')
    const subscribeAll = YES.has((url.searchParams.get('subscribeAll') ?? '').toLowerCase())
    return { applications, subscribeAll, readOnly: user.readOnly ?? false }
  }

  function welcome(opened: WebSocket, { applications: names, subscribeAll, readOnly }: Visit): void {
    const reader = { identity, application: names[0]!, readOnly, answer: respond }
    const limits = { backlogBytes, pingIntervalMs }
    const own = appSocket(opened, limits, {
      answer: (text) => answerFrame(text, reader),
      tooSlow: () =>
        fault(new GatewayError('link.lost', `${name}: ${names.join(', ')} reads too slowly, its socket was closed`)),
      gone() {
        sockets.delete(own)
        world.applications.disconnect(own)
      },
    })
    sockets.add(own)
    const replaced = world.applications.connect(names, subscribeAll, own)
    if (replaced === undefined) own.close(1013, 'too many applications')
    for (const { name: application, receiver } of replaced ?? []) {
      const timestamp = identity.stamp()
      const asterisk_id = identity.asteriskId
      receiver.push(JSON.stringify({ type: 'ApplicationReplaced', timestamp, application, asterisk_id }))
    }
  }

  // The server itself does not know of those that it handed over for an upgrade, nor of those still in a TLS handshake.
  http.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  http.on('request', (request, response) => void serve(request, response))
  http.on('upgrade', upgrade)

  return {
    listen: () => listen(http, name, host, port),
    address() {
      const bound = http.address() as AddressInfo | null // a text only for sockets in the file system
      return bound === null ? undefined : { host: bound.address, port: bound.port }
    },
    renew({ users, tls }) {
      identify = makeAuthentication(users).identify
      if (tls !== undefined) secureAnew(http, tls)
    },
    async close(patience) {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      http.closeIdleConnections()
      for (const socket of sockets) socket.close(1001, 'going away')
      await Promise.race([closed, patience])
      for (const socket of sockets) socket.terminate()
      for (const connection of connections) connection.destroy()
      await closed
    },
  }
}

function listen(http: Server, name: string, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) =>
      reject(new GatewayError('link.connect', `${name}: cannot listen on ${host}:${port}`, { cause }))
    http.once('error', refuse)
    http.listen({ host, port }, () => {
      http.off('error', refuse)
      resolve()
    })
  })
}

/** Undefined when the address is longer than Asterisk reads, or none at all. */
function readUrl({ url = '/' }: IncomingMessage): URL | undefined {
  if (url.length > LINE_CHARACTERS) return undefined
  try {
    return new URL(`http://local${url.startsWith('/') ? url : '/'}`)
  } catch {
    return undefined
  }
}

/** The path below `/ari`; undefined for any other. */
function pathBelow({ pathname }: URL): string | undefined {
  if (pathname === '/ari') return ''
  return pathname.startsWith('/ari/') ? pathname.slice(5) : undefined
}

function appsOf({ searchParams }: URL): string[] {
  return [...new Set(searchParams.getAll('app').flatMap((names) => names.split(',')))].filter((each) => each !== '')
}

/** How the client calls us: the address that it goes on asking at. */
function baseOf({ headers, socket }: IncomingMessage): string {
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  const host = /^[\w.-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/.test(headers.host ?? '') ? headers.host : 'localhost'
  return `${scheme}://${host}/ari`
}

function readDocs(docs: ApiDocs, file: string, base: string): Reply {
  const found = docs.read(file, base)
  return found === undefined ? refusal(404, 'Resource not found') : json(found)
}
