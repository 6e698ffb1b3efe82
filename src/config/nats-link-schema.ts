import { z } from 'zod'
import { backoff, dialect, milliseconds, subjectSchema, tlsSchema, token } from './link-parts.js'
import { subjectMistake } from './nats-subjects.js'
import { type SecretSources, secretSchema } from './secrets.js'
import type { CustomParams } from './zod-faults.js'

/** Event subjects of XCC, by default observed and kept in our stream; the status subject included. */
export const XCC_EVENT_SUBJECTS = [
  'cn.xswitch.ctrl',
  'cn.xswitch.ctrl.>',
  'cn.xswitch.event.>',
  'cn.xswitch.status.node',
]

const DEAD_LETTERS = 'patchbay.dead-letters'

/** Stream that we deliver to, where no other is named. */
export const STREAM_NAME = 'PATCHBAY'

/** What a stream takes by default: all that we publish. */
export const STREAM_SUBJECTS = [...XCC_EVENT_SUBJECTS, DEAD_LETTERS]

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
  results: z
    .enum(['response', 'Event.Result'])
    .default('response')
    .describe(
      'How results that come later are published: as plain responses with the id of the request, or as an event of that name. Default response.',
    ),
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

/** How a stream keeps what it takes. */
const storage = {
  declare: z
    .boolean()
    .default(true)
    .describe('Make the stream where it is missing; an existing one is compared, never changed. Default true.'),
  maxAgeMs: z
    .int()
    .min(0)
    .default(86_400_000)
    .describe('Time a message is kept, milliseconds; 0 is for ever. Default 86400000.'),
  maxBytes: z.int().min(-1).default(-1).describe('Size at which the oldest go, bytes; -1 is unlimited. Default -1.'),
  replicas: z.int().min(1).max(5).default(1).describe('Copies in a cluster. Default 1.'),
  storage: z.enum(['file', 'memory']).default('file').describe('Where the server keeps it. Default file.'),
}

const streamSchema = z.strictObject({
  name: token.default(STREAM_NAME).describe(`Stream name. Default ${STREAM_NAME}.`),
  subjects: z
    .array(subjectSchema('allowed'))
    .min(1)
    .default(STREAM_SUBJECTS)
    .describe(`Subjects of the stream; never request subjects. Default ${STREAM_SUBJECTS.join(', ')}.`),
  ...storage,
  duplicateWindowMs: milliseconds(100)
    .default(120_000)
    .describe('Time in which an equal message id means the same message, milliseconds. Default 120000.'),
})

const captureSchema = z.strictObject({
  stream: token
    .exactOptional()
    .describe(
      'Name of the stream. Default: any that takes these subjects, and PATCHBAY_CAPTURE_GROUP_LINK where there is none.',
    ),
  subjects: z
    .array(subjectSchema('allowed'))
    .min(1)
    .exactOptional()
    .describe(
      'Subjects of the stream, each of which takes all of one or more observed subjects; the other observed ones are heard as they are said. Default: those of `observe`.',
    ),
  ...storage,
  ackWaitMs: milliseconds(1000)
    .default(60_000)
    .describe(
      'Time after which the server sends again what is not acknowledged, milliseconds; copies of what is held are recognised. Default 60000.',
    ),
  maxUnacked: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Messages from the oldest unacknowledged one on that we may hold; the rest stays there. Default 1000.'),
})

/** `jetstream` stands for all the defaults. */
const capture = z
  .union([z.literal('jetstream'), captureSchema])
  .transform((written) => (written === 'jetstream' ? captureSchema.parse({}) : written))

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
      username: secret('User; needs `password`.').exactOptional(),
      password: secret('Password of `username`.').exactOptional(),
      token: secret('Token, instead of `username`.').exactOptional(),
      nkeySeed: secret('NKey seed, SU…, instead of `username`.').exactOptional(),
      creds: secret('Content of a .creds file, instead of `username`; give it as `{ file: path }`.').exactOptional(),
      tls: tlsSchema(secret).exactOptional(),
      connectTimeoutMs: milliseconds()
        .default(10_000)
        .describe('Time for one try to connect, milliseconds. Default 10000.'),
      connect: backoff.describe("Pauses between the first connection's tries; they double, with jitter."),
      reconnectWaitMs: milliseconds()
        .default(500)
        .describe('Pause between tries to come back, milliseconds; up to half as much again at random. Default 500.'),
      resumeAfterMs: z
        .int()
        .min(0)
        .max(600_000)
        .default(2500)
        .describe(
          'Time from coming back until events that waited go out, milliseconds: by then subscribers that lost the same server are back as well; most NATS clients try every 2 s. Replies do not wait, nor does what a stream takes. Default 2500.',
        ),
      pingIntervalMs: milliseconds(100)
        .default(1000)
        .describe(
          'Time between pings, milliseconds; with `maxPingsOut` it decides when a silent server is noticed. Default 1000.',
        ),
      maxPingsOut: z
        .int()
        .min(1)
        .max(100)
        .default(2)
        .describe('Pings without an answer until the link counts as lost. Default 2.'),
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
      observePrefix: z
        .string()
        .regex(/^([^\s.*>]+\.)*([^\s.*>]+[.-])?$/, 'want the beginning of a subject, such as from-cherry.')
        .exactOptional()
        .describe(
          'What stands before observed subjects, for an observer in a management account: `from-cherry.` for a tenant. Default none.',
        ),
      capture: capture
        .exactOptional()
        .describe(
          'Record observed subjects in a JetStream stream, and take them from there: at least once, also what is said while no replica runs. `jetstream`, or settings. Default: they are heard as they are said.',
        ),
      node: nodeSchema.prefault({}).describe('The XNode that controllers see in us.'),
      maxUnsettled: z
        .int()
        .min(1)
        .max(10_000_000)
        .default(16_384)
        .describe(
          'Messages held while targets are slow or down; what exceeds it is dropped and counted. Default 16384.',
        ),
      streamWindow: z
        .int()
        .min(1)
        .max(100_000)
        .default(256)
        .describe('Messages a stream may owe an acknowledgement for at a time. Default 256.'),
      ackTimeoutMs: milliseconds(100)
        .default(5000)
        .describe("Time to wait for a stream's acknowledgement before publishing again, milliseconds. Default 5000."),
      deadLetterSubject: subjectSchema('refused')
        .default(DEAD_LETTERS)
        .describe('Subject for what cannot be translated, with the reason in headers. Default patchbay.dead-letters.'),
    })
    .superRefine((link, ctx) => {
      const kinds = (['username', 'token', 'nkeySeed', 'creds'] as const).filter((kind) => link[kind] !== undefined)
      const refuse = (message: string, right: string) => ctx.addIssue({ code: 'custom', message, params: { right } })
      if (kinds.length > 1)
        refuse(`${kinds.map((kind) => `\`${kind}\``).join(' and ')} stand together`, 'keep one of them')
      if ((link.username === undefined) !== (link.password === undefined)) {
        refuse('only one of `username` and `password` is given', 'want both or neither')
      }
    })
}
