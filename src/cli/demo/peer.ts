import { GatewayError } from '../../errors.js'
import type { Frame, LinkEvent, OutgoingFrame, Transport } from '../../transports/transport.js'
import { saidBy, Trouble, within } from './trouble.js'

/** A program at one of the brokers, or an Asterisk: says what it is told to. */
export interface Peer {
  send(frame: OutgoingFrame): Promise<void>
  stop(): Promise<void>
}

/** Time for a broker to answer at all. Milliseconds. */
const CONNECT_MS = 6000

/**
 * Starts a peer. `where` names the broker in the error; `hear` is told what comes.
 * @throws Trouble when the broker cannot be reached.
 */
export async function startPeer(transport: Transport, where: string, hear: (frame: Frame) => void): Promise<Peer> {
  let reason = ''
  const report = (event: LinkEvent) => {
    if ((event.kind === 'down' || event.kind === 'fault') && event.error !== undefined) reason = saidBy(event.error)
  }
  const started = transport.start({
    report,
    deliver({ frame, settle }) {
      settle('done')
      hear(frame)
    },
  })
  try {
    await within(started, CONNECT_MS, () => `no answer from ${where} within ${CONNECT_MS / 1000} s${because(reason)}`)
  } catch (error) {
    await transport.stop().catch(() => undefined)
    throw error instanceof GatewayError ? new Trouble(`${where} cannot be used: ${saidBy(error)}`) : error
  }
  return {
    send: (frame) => within(transport.send(frame), CONNECT_MS, () => `${where} confirms nothing${because(reason)}`),
    stop: () => transport.stop(),
  }
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`
}
