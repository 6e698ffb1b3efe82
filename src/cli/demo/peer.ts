import { GatewayError } from '../../errors.js'
import type { Frame, LinkEvent, OutgoingFrame, Transport } from '../../transports/transport.js'
import { saidBy, Trouble, within } from './trouble.js'

/** A program on one of the two sides: says what it is told to, and keeps what it hears. */
export interface Peer {
  readonly heard: readonly Frame[]
  send(frame: OutgoingFrame): Promise<void>
  /** Resolves when something heard makes `holds` true; answers whether it did within the time. */
  until(holds: () => boolean, timeoutMs: number): Promise<boolean>
  stop(): Promise<void>
}

/** Time for a broker to answer at all. Milliseconds. */
const CONNECT_MS = 6000

/**
 * Starts a peer. `where` names the broker in the error.
 * @throws Trouble when the broker cannot be reached.
 */
export async function startPeer(transport: Transport, where: string): Promise<Peer> {
  const heard: Frame[] = []
  const waiting = new Set<() => void>()
  let reason = ''
  const report = (event: LinkEvent) => {
    if ((event.kind === 'down' || event.kind === 'fault') && event.error !== undefined) reason = saidBy(event.error)
  }
  const started = transport.start({
    report,
    deliver({ frame, settle }) {
      settle('done')
      heard.push(frame)
      for (const look of [...waiting]) look()
    },
  })
  try {
    await within(started, CONNECT_MS, () => `no answer from ${where} within ${CONNECT_MS / 1000} s${because(reason)}`)
  } catch (error) {
    await transport.stop().catch(() => undefined)
    throw error instanceof GatewayError ? new Trouble(`${where} cannot be used: ${saidBy(error)}`) : error
  }
  return {
    heard,
    send: (frame) => within(transport.send(frame), CONNECT_MS, () => `${where} confirms nothing${because(reason)}`),
    until(holds, timeoutMs) {
      if (holds()) return Promise.resolve(true)
      return new Promise((resolve) => {
        const end = (result: boolean) => {
          clearTimeout(timer)
          waiting.delete(look)
          resolve(result)
        }
        const look = () => {
          if (holds()) end(true)
        }
        const timer = setTimeout(() => end(false), timeoutMs)
        waiting.add(look)
      })
    },
    stop: () => transport.stop(),
  }
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`
}
