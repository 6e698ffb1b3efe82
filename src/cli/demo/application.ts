import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Frame } from '../../transports/transport.js'
import { APPLICATION, type AppsAccess } from './site.js'
import { saidBy, Trouble, within } from './trouble.js'

/** Time to be let in. Milliseconds. */
const CONNECT_MS = 6000

/**
 * Starts an ARI application: a WebSocket that knows nothing of Patchbay. Its frames have the address `{application}`.
 * @throws Trouble when it is not let in.
 */
export async function startApplication(
  { port, username, password }: AppsAccess,
  hear: (frame: Frame) => void,
): Promise<{ stop(): Promise<void> }> {
  const query = new URLSearchParams({ app: APPLICATION, api_key: `${username}:${password}` })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ari/events?${query}`)
  socket.on('message', (data: Buffer) => hear({ address: { application: APPLICATION }, headers: {}, body: data }))
  const stop = async () => {
    if (socket.readyState === WebSocket.CLOSED) return
    const closed = once(socket, 'close')
    socket.close()
    await within(closed, CONNECT_MS, () => '').catch(() => socket.terminate())
  }
  try {
    await within(once(socket, 'open'), CONNECT_MS, () => 'the gateway does not let an application in')
  } catch (error) {
    socket.on('error', () => undefined) // ended before it was open, which is no news
    socket.terminate()
    throw error instanceof Trouble ? error : new Trouble(`the gateway lets no application in: ${saidBy(error)}`)
  }
  socket.on('error', () => undefined) // what an application misses then is awaited in vain, and told
  return { stop }
}
