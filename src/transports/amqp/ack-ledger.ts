import type { Channel, Message } from 'amqplib'
import type { Settlement } from '../transport.js'

/** How many settled deliveries may wait for a common acknowledgement. */
const BATCH = 64

/** Keeps what one channel delivered until it is settled, and answers the broker in batches. */
export interface AckLedger {
  /** Notes a delivery. Call in the order of arrival. */
  open(message: Message): void
  /** Settles it; harmless when done before or after the channel's end. */
  settle(message: Message, outcome: Settlement): void
  unsettled(): number
  /** Sends what waits, at once. */
  flush(): void
  /** The channel is gone: the broker delivers again whatever it has not heard of. */
  end(): void
}

/**
 * `done` deliveries without an open one before them are acknowledged together, at the next turn of the
 * event loop or after 64: fewer frames for the broker are what makes consuming fast. One whose elders are
 * still open is acknowledged by itself, so that it does not hold its place in the prefetch window.
 * Acknowledgements leave in the order of settling: those that a broken connection loses are the last.
 */
export function ackLedger(channel: Channel, onSettled: () => void): AckLedger {
  /** Delivery tags in order of arrival, which is ascending. */
  const open = new Set<number>()
  let done: Message[] = []
  let scheduled = false
  let ended = false

  function flush(): void {
    scheduled = false
    if (ended || done.length === 0) return
    const elders = oldestLeft(done, open.values().next().value ?? Number.POSITIVE_INFINITY)
    let run: Message | undefined
    for (const [at, message] of done.entries()) {
      const tag = message.fields.deliveryTag
      const isNext = run === undefined || tag > run.fields.deliveryTag
      if (isNext && tag < elders[at]!) {
        run = message
        continue
      }
      if (run !== undefined) channel.ack(run, true)
      run = undefined
      channel.ack(message)
    }
    if (run !== undefined) channel.ack(run, true)
    done = []
  }

  return {
    open: (message) => void open.add(message.fields.deliveryTag),
    settle(message, outcome) {
      if (ended || !open.delete(message.fields.deliveryTag)) return
      if (outcome !== 'done') {
        channel.nack(message, false, outcome === 'retry')
      } else {
        done.push(message)
        if (done.length >= BATCH) flush()
        else if (!scheduled) {
          scheduled = true
          setImmediate(flush)
        }
      }
      onSettled()
    },
    unsettled: () => open.size,
    flush,
    end() {
      ended = true
      open.clear()
      done = []
      onSettled()
    },
  }
}

/** For each of `done` the lowest tag that is still unacknowledged when all up to it are. */
function oldestLeft(done: readonly Message[], open: number): number[] {
  const lowest: number[] = new Array<number>(done.length)
  let low = open
  for (let at = done.length - 1; at >= 0; at--) {
    lowest[at] = low
    low = Math.min(low, done[at]!.fields.deliveryTag)
  }
  return lowest
}
