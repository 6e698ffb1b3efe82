import type { IncomingMessage } from 'node:http'
import WebSocket from 'ws'
import { GatewayError } from '../../errors.js'
import { clientMaterial, peerCertificateEnd } from '../tls.js'
import { type AriConfig, accessOf, ariBase, authorization } from './config.js'
import { answerError, noAnswer, reasonOf } from './errors.js'

/** What somebody does with the events of a socket. Called in the order of the wire. */
export interface SocketUse {
  /** The socket is open; nothing was heard on it yet. */
  opened(): void
  frame(body: Buffer): void
  /** A sign of life. */
  heard(): void
  /** There was none in time: the socket ends, and other connections to the peer may be as dead. */
  silent(): void
  /** The certificate that the peer showed ends then, UTC milliseconds. */
  certificate?(until: number): void
}

/** A socket on which Asterisk tells events. */
export interface EventsSocket {
  /** Resolves once, with why it ended. */
  readonly ended: Promise<GatewayError>
  /** Ends it for this reason, without waiting for the peer. */
  end(reason: GatewayError): void
  /** Says goodbye, with this code of WebSockets; a peer that does not answer is left soon. Default 1000. */
  close(code?: number): Promise<void>
  /** Whether both sides said goodbye: all that the peer sent before was heard. */
  isComplete(): boolean
}

/** Far beyond what Asterisk sends in one event. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024
/** Milliseconds we wait for the answer to a goodbye. */
const CLOSE_TIMEOUT_MS = 1000
const MAX_REFUSAL_BYTES = 64 * 1024
/** How `ws` says that a socket ended without a goodbye of the peer. */
const NO_GOODBYE = 1006

function eventsUrl(config: AriConfig): string {
  const { origin, path } = ariBase(config)
  const query = new URLSearchParams({ app: config.app })
  if (config.subscribe?.all !== false) query.set('subscribeAll', 'true')
  return `${origin.replace(/^http/, 'ws')}${path}/events?${query}`
}

function socketOptions(config: AriConfig): WebSocket.ClientOptions {
  const access = accessOf(config)
  return {
    headers: { authorization: authorization(access) },
    handshakeTimeout: config.connectTimeoutMs ?? 10_000,
    ...EVENT_FRAMES,
    ...clientMaterial(access.tls),
  }
}

/** What a WebSocket has to be for events to come through as they are, whoever opened it. */
export const EVENT_FRAMES = {
  maxPayload: MAX_FRAME_BYTES,
  perMessageDeflate: false,
  // A body that is no UTF-8 is one dead letter, and not the end of the socket.
  skipUTF8Validation: true,
} as const

/**
 * Opens the events socket. Everything it hears is handed on at once and the socket is never paused: Asterisk
 * silently ends the stream of a client that reads too slowly.
 * @param halt gives up an opening that is under way.
 * @throws AriError when Asterisk refuses, GatewayError `link.lost` when it does not answer.
 */
export async function openEvents(config: AriConfig, use: SocketUse, halt: AbortSignal): Promise<EventsSocket> {
  const socket = new WebSocket(eventsUrl(config), socketOptions(config))
  socket.once('upgrade', (response) => {
    const until = peerCertificateEnd(response.socket)
    if (until !== undefined) use.certificate?.(until)
  })
  const { events, live } = followEvents(socket, config, use)
  const halted = () => socket.terminate()
  halt.addEventListener('abort', halted)
  await opening(socket, () => {
    use.opened()
    live()
  }).finally(() => halt.removeEventListener('abort', halted))
  return events
}

/** Takes a socket that Asterisk opened. To be called in the turn in which it is made, for frames follow in the next. */
export function takeEvents(socket: WebSocket, config: AriConfig, use: SocketUse): EventsSocket {
  const { events, live } = followEvents(socket, config, use)
  use.opened()
  live()
  return events
}

/** @returns with the socket, what begins to look for signs of life. */
function followEvents(socket: WebSocket, config: AriConfig, use: SocketUse) {
  const life = signsOfLife(socket, config, use)
  let resolve: (reason: GatewayError) => void = () => undefined
  let failure: Error | undefined
  let isComplete = false
  const ended = new Promise<GatewayError>((done) => {
    resolve = done
  })
  const end = (reason: GatewayError) => {
    resolve(reason)
    socket.terminate()
  }
  socket.on('message', (data) => {
    life.heard()
    use.frame(data as Buffer) // of the forms there are, `nodebuffer` is what a socket gives unless told otherwise
  })
  socket.on('error', (error) => {
    failure = error
  })
  socket.on('close', (code, reason) => {
    life.stop()
    isComplete = code !== NO_GOODBYE
    const said = reason.length > 0 ? ` "${reason.toString('utf8').slice(0, 100)}"` : ''
    resolve(lost(failure === undefined ? `closed by the peer (${code}${said})` : reasonOf(failure), failure))
  })
  const events: EventsSocket = {
    ended,
    end,
    isComplete: () => isComplete,
    async close(code = 1000) {
      const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS)
      socket.close(code)
      await ended
      clearTimeout(timer)
    },
  }
  return { events, live: () => life.start(end) }
}

function lost(why: string, cause?: unknown): GatewayError {
  return new GatewayError('link.lost', `connection lost: ${why}`, { fate: 'retry', cause })
}

/** @param opened is called in the very turn of the event: frames may follow in the next. */
function opening(socket: WebSocket, opened: () => void): Promise<void> {
  const what = 'GET /events'
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      opened()
      resolve()
    })
    socket.once('error', (error) => reject(noAnswer(what, error)))
    socket.once('unexpected-response', (request, response) => {
      void bodyOf(response).then((text) => {
        reject(answerError(what, response.statusCode ?? 0, text))
        request.destroy()
      })
    })
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > MAX_REFUSAL_BYTES) break
    }
  } catch {
    // The status is what counts.
  }
  return text
}

/** Pings, and notices when nothing at all comes back in time. */
function signsOfLife(socket: WebSocket, config: AriConfig, use: SocketUse) {
  const { pingIntervalMs = 1000, pongTimeoutMs = 3000 } = config
  let pinging: NodeJS.Timeout | undefined
  let waiting: NodeJS.Timeout | undefined

  function heard(): void {
    clearTimeout(waiting)
    waiting = undefined
    use.heard()
  }

  return {
    heard,
    start(end: (reason: GatewayError) => void) {
      socket.on('pong', heard)
      pinging = setInterval(() => {
        socket.ping()
        // What came while this process was busy is read before the verdict.
        waiting ??= setTimeout(
          () =>
            setImmediate(() => {
              if (waiting === undefined) return
              use.silent()
              end(lost(`no sign of life for ${pongTimeoutMs} ms after a ping`))
            }),
          pongTimeoutMs,
        )
      }, pingIntervalMs)
    },
    stop() {
      clearInterval(pinging)
      clearTimeout(waiting)
      waiting = undefined
    },
  }
}
