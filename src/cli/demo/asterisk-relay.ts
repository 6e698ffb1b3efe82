import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { WebSocket, WebSocketServer } from 'ws'
import { saidBy, Trouble } from './trouble.js'

/** Stands between the gateway and an Asterisk: requests pass, events wait until they are let through. */
export interface Relay {
  /** Where it listens, in place of the Asterisk. */
  readonly url: string
  /** The next event, or undefined when none comes in time. */
  next(timeoutMs: number): Promise<string | undefined>
  /** Lets the gateway hear an event. */
  tell(event: string): Promise<void>
  stop(): Promise<void>
}

/** Starts a relay on a free loopback port. Credentials are those that a request brings along. `target` has no `/ari`. */
export async function startRelay(target: string): Promise<Relay> {
  const events: string[] = []
  let notify: () => void = () => undefined
  let gateway: WebSocket | undefined
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => 'ari' })
  const server = createServer((request, response) => void pass(target, request, response))

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined)
    const asterisk = new WebSocket(`${target.replace(/^http/, 'ws')}${request.url}`, {
      headers: authorizationOf(request),
      perMessageDeflate: false,
    })
    asterisk.on('error', () => socket.destroy())
    asterisk.on('unexpected-response', (_request, { statusCode = 502 }) => refuse(socket, statusCode))
    asterisk.on('message', (data: Buffer) => {
      events.push(data.toString('utf8'))
      notify()
    })
    asterisk.on('open', () =>
      upgrades.handleUpgrade(request, socket, head, (opened) => {
        gateway = opened
        opened.on('error', () => undefined)
        opened.on('close', () => asterisk.close())
        asterisk.on('close', () => opened.terminate())
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port

  return {
    url: `http://127.0.0.1:${port}`,
    next(timeoutMs) {
      if (events.length > 0) return Promise.resolve(events.shift())
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer)
          notify = () => undefined
          resolve(events.shift())
        }
        const timer = setTimeout(end, timeoutMs)
        notify = end
      })
    },
    async tell(event) {
      if (gateway?.readyState !== WebSocket.OPEN) throw new Trouble('the connection to the Asterisk was lost')
      gateway.send(event)
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      gateway?.terminate()
      notify()
      server.closeAllConnections()
      await closed
    },
  }
}

async function pass(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/', headers } = request
  const type = headers['content-type']
  try {
    const body = await buffer(request)
    const reply = await fetch(`${target}${url}`, {
      method,
      headers: { ...authorizationOf(request), ...(type !== undefined && { 'content-type': type }) },
      ...(body.length > 0 && { body }),
    })
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? 'text/plain' })
    response.end(Buffer.from(await reply.arrayBuffer()))
  } catch (error) {
    response.writeHead(502, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ message: saidBy(error) }))
  }
}

function authorizationOf({ headers }: IncomingMessage): Record<string, string> {
  return headers.authorization === undefined ? {} : { authorization: headers.authorization }
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
