import type { Msg } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'

/** What arrived between the first message and the last. Bytes with headers, times in milliseconds. */
export interface Arrived {
  readonly count: number
  readonly bytes: number
  readonly tookMs: number
}

/** Counts what is published on a subject. */
export interface Arrivals {
  /** Forgets what came so far. */
  reset(): void
  /** Resolves when nothing has come for so long and `isDone` agrees. @throws Error when nothing comes at all for a minute. */
  untilQuiet(quietMs: number, isDone: () => Promise<boolean>): Promise<Arrived>
  close(): Promise<void>
}

/** Every message has it, with headers and subject; the library's types leave it out. */
type Sized = Msg & { size(): number }

const PATIENCE_MS = 60_000

/** Subscribes to the subject and waits until the server knows. */
export async function watchArrivals(natsUrl: string, subject: string): Promise<Arrivals> {
  const connection = await connect({ servers: natsUrl })
  let count = 0
  let bytes = 0
  let firstAt = 0
  let lastAt = 0
  connection.subscribe(subject, {
    callback(_error, message) {
      lastAt = performance.now()
      if (count === 0) firstAt = lastAt
      count++
      bytes += (message as Sized).size() - message.subject.length
    },
  })
  await connection.flush()
  return {
    reset() {
      count = 0
      bytes = 0
      lastAt = performance.now()
    },
    async untilQuiet(quietMs, isDone) {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        const quiet = performance.now() - lastAt
        if (quiet > quietMs && count > 0 && (await isDone())) return { count, bytes, tookMs: lastAt - firstAt }
        if (quiet > PATIENCE_MS) throw new Error(`nothing arrived for ${PATIENCE_MS} ms; ${count} messages before`)
      }
    },
    close: () => connection.close(),
  }
}
