import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** A request as the fake got it; paths without `/ari`. */
export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorization: string | undefined
  readonly body: unknown
}

/** What a fake answers: a status, and a body that goes out as JSON unless it is a text. */
export interface FakeReply {
  readonly status: number
  readonly body?: unknown
}

type Handler = (request: FakeRequest) => FakeReply | undefined | Promise<FakeReply | undefined>

/** A server that speaks as much ARI as the link uses, over real sockets, and can do wrong on purpose. */
export interface FakeAsterisk {
  readonly url: string
  readonly requests: FakeRequest[]
  readonly sockets: WebSocket[]
  /** Upgrades as they came. */
  readonly upgrades: FakeRequest[]
  readonly info: { name: string; startupTime: string }
  readonly application: Record<'channel_ids' | 'bridge_ids' | 'endpoint_ids' | 'device_names', string[]>
  channels: object[]
  bridges: object[]
  endpoints: object[]
  deviceStates: object[]
  /** Ids for which the probe of a channel fails, although it may be listed. */
  readonly dead: Set<string>
  /** Looks at a request first; undefined leaves it to the fake. Also asked for upgrades, as `GET /events`. */
  answer: Handler
  /** Most requests that were being answered at a time. */
  readonly busiest: () => number
  readonly connections: () => number
  tell(event: object | string | Buffer): void
  /** Told to whoever connects, in one piece with the answer that opens the socket. */
  greeting: object | undefined
  /** From now on nothing is read or answered on the sockets that are open. */
  freeze(): void
  /** Ends all connections at once. */
  cut(): void
  stop(): Promise<void>
}

const LISTS = {
  channel: 'channel_ids',
  bridge: 'bridge_ids',
  endpoint: 'endpoint_ids',
  deviceState: 'device_names',
} as const
const ALL_TOPICS = {
  channel: '__AST_CHANNEL_ALL_TOPIC',
  bridge: '__AST_BRIDGE_ALL_TOPIC',
  endpoint: '__AST_ENDPOINT_ALL_TOPIC',
  deviceState: '__AST_DEVICE_STATE_ALL_TOPIC',
} as const
type Kind = keyof typeof LISTS

const message = (status: number, text: string): FakeReply => ({ status, body: { message: text } })

/** @param tls makes it speak TLS. */
export async function startFakeAsterisk(tls?: ServerOptions): Promise<FakeAsterisk> {
  const listener = (request: IncomingMessage, response: ServerResponse) => void serve(request, response)
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  const webSockets = new WebSocketServer({ noServer: true })
  const tcp = new Set<Socket>()
  /** How often each source was subscribed to. */
  const counts = new Map<string, number>()
  let busy = 0
  let busiest = 0

  const fake: FakeAsterisk = {
    url: '',
    requests: [],
    sockets: [],
    upgrades: [],
    info: { name: 'fake', startupTime: '2026-11-20T10:00:00.000+0000' },
    application: { channel_ids: [], bridge_ids: [], endpoint_ids: [], device_names: [] },
    channels: [],
    bridges: [],
    endpoints: [],
    deviceStates: [],
    dead: new Set(),
    answer: () => undefined,
    busiest: () => busiest,
    connections: () => tcp.size,
    greeting: undefined,
    tell(event) {
      const data = typeof event === 'string' || Buffer.isBuffer(event) ? event : JSON.stringify(event)
      for (const socket of fake.sockets) socket.send(data, { binary: false })
    },
    freeze() {
      for (const socket of tcp) socket.pause()
    },
    cut() {
      for (const socket of tcp) socket.destroy()
    },
    async stop() {
      for (const socket of tcp) socket.destroy()
      webSockets.close()
      server.close()
      await once(server, 'close')
    },
  }

  server.on('connection', (socket) => {
    tcp.add(socket)
    socket.on('close', () => tcp.delete(socket))
    socket.on('error', () => undefined)
  })

  async function read(request: IncomingMessage): Promise<FakeRequest> {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const url = new URL(request.url ?? '', 'http://fake')
    return {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname.replace(/^\/ari/, '')),
      query: Object.fromEntries(url.searchParams),
      authorization: request.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    busiest = Math.max(busiest, ++busy)
    const request = await read(incoming)
    fake.requests.push(request)
    const { status, body } = (await fake.answer(request)) ?? known(request)
    busy--
    if (body === undefined) return void response.writeHead(status, { 'content-length': 0 }).end()
    const isText = typeof body === 'string'
    const type = isText ? 'text/html' : 'application/json'
    response.writeHead(status, { 'content-type': type }).end(isText ? body : JSON.stringify(body))
  }

  function known(request: FakeRequest): FakeReply {
    const { method, path, query } = request
    const [, resource = '', name = '', part = ''] = path.split('/')
    if (path === '/asterisk/info') return { status: 200, body: info() }
    if (resource === 'applications' && part === 'subscription') return subscription(method, query.eventSource ?? '')
    if (path === '/applications') return { status: 200, body: [{ name: 'patchbay', ...fake.application }] }
    if (resource === 'applications') return { status: 200, body: { name, ...fake.application } }
    if (path === '/channels') return { status: 200, body: fake.channels }
    if (path === '/bridges') return { status: 200, body: fake.bridges }
    if (path === '/endpoints') return { status: 200, body: fake.endpoints }
    if (path === '/deviceStates') return { status: 200, body: fake.deviceStates }
    if (resource === 'deviceStates') {
      return { status: 200, body: { name: path.slice('/deviceStates/'.length), state: 'NOT_INUSE' } }
    }
    if (resource === 'channels' && part === 'variable') {
      return fake.dead.has(name) ? message(404, 'Channel not found') : { status: 200, body: { value: 'x' } }
    }
    if (resource === 'events' && method === 'POST') return { status: 204 }
    return message(404, 'Resource not found')
  }

  function info() {
    return {
      system: { version: '22', entity_id: '02:00:00:00:00:01' },
      config: { name: fake.info.name },
      status: { startup_time: fake.info.startupTime },
    }
  }

  function subscription(method: string, source: string): FakeReply {
    const kind = source.slice(0, source.indexOf(':')) as Kind // the link makes no other
    const name = source.slice(kind.length + 1) || ALL_TOPICS[kind]
    const list = fake.application[LISTS[kind]]
    const count = counts.get(source) ?? (list.includes(name) ? 1 : 0)
    if (method === 'DELETE' && count === 0) return message(422, 'Event source was not subscribed to')
    if (name.endsWith('/none') || name === 'none') return message(422, 'Event source does not exist')
    counts.set(source, count + (method === 'DELETE' ? -1 : 1))
    if (method === 'DELETE' && count === 1) list.splice(list.indexOf(name), 1)
    if (method === 'POST' && !list.includes(name)) list.push(name)
    return { status: 200, body: { name: 'app', ...fake.application } }
  }

  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    void (async () => {
      const request = { ...(await read(incoming)), body: undefined }
      fake.upgrades.push(request)
      const refusal = await fake.answer(request)
      if (refusal !== undefined) {
        const body = JSON.stringify(refusal.body ?? '')
        socket.end(
          `HTTP/1.1 ${refusal.status} No\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        )
        return
      }
      if (request.query.subscribeAll === 'true' && fake.sockets.length === 0) {
        for (const kind of Object.keys(LISTS) as Kind[]) fake.application[LISTS[kind]].push(ALL_TOPICS[kind])
      }
      socket.cork()
      webSockets.handleUpgrade(incoming, socket, head, (webSocket) => {
        fake.sockets.push(webSocket)
        webSocket.on('error', () => undefined)
        webSocket.on('close', () => fake.sockets.splice(fake.sockets.indexOf(webSocket), 1))
        if (fake.greeting !== undefined) webSocket.send(JSON.stringify(fake.greeting))
      })
      socket.uncork()
    })()
  })

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  return Object.assign(fake, { url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}` })
}

/** A channel as Asterisk shows it, as far as the link looks at it. */
export function channel(id: string, state = 'Up', name = `PJSIP/1001-${id}`) {
  return { id, name, state, creationtime: '2026-11-20T10:00:01.000+0000' }
}

/** An event of Asterisk. */
export function event(type: string, content: object = {}, timestamp = '2026-11-20T10:00:02.000+0000') {
  return { type, timestamp, ...content, asterisk_id: '02:00:00:00:00:01', application: 'patchbay' }
}
