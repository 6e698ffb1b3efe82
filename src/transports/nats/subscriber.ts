import { setTimeout as delay } from 'node:timers/promises'
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'
import type { LinkEvent } from '../transport.js'
import type { NatsSubscription } from './config.js'
import { connectError } from './errors.js'

/** Takes messages from subjects, from some of them only while it does not stand by. */
export interface Subscriber {
  /** Subscribes on a new connection; the client library does so again on those that follow. @throws GatewayError when it cannot. */
  begin(connection: NatsConnection): Promise<void>
  /** Ends a standby. */
  consume(): void
  /** Stands by. Resolves when nothing more comes from subjects that one replica alone takes from. */
  release(): Promise<void>
  /** Ends all subscriptions for good. Resolves when nothing more comes. */
  drain(): Promise<void>
}

/** What a subscriber needs beside its subjects. */
interface SubscriberParts {
  readonly standby: boolean
  take(message: Msg, prefix: string): void
  report(event: LinkEvent): void
}

/** Milliseconds we wait for the server's word that nothing more comes by a subscription. */
const END_TIMEOUT_MS = 2000

/** Ends a subscription; what was under way still comes, as long as the server answers. */
async function end(subscription: Subscription): Promise<void> {
  const drained = subscription.drain().catch(() => undefined)
  await Promise.race([drained, delay(END_TIMEOUT_MS, undefined, { ref: false })])
  if (!subscription.isClosed()) subscription.unsubscribe()
}

/** Makes the subscriber of a link. */
export function makeSubscriber(wanted: readonly NatsSubscription[], parts: SubscriberParts): Subscriber {
  const { take, report } = parts
  const open = new Map<NatsSubscription, Subscription>()
  let standsBy = parts.standby
  let standing: NatsConnection | undefined
  let drained = false
  let releasing: Promise<unknown> = Promise.resolve()

  function subscribe(connection: NatsConnection): NatsSubscription[] {
    const missing = wanted.filter((each) => !open.has(each) && (each.always || !standsBy) && !drained)
    for (const each of missing) {
      const { subject, queue, prefix = '' } = each
      const subscription = connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        // A refused subscription also shows in the status events, which are what we report.
        callback: (error, message) => {
          if (error === null) take(message, prefix)
        },
      })
      open.set(each, subscription)
    }
    return missing
  }

  function tell(some: readonly NatsSubscription[]): void {
    for (const each of some) if (open.has(each)) report({ kind: 'consuming', source: each.subject })
  }

  async function resume(): Promise<void> {
    await releasing // until then an old subscription may take as well
    if (standing === undefined || standing.isClosed()) return
    const fresh = subscribe(standing)
    await standing.flush().catch(() => undefined) // the library subscribes again on the next connection
    tell(fresh)
  }

  async function endAll(some: readonly NatsSubscription[]): Promise<void> {
    const ended = some.map((each) => open.get(each))
    for (const each of some) open.delete(each)
    await Promise.all(ended.map((subscription) => subscription && end(subscription)))
  }

  return {
    async begin(connection) {
      open.clear()
      standing = connection
      const fresh = subscribe(connection)
      await connection.flush().catch((error: unknown) => {
        throw connectError(error, 'the subscriptions')
      })
      tell(fresh)
    },
    consume() {
      standsBy = false
      void resume()
    },
    async release() {
      standsBy = true
      releasing = Promise.all([releasing, endAll([...open.keys()].filter(({ always }) => !always))])
      await releasing
    },
    drain() {
      drained = true
      return endAll([...open.keys()])
    },
  }
}
