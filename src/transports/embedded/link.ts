import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import type { LinkHandlers, OutgoingFrame, Transport } from '../transport.js'
import type { Queue, Taker } from './queue.js'

/** A queue that a link takes from. */
export interface Source {
  readonly source: string
  readonly queue: Queue
  /** Taken from while standing by, too. */
  readonly always: boolean
}

/** What an embedded link is made of. */
export interface LinkParts {
  readonly name: string
  readonly stopGraceMs: number | undefined
  /** Declares what the link needs; answers the queues it takes from. */
  open(): readonly Source[]
  /** Ends what only a living link has. */
  close(): void
  /** False when nobody is bound to receive the frame. */
  publish(frame: OutgoingFrame): boolean
}

interface OpenSource extends Source {
  readonly taker: Taker
}

/** A transport between a gateway and an embedded broker. A frame is confirmed once it is in every queue it belongs to. */
export function embeddedLink({ name, stopGraceMs = 10_000, open, close, publish }: LinkParts): Transport {
  let sources: readonly OpenSource[] = []
  let report: LinkHandlers['report'] = () => undefined
  let standsBy = false
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const shared = () => sources.filter(({ always }) => !always)

  function take(some: readonly OpenSource[]): void {
    for (const { source, taker } of some) {
      taker.consume()
      report({ kind: 'consuming', source })
    }
  }

  function reportStandby(): void {
    if (shared().length > 0) report({ kind: 'standby' })
  }

  async function drain(): Promise<void> {
    for (const { taker } of sources) taker.cancel()
    const patience = delay(stopGraceMs, undefined, { ref: false })
    await Promise.race([Promise.all(sources.map(({ taker }) => taker.settled())), patience])
  }

  async function stop(): Promise<void> {
    draining ??= drain()
    await draining
    close()
  }

  return {
    name,
    async start(handlers, { standby = false } = {}) {
      report = handlers.report
      standsBy = standby
      sources = open().map((source) => ({ ...source, taker: source.queue.taker(handlers.deliver) }))
      report({ kind: 'up' })
      take(standby ? sources.filter(({ always }) => always) : sources)
      if (standby) reportStandby()
    },
    consume() {
      if (!standsBy || draining !== undefined) return
      standsBy = false
      take(shared())
    },
    async release() {
      if (standsBy) return
      standsBy = true
      for (const { taker } of shared()) taker.release()
      reportStandby()
    },
    async send(frame) {
      if (stopping !== undefined)
        throw new GatewayError('gateway.stopping', `${name}: the link was stopped`, { fate: 'retry' })
      if (!publish(frame)) report({ kind: 'returned', frame })
    },
    unconfirmed: () => 0, // it is in its queues at once
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
