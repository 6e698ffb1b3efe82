import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** A request on its way to an Asterisk. */
export interface GatedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
}

/** A door before an Asterisk: every REST request can be seen and held before it gets there, and events before they come. */
export interface AriGate {
  readonly url: string
  /** Called with each request, which goes on when the answer resolves. Default: at once. */
  onRequest: (request: GatedRequest) => Promise<void> | void
  /** Called with each piece of the event socket, which goes on when the answer resolves. Default: at once. */
  onEvents: () => Promise<void> | void
  close(): Promise<void>
}

/** Opens a gate before the HTTP server at a local port. */
export async function startAriGate(port: number): Promise<AriGate> {
  const sockets = new Set<Socket>()
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy())
  })

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    await gate.onRequest({ method, path: url })
    const onward = request({ port, host: '127.0.0.1', method, path: url, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    onward.end(Buffer.concat(pieces))
  }

  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', ({ method, url, rawHeaders }: IncomingMessage, client: Socket, head: Buffer) => {
    const target = connect(port, '127.0.0.1')
    const lines = Array.from(
      { length: rawHeaders.length / 2 },
      (_, at) => `${rawHeaders[2 * at]}: ${rawHeaders[2 * at + 1]}`,
    )
    target.write(`${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    target.write(head)
    const held = new Transform({
      transform(piece, _encoding, pass) {
        Promise.resolve(gate.onEvents()).then(() => pass(null, piece), pass)
      },
    })
    client.pipe(target).pipe(held).pipe(client)
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const gate: AriGate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    onRequest: () => undefined,
    onEvents: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return gate
}
