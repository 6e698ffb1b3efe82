import { GatewayError } from '../../errors.js'
import type { OutgoingFrame, Transport } from '../transport.js'
import { embeddedLink } from './link.js'
import { subjectFits, topicFits } from './patterns.js'
import { makeQueue, type Queue } from './queue.js'

/** A named queue and what is bound to it. */
interface Consume {
  readonly queue: { readonly name: string } | string
  readonly bindings?: readonly { readonly exchange: string; readonly key: string }[]
}

/** The part of an AMQP link's configuration that an embedded broker knows. */
export interface EmbeddedAmqp {
  readonly name?: string
  /** `topic` and `direct` go by the key, any other type gives every queue a copy. */
  readonly exchanges?: readonly { readonly name: string; readonly type: string }[]
  readonly consume?: readonly Consume[]
  /** Queues that are bound but not consumed. */
  readonly keep?: readonly Consume[]
  /** Milliseconds `drain` and `stop` wait for what is in flight. Default 10,000. */
  readonly stopGraceMs?: number
}

/** The part of a NATS link's configuration that an embedded broker knows. */
export interface EmbeddedNats {
  readonly name?: string
  readonly subscriptions?: readonly { readonly subject: string; readonly queue?: string; readonly always?: true }[]
  /** Milliseconds `drain` and `stop` wait for what is in flight. Default 10,000. */
  readonly stopGraceMs?: number
}

/** Exchanges, queues and subjects inside this process, for trying things out where no broker is. */
export interface EmbeddedBroker {
  /** A link that takes and sends like one to RabbitMQ: address `{exchange, key}`. */
  amqp(config: EmbeddedAmqp): Transport
  /** A link that takes and sends like one to core NATS: address `{subject}`, with `reply` on a request. */
  nats(config: EmbeddedNats): Transport
}

interface Subscription {
  readonly subject: string
  readonly group: string | undefined
  readonly always: boolean
  readonly queue: Queue
}

/** Makes a broker that lives as long as this process and keeps nothing beyond it. */
export function embeddedBroker(): EmbeddedBroker {
  const exchanges = new Map<string, string>()
  const queues = new Map<string, Queue>()
  const bindings: { exchange: string; key: string; queue: Queue }[] = []
  const subscriptions = new Set<Subscription>()

  function declare({ queue, bindings: wanted = [] }: Consume): Queue {
    const name = typeof queue === 'string' ? queue : queue.name
    const found = queues.get(name) ?? makeQueue({ timed: true, keeps: true })
    queues.set(name, found)
    for (const { exchange, key } of wanted) bindings.push({ exchange, key, queue: found })
    return found
  }

  /** Every queue with a binding that fits gets one copy. False when there is none. */
  function route(frame: OutgoingFrame): boolean {
    const { exchange = '', key = '' } = frame.address
    const type = exchanges.get(exchange)
    if (type === undefined) throw new GatewayError('link.refused', `there is no exchange ${exchange}`)
    const byKey = type === 'topic' ? topicFits : type === 'direct' ? Object.is : () => true
    const bound = bindings.filter((each) => each.exchange === exchange && byKey(each.key, key))
    const reached = new Set(bound.map(({ queue }) => queue))
    for (const queue of reached) queue.put(frame)
    return reached.size > 0
  }

  /** Every subscription that fits gets a copy; of a queue group the one that waited longest. */
  function publish(frame: OutgoingFrame): boolean {
    const { subject = '' } = frame.address
    const served = new Set<string>()
    for (const subscription of [...subscriptions]) {
      const { group, queue } = subscription
      if (!queue.isTaken() || !subjectFits(subscription.subject, subject)) continue
      if (group !== undefined && served.has(group)) continue
      queue.put(frame)
      if (group === undefined) continue
      served.add(group)
      subscriptions.delete(subscription)
      subscriptions.add(subscription)
    }
    return true
  }

  return {
    amqp: ({ name = 'amqp', exchanges: wanted = [], consume = [], keep = [], stopGraceMs }) =>
      embeddedLink({
        name,
        stopGraceMs,
        open() {
          for (const exchange of wanted) exchanges.set(exchange.name, exchange.type)
          for (const entry of keep) declare(entry)
          return consume.map((entry) => ({
            source: typeof entry.queue === 'string' ? entry.queue : entry.queue.name,
            queue: declare(entry),
            always: false,
          }))
        },
        close: () => undefined,
        publish: route,
      }),
    nats({ name = 'nats', subscriptions: wanted = [], stopGraceMs }) {
      const own = wanted.map(({ subject, queue: group, always = false }): Subscription => {
        return { subject, group, always, queue: makeQueue({ timed: false, keeps: false }) }
      })
      return embeddedLink({
        name,
        stopGraceMs,
        open() {
          for (const each of own) subscriptions.add(each)
          return own.map(({ subject: source, queue, always }) => ({ source, queue, always }))
        },
        close() {
          for (const each of own) subscriptions.delete(each)
        },
        publish,
      })
    },
  }
}
