import { z } from 'zod'
import { subjectMistake } from './nats-subjects.js'
import type { secretSchema } from './secrets.js'
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

/** Whole milliseconds, up to a day. */
export const milliseconds = (least = 1) => z.int().min(least).max(86_400_000)

/** Pauses between tries. */
export const backoff = z
  .strictObject({
    minDelayMs: milliseconds().default(100).describe('Shortest pause, milliseconds. Default 100.'),
    maxDelayMs: milliseconds().default(10_000).describe('Longest pause, milliseconds. Default 10000.'),
  })
  .refine(({ minDelayMs, maxDelayMs }) => minDelayMs <= maxDelayMs, {
    error: '`minDelayMs` is larger than `maxDelayMs`',
    params: { right: 'want minDelayMs ≤ maxDelayMs' } satisfies CustomParams,
  })
  .prefault({})

/** The dialect of a link. */
export const dialect = z.string().min(1).describe('Dialect spoken on this link: the `dialect:` of a mapping file.')

/** TLS material of a link. */
export function tlsSchema(secret: ReturnType<typeof secretSchema>) {
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
