import type { AmqpLinkConfig, Config, LinkConfig, NatsLinkConfig } from '../config/index.js'
import { subjectCovers } from '../config/index.js'
import type { Dialect } from '../mapping/dialect.js'
import { type AmqpConfig, type AmqpConsume, type AmqpExchange, amqpTransport } from '../transports/amqp/index.js'
import { type AriConfig, ariTransport } from '../transports/ari-client/index.js'
import { ariServerTransport } from '../transports/ari-server/index.js'
import { type NatsCapture, type NatsConfig, type NatsSubscription, natsTransport } from '../transports/nats/index.js'
import type { Address, Transport } from '../transports/transport.js'

/** What a link does in the routes of a gateway. */
export interface LinkRoles {
  /** Messages are taken from it. */
  readonly isSource: boolean
  /** Links that share the calls of its broker, itself included where it is one of them. Default none. */
  readonly shards?: readonly AmqpLinkConfig[]
  /** It answers requests for calls that are watched through it. */
  readonly isNode: boolean
  /** Nodes whose requests it takes. */
  readonly nodes: readonly string[]
  /** Says why an Asterisk must not be used beside the others. */
  readonly refuseSystem?: AriConfig['refuseSystem']
  /** The link with its secrets as they are now. Default: as they were. */
  readonly current?: () => LinkConfig
}

/** Subject on which requests to one node arrive. */
export function nodeSubject(uuid: string): string {
  return `cn.xswitch.node.${uuid}`
}

/** What makes a transport of each type of link, where it is not the usual one. */
export interface TransportMakers {
  readonly amqp?: (config: AmqpConfig) => Transport
  readonly nats?: (config: NatsConfig) => Transport
}

/** A link as it is now: of the kind that it always was, which its name alone does not say. */
function asNow<L extends LinkConfig>(link: L, { current }: LinkRoles): { readonly access: () => L } {
  return { access: () => (current === undefined ? link : (current() as L)) }
}

/** Makes the transport of a link. Exchanges, keys and subjects are those of its dialect's mapping, and no others. */
export function makeTransport(
  name: string,
  link: LinkConfig,
  dialect: Dialect,
  roles: LinkRoles,
  { group, stopGraceMs }: Config,
  makers: TransportMakers = {},
): Transport {
  if (link.type === 'amqp') {
    const { dead, ...topology } = amqpTopology(link, dialect, roles)
    return (makers.amqp ?? amqpTransport)({
      ...link,
      ...asNow(link, roles),
      ...topology,
      keep: [dead],
      name,
      stopGraceMs,
    })
  }
  if (link.type === 'ari') {
    const refuse = roles.refuseSystem && { refuseSystem: roles.refuseSystem }
    return ariTransport({ ...link, ...asNow(link, roles), name, stopGraceMs, ...refuse })
  }
  if (link.type === 'ari-server') return ariServerTransport({ ...link, ...asNow(link, roles), name, stopGraceMs })
  const recording = natsCapture(link, roles, group, name)
  const subscriptions = natsSubscriptions(link, roles)
  return (makers.nats ?? natsTransport)({ ...link, ...asNow(link, roles), recording, subscriptions, name, stopGraceMs })
}

/** The link that keeps the dead letters of a link, and where; undefined where none can. */
export function deadLetterPlace(
  name: string,
  links: Config['links'],
): { readonly link: string; readonly address: Address } | undefined {
  const link = links[name]!
  // Nothing is taken from there, so there is nothing to put aside.
  if (link.type === 'ari-server') return undefined
  if (link.type !== 'ari') return { link: name, address: deadLetterAddress(link) }
  return link.deadLetters === undefined ? undefined : deadLetterPlace(link.deadLetters, links)
}

function deadLetterAddress(link: AmqpLinkConfig | NatsLinkConfig): Address {
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
  /** What others consume, and is made here as well. */
  readonly beside: AmqpConsume[]
  readonly dead: AmqpConsume
}

/** An exchange whose messages all go without a key is a fanout, any other a topic exchange. */
export function amqpTopology(
  link: AmqpLinkConfig,
  dialect: Dialect,
  { isSource, shards = [] }: Pick<LinkRoles, 'isSource' | 'shards'>,
): AmqpTopology {
  const exchanges = [...keysOf(dialect.messages)].map(([name, some]) => ({
    name,
    type: [...some].every((key) => key === '') ? 'fanout' : 'topic',
  }))
  const { exchange, queue } = link.deadLetter
  return {
    exchanges: [...exchanges, { name: exchange, type: 'fanout' }],
    consume: isSource ? [entryOf(link, dialect)] : [],
    beside: isSource
      ? shards.filter(({ queue: { name } }) => name !== link.queue.name).map((each) => entryOf(each, dialect))
      : [],
    dead: {
      queue: { name: queue, type: link.queue.type, singleActiveConsumer: false },
      bindings: [{ exchange, key: '' }],
    },
  }
}

/** What comes to the queue of a link; whatever else the dialect has does not, also where it did before. */
function entryOf({ queue: named, messages, shard }: AmqpLinkConfig, dialect: Dialect): AmqpConsume {
  const queue = { ...named }
  const all = dialect.messages
  if (shard !== undefined) {
    // What a server says of itself is about the calls of every shard.
    const bindings = bindingsOf(all.filter(({ rule }) => rule.fact === 'lifecycle'))
    const divided = bindingsOf(all.filter(({ rule }) => rule.fact === 'channel'))
    return { queue, bindings, unbound: without(bindingsOf(all), bindings), shard: { ...shard, bindings: divided } }
  }
  const bindings = bindingsOf(messages === undefined ? all : all.filter(({ name }) => messages.includes(name)))
  return { queue, bindings, unbound: without(bindingsOf(all), bindings) }
}

type Bindings = NonNullable<AmqpConsume['bindings']>

const bindingsOf = (messages: Dialect['messages']): Bindings =>
  [...keysOf(messages)].flatMap(([exchange, some]) => [...some].map((key) => ({ exchange, key })))

const without = (all: Bindings, some: Bindings): Bindings =>
  all.filter(({ exchange, key }) => !some.some((each) => each.exchange === exchange && each.key === key))

/** The keys of each exchange. */
function keysOf(messages: Dialect['messages']): ReadonlyMap<string, ReadonlySet<string>> {
  const keys = new Map<string, Set<string>>()
  for (const { addresses } of messages) {
    const exchange = addresses.get('exchange')?.fixed
    const key = addresses.get('key')?.fixed
    if (exchange === undefined || key === undefined) continue
    keys.set(exchange, (keys.get(exchange) ?? new Set()).add(key))
  }
  return keys
}

interface Observed {
  readonly subject: string
  readonly prefix: string
}

function observed({ observe, observePrefix: prefix = '' }: NatsLinkConfig): Observed[] {
  return observe.map((subject) => ({ subject: prefix + subject, prefix }))
}

/** Subjects of the stream that records for us; none where nothing does. */
function recorded({ capture, observe, observePrefix = '' }: NatsLinkConfig): string[] {
  return capture === undefined ? [] : (capture.subjects ?? observe).map((subject) => observePrefix + subject)
}

function isRecorded(link: NatsLinkConfig, { subject }: Observed): boolean {
  return recorded(link).some((pattern) => subjectCovers(pattern, subject))
}

function natsCapture(
  link: NatsLinkConfig,
  { isSource }: LinkRoles,
  group: string,
  name: string,
): NatsCapture | undefined {
  if (link.capture === undefined || !isSource) return undefined
  const { stream, subjects: _written, ackWaitMs, maxUnacked, ...keeping } = link.capture
  return {
    // Its publishers' ids are not ours to compare.
    stream: {
      ...keeping,
      name: stream ?? `PATCHBAY_CAPTURE_${group}_${name}`,
      subjects: recorded(link),
      duplicateWindowMs: 0,
    },
    anyStream: stream === undefined,
    subjects: observed(link).filter((each) => isRecorded(link, each)),
    consumer: `patchbay=${group}=${name}`,
    ackWaitMs,
    maxUnacked,
  }
}

function natsSubscriptions(link: NatsLinkConfig, { isSource, isNode, nodes }: LinkRoles): NatsSubscription[] {
  const out: NatsSubscription[] = isSource ? observed(link).filter((each) => !isRecorded(link, each)) : []
  const { uuid, shared } = link.node
  for (const node of isNode ? [...nodes, uuid] : nodes) out.push({ subject: nodeSubject(node), always: true })
  if ((isNode || nodes.length > 0) && shared !== undefined)
    out.push({ subject: shared.subject, queue: shared.queue, always: true })
  return out
}
