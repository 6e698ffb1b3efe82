import { amqpTransport } from '../../src/transports/amqp/index.js'
import { natsTransport } from '../../src/transports/nats/index.js'
import type { Address, OutgoingFrame, Transport } from '../../src/transports/transport.js'
import type { TestNats, TestRabbitMq } from '../harness/index.js'
import { freshName, freshVhost, type RabbitMqControl, startNats, startRabbitMq } from '../harness/index.js'

/** The ends of one route through one broker, for the conformance suite. */
export interface Ends {
  /** Where the sender sends to so that the receiver gets it. */
  readonly address: Address
  /** Where nobody listens. */
  readonly unheard: Address
  readonly sender: Transport
  readonly receiver: Transport
  /** Another replica of the receiver; `by` replaces its address, e.g. by that of a proxy. */
  replica(by?: (url: string) => string): Transport
}

/** A broker that a test may kill. `quiet` passes before it may be killed. */
export interface OwnBroker {
  readonly url: string
  readonly port: number
  readonly control: RabbitMqControl | null
  kill9(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What the suite has to know of one kind of link. */
export interface LinkKind {
  readonly name: string
  readonly wire: 'amqp' | 'nats'
  /** Keeps what it took in a stream. */
  readonly stores: boolean
  /** Keeps for its receivers what comes while none of them takes, and what they give back. */
  readonly keeps: boolean
  /** Says when nobody is bound to receive. */
  readonly returns: boolean
  /** A frame larger than the broker or the wire takes. */
  tooLarge(address: Address): OutgoingFrame
  /** Milliseconds within which the settings of `ends` notice a peer that fell silent. */
  readonly silenceMs: number
  /** Milliseconds a broker needs after a declaration before it may be killed. */
  readonly settleMs: number
  own(): Promise<OwnBroker>
  /** A route of its own; `through` replaces the sender's address, e.g. by that of a proxy. */
  ends(url: string, control: RabbitMqControl | null, through?: (url: string) => string): Promise<Ends>
}

async function amqpEnds(url: string, control: RabbitMqControl | null, type: 'classic' | 'quorum', through = same) {
  const own = await freshVhost(url, control)
  const exchange = freshName('x')
  const exchanges = [{ name: exchange, type: 'topic' }]
  const shared = { exchanges, heartbeatSeconds: 1, stopGraceMs: 2000 }
  const queue = { name: freshName('q'), type }
  const consume = [{ queue, bindings: [{ exchange, key: 'a.#' }] }]
  const replica = (by = same) => amqpTransport({ ...shared, urls: [by(own)], name: 'receiver', consume })
  return {
    address: { exchange, key: 'a.b' },
    unheard: { exchange, key: 'nobody' },
    sender: amqpTransport({ ...shared, urls: [through(own)], name: 'sender' }),
    receiver: replica(),
    replica,
  }
}

const same = (url: string) => url

function natsEnds(url: string, deliver: 'core' | 'jetstream', through = same): Ends {
  const prefix = freshName('s')
  const shared = { pingIntervalMs: 500, reconnectWaitMs: 100, stopGraceMs: 2000 }
  const stream = { name: freshName('stream'), subjects: [`${prefix}.>`] }
  const subscriptions = [{ subject: `${prefix}.>` }]
  const replica = (by = same) => natsTransport({ ...shared, servers: [by(url)], name: 'receiver', subscriptions })
  return {
    address: { subject: `${prefix}.a` },
    unheard: { subject: `${freshName('n')}.nobody` },
    sender: natsTransport({ ...shared, servers: [through(url)], name: 'sender', deliver, stream }),
    receiver: replica(),
    replica,
  }
}

const rabbitMq = (broker: TestRabbitMq): OwnBroker => broker
const nats = (broker: TestNats): OwnBroker => ({ ...broker, control: null })

const amqpKind = (type: 'classic' | 'quorum'): LinkKind => ({
  name: `amqp, ${type} queue`,
  wire: 'amqp',
  stores: false,
  keeps: true,
  returns: true,
  tooLarge: (address) => ({ address, headers: { huge: 'x'.repeat(70_000) }, body: new Uint8Array() }),
  silenceMs: 4000,
  settleMs: 2000,
  own: async () => rabbitMq(await startRabbitMq()),
  ends: (url, control, through) => amqpEnds(url, control, type, through),
})

const natsKind = (deliver: 'core' | 'jetstream'): LinkKind => ({
  name: `nats, ${deliver}`,
  wire: 'nats',
  stores: deliver === 'jetstream',
  keeps: false,
  returns: false,
  tooLarge: (address) => ({ address, headers: {}, body: new Uint8Array(1024 * 1024 + 1) }),
  silenceMs: 2000,
  settleMs: 100,
  own: async () => nats(await startNats()),
  ends: async (url, _control, through) => natsEnds(url, deliver, through),
})

export const LINK_KINDS: readonly LinkKind[] = [
  amqpKind('quorum'),
  amqpKind('classic'),
  natsKind('core'),
  natsKind('jetstream'),
]
