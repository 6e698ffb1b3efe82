import type { Channel, ChannelModel, Options } from 'amqplib'
import { GatewayError } from '../../errors.js'
import type { LinkEvent } from '../transport.js'
import type { AmqpConfig, AmqpConsume, AmqpQueue, AmqpShard } from './config.js'
import { HASH_EXCHANGE, reasonOf, replyCode } from './errors.js'

const PRECONDITION_FAILED = 406
const ACCESS_REFUSED = 403

type Report = (event: LinkEvent) => void

/** Runs something on a channel of its own: a refused declaration closes the channel it was made on. */
async function onChannel<T>(model: ChannelModel, action: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined) // the pending call rejects with the same reason
  const result = await action(channel)
  await channel.close()
  return result
}

function topologyError(what: string, error: unknown): GatewayError {
  const forbidden = replyCode(error) === ACCESS_REFUSED
  const options = { fate: forbidden ? 'reject' : 'retry', cause: error } as const
  return new GatewayError(forbidden ? 'link.forbidden' : 'link.refused', `${what}: ${reasonOf(error)}`, options)
}

/** Declares; where the broker has the thing with other properties, says so and goes on with what is there. */
async function declare(
  model: ChannelModel,
  what: string,
  report: Report,
  action: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  try {
    await onChannel(model, action)
  } catch (error) {
    const failure = topologyError(`cannot declare ${what}`, error)
    if (replyCode(error) !== PRECONDITION_FAILED) throw failure
    report({ kind: 'fault', error: failure })
  }
}

/** Redeliveries are limited by default from RabbitMQ 4 on, and only there may the limit be named to switch it off. */
function limitsRedeliveries(model: ChannelModel): boolean {
  return Number.parseInt(model.connection.serverProperties.version, 10) >= 4
}

function queueOptions(model: ChannelModel, queue: AmqpQueue): Options.AssertQueue {
  const type = queue.type ?? 'quorum'
  const options: Options.AssertQueue = {
    durable: type === 'quorum' || (queue.durable ?? true),
    arguments: {
      'x-queue-type': type,
      ...((queue.singleActiveConsumer ?? true) ? { 'x-single-active-consumer': true } : {}),
      ...(type === 'quorum' && limitsRedeliveries(model) ? { 'x-delivery-limit': -1 } : {}),
      ...queue.arguments,
    },
  }
  if (queue.deadLetterExchange !== undefined) options.deadLetterExchange = queue.deadLetterExchange
  return options
}

/** The name of the queue that an entry consumes. */
export function queueName({ queue }: AmqpConsume): string {
  return typeof queue === 'string' ? queue : queue.name
}

/**
 * Declares the configured exchanges, unless `declare` is off.
 * @throws GatewayError `link.forbidden` (reject) or `link.refused` (retry).
 */
export async function declareExchanges(model: ChannelModel, config: AmqpConfig, report: Report): Promise<void> {
  if (config.declare === false) return
  for (const { name, type, durable = true } of config.exchanges ?? []) {
    await declare(model, `exchange "${name}"`, report, (channel) => channel.assertExchange(name, type, { durable }))
  }
}

/** Declares a queue and its bindings, unless `declare` is off. Errors as {@link declareExchanges}. */
export function declareQueue(
  model: ChannelModel,
  config: AmqpConfig,
  entry: AmqpConsume,
  report: Report,
): Promise<void> {
  return declareQueues(model, config, [entry], report)
}

/**
 * Declares all that is consumed, here or beside, unless `declare` is off. Errors as {@link declareExchanges}. Queues join their
 * shards in the order of their names, in which RabbitMQ has them after it was started anew; and what is not wanted any
 * more is unbound last, so that nothing falls between two ways.
 */
export async function declareSources(model: ChannelModel, config: AmqpConfig, report: Report): Promise<void> {
  await declareExchanges(model, config, report)
  const entries = [...(config.consume ?? []), ...(config.beside ?? [])]
  const byName = entries.toSorted((one, other) =>
    Buffer.compare(Buffer.from(queueName(one)), Buffer.from(queueName(other))),
  )
  await declareQueues(model, config, byName, report)
}

async function declareQueues(
  model: ChannelModel,
  config: AmqpConfig,
  entries: readonly AmqpConsume[],
  report: Report,
): Promise<void> {
  if (config.declare === false) return
  for (const entry of entries) {
    const { queue } = entry
    const name = queueName(entry)
    if (typeof queue !== 'string') {
      const options = queueOptions(model, queue)
      await declare(model, `queue "${name}"`, report, (channel) => channel.assertQueue(name, options))
    }
    for (const { exchange, key } of entry.bindings ?? []) {
      const what = `cannot bind queue "${name}" to exchange "${exchange}" by "${key}"`
      await bind(model, what, (channel) => channel.bindQueue(name, exchange, key))
    }
  }
  for (const entry of entries) if (entry.shard !== undefined) await joinShards(model, queueName(entry), entry.shard)
  for (const { shard } of entries) if (shard !== undefined) await feedShards(model, shard)
  for (const entry of entries) {
    const name = queueName(entry)
    for (const { exchange, key } of entry.unbound ?? []) {
      const what = `cannot unbind queue "${name}" from exchange "${exchange}" by "${key}"`
      await bind(model, what, (channel) => channel.unbindQueue(name, exchange, key))
    }
  }
}

async function bind(model: ChannelModel, what: string, action: (channel: Channel) => Promise<unknown>): Promise<void> {
  try {
    await onChannel(model, action)
  } catch (error) {
    throw topologyError(what, error)
  }
}

/** To a consistent-hash exchange the key of a binding is a weight; all queues weigh the same. */
const WHOLE_SHARE = '1'

/** One of other properties cannot be used: it would divide the messages in another way than the configuration says. */
async function joinShards(model: ChannelModel, queue: string, shard: AmqpShard): Promise<void> {
  const { exchange: hash, by, drain } = shard
  const options = { durable: true, arguments: hashOf(by) }
  await bind(model, `cannot declare exchange "${hash}"`, (channel) =>
    channel.assertExchange(hash, HASH_EXCHANGE, options),
  )
  if (drain)
    await bind(model, `cannot unbind queue "${queue}" from exchange "${hash}"`, (channel) =>
      channel.unbindQueue(queue, hash, WHOLE_SHARE),
    )
  else
    await bind(model, `cannot bind queue "${queue}" to exchange "${hash}"`, (channel) =>
      channel.bindQueue(queue, hash, WHOLE_SHARE),
    )
}

async function feedShards(model: ChannelModel, { exchange: hash, bindings }: AmqpShard): Promise<void> {
  for (const { exchange, key } of bindings) {
    const what = `cannot bind exchange "${hash}" to exchange "${exchange}" by "${key}"`
    await bind(model, what, (channel) => channel.bindExchange(hash, exchange, key))
  }
}

/** In the plugin's words. */
function hashOf(by: string): Readonly<Record<string, string>> {
  const [kind, ...rest] = by.split(':')
  const name = rest.join(':')
  return kind === 'header' ? { 'hash-header': name } : { 'hash-property': name.replace('-', '_') }
}
