import { z } from 'zod'
import { subjectMistake } from './nats-subjects.js'
import { type SecretSources, secretSchema } from './secrets.js'
import type { CustomParams } from './zod-faults.js'

/** A name that is safe in metrics, queue names and subjects. */
export const token = z.string().regex(/^[A-Za-z0-9_-]+$/, 'want letters, digits, `_` and `-` only')

/** A NATS subject; with `wildcards: 'allowed'` a pattern of subjects. */
export function subjectSchema(wildcards: 'allowed' | 'refused'): z.ZodString {
  return z.string().superRefine((subject, ctx) => {
    const mistake = subjectMistake(subject, wildcards)
    if (mistake === undefined) return
    const params: CustomParams = { code: 'config.subject', right: `a subject ${mistake}` }
    ctx.addIssue({ code: 'custom', message: `\`${subject}\` is not a subject`, params: { ...params } })
  })
}

const milliseconds = (least = 1) => z.int().min(least).max(86_400_000)

const reconnect = z
  .strictObject({
    minDelayMs: milliseconds().default(100).describe('Shortest pause before a new try, milliseconds. Default 100.'),
    maxDelayMs: milliseconds().default(10_000).describe('Longest pause between tries, milliseconds. Default 10000.'),
  })
  .refine(({ minDelayMs, maxDelayMs }) => minDelayMs <= maxDelayMs, {
    error: '`minDelayMs` is larger than `maxDelayMs`',
    params: { right: 'want minDelayMs ≤ maxDelayMs' } satisfies CustomParams,
  })
  .prefault({})
  .describe('Pauses between tries to reconnect: they double, with jitter, from `minDelayMs` to `maxDelayMs`.')

const dialect = z.string().min(1).describe('Dialect spoken on this link: the `dialect:` of a mapping file.')

function tlsSchema(secret: ReturnType<typeof secretSchema>) {
  const pem = (about: string) =>
    secret(about).refine((text) => text.includes('-----BEGIN '), {
      error: 'this is not PEM text',
      params: { right: 'name a PEM file as `{ file: path }`' } satisfies CustomParams,
    })
  return z
    .strictObject({
      ca: pem('Certificates of the authorities to trust, PEM. Default: those of Node.').exactOptional(),
      cert: pem('Our certificate, PEM; needs `key`.').exactOptional(),
      key: pem('Private key of `cert`, PEM.').exactOptional(),
      passphrase: secret('Passphrase of `key`.').exactOptional(),
      servername: z
        .string()
        .min(1)
        .exactOptional()
        .describe("Name expected in the peer's certificate. Default: the host."),
    })
    .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), {
      error: 'only one of `cert` and `key` is given',
      params: { right: 'want both or neither' } satisfies CustomParams,
    })
    .describe('TLS, by PEM texts or files.')
}

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
      reconnect,
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

/** Event subjects of XCC, by default observed and kept in our stream; the status subject included. */
export const XCC_EVENT_SUBJECTS = [
  'cn.xswitch.ctrl',
  'cn.xswitch.ctrl.>',
  'cn.xswitch.event.>',
  'cn.xswitch.status.node',
]

const nodeSchema = z.strictObject({
  uuid: z
    .string()
    .superRefine((uuid, ctx) => {
      const mistake = subjectMistake(uuid, 'refused')
      const params: CustomParams = {
        code: 'config.subject',
        right: `a subject, of which it becomes a part, ${mistake}`,
      }
      if (mistake !== undefined)
        ctx.addIssue({ code: 'custom', message: 'this is no node uuid', params: { ...params } })
    })
    .optional()
    .describe('Our node_uuid: requests come to cn.xswitch.node.UUID. Default: the group.'),
  name: z.string().min(1).optional().describe('Name that controllers list us under. Default: the uuid.'),
  register: z
    .boolean()
    .default(true)
    .describe('Announce ourselves by NodeRegister, NodeUpdate and NodeUnregister. Default true.'),
  updateIntervalMs: milliseconds(1000)
    .default(20_000)
    .describe('Time between NodeUpdate events, milliseconds; controllers forget a node after 45 s. Default 20000.'),
  shared: z
    .strictObject({
      subject: subjectSchema('refused')
        .default('cn.xswitch.node')
        .describe('Shared request subject. Default cn.xswitch.node.'),
      queue: token.describe('Queue group: that of the real nodes, or a Dial is answered twice.'),
    })
    .optional()
    .describe('Also answer requests to any node. Default: we do not.'),
})

const streamSchema = z.strictObject({
  name: token.default('PATCHBAY').describe('Stream name. Default PATCHBAY.'),
  subjects: z
    .array(subjectSchema('allowed'))
    .min(1)
    .default(XCC_EVENT_SUBJECTS)
    .describe(`Subjects of the stream; never request subjects. Default ${XCC_EVENT_SUBJECTS.join(', ')}.`),
  declare: z.boolean().default(true).describe('Create the stream when it is missing. Default true.'),
  replicas: z.int().min(1).max(5).default(1).describe('Copies of the stream, when we create it. Default 1.'),
  maxAgeSeconds: z
    .int()
    .min(1)
    .default(86_400)
    .describe('Age at which messages leave the stream, seconds, when we create it. Default 86400.'),
  duplicateWindowSeconds: z
    .int()
    .min(1)
    .default(120)
    .describe('Time in which a repeated message id is a duplicate, seconds, when we create it. Default 120.'),
})

const NATS_URL = /^((nats|tls):\/\/)?[^\s/:@]+(:\d+)?$|^((nats|tls):\/\/)?\[[0-9a-fA-F:]+\](:\d+)?$/

/** Schema of a NATS link. */
export function natsLinkSchema(sources: SecretSources) {
  const secret = secretSchema(sources)
  return z
    .strictObject({
      type: z.literal('nats'),
      dialect,
      servers: z
        .array(z.string().regex(NATS_URL, 'want [nats://|tls://]host[:port], credentials in their own keys'))
        .min(1)
        .describe('Servers of one cluster, [nats://|tls://]host[:port].'),
      user: secret('User; needs `password`.').exactOptional(),
      password: secret('Password of `user`.').exactOptional(),
      token: secret('Token, instead of `user`.').exactOptional(),
      nkey: secret('NKey seed, instead of `user`.').exactOptional(),
      creds: secret('Content of a .creds file, instead of `user`; name the file as `{ file: path }`.').exactOptional(),
      tls: tlsSchema(secret).exactOptional(),
      connectTimeoutMs: milliseconds()
        .default(10_000)
        .describe('Time for one try to connect, milliseconds. Default 10000.'),
      reconnect,
      pingIntervalMs: milliseconds(100)
        .default(2000)
        .describe(
          'Time between pings, milliseconds; with `maxPingsOut` decides when a silent server is noticed. Default 2000.',
        ),
      maxPingsOut: z
        .int()
        .min(1)
        .max(100)
        .default(2)
        .describe('Pings without an answer before the link counts as lost. Default 2.'),
      deliver: z
        .enum(['core', 'jetstream'])
        .default('core')
        .describe(
          'Confirmed by the server having read it (core), or by a stream having stored it (jetstream). Default core.',
        ),
      stream: streamSchema.prefault({}).describe('The stream that `deliver: jetstream` publishes to.'),
      observe: z
        .array(subjectSchema('allowed'))
        .min(1)
        .default(XCC_EVENT_SUBJECTS)
        .describe(
          `Subjects taken when a route comes from here, without a queue group. Default ${XCC_EVENT_SUBJECTS.join(', ')}.`,
        ),
      node: nodeSchema.prefault({}).describe('The XNode that controllers see in us.'),
      bufferMessages: z
        .int()
        .min(1)
        .max(10_000_000)
        .default(10_000)
        .describe(
          'Messages held while targets are slow or down; what exceeds it is dropped and counted. Default 10000.',
        ),
      deadLetterSubject: subjectSchema('refused')
        .default('patchbay.dead-letters')
        .describe('Subject for what cannot be translated, with the reason in headers. Default patchbay.dead-letters.'),
    })
    .superRefine((link, ctx) => {
      const kinds = (['user', 'token', 'nkey', 'creds'] as const).filter((kind) => link[kind] !== undefined)
      const refuse = (message: string, right: string) => ctx.addIssue({ code: 'custom', message, params: { right } })
      if (kinds.length > 1)
        refuse(`${kinds.map((kind) => `\`${kind}\``).join(' and ')} stand together`, 'keep one of them')
      if ((link.user === undefined) !== (link.password === undefined)) {
        refuse('only one of `user` and `password` is given', 'want both or neither')
      }
    })
}
