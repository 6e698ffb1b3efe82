import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer as createHttp, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import { createServer as createHttps, Server as SecureServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../errors.js'
import { serverMaterial, type TlsConfig } from '../tls.js'
import type { AriListen } from './config.js'
import { reasonOf } from './errors.js'
import { EVENT_FRAMES } from './events-socket.js'

/** An Asterisk that asks for a WebSocket, and may have one. It waits for the answer and asks nobody else meanwhile. */
export interface Visit {
  /** Makes it a WebSocket; `taken` is called with it in the same turn, or never where the Asterisk has gone. */
  accept(taken: (socket: WebSocket) => void): void
  /** Sends it away for now; it comes again after its `reconnect_interval`. */
  postpone(): void
}

/** What a link opens its door with. */
export interface Host {
  /** Somebody with the right path, user and password is there. */
  welcome(visit: Visit): void
  /** Somebody was turned away who may have meant this link. */
  turnedAway(error: GatewayError): void
}

/** The place of one link at a listener. */
export interface Door {
  /** From now on visitors have to present what this says, and are shown its certificate. The place stays the same. */
  renew(listen: AriListen): void
  /** Lets nobody in any more; the listener ends with its last door. Idempotent. */
  close(): Promise<void>
}

interface OpenDoor {
  readonly listen: AriListen
  readonly host: Host
  digest: Buffer
}

/** One port, whoever listens there. */
interface Listener {
  readonly ready: Promise<void>
  /** False where there is a door that nobody could tell from this one. */
  add(door: OpenDoor): boolean
  /** Connections that stand are left as they are. */
  secure(tls: TlsConfig): void
  remove(door: OpenDoor): Promise<void>
}

/** Time for the head of a request, milliseconds. */
const HEAD_TIMEOUT_MS = 10_000
/** How often connections are held to that time, milliseconds; by default Node takes half a minute. */
const CHECK_MS = 1000
/** Connections at a time: one for each Asterisk, and those that come to nothing. */
const MAX_CONNECTIONS = 1024

/** By address. A port can be listened on once in a process, whatever number of links and gateways want it. */
const listeners = new Map<string, Listener>()
/** Those that still end. */
const ending = new Map<string, Promise<void>>()

const addressOf = ({ host, port }: AriListen) => `${host}:${port}`

// Digests with a key of our own have one length, and comparing them tells nothing about what they are of.
const KEY = randomBytes(32)
const digest = (text: string) => createHmac('sha256', KEY).update(text).digest()
const digestOf = ({ username, password }: AriListen) => digest(`${username}:${password}`)

/**
 * Listens for one link. An unknown path is 404, wrong or missing credentials are 401, a request with an `Origin`
 * is 403, for a browser sends credentials of its own accord, and what asks for no WebSocket is 426.
 * @throws GatewayError `link.connect` where the address cannot be listened on, or is taken by a link like this one.
 */
export async function openDoor(listen: AriListen, host: Host): Promise<Door> {
  const address = addressOf(listen)
  const door = { listen, host, digest: digestOf(listen) }
  await ending.get(address)
  const listener = listeners.get(address) ?? makeListener(address, listen)
  listeners.set(address, listener)
  if (!listener.add(door)) {
    throw new GatewayError('link.connect', `another link listens on ${address}${listen.path} for ${listen.username}`)
  }
  try {
    await listener.ready
  } catch (error) {
    await listener.remove(door)
    throw new GatewayError('link.connect', `cannot listen on ${address}: ${reasonOf(error)}`, { cause: error })
  }
  return {
    renew(fresh) {
      door.digest = digestOf(fresh)
      if (fresh.tls !== undefined) listener.secure(fresh.tls)
    },
    close: () => listener.remove(door),
  }
}

function makeListener(address: string, { host, port, tls }: AriListen): Listener {
  const doors = new Set<OpenDoor>()
  const server = makeServer(tls)
  const webSockets = new WebSocketServer({
    noServer: true,
    ...EVENT_FRAMES,
    handleProtocols: (offered) => offered.has('ari') && 'ari',
  })
  server.on('request', (_request, response) => {
    response.writeHead(426, { upgrade: 'websocket', connection: 'close', 'content-length': 0 }).end()
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined) // it closes then, which is seen where it matters
    const door = admit(doors, request)
    if (typeof door === 'number') refuse(socket, door)
    else {
      door.host.welcome({
        accept: (taken) => webSockets.handleUpgrade(request, socket, head, taken),
        postpone: () => refuse(socket, 503),
      })
    }
  })
  const ready = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })

  async function end(): Promise<void> {
    await ready.catch(() => undefined)
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections() // which leaves WebSockets alone: their links close them
    await closed
  }

  return {
    ready,
    add(door) {
      const isTaken = [...doors].some(
        ({ listen }) => listen.path === door.listen.path && listen.username === door.listen.username,
      )
      if (!isTaken) doors.add(door)
      return !isTaken
    },
    secure(fresh) {
      if (server instanceof SecureServer) server.setSecureContext(serverMaterial(fresh))
    },
    async remove(door) {
      if (!doors.delete(door) || doors.size > 0) return
      listeners.delete(address)
      ending.set(address, end())
      await ending.get(address)
      ending.delete(address)
    },
  }
}

function makeServer(tls: TlsConfig | undefined): Server {
  const options = {
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: HEAD_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_MS,
    noDelay: true,
  }
  const secure = { ...options, handshakeTimeout: HEAD_TIMEOUT_MS }
  const server = tls === undefined ? createHttp(options) : createHttps({ ...secure, ...serverMaterial(tls) })
  server.maxConnections = MAX_CONNECTIONS
  return server
}

/** Whose the request is, or the status that refuses it. */
function admit(doors: ReadonlySet<OpenDoor>, { url = '', headers }: IncomingMessage): OpenDoor | number {
  if (headers.origin !== undefined) return 403
  const path = url.replace(/[?#].*/s, '')
  const here = [...doors].filter(({ listen }) => listen.path === path)
  if (here.length === 0) return 404
  const presented = credentialsOf(headers.authorization)
  const given = digest(presented ?? '')
  // All are compared, so that the time taken does not tell which one fits.
  const [fitting] = here.filter((door) => timingSafeEqual(door.digest, given))
  if (fitting !== undefined) return fitting
  const user = presented?.slice(0, presented.indexOf(':'))
  const meant = here.filter(({ listen }) => listen.username === user)
  for (const { listen, host } of meant.length > 0 ? meant : here) host.turnedAway(strangerAt(listen))
  return 401
}

function strangerAt(listen: AriListen): GatewayError {
  const text = `somebody came to ${addressOf(listen)}${listen.path} without the user and password that \`listen\` names`
  return new GatewayError('link.forbidden', text, { fate: 'retry' })
}

function credentialsOf(header: string | undefined): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '') ?? []
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}

function refuse(socket: Duplex, status: number): void {
  const challenge = status === 401 ? 'www-authenticate: Basic realm="Patchbay"\r\n' : ''
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${challenge}content-length: 0\r\nconnection: close\r\n\r\n`
  socket.end(head, () => socket.destroy())
}
