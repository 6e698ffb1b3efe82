import { z } from 'zod'
import { backoff, dialect, milliseconds, tlsSchema } from './link-parts.js'
import { type SecretSources, secretSchema } from './secrets.js'
import type { CustomParams } from './zod-faults.js'

const amqpUrl = z.string().regex(/^amqps?:\/\/[^\s/]+(\/[^\s/]*)?$/, 'want amqp[s]://host[:port][/vhost]')

const queue = z.strictObject({
  name: z.string().min(1).max(255).optional().describe('Queue name. Default: patchbay.GROUP.LINK.'),
  type: z.enum(['quorum', 'classic']).default('quorum').describe('Queue type. Default quorum.'),
  singleActiveConsumer: z
    .boolean()
    .default(true)
    .describe('One consumer at a time, so that replicas keep the order. Default true.'),
})

const deadLetter = z.strictObject({
  exchange: z
    .string()
    .min(1)
    .max(255)
    .default('patchbay.dead-letters')
    .describe('Exchange they are published to. Default patchbay.dead-letters.'),
  queue: z
    .string()
    .min(1)
    .max(255)
    .default('patchbay.dead-letters')
    .describe('Queue that keeps them. Default patchbay.dead-letters.'),
})

const shard = z.strictObject({
  exchange: z
    .string()
    .min(1)
    .max(255)
    .describe(
      'Consistent-hash exchange of ours that gives each message about calls to one of the links that name it. RabbitMQ needs its plugin rabbitmq_consistent_hash_exchange.',
    ),
  by: z
    .string()
    .regex(
      /^(header:\S{1,200}|property:(message-id|correlation-id))$/,
      'want header:NAME, property:message-id or property:correlation-id',
    )
    .describe(
      'What decides which of them: `header:NAME` or `property:correlation-id` of each message, where its publisher writes the id of the call. The same for all of them.',
    ),
  drain: z
    .boolean()
    .default(false)
    .describe(
      'Get no calls any more, and take what is left in the queue: before the link is taken away. Default false.',
    ),
})

const amqpPublish = z.strictObject({
  persistent: z.boolean().default(true).describe('Messages survive a restart of the broker. Default true.'),
  window: z.int().min(1).max(100_000).default(1000).describe('Frames that may be unconfirmed at a time. Default 1000.'),
})

/** Schema of an AMQP link (RabbitMQ). */
export function amqpLinkSchema(sources: SecretSources) {
  const secret = secretSchema(sources)
  return z
    .strictObject({
      type: z.literal('amqp'),
      dialect,
      url: z
        .union([amqpUrl, z.array(amqpUrl).min(1)])
        .describe('Broker address, amqp[s]://host[:port][/vhost], or a list of them, tried in turn.'),
      username: secret('User. Default: that of `url`.').exactOptional(),
      password: secret('Password. Default: that of `url`.').exactOptional(),
      tls: tlsSchema(secret).exactOptional(),
      heartbeatSeconds: z
        .int()
        .min(1)
        .max(600)
        .default(5)
        .describe('Seconds between heartbeats; a silent peer is noticed after two to three. Default 5.'),
      connectTimeoutMs: milliseconds()
        .default(10_000)
        .describe('Time for one try to connect, milliseconds. Default 10000.'),
      reconnect: backoff.describe('Pauses between tries to connect; they double, with jitter.'),
      prefetch: z
        .int()
        .min(1)
        .max(65_535)
        .default(256)
        .describe('Messages held unacknowledged. More is faster, and more comes again after a crash. Default 256.'),
      declare: z
        .boolean()
        .default(true)
        .describe('Declare exchanges, queue and bindings; false for a broker we may not change. Default true.'),
      queue: queue.prefault({}).describe('The queue we consume from.'),
      messages: z
        .array(z.string().min(1))
        .min(1)
        .exactOptional()
        .describe('Messages that the queue is bound for, by their names in the mapping file. Default: all of them.'),
      shard: shard
        .exactOptional()
        .describe(
          'Take a share of the messages about calls, and nothing else: several links, and with them several replicas, carry what one cannot. Default: take all messages.',
        ),
      deadLetter: deadLetter.prefault({}).describe('Where what cannot be translated goes, the reason in its headers.'),
      publish: amqpPublish.prefault({}).describe('How we publish.'),
    })
    .refine((link) => (link.username === undefined) === (link.password === undefined), {
      error: 'only one of `username` and `password` is given',
      params: { right: 'want both or neither' } satisfies CustomParams,
    })
    .refine((link) => link.username !== undefined || link.tls?.cert !== undefined || hasCredentials(link.url), {
      error: 'the link has no credentials',
      params: { code: 'config.missing', right: 'add `username` and `password`' } satisfies CustomParams,
    })
}

function hasCredentials(url: string | readonly string[]): boolean {
  return [url].flat().every((each) => /^amqps?:\/\/[^@/]+@/.test(each))
}
