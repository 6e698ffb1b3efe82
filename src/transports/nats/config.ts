import type { BackoffConfig } from '../backoff.js'
import type { TlsConfig } from '../tls.js'

/** One way to say who we are. */
export type NatsCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly token: string }
  /** An nkey seed, `SU…`. */
  | { readonly nkeySeed: string }
  /** The text of a `.creds` file. */
  | { readonly creds: string }

/** Subjects to listen on. */
export interface NatsSubscription {
  /** May hold wildcards, `*` and `>`. */
  readonly subject: string
  /** Queue group: of all its members one gets each message. Default none: everybody gets a copy. */
  readonly queue?: string
  /** What stands before the subject and is left out of what is told of it. Default none. */
  readonly prefix?: string
  /** Every replica takes from it, also one that stands by. Default: only the one that consumes. */
  readonly always?: true
}

/** The JetStream stream that takes what we publish with `deliver: jetstream`. */
export interface NatsStream {
  readonly name: string
  /** Subjects it has to take. It must never cover subjects on which requests are sent: it would answer them. */
  readonly subjects: readonly string[]
  /** Make it where it is missing. An existing one is compared, never changed. Default true. */
  readonly declare?: boolean
  /** Milliseconds within which an equal message id counts as the same message. Default 120,000. */
  readonly duplicateWindowMs?: number
  /** Milliseconds a message is kept; 0 is for ever. Default 0. */
  readonly maxAgeMs?: number
  /** Bytes the stream may hold before the oldest go; -1 is unlimited. Default -1. */
  readonly maxBytes?: number
  /** Copies in a cluster, 1 to 5. Default 1. */
  readonly replicas?: number
  /** Default `file`. */
  readonly storage?: 'file' | 'memory'
}

/** A stream that records subjects for us, so that what comes there is taken at least once, also what came while nobody took. */
export interface NatsCapture {
  /** Made where it is missing, with the subjects that it has to take. */
  readonly stream: NatsStream
  /** Any stream that takes all its subjects serves as well. Default false. */
  readonly anyStream?: boolean
  /** What is taken of that which the stream records; the rest is passed over. */
  readonly subjects: readonly Pick<NatsSubscription, 'subject' | 'prefix'>[]
  /** Beginning of our consumers' names, without `=`: equal for replicas that take turns, unlike all others. */
  readonly consumer: string
  /** Milliseconds after which the server sends again what is unsettled; copies of what we hold are recognised. Default 60,000. */
  readonly ackWaitMs?: number
  /** Messages from the oldest unsettled one on that the server may have sent. Default 1,000. */
  readonly maxUnacked?: number
}

/** What we present, and whom we trust. */
export type NatsAccess = Pick<NatsConfig, 'credentials' | 'tls'>

/** How {@link natsTransport} reaches NATS and what it does there. */
export interface NatsConfig {
  /** Names the link in events and errors, and the connection at the server. Default `nats`. */
  readonly name?: string
  /** `nats://host:port` or `tls://host:port`. */
  readonly servers: readonly string[]
  readonly credentials?: NatsCredentials
  readonly tls?: TlsConfig
  /** Both as they are now, asked for each connection. Default: `credentials` and `tls`. */
  readonly access?: () => NatsAccess
  /** Milliseconds for one try to connect. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds between pings. Default 1,000. */
  readonly pingIntervalMs?: number
  /** Pings that may go unanswered before the connection counts as dead. Default 2: noticed after 2 to 3 s. */
  readonly maxPingsOut?: number
  /** Pauses of the first connection's tries. */
  readonly connect?: BackoffConfig
  /** Milliseconds between tries to come back, once connected; up to half as much again at random. Default 500. */
  readonly reconnectWaitMs?: number
  /**
   * Milliseconds from coming back until what waited is published without a stream: subscribers that lost the same
   * server are back then as well. Replies to requests go at once. Default 0.
   */
  readonly resumeAfterMs?: number
  readonly subscriptions?: readonly NatsSubscription[]
  /** Subjects that a stream records and that are taken from there; none of them among `subscriptions`. Default none. */
  readonly recording?: NatsCapture | undefined
  /** Deliveries of subscriptions that may be unsettled at a time; what comes beyond is dropped and reported. Default 16,384. */
  readonly maxUnsettled?: number
  /** Whether publishing ends when the server read the message, or when a stream stored it. Default `core`. */
  readonly deliver?: 'core' | 'jetstream'
  /** Needed where `deliver` is `jetstream`. */
  readonly stream?: NatsStream
  /** Messages a stream may owe an acknowledgement for at a time. Default 256. */
  readonly streamWindow?: number
  /** Milliseconds to wait for a stream's acknowledgement before publishing again. Default 5,000. */
  readonly ackTimeoutMs?: number
  /** Milliseconds `drain` and `stop` together wait for what is in flight. Default 10,000. */
  readonly stopGraceMs?: number
}
