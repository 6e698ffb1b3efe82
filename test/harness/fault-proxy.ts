import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A way through a {@link FaultProxy}. */
export type Direction = 'toTarget' | 'toClient'

/** What a {@link FaultProxy} does to the bytes it carries; change the members at any time. */
export interface Faults {
  /** Milliseconds each piece waits before it goes on. */
  latencyMs: number
  /** Bytes per second that all connections share, in each direction; 0 is unlimited. */
  bytesPerSecond: number
  /**
   * A black hole, in both directions or in one of them, which leaves the link half-open. Nothing passes there, also
   * no news of a close, and no new connection gets through. As TCP sends again, what was held goes on afterwards.
   */
  stalled: boolean | Direction
  /** New connections are reset at once. */
  refusing: boolean
}

/** A TCP proxy on a loopback port that can be told to misbehave. */
export interface FaultProxy {
  readonly port: number
  readonly faults: Faults
  /** How many connections stand. */
  connections(): number
  /** Bytes that went through so far, of all connections. */
  carried(direction: Direction): number
  /** The address of the target with the proxy's port in place of the target's. */
  through(url: string): string
  /** Resets every connection that stands. */
  cut(): void
  close(): Promise<void>
}

/** One direction of a link, with what its connections share. */
interface Lane {
  readonly direction: Direction
  carriedBytes: number
  /** When the bytes let in so far have passed at the link's speed, by `performance.now()`. */
  busyUntil: number
}

/** Pieces are cut to what passes in this time, so that a slow link serves its connections in turn. */
const SLICE_MS = 50
const LOOK_AGAIN_MS = 20

const ignore = () => undefined

/**
 * Ends a connection by a reset, at once. `resetAndDestroy` ends the writing first, and whatever ends the socket before that is
 * done makes the reset fail: then Node leaves the connection standing, out of reach. So the flag that it sets is set here.
 */
function reset(socket: Socket): void {
  if (!socket.writableEnded) Object.assign(socket, { resetAndClosing: true })
  socket.destroy()
}

function isHeld({ stalled }: Faults, { direction }: Lane): boolean {
  return stalled === true || stalled === direction
}

async function untilPassing(holds: () => boolean, socket: Socket): Promise<void> {
  while (holds() && !socket.destroyed) await delay(LOOK_AGAIN_MS)
}

/** Waits for a slice's share of the link, as long as the link is slow. */
async function untilItsTurn(bytes: number, to: Socket, lane: Lane, faults: Faults): Promise<void> {
  const now = performance.now()
  // A timer that fired late may be made up for by a slice, or a busy machine would make the link slower than asked.
  const turn = Math.max(lane.busyUntil, now - SLICE_MS) + (bytes / faults.bytesPerSecond) * 1000
  lane.busyUntil = turn
  while (faults.bytesPerSecond > 0 && !to.destroyed) {
    const leftMs = turn - performance.now()
    if (leftMs <= 0) return
    await delay(Math.min(leftMs, SLICE_MS))
  }
}

async function untilDrained(socket: Socket): Promise<void> {
  const over = new AbortController()
  await Promise.race([once(socket, 'drain', over), once(socket, 'close', over)]).catch(ignore)
  over.abort()
}

async function pass(piece: Uint8Array, to: Socket, lane: Lane, faults: Faults): Promise<void> {
  if (faults.latencyMs > 0) await delay(faults.latencyMs)
  for (let rest = piece; rest.length > 0; ) {
    const { bytesPerSecond } = faults
    const slice = bytesPerSecond > 0 ? rest.subarray(0, Math.ceil((bytesPerSecond * SLICE_MS) / 1000)) : rest
    if (bytesPerSecond > 0) await untilItsTurn(slice.length, to, lane, faults)
    await untilPassing(() => isHeld(faults, lane), to)
    if (to.destroyed) return
    lane.carriedBytes += slice.length
    if (!to.write(slice)) await untilDrained(to)
    rest = rest.subarray(slice.length)
  }
}

function pipe(from: Socket, to: Socket, lane: Lane, faults: Faults): void {
  let chain = Promise.resolve()
  const afterwards = (action: () => void) => {
    chain = chain.then(() => untilPassing(() => isHeld(faults, lane), to)).then(action)
  }
  from.on('data', (piece) => {
    from.pause()
    chain = chain.then(async () => {
      await pass(piece, to, lane, faults)
      from.resume()
    })
  })
  from.on('end', () => afterwards(() => to.end()))
  from.on('close', (isBroken) => afterwards(() => (isBroken ? reset(to) : to.destroySoon())))
}

/** Starts a proxy in front of `port`, on this machine unless `host` says otherwise. */
export async function startFaultProxy(port: number, host = '127.0.0.1'): Promise<FaultProxy> {
  const faults: Faults = { latencyMs: 0, bytesPerSecond: 0, stalled: false, refusing: false }
  const toTarget: Lane = { direction: 'toTarget', carriedBytes: 0, busyUntil: 0 }
  const toClient: Lane = { direction: 'toClient', carriedBytes: 0, busyUntil: 0 }
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', ignore) // its close tells
    socket.on('close', () => sockets.delete(socket))
  }

  /** A connection needs both directions to come about. */
  async function join(client: Socket): Promise<void> {
    keep(client)
    await untilPassing(() => faults.stalled !== false, client)
    if (client.destroyed) return
    const target = connect({ port, host, noDelay: true, allowHalfOpen: true })
    keep(target)
    pipe(client, target, toTarget, faults)
    pipe(target, client, toClient, faults)
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (faults.refusing) reset(client)
    else void join(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo // a TCP server's address is never a path
  const standing = () => [...sockets].filter((socket) => !socket.destroyed).length
  const cut = () => {
    for (const socket of sockets) reset(socket)
    for (const lane of [toTarget, toClient]) lane.busyUntil = 0 // what waited is gone
  }
  return {
    port: own,
    faults,
    connections: () => Math.ceil(standing() / 2),
    carried: (direction) => (direction === 'toTarget' ? toTarget : toClient).carriedBytes,
    through: (url) => url.replace(/(@|\/\/)([^@/]+):\d+/, `$1127.0.0.1:${own}`),
    cut,
    async close() {
      server.close()
      cut()
      await delay(1) // lets the sockets say goodbye
    },
  }
}
