import type { BackoffConfig } from '../backoff.js'
import type { TlsConfig } from '../tls.js'

/** An exchange to declare. */
export interface AmqpExchange {
  readonly name: string
  /** `topic`, `fanout`, `direct`, `headers`, or a type that a plugin adds. */
  readonly type: string
  /** Survives a restart of the broker. Default true. */
  readonly durable?: boolean
}

/** A queue to declare. */
export interface AmqpQueue {
  readonly name: string
  /** Default `quorum`. A quorum queue is declared without a limit of redeliveries. */
  readonly type?: 'quorum' | 'classic'
  /** Survives a restart of the broker. Default true; a quorum queue always does. */
  readonly durable?: boolean
  /** One of several gateways consumes, the others stand by. Default true. */
  readonly singleActiveConsumer?: boolean
  /** Where rejected messages go. Default: nowhere, they are lost at the broker. */
  readonly deadLetterExchange?: string
  /** Further queue arguments, e.g. `x-max-length`. Default none. */
  readonly arguments?: Readonly<Record<string, string | number | boolean>>
}

/** One queue to consume, and what is bound to it. */
export interface AmqpConsume {
  /** A queue to declare, or the name of one that is there already. */
  readonly queue: AmqpQueue | string
  /** Bindings to make, with exact or topic keys. Default none. */
  readonly bindings?: readonly { readonly exchange: string; readonly key: string }[]
  /** Bindings that are not wanted: those of an earlier configuration are taken away. Default none. */
  readonly unbound?: AmqpConsume['bindings']
  /** A share of other messages comes to the queue besides. Default none. */
  readonly shard?: AmqpShard
}

/** An exchange of the plugin rabbitmq_consistent_hash_exchange, between what is bound and the queues that share it. */
export interface AmqpShard {
  readonly exchange: string
  /** `header:NAME`, `property:message-id` or `property:correlation-id`: equal ones go to the same queue. */
  readonly by: string
  /** The queue gets no share any more. */
  readonly drain: boolean
  /** What is divided among the queues. */
  readonly bindings: NonNullable<AmqpConsume['bindings']>
}

/** What we present, and whom we trust. */
export type AmqpAccess = Pick<AmqpConfig, 'credentials' | 'tls'>

/** How {@link amqpTransport} reaches a RabbitMQ and what it does there. */
export interface AmqpConfig {
  /** Names the link in events and errors, and the connection at the broker. Default `amqp`. */
  readonly name?: string
  /** `amqp[s]://host[:port][/vhost]`, tried in turn. Credentials in an address serve when `credentials` is absent. */
  readonly urls: readonly string[]
  /** User and password, or `external`: the client certificate says who we are. */
  readonly credentials?: { readonly username: string; readonly password: string } | 'external'
  /** TLS material for `amqps:` addresses. */
  readonly tls?: TlsConfig
  /** Both as they are now, asked for each connection. Default: `credentials` and `tls`. */
  readonly access?: () => AmqpAccess
  /** Seconds between heartbeats. A peer that fell silent is noticed after two to three of them. Default 5. */
  readonly heartbeatSeconds?: number
  /** Milliseconds for one try to connect. Default 10,000. */
  readonly connectTimeoutMs?: number
  readonly reconnect?: BackoffConfig
  /** Messages each queue may hand us unsettled. Default 256. */
  readonly prefetch?: number
  /** Declare exchanges, queues and bindings. False where we may not: then all of them must be there. Default true. */
  readonly declare?: boolean
  readonly exchanges?: readonly AmqpExchange[]
  readonly consume?: readonly AmqpConsume[]
  /** What others consume that share messages with us: made by whoever comes first, all of it. Default none. */
  readonly beside?: readonly AmqpConsume[]
  /** Queues to declare and bind but not to consume, such as the one that keeps dead letters. Default none. */
  readonly keep?: readonly AmqpConsume[]
  readonly publish?: AmqpPublish
  /** Milliseconds `drain` and `stop` together wait for what is in flight. Default 10,000. */
  readonly stopGraceMs?: number
}

/** How frames are published. */
export interface AmqpPublish {
  /** Messages survive a restart of the broker in durable queues. Default true. */
  readonly persistent?: boolean
  /** Content type of every message. Default none. */
  readonly contentType?: string
  /** Frames that may be unconfirmed at a time. Default 1,000. */
  readonly window?: number
}
