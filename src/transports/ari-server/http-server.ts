import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { createServer as createHttps, Server as SecureServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { serverMaterial, type TlsConfig } from '../tls.js'
import { type Reply, refusal } from './reply.js'

/** Seconds are those of Asterisk: a connection that asks nothing is closed. */
const KEEP_ALIVE_MS = 15_000
/** Connections beside the event sockets. */
const REST_CONNECTIONS = 256

/** What a server bears. */
export interface HttpLimits {
  readonly bodyBytes: number
  readonly requestTimeoutMs: number
  readonly maxSockets: number
}

/** Makes a server that does not listen yet. */
export function makeHttpServer(tls: TlsConfig | undefined, limits: HttpLimits): Server {
  const { requestTimeoutMs } = limits
  const options = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1000),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  }
  const secure = { ...options, handshakeTimeout: requestTimeoutMs }
  const server = tls === undefined ? createHttp(options) : createHttps({ ...secure, ...serverMaterial(tls) })
  server.maxConnections = limits.maxSockets + REST_CONNECTIONS
  return server
}

/** Shows whoever comes from now on another certificate; connections that stand are left as they are. */
export function secureAnew(server: Server, tls: TlsConfig): void {
  if (server instanceof SecureServer) server.setSecureContext(serverMaterial(tls))
}

/** Reads a body. Undefined when it is larger than allowed, or never came whole. */
export async function readBody(request: IncomingMessage, bodyBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bodyBytes) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString('utf8')
}

function headersOf({ headers, contentType, body = '' }: Reply): Record<string, string> {
  return {
    server: 'Patchbay',
    'cache-control': 'no-cache, no-store',
    ...headers,
    ...(contentType !== undefined && { 'content-type': contentType }),
    'content-length': String(Buffer.byteLength(body)),
  }
}

/** Sends a reply. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, headersOf(reply))
  response.end(reply.body)
}

/** Refuses to turn a connection into a WebSocket, and closes it, whether or not the client closes its half. */
export function refuseUpgrade(socket: Duplex, reply: Reply): void {
  const head = Object.entries({ ...headersOf(reply), connection: 'close' }).map(([name, value]) => `${name}: ${value}`)
  const status = `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`
  socket.end(`${[status, ...head].join('\r\n')}\r\n\r\n${reply.body ?? ''}`, () => socket.destroy())
}

/** What a body gets that is too large. */
export const bodyTooLarge: Reply = refusal(413, 'Request body too large', { connection: 'close' })
