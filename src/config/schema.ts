import { z } from 'zod'
import { FACT_SHAPES, type FactKind } from '../model/index.js'
import { amqpLinkSchema } from './amqp-link-schema.js'
import { ariLinkSchema } from './ari-link-schema.js'
import { ariServerLinkSchema } from './ari-server-link-schema.js'
import { subjectSchema, token } from './link-parts.js'
import { natsLinkSchema } from './nats-link-schema.js'
import { type SecretSources, secretSchema } from './secrets.js'

/** Kinds of facts, in the order of the model. */
const FACT_KINDS = Object.keys(FACT_SHAPES) as [FactKind, ...FactKind[]] // keys of the model's own table

const port = z.int().min(0).max(65_535)
const count = z.int().min(1)

function adminSchema(sources: SecretSources) {
  const secret = secretSchema(sources)
  return z.strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on. Default 127.0.0.1.'),
    port: port
      .default(9464)
      .describe('Port of /metrics, /livez, /readyz, /status, /rules and /reload; 0 takes any free one. Default 9464.'),
    token: secret(
      'Who sends it as `Authorization: Bearer TOKEN` may POST /reload. Default: nobody may.',
    ).exactOptional(),
    stallMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(2000)
      .describe(
        'Time in which the process may do nothing else, milliseconds; what takes longer is a stall, and /livez says 503 when stalls took half of the last minute. 0: it never does. Default 2000.',
      ),
  })
}

const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level written; debug has a line for every frame. Default info.'),
  format: z
    .enum(['json', 'text'])
    .default('json')
    .describe('One JSON object a line, or text for people. Default json.'),
})

const traces = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Record spans of messages and commands. Where they go, and how many, the standard variables of OpenTelemetry say (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER and others). Default false.',
    ),
})

const limits = z.strictObject({
  bytes: count.default(4_194_304).describe('Largest body, bytes. Default 4194304.'),
  depth: count.max(10_000).default(100).describe('Deepest nesting in a body. Default 100.'),
  nodes: count.default(300_000).describe('Most values in a body, repeated ones counted again. Default 300000.'),
  aliases: count.default(10_000).describe('Most YAML aliases in a body. Default 10000.'),
})

const sync = z.strictObject({
  publisher: z
    .enum(['auto', 'none'])
    .default('auto')
    .describe(
      'Whether others publish full pictures on our links: `auto` listens for them, `none` says that ours is the whole. Default auto.',
    ),
  waitMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(2000)
    .describe('Time a living legacy publisher has to answer a sync before we do, milliseconds. Default 2000.'),
  publisherAliveMs: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(60_000)
    .describe('Time a legacy publisher counts as alive after its last message, milliseconds. Default 60000.'),
})

const store = z.strictObject({
  link: token.optional().describe('NATS link whose servers keep it. Default: the first one in this file.'),
  copies: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe('Copies in a NATS cluster; 3 survive the loss of a server. Default 1.'),
  keepMs: z
    .int()
    .min(60_000)
    .max(2_592_000_000)
    .default(21_600_000)
    .describe(
      'Time after which something vanishes that no replica refreshed, milliseconds: what is up is refreshed at a third of it. Default 21600000.',
    ),
  spreadAfterMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(0)
    .describe(
      'Time without a change among the replicas after which one that takes from two links more than another leaves one to it, milliseconds; 0: links stay where they are. Default 0.',
    ),
  declare: z
    .boolean()
    .default(true)
    .describe(
      'Make bucket and stream where they are missing; existing ones are compared, never changed. Default true.',
    ),
})

const reload = z.strictObject({
  everyMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(500)
    .describe(
      'Pause between two looks at this file, the mapping files and files of secrets, milliseconds; 0: only at SIGHUP. Default 500.',
    ),
  calls: z
    .enum(['keep', 'current'])
    .default('keep')
    .describe(
      'Rules of calls that are up at a reload: `keep` those that they began with, or the `current` ones at once; then a route that keeps its name must keep its target. Default keep.',
    ),
})

const route = z.strictObject({
  name: token.optional().describe('Name in metrics and logs. Default: FROM-to-TO.'),
  from: z.string().min(1).describe('Link that messages are taken from.'),
  to: z.string().min(1).describe('Link that they are sent to.'),
  facts: z
    .array(z.enum(FACT_KINDS))
    .min(1)
    .default(FACT_KINDS)
    .describe('Kinds of facts that take this route. Default: all.'),
  loopback: z.boolean().default(false).describe('Also announce loopback channels. Default false.'),
  subject: subjectSchema('refused')
    .exactOptional()
    .describe(
      "Towards XCC: subject of the events of calls that nobody owns. Default: the mapping's setting `ctrl-subject`.",
    ),
  cdrOrder: z
    .enum(['before-end', 'after-end'])
    .default('before-end')
    .describe('Towards XCC: whether a CDR that we make stands before DESTROY or after it. Default before-end.'),
  sync: z
    .strictObject({
      ask: z
        .boolean()
        .default(true)
        .describe('Ask `from` for a full picture at the start and after a gap. Default true.'),
      answer: z.boolean().default(true).describe('Answer syncs asked on `to`. Default true.'),
    })
    .prefault({})
    .describe('Roles in syncs.'),
})

/** Makes the schema of `patchbay.yaml`; `sources` tells where the secrets that it names are found. */
export function configSchema(sources: SecretSources) {
  const link = z.discriminatedUnion('type', [
    amqpLinkSchema(sources),
    natsLinkSchema(sources),
    ariLinkSchema(sources),
    ariServerLinkSchema(sources),
  ])
  return z.strictObject({
    group: token.describe(
      'Name of this gateway, the same for all its replicas. It guards against loops and names our queues and our node.',
    ),
    mappings: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        "Mapping files, relative to this file's folder; `patchbay/NAME` is a shipped one. Default: the shipped ones.",
      ),
    settings: z
      .record(z.string(), z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])))
      .default({})
      .describe('By dialect: other values for the `settings:` of its mapping file.'),
    admin: adminSchema(sources).prefault({}).describe('The admin server.'),
    reload: reload.prefault({}).describe('Changes of routes, mappings and settings while the gateway runs.'),
    log: log.prefault({}).describe('The log, on standard output.'),
    traces: traces.prefault({}).describe('Traces of what is done with each message, by OpenTelemetry.'),
    limits: limits.prefault({}).describe('Bounds of a message; what exceeds them is a dead letter.'),
    state: z
      .enum(['memory', 'jetstream'])
      .default('memory')
      .describe(
        'Where the state of calls is kept: with the process (one replica), or in NATS JetStream, which several replicas of a group share. Default memory.',
      ),
    store: store.prefault({}).describe('The store of `state: jetstream`.'),
    stopGraceMs: z
      .int()
      .min(0)
      .max(600_000)
      .default(10_000)
      .describe('Time that a stop may take to finish what is in flight, milliseconds. Default 10000.'),
    sync: sync.prefault({}).describe('Full pictures of calls and terminals.'),
    awayMs: z
      .int()
      .min(1000)
      .max(86_400_000)
      .default(600_000)
      .describe(
        'Time after which calls of an Asterisk that stays out of reach count as ended, milliseconds. Default 600000.',
      ),
    links: z.record(token, link).describe('Brokers and switches, by a name of your choice.'),
    routes: z.array(route).min(1).describe('Which facts go from which link to which.'),
  })
}

type Parsed = z.output<ReturnType<typeof configSchema>>
type ParsedLink = Parsed['links'][string]
type ParsedAmqp = Extract<ParsedLink, { readonly type: 'amqp' }>
type ParsedNats = Extract<ParsedLink, { readonly type: 'nats' }>
type ParsedAri = Extract<ParsedLink, { readonly type: 'ari' }>
type ParsedAriServer = Extract<ParsedLink, { readonly type: 'ari-server' }>

/** All values down to the leaves read-only. */
export type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/**
 * An AMQP link with everything decided, in the words of the transport's own options. Without
 * `credentials` those of the addresses serve.
 */
export type AmqpLinkConfig = DeepReadonly<
  Omit<ParsedAmqp, 'queue' | 'url' | 'username' | 'password'> & {
    urls: string[]
    credentials?: { username: string; password: string } | 'external'
    queue: Omit<ParsedAmqp['queue'], 'name'> & { name: string }
  }
>

type NatsSecrets = 'username' | 'password' | 'token' | 'nkeySeed' | 'creds'

/**
 * A NATS link with everything decided, in the words of the transport's own options. `stream` is
 * there with `deliver: jetstream` only; `node.shared` only where it was asked for.
 */
export type NatsLinkConfig = DeepReadonly<
  Omit<ParsedNats, 'node' | 'stream' | NatsSecrets> & {
    credentials?: { username: string; password: string } | { token: string } | { nkeySeed: string } | { creds: string }
    stream?: ParsedNats['stream']
    node: Omit<ParsedNats['node'], 'uuid' | 'name'> & { uuid: string; name: string }
  }
>

/**
 * A link to an Asterisk with everything decided, in the words of the transport's own options. Without
 * `deadLetters` there is no link that could keep them.
 */
export type AriLinkConfig = DeepReadonly<
  Omit<ParsedAri, 'node' | 'username' | 'password' | 'subscribe' | 'deadLetters'> & {
    deadLetters?: string
    credentials: { username: string; password: string }
    node: string
    subscribe: Omit<ParsedAri['subscribe'], 'all'> & { all: boolean }
  }
>

/** A link to which ARI applications connect, with everything decided, in the words of the transport's own options. */
type AriServerLinkConfig = DeepReadonly<ParsedAriServer>

/** A link of any kind, told apart by `type`. */
export type LinkConfig = AmqpLinkConfig | NatsLinkConfig | AriLinkConfig | AriServerLinkConfig

/** A route with its name. */
export type RouteConfig = DeepReadonly<Parsed['routes'][number] & { name: string }>

/** `patchbay.yaml` as read: defaults applied, secrets read, paths absolute, frozen. */
export type Config = DeepReadonly<Omit<Parsed, 'links' | 'routes' | 'mappings' | 'store'>> & {
  /** Where replicas share what they know; absent with `state: memory`. */
  readonly store?: DeepReadonly<Omit<Parsed['store'], 'link'> & { link: string }>
  /** Absolute paths. */
  readonly mappings: readonly string[]
  readonly links: Readonly<Record<string, LinkConfig>>
  readonly routes: readonly RouteConfig[]
}

/** What the schema gives before names that depend on other keys are filled in. */
export type ParsedConfig = Parsed

/** JSON Schema (draft 2020-12) of `patchbay.yaml`, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema({ env: {}, folder: '.' }), { io: 'input' })
  return { title: 'Patchbay configuration', ...schema }
}
