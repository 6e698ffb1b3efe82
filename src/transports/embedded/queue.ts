import type { Delivery, OutgoingFrame, Settlement } from '../transport.js'

/** Pause before a message that was not taken is handed out again. Milliseconds. */
const RETRY_MS = 50

interface Kept {
  readonly frame: OutgoingFrame
  redelivered: boolean
}

/** What one receiver is handed, in order. */
export interface Queue {
  put(frame: OutgoingFrame): void
  /** From now on messages are handed to `to`; those that were there first. */
  consume(to: (delivery: Delivery) => void): void
  /** Hands out nothing more; what comes is kept. */
  cancel(): void
  /** Resolves when all that was handed out is settled. */
  settled(): Promise<void>
}

/** What the wire that a queue stands for lets its receivers know and do. */
export interface WireTraits {
  /** The publisher's time travels along, in whole seconds. */
  readonly timed: boolean
  /** A message that a receiver could not take is kept and comes again. */
  readonly keeps: boolean
}

/** Makes a queue. A message is handed out after the publisher's own turn, never within it. */
export function makeQueue({ timed, keeps }: WireTraits): Queue {
  const waiting: Kept[] = []
  const idle: (() => void)[] = []
  let taker: ((delivery: Delivery) => void) | undefined
  let unsettled = 0
  let scheduled = false

  function schedule(): void {
    if (scheduled || taker === undefined) return
    scheduled = true
    setImmediate(handOut)
  }

  function handOut(): void {
    scheduled = false
    while (taker !== undefined && waiting.length > 0) taker(deliver(waiting.shift()!))
  }

  function deliver(kept: Kept): Delivery {
    const { address, headers, body, messageId, at } = kept.frame
    let open = true
    unsettled += 1
    return {
      frame: { address, headers, body },
      receivedAt: Date.now(),
      redelivered: kept.redelivered,
      ...(messageId !== undefined && { messageId }),
      ...(timed && at !== undefined && { sentAt: Math.floor(at / 1000) * 1000 }),
      settle(outcome) {
        if (open) settle(kept, outcome)
        open = false
      },
    }
  }

  function settle(kept: Kept, outcome: Settlement): void {
    unsettled -= 1
    if (outcome === 'retry' && keeps) {
      waiting.unshift({ ...kept, redelivered: true })
      setTimeout(schedule, RETRY_MS)
    }
    if (unsettled === 0) for (const resolve of idle.splice(0)) resolve()
  }

  return {
    put(frame) {
      waiting.push({ frame, redelivered: false })
      schedule()
    },
    consume(to) {
      taker = to
      schedule()
    },
    cancel() {
      taker = undefined
    },
    settled: () => (unsettled === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  }
}
