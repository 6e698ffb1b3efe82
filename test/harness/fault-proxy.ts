import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What a {@link FaultProxy} does to the bytes it carries; change the members at any time. */
export interface Faults {
  /** Milliseconds each piece waits before it goes on. */
  latencyMs: number
  /** Bytes per second and direction; 0 is unlimited. */
  bytesPerSecond: number
  /** Nothing passes in either direction, but nothing is closed: a black hole. */
  stalled: boolean
  /** New connections are reset at once. */
  refusing: boolean
}

/** A TCP proxy on a loopback port that can be told to misbehave. */
export interface FaultProxy {
  readonly port: number
  readonly faults: Faults
  /** How many connections stand. */
  connections(): number
  /** The address of the target with the proxy's port in place of the target's. */
  through(url: string): string
  /** Resets every connection that stands. */
  cut(): void
  close(): Promise<void>
}

async function pass(from: Socket, to: Socket, faults: Faults, piece: Uint8Array): Promise<void> {
  if (faults.latencyMs > 0) await delay(faults.latencyMs)
  if (faults.bytesPerSecond > 0) await delay((piece.length / faults.bytesPerSecond) * 1000)
  while (faults.stalled && !from.destroyed) await delay(20)
  if (to.destroyed || to.write(piece)) return
  await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => undefined)
}

function pipe(from: Socket, to: Socket, faults: Faults): void {
  let chain = Promise.resolve()
  from.on('data', (piece) => {
    from.pause()
    chain = chain.then(async () => {
      await pass(from, to, faults, piece)
      from.resume()
    })
  })
  from.on('end', () => void chain.then(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => void chain.then(() => to.destroy()))
}

/** Starts a proxy in front of `port`, on this machine unless `host` says otherwise. */
export async function startFaultProxy(port: number, host = '127.0.0.1'): Promise<FaultProxy> {
  const faults: Faults = { latencyMs: 0, bytesPerSecond: 0, stalled: false, refusing: false }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    if (faults.refusing) {
      client.resetAndDestroy()
      return
    }
    const target = connect({ port, host, noDelay: true })
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    pipe(client, target, faults)
    pipe(target, client, faults)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo // a TCP server's address is never a path
  // A socket whose reset fails is destroyed without ever saying `close`, so its own state is asked.
  const standing = () => [...sockets].filter((socket) => !socket.destroyed)
  const cut = () => {
    for (const socket of standing()) socket.resetAndDestroy()
    sockets.clear()
  }
  return {
    port: own,
    faults,
    connections: () => Math.ceil(standing().length / 2),
    through: (url) => url.replace(/(@|\/\/)([^@/]+):\d+/, `$1127.0.0.1:${own}`),
    cut,
    async close() {
      server.close()
      cut()
      await delay(1) // lets the sockets say goodbye
    },
  }
}
