import type { Delivery, OutgoingFrame, Settlement } from '../transport.js'

/** Pause before a message that was not taken is handed out again. Milliseconds. */
const RETRY_MS = 50

interface Kept {
  readonly frame: OutgoingFrame
  readonly redelivered: boolean
}

/** Messages in order, for one taker at a time. */
export interface Queue {
  put(frame: OutgoingFrame): void
  isTaken(): boolean
  taker(to: (delivery: Delivery) => void): Taker
}

/** Who may take the messages of a queue. */
export interface Taker {
  /** From now on messages are handed to this one; those that were there first. */
  consume(): void
  /** Is handed nothing more; what comes is kept. */
  cancel(): void
  /** Is handed nothing more; what is unsettled goes back, where the wire keeps messages, and settling it does nothing. */
  release(): void
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
  let take: ((kept: Kept) => void) | undefined
  let scheduled = false

  function schedule(): void {
    if (scheduled || take === undefined) return
    scheduled = true
    setImmediate(handOut)
  }

  function handOut(): void {
    scheduled = false
    while (take !== undefined && waiting.length > 0) take(waiting.shift()!)
  }

  function putBack(kept: readonly Kept[]): void {
    waiting.unshift(...kept.map(({ frame }) => ({ frame, redelivered: true })))
  }

  function deliveryOf({ frame, redelivered }: Kept, settle: (outcome: Settlement) => void): Delivery {
    const { address, headers, body, messageId, at } = frame
    return {
      frame: { address, headers, body },
      receivedAt: Date.now(),
      redelivered,
      ...(messageId !== undefined && { messageId }),
      ...(timed && at !== undefined && { sentAt: Math.floor(at / 1000) * 1000 }),
      settle,
    }
  }

  function taker(to: (delivery: Delivery) => void): Taker {
    const unsettled = new Set<Kept>()
    const idle: (() => void)[] = []

    function mine(kept: Kept): void {
      unsettled.add(kept)
      to(deliveryOf(kept, (outcome) => settle(kept, outcome)))
    }

    function settle(kept: Kept, outcome: Settlement): void {
      if (!unsettled.delete(kept)) return
      if (outcome === 'retry' && keeps) {
        putBack([kept])
        setTimeout(schedule, RETRY_MS)
      }
      tellIdle()
    }

    function tellIdle(): void {
      if (unsettled.size === 0) for (const resolve of idle.splice(0)) resolve()
    }

    function cancel(): void {
      if (take !== mine) return
      if (!keeps) handOut() // was under way, and would be lost
      take = undefined
    }

    return {
      consume() {
        take = mine
        schedule()
      },
      cancel,
      release() {
        cancel()
        if (!keeps) return
        putBack([...unsettled])
        unsettled.clear()
        schedule()
        tellIdle()
      },
      settled: () => (unsettled.size === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    }
  }

  return {
    put(frame) {
      waiting.push({ frame, redelivered: false })
      schedule()
    },
    isTaken: () => take !== undefined,
    taker,
  }
}
