import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { makeOutbox, type Parcel } from '../outbox.js'
import { watchProgress } from '../progress.js'
import type { LinkEvent } from '../transport.js'
import type { NatsConfig } from './config.js'
import type { Sender } from './core-sender.js'
import { nobodyAnswered, publishRefusal, reasonOf } from './errors.js'
import { messageHeaders } from './frames.js'

/**
 * Publishes frames and calls them sent once a stream has stored them.
 * @param missing is called when no stream answers, at most once at a time; publishing is tried again anyway.
 */
export function streamSender(
  config: NatsConfig,
  report: (event: LinkEvent) => void,
  missing: () => Promise<void>,
): Sender {
  const outbox = makeOutbox(config.streamWindow ?? 256, pump)
  const progress = watchProgress(outbox.stuckMs, 'storing', report)
  const timeout = config.ackTimeoutMs ?? 5000
  let client: JetStreamClient | undefined
  let looking = false

  function look(): void {
    if (looking) return
    looking = true
    void missing().finally(() => {
      looking = false
    })
  }

  function failed(parcel: Parcel, error: unknown): void {
    const { address, body } = parcel.frame
    const refusal = publishRefusal(error, address.subject ?? '', body.length)
    if (refusal !== undefined) {
      outbox.refuse(parcel, refusal)
      return
    }
    if (parcel.tries === 0) {
      const text = `no stream has stored a message for "${address.subject}"; trying again: ${reasonOf(error)}`
      report({ kind: 'fault', error: new GatewayError('link.refused', text, { fate: 'retry', cause: error }) })
    }
    if (nobodyAnswered(error)) look()
    outbox.again(parcel, backoffMs(parcel.tries + 1, config.connect))
  }

  async function store(on: JetStreamClient, parcel: Parcel): Promise<void> {
    const { frame } = parcel
    try {
      const headers = messageHeaders(frame)
      await on.publish(
        frame.address.subject ?? '',
        frame.body,
        headers === undefined ? { timeout } : { timeout, headers },
      )
      if (on === client) outbox.confirm(parcel)
    } catch (error) {
      if (on === client) failed(parcel, error)
    }
    pump()
  }

  function pump(): void {
    while (client !== undefined) {
      const parcel = outbox.next()
      if (parcel === undefined) return
      void store(client, parcel)
    }
  }

  return {
    attach(connection) {
      client = jetstream(connection, { timeout })
      progress.up()
      pump()
    },
    detach() {
      progress.down()
      client = undefined
      outbox.putBack()
    },
    send: outbox.add,
    unconfirmed: outbox.size,
    violated: () => false, // each publication is a request, and hears of it by itself
    idle: outbox.empty,
    close() {
      progress.down()
      outbox.close()
    },
  }
}
