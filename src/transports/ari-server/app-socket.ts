import type { WebSocket } from 'ws'
import type { Receiver } from './application.js'

/** What a socket bears. */
export interface SocketLimits {
  readonly backlogBytes: number
  readonly pingIntervalMs: number
}

/** What a socket tells whoever opened it. */
export interface SocketHandlers {
  /** Answers a text frame of the client. */
  answer(text: string): string
  /** It was closed because its client reads too slowly. */
  tooSlow(): void
  /** It is closed, whoever closed it. */
  gone(): void
}

/** The event socket of a client. */
export interface AppSocket extends Receiver {
  /** Says goodbye; `terminate` ends what does not answer. */
  close(code: number, reason: string): void
  terminate(): void
}

/** Milliseconds a client has to take a close frame behind its backlog. */
const CLOSING_MS = 5000

/** Looks after a WebSocket. What is handed over goes out in order, as fast as the client takes it. */
export function appSocket(socket: WebSocket, limits: SocketLimits, handlers: SocketHandlers): AppSocket {
  let isOver = false
  let answered = true
  let closing: NodeJS.Timeout | undefined

  const heartbeat = setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, limits.pingIntervalMs)
  heartbeat.unref()

  function close(code: number, reason: string): void {
    isOver = true
    socket.close(code, reason)
    closing ??= setTimeout(() => socket.terminate(), CLOSING_MS).unref()
  }

  function push(text: string): boolean {
    if (isOver) return false
    if (socket.bufferedAmount > limits.backlogBytes) {
      close(1011, 'too slow')
      handlers.tooSlow()
      handlers.gone()
      return false
    }
    socket.send(text)
    return true
  }

  socket.on('pong', () => {
    answered = true
  })
  socket.on('message', (data, isBinary) => {
    if (!isBinary && !isOver) push(handlers.answer(String(data)))
  })
  // A close follows each error.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isOver = true
    clearInterval(heartbeat)
    clearTimeout(closing)
    handlers.gone()
  })

  return { push, close, terminate: () => socket.terminate() }
}
