import { z } from 'zod'
import { completeCause } from '../model/index.js'
import { backoff, dialect, milliseconds, tlsSchema, token } from './link-parts.js'
import { type SecretSources, secretSchema } from './secrets.js'
import type { CustomParams } from './zod-faults.js'

const HTTP_URL = /^https?:\/\/[^\s/:@?#]+(:\d+)?(\/[^\s?#]*)?$|^https?:\/\/\[[0-9a-fA-F:]+\](:\d+)?(\/[^\s?#]*)?$/

/** Application that a link subscribes as. */
export const DEFAULT_APP = 'patchbay'

/** Steering tables of a link that names none. */
export const DEFAULT_STEERING = 'patchbay/steering/asterisk.yaml'

const LISTEN_HOST = '127.0.0.1'
const LISTEN_PATH = '/'

/** Where a link listens for its Asterisk, as written or by default: port and path. */
export function listenPlace({
  host,
  port,
  path,
}: {
  host?: string | undefined
  port?: number | undefined
  path?: string | undefined
}) {
  return { address: `${host ?? LISTEN_HOST}:${port}`, path: path ?? LISTEN_PATH }
}

/** Asterisk takes applications and sources as lists with commas. */
const item = z.string().regex(/^[^\s,"\\]+$/, 'want a name without spaces, commas, quotes and backslashes')
const listOrAll = z.union([z.literal('all'), z.array(item).min(1)])
const all = z.literal('all')

const subscribe = z
  .strictObject({
    all: z
      .boolean()
      .exactOptional()
      .describe(
        'Everything that Asterisk tells, whatever the application. Default: true where nothing else is named, and calls are not steered.',
      ),
    endpoints: listOrAll.exactOptional().describe('`all`, or endpoints as TECH/NAME or TECH. Default none.'),
    deviceStates: listOrAll.exactOptional().describe('`all`, or names of devices. Default none.'),
    bridges: all.exactOptional().describe('`all`. Default: those that channels of the application are in.'),
    channels: all.exactOptional().describe('`all`. Default: those in the application.'),
  })
  .refine(({ all, ...others }) => all !== true || Object.keys(others).length === 0, {
    error: '`all` stands beside other subscriptions, so events would come twice',
    params: { right: 'keep `all: true` alone, or name the others without it' } satisfies CustomParams,
  })

const eventTypes = z.array(z.string().regex(/^[A-Za-z]+$/, 'want names of event types, such as ChannelVarset'))

const eventFilter = z.strictObject({
  allowed: eventTypes.default([]).describe('Only these types of events; empty is all. Default [].'),
  disallowed: eventTypes
    .default(['ChannelVarset', 'ChannelDialplan'])
    .describe('Types that Asterisk holds back. Default ChannelVarset, ChannelDialplan.'),
})

const place = z.strictObject({
  context: z.string().min(1).describe('Context of the dialplan.'),
  extension: z.string().min(1).default('s').describe('Extension. Default s.'),
  priority: z.int().min(1).default(1).describe('Priority. Default 1.'),
})

const steer = z
  .strictObject({
    acceptWithinMs: milliseconds(100)
      .default(10_000)
      .describe('Time for a controller to accept a call that entered the application, milliseconds. Default 10000.'),
    hangup: z
      .string()
      .refine((name) => completeCause({ name })?.code !== undefined, {
        error: 'this is no hangup cause',
        params: { right: 'want one such as NO_USER_RESPONSE or USER_BUSY' } satisfies CustomParams,
      })
      .exactOptional()
      .describe('Cause with which a call ends that nobody accepted. Default NO_USER_RESPONSE.'),
    continueAt: place.exactOptional().describe('Where such a call goes on in the dialplan, instead of ending.'),
    shutdownWithinMs: milliseconds()
      .default(600_000)
      .describe('Longest time for running calls to go on after XNode.Shutdown, milliseconds. Default 600000.'),
    tables: z
      .string()
      .min(1)
      .default(DEFAULT_STEERING)
      .describe(`File of steering tables, relative to this file's folder. Default ${DEFAULT_STEERING}.`),
  })
  .refine(({ hangup, continueAt }) => hangup === undefined || continueAt === undefined, {
    error: '`hangup` and `continueAt` stand together',
    params: { right: 'keep one of them' } satisfies CustomParams,
  })

function listenSchema(secret: ReturnType<typeof secretSchema>) {
  return z.strictObject({
    host: z.string().min(1).default(LISTEN_HOST).describe(`Address to listen on. Default ${LISTEN_HOST}.`),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .describe('Port to listen on. Links may share it, each with a `path` or `username` of its own.'),
    path: z
      .string()
      .regex(/^\/[^\s?#]*$/, 'want a path such as /pbx1, without a query')
      .default(LISTEN_PATH)
      .describe(`Path in the \`uri\` of websocket_client.conf. Default ${LISTEN_PATH}.`),
    username: secret('User that Asterisk presents, the `username` of websocket_client.conf.').refine(
      (name) => !name.includes(':'),
      { error: 'a user has no colon', params: { right: 'want a name without colons' } satisfies CustomParams },
    ),
    password: secret('Its password.'),
    tls: tlsSchema(secret)
      .refine((tls) => tls.cert !== undefined, {
        error: 'a server needs a certificate',
        params: { right: 'want `cert` and `key`' } satisfies CustomParams,
      })
      .describe('WSS, by PEM texts or files; with `ca` Asterisk needs a certificate that it vouches for.')
      .exactOptional(),
  })
}

/** Longest time in which a silent Asterisk may go unnoticed, as long as nobody sets another. */
const NOTICED_MS = 5000

/** Schema of a link to an Asterisk. */
export function ariLinkSchema(sources: SecretSources) {
  const secret = secretSchema(sources)
  return z.strictObject({
    type: z.literal('ari'),
    dialect,
    url: z
      .string()
      .regex(HTTP_URL, 'want http[s]://host[:port][/prefix], credentials in their own keys')
      .describe("Asterisk's HTTP server, http[s]://host[:port][/prefix], without /ari."),
    username: secret('User of ari.conf.'),
    password: secret('Password of `username`.'),
    app: item
      .default(DEFAULT_APP)
      .describe('Application that we subscribe as. Nobody else may use its name on this Asterisk. Default patchbay.'),
    node: token.optional().describe('Our id of this Asterisk in facts of its calls. Default: the name of the link.'),
    subscribe: subscribe
      .prefault({})
      .describe('What Asterisk tells us beyond the channels that enter our application.'),
    eventFilter: eventFilter
      .prefault({})
      .describe('Types of events that Asterisk does not even send. Names are not checked by Asterisk.'),
    devices: z
      .array(item)
      .min(1)
      .exactOptional()
      .describe('Devices whose state is read after each connect, beside those subscribed to. Default none.'),
    qualifyIds: z
      .boolean()
      .default(false)
      .describe(
        'Write ids as NODE~ID, for an Asterisk whose `systemname` is empty or that of another link. Default false.',
      ),
    steer: steer
      .exactOptional()
      .describe(
        'Controllers on the XCC links that this link has routes to steer its calls: it is an XNode. Default: they watch.',
      ),
    tls: tlsSchema(secret).exactOptional(),
    listen: listenSchema(secret)
      .exactOptional()
      .describe(
        'Asterisk (20.15, 22.5 and later) opens the events socket to us, and queues events while it cannot. Requests go to `url` as ever. Default: we open it.',
      ),
    connectTimeoutMs: milliseconds()
      .default(10_000)
      .describe('Time for one try to connect, milliseconds. Default 10000.'),
    reconnect: backoff.describe('Pauses between tries to connect; they double, with jitter.'),
    pingIntervalMs: milliseconds(100).default(1000).describe('Time between pings, milliseconds. Default 1000.'),
    pongTimeoutMs: milliseconds(100)
      .default(3000)
      .describe(
        `Time for the answer, milliseconds; a silent Asterisk is noticed within both, ${NOTICED_MS} ms by default. Default 3000.`,
      ),
    replacedRetryMs: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(60_000)
      .describe(
        'Pause before the application is taken back from another subscriber, doubled each time it is soon lost again, up to an hour, milliseconds; 0 is never. Default 60000.',
      ),
    requestTimeoutMs: milliseconds(100).default(10_000).describe('Time for one request, milliseconds. Default 10000.'),
    maxConcurrentRequests: z
      .int()
      .min(1)
      .max(256)
      .default(16)
      .describe('Requests, and so connections, at a time; Asterisk has a thread for each. Default 16.'),
    maxUnsettled: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(16_384)
      .describe(
        'Events held while targets are slow or down; what exceeds it is dropped and counted, and a full picture follows. Default 16384.',
      ),
    userEvents: z
      .strictObject({
        application: item.describe('Application that is told.'),
      })
      .exactOptional()
      .describe('Where facts that are sent here go, as user events. Needed where a route leads here.'),
    deadLetters: token
      .optional()
      .describe(
        'Link that keeps what cannot be translated, of type amqp or nats. Default: the first of those in this file.',
      ),
  })
}
