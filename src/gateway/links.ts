import type { AmqpLinkConfig, Config, LinkConfig, NatsLinkConfig } from '../config/index.js'
import { subjectCovers } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import { type AmqpConfig, type AmqpConsume, type AmqpExchange, amqpTransport } from '../transports/amqp/index.js'
import { type NatsConfig, type NatsSubscription, natsTransport } from '../transports/nats/index.js'
import type { Address, Transport } from '../transports/transport.js'

/** What a link does in the routes of a gateway. */
export interface LinkRoles {
  /** Messages are taken from it. */
  readonly isSource: boolean
  /** It answers requests for calls that are watched through it. */
  readonly isNode: boolean
}

/** Subject on which requests to one node arrive. */
export function nodeSubject(uuid: string): string {
  return `cn.xswitch.node.${uuid}`
}

/** What makes a transport of each type of link. */
export interface TransportMakers {
  readonly amqp: (config: AmqpConfig) => Transport
  readonly nats: (config: NatsConfig) => Transport
}

/** Makes the transport of a link. Exchanges, keys and subjects are those of its dialect's mapping, and no others. */
export function makeTransport(
  name: string,
  link: LinkConfig,
  dialect: Dialect,
  roles: LinkRoles,
  { stopGraceMs }: Config,
  makers: TransportMakers = { amqp: amqpTransport, nats: natsTransport },
): Transport {
  if (link.type === 'amqp') {
    const { dead, ...topology } = amqpTopology(link, dialect, roles)
    return makers.amqp({ ...link, ...topology, keep: [dead], name, stopGraceMs })
  }
  return makers.nats({ ...link, subscriptions: natsSubscriptions(link, roles), name, stopGraceMs })
}

/** Where dead letters of a link go. */
export function deadLetterAddress(link: LinkConfig): Address {
  return link.type === 'amqp'
    ? { exchange: link.deadLetter.exchange, key: '' }
    : { subject: link.deadLetterSubject, deliver: deliveryOf(link) }
}

/** A stream that does not take dead letters would never confirm one. */
function deliveryOf({ stream, deadLetterSubject }: NatsLinkConfig): 'core' | 'jetstream' {
  return stream?.subjects.some((pattern) => subjectCovers(pattern, deadLetterSubject)) ? 'jetstream' : 'core'
}

interface AmqpTopology {
  readonly exchanges: AmqpExchange[]
  readonly consume: AmqpConsume[]
  readonly dead: AmqpConsume
}

/** An exchange whose messages all go without a key is a fanout, any other a topic exchange. */
function amqpTopology(link: AmqpLinkConfig, dialect: Dialect, { isSource }: LinkRoles): AmqpTopology {
  const keys = new Map<string, Set<string>>()
  for (const { addresses } of dialect.messages) {
    const exchange = addresses.get('exchange')?.fixed
    const key = addresses.get('key')?.fixed
    if (exchange === undefined || key === undefined) continue
    keys.set(exchange, (keys.get(exchange) ?? new Set()).add(key))
  }
  const exchanges = [...keys].map(([name, some]) => ({
    name,
    type: [...some].every((key) => key === '') ? 'fanout' : 'topic',
  }))
  const bindings = [...keys].flatMap(([exchange, some]) => [...some].map((key) => ({ exchange, key })))
  const { exchange, queue } = link.deadLetter
  return {
    exchanges: [...exchanges, { name: exchange, type: 'fanout' }],
    consume: isSource ? [{ queue: { ...link.queue }, bindings }] : [],
    dead: {
      queue: { name: queue, type: link.queue.type, singleActiveConsumer: false },
      bindings: [{ exchange, key: '' }],
    },
  }
}

function natsSubscriptions(link: NatsLinkConfig, { isSource, isNode }: LinkRoles): NatsSubscription[] {
  const out: NatsSubscription[] = isSource ? link.observe.map((subject) => ({ subject })) : []
  if (!isNode) return out
  const { uuid, shared } = link.node
  out.push({ subject: nodeSubject(uuid) })
  if (shared !== undefined) out.push({ subject: shared.subject, queue: shared.queue })
  return out
}
