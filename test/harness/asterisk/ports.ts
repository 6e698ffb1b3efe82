import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** Beside the TCP ports of the private brokers, below those that systems take for outgoing connections. */
const FIRST_PORT = 12_000
const LAST_PORT = 19_900

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}

/** Ports that were given out and may not be taken yet. */
const given = new Set<number>()
const MOST_GIVEN = 400
/** Media take the next ports as well. */
const STEP = 4
/** Test files that run side by side have ports of their own. */
const SHARE = STEP * (Number(process.env.VITEST_POOL_ID ?? 0) % 2)

/** A loopback UDP port that nobody uses at this moment, and that was not given out lately. */
export async function freeUdpPort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + 2 * STEP * Math.floor((Math.random() * (LAST_PORT - FIRST_PORT)) / (2 * STEP)) + SHARE
    if (given.has(port)) continue
    given.add(port)
    if (given.size > MOST_GIVEN) given.clear()
    if (await isFree(port)) return port
  }
}
