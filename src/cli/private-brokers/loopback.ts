import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Below the range from which systems take ports for outgoing connections, so that none of those can collide. */
const FIRST_PORT = 20_000
const LAST_PORT = 32_000

/** Ports may be asked for long before somebody listens on them, so none is given to two askers of a process. */
const given = new Set<number>()

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}

/** `count` different loopback ports nobody listens on at this moment, and nobody in this process was given before. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) found.push(port)
  }
  return found
}

function answers(port: number, hello: string, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    const finish = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(1000, () => finish(false))
    socket.once('connect', () => hello !== '' && socket.write(hello, 'latin1'))
    socket.once('data', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
  })
}

/**
 * Waits until a server, of this machine unless told otherwise, says something, after `hello` where it wants to be spoken to first.
 * `alive` is asked between tries.
 * @throws Error when the server died or `timeoutMs` passed.
 */
export async function untilAnswers(
  port: number,
  hello: string,
  timeoutMs: number,
  alive: () => boolean,
  host = '127.0.0.1',
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await answers(port, hello, host))) {
    if (!alive()) throw new Error('it ended while starting')
    if (performance.now() > deadline) throw new Error(`no answer on port ${port} within ${timeoutMs} ms`)
    await delay(30)
  }
}
