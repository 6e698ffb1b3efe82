import { z } from 'zod'
import { dialect, milliseconds, tlsSchema, token } from './link-parts.js'
import { type SecretSources, secretSchema } from './secrets.js'
import type { CustomParams } from './zod-faults.js'

const ORIGIN = /^https?:\/\/[^\s/?#]+$|^\*$/

/** Port of Asterisk's own HTTP server. */
const DEFAULT_PORT = 8088

/** Address that a link of this kind listens on, as written or by default. */
export function listenAddress(host: string | undefined, port: number | undefined): string {
  return `${host ?? '127.0.0.1'}:${port ?? DEFAULT_PORT}`
}

function userSchema(secret: ReturnType<typeof secretSchema>) {
  return z.strictObject({
    name: z
      .string()
      .regex(/^[^\s:]+$/, 'want a name without spaces and colons')
      .describe('Name that an application gives.'),
    password: secret('Its password.'),
    readOnly: z.boolean().default(false).describe('It may listen and read, nothing else. Default false.'),
  })
}

/** Schema of a link to which ARI applications connect. */
export function ariServerLinkSchema(sources: SecretSources) {
  const secret = secretSchema(sources)
  return z.strictObject({
    type: z.literal('ari-server'),
    dialect,
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on. Default 127.0.0.1.'),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(DEFAULT_PORT)
      .describe(`Port to listen on; 0 takes any free one. Default ${DEFAULT_PORT}.`),
    users: z
      .array(userSchema(secret))
      .min(1)
      .refine((users) => new Set(users.map(({ name }) => name)).size === users.length, {
        error: 'a name stands twice',
        params: { right: 'give each user a name of its own' } satisfies CustomParams,
      })
      .describe('Who may connect, by Basic authentication or `api_key`.'),
    asteriskId: token
      .default('patchbay')
      .describe(
        '`asterisk_id` of what we say ourselves; that of events is the setting `asterisk-id` of their mapping. Default patchbay.',
      ),
    allowedOrigins: z
      .array(z.string().regex(ORIGIN, 'want http[s]://host[:port], or `*`'))
      .default([])
      .describe('Web pages that may connect, by their origin; `*` is all. What is no browser always may. Default [].'),
    tls: tlsSchema(secret)
      .refine((tls) => tls.cert !== undefined, {
        error: 'a server needs a certificate',
        params: { right: 'want `cert` and `key`' } satisfies CustomParams,
      })
      .describe('HTTPS and WSS, by PEM texts or files; with `ca` clients need a certificate that it vouches for.')
      .exactOptional(),
    extraEvents: z
      .array(z.string().regex(/^[A-Za-z]+$/, 'want names of event types, such as MyEvent'))
      .default([])
      .describe('Types of events, beside those of Asterisk 22, that applications may be sent. Default [].'),
    backlogBytes: z
      .int()
      .min(1024)
      .default(4_194_304)
      .describe('Bytes that may wait for an application that reads slowly, before it is cut off. Default 4194304.'),
    bodyBytes: z.int().min(1024).default(65_536).describe('Largest body of a request, bytes. Default 65536.'),
    messageBytes: z.int().min(1024).default(131_072).describe('Largest frame of a client, bytes. Default 131072.'),
    requestTimeoutMs: milliseconds(100)
      .default(10_000)
      .describe('Time that a client has for a request, milliseconds. Default 10000.'),
    pingIntervalMs: milliseconds(100)
      .default(20_000)
      .describe('Time between pings, milliseconds; who has not answered by the next is cut off. Default 20000.'),
    maxSockets: z.int().min(1).max(100_000).default(100).describe('Event sockets at a time. Default 100.'),
  })
}
