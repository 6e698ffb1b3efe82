import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import type { OutgoingFrame, Transport } from '../transport.js'
import type { Queue } from './queue.js'

/** What an embedded link is made of. */
export interface LinkParts {
  readonly name: string
  readonly stopGraceMs: number | undefined
  /** Declares what the link needs; answers the queues it takes from, each with its name. */
  open(): readonly { readonly source: string; readonly queue: Queue }[]
  /** Ends what only a living link has. */
  close(): void
  /** False when nobody is bound to receive the frame. */
  publish(frame: OutgoingFrame): boolean
}

/** A transport between a gateway and an embedded broker. A frame is confirmed once it is in every queue it belongs to. */
export function embeddedLink({ name, stopGraceMs = 10_000, open, close, publish }: LinkParts): Transport {
  let sources: ReturnType<LinkParts['open']> = []
  let report: (frame: OutgoingFrame) => void = () => undefined
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  async function drain(): Promise<void> {
    for (const { queue } of sources) queue.cancel()
    const patience = delay(stopGraceMs, undefined, { ref: false })
    await Promise.race([Promise.all(sources.map(({ queue }) => queue.settled())), patience])
  }

  async function stop(): Promise<void> {
    draining ??= drain()
    await draining
    close()
  }

  return {
    name,
    async start(handlers) {
      report = (frame) => handlers.report({ kind: 'returned', frame })
      sources = open()
      handlers.report({ kind: 'up' })
      for (const { source, queue } of sources) {
        queue.consume(handlers.deliver)
        handlers.report({ kind: 'consuming', source })
      }
    },
    async send(frame) {
      if (stopping !== undefined)
        throw new GatewayError('gateway.stopping', `${name}: the link was stopped`, { fate: 'retry' })
      if (!publish(frame)) report(frame)
    },
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
