import { setTimeout as delay } from 'node:timers/promises'
import { type Msg, type NatsConnection, PermissionViolationError, type Subscription } from '@nats-io/nats-core'
import type { LinkEvent } from '../transport.js'
import type { NatsSubscription } from './config.js'
import { connectError, forbidden } from './errors.js'

/** Takes messages from subjects, from some of them only while it does not stand by. */
export interface Subscriber {
  /** Subscribes on a new connection; the client library does so again on those that follow. @throws GatewayError when it cannot. */
  begin(connection: NatsConnection): Promise<void>
  /** The connection is back: what the server had refused is asked for again, which the client library does not do. */
  again(): void
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
/** Pause before a subscription that the server refused is tried again: permissions change while it runs. Milliseconds. */
const REFUSED_MS = 2000

const troubleOf = ({ subject }: NatsSubscription) => `subscription ${subject}`

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
  const refused = new Set<NatsSubscription>()
  let standsBy = parts.standby
  let standing: NatsConnection | undefined
  let drained = false
  let retry: NodeJS.Timeout | undefined
  /** The connection is the first one, and what it was refused just now it would be refused again. */
  let isFirst = true
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
          else if (error instanceof PermissionViolationError) refuse(each, error)
        },
      })
      open.set(each, subscription)
    }
    return missing
  }

  /** A link that is refused a part of its subjects does not consume: who looks at it is to see that something is missing. */
  function tell(some: readonly NatsSubscription[]): void {
    for (const each of some) {
      if (!open.has(each)) continue
      allow(each)
      report({ kind: 'consuming', source: each.subject })
    }
  }

  /** The library has ended the subscription by then. */
  function refuse(each: NatsSubscription, error: PermissionViolationError): void {
    if (!open.delete(each) || drained) return
    clearTimeout(retry)
    retry = setTimeout(() => void resume(), REFUSED_MS).unref()
    if (refused.has(each)) return
    refused.add(each)
    report({ kind: 'trouble', of: troubleOf(each), error: forbidden(error) })
  }

  function allow(each: NatsSubscription): void {
    if (refused.delete(each)) report({ kind: 'mended', of: troubleOf(each) })
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
      for (const each of [...refused]) allow(each)
      isFirst = true
      standing = connection
      const fresh = subscribe(connection)
      await connection.flush().catch((error: unknown) => {
        throw connectError(error, 'the subscriptions')
      })
      tell(fresh)
    },
    again() {
      const some = isFirst ? [] : [...refused]
      isFirst = false
      for (const each of some) allow(each)
      if (some.length > 0 && !drained) void resume()
    },
    consume() {
      standsBy = false
      void resume()
    },
    async release() {
      standsBy = true
      for (const each of [...refused]) if (!each.always) allow(each)
      releasing = Promise.all([releasing, endAll([...open.keys()].filter(({ always }) => !always))])
      await releasing
    },
    drain() {
      drained = true
      clearTimeout(retry)
      return endAll([...open.keys()])
    },
  }
}
