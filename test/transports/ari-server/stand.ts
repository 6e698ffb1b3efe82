import { once } from 'node:events'
import { expect } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import {
  type AriServerConfig,
  type AriServerTransport,
  ariServerTransport,
} from '../../../src/transports/ari-server/index.js'
import { type Recorder, recorder } from '../recorder.js'
import { APP, type Event } from './story.js'

export const USERS = [
  { name: 'bridge', password: 'bridge' },
  { name: 'readonly', password: 'readonly', readOnly: true },
]

/** An answer over HTTP: a JSON body as a value, any other as text. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** A plain event socket. */
export interface Ear {
  readonly socket: WebSocket
  readonly heard: Event[]
  /** Types of what was heard so far. */
  types(): string[]
  until(count: number): Promise<Event[]>
}

/** A server on a port of its own, and ways to talk to it. */
export interface Stand {
  readonly transport: AriServerTransport
  readonly link: Recorder
  /** `http://host:port`. */
  readonly base: string
  tell(...events: Event[]): Promise<void>
  ask(
    method: string,
    path: string,
    options?: { as?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>
  /** Opens an event socket; by default one of the application of the stories. */
  listen(query?: string, options?: ClientOptions): Promise<Ear>
  stop(): Promise<void>
}

export async function stand(config: Partial<AriServerConfig> = {}): Promise<Stand> {
  const transport = ariServerTransport({ port: 0, users: USERS, asteriskId: 'ast1', stopGraceMs: 2000, ...config })
  const link = recorder()
  await transport.start(link)
  const { host, port } = transport.address()!
  const base = `${config.tls === undefined ? 'http' : 'https'}://${host}:${port}`
  const credentials = (as: string) => `Basic ${Buffer.from(as.includes(':') ? as : `${as}:${as}`).toString('base64')}`

  return {
    transport,
    link,
    base,
    async tell(...events) {
      await Promise.all(
        events.map((event) =>
          transport.send({ address: { node: 'ast1' }, headers: {}, body: Buffer.from(JSON.stringify(event)) }),
        ),
      )
    },
    async ask(method, path, { as = 'bridge', body, headers = {} } = {}) {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          ...(as !== '' && { authorization: credentials(as) }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type') === 'application/json'
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
    },
    listen: (query = `app=${APP}`, options = {}) =>
      ear(`${base.replace('http', 'ws')}/ari/events?api_key=bridge:bridge&${query}`, options),
    stop: () => transport.stop(),
  }
}

async function ear(url: string, options: ClientOptions): Promise<Ear> {
  const socket = new WebSocket(url, options)
  const heard: Event[] = []
  socket.on('message', (data) => heard.push(JSON.parse(String(data))))
  await once(socket, 'open')
  return {
    socket,
    heard,
    types: () => heard.map(({ type }) => type),
    async until(count) {
      await expect.poll(() => heard.length, { timeout: 5000, interval: 5 }).toBeGreaterThanOrEqual(count)
      return heard
    },
  }
}
