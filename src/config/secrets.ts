import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Environment } from './environment.js'
import type { CustomParams } from './zod-faults.js'

/** Where secrets are found: variables, and files relative to the configuration's folder. */
export interface SecretSources {
  readonly env: Environment
  readonly folder: string
  /** Reads a file by its absolute path, or throws as Node does. Default: from the file system. */
  readonly read?: ((path: string) => string) | undefined
}

type SecretForm = string | { env: string } | { file: string }

/**
 * Makes the schema of a secret: the text itself, `{ env: NAME }` or `{ file: path }`, read when
 * the configuration is, and files again when they change. One line break at the end of a file is not part of the secret.
 */
export function secretSchema(
  sources: SecretSources,
): (about: string) => z.ZodPipe<z.ZodType<SecretForm>, z.ZodTransform<string, SecretForm>> {
  const form: z.ZodType<SecretForm> = z.union([
    z.string().min(1).describe('the value itself'),
    z.strictObject({ env: z.string().min(1).describe('name of an environment variable') }),
    z.strictObject({ file: z.string().min(1).describe("file that holds the value; relative to this file's folder") }),
  ])
  const read = z.transform((written: SecretForm, ctx: z.RefinementCtx): string => {
    const found = readSecret(written, sources)
    if (typeof found === 'string') return found
    const params: CustomParams = found
    ctx.addIssue({ code: 'custom', message: found.what, params: { ...params } })
    return z.NEVER
  })
  return (about) => form.pipe(read).meta({ description: about, writeOnly: true })
}

type Refusal = CustomParams & { readonly what: string }

const fromDisk = (path: string) => readFileSync(path, 'utf8')

function readSecret(written: SecretForm, { env, folder, read = fromDisk }: SecretSources): string | Refusal {
  if (typeof written === 'string') return written
  if ('env' in written) {
    const found = env[written.env]
    if (found !== undefined && found !== '') return found
    const what = `the environment variable ${written.env} is ${found === undefined ? 'not set' : 'empty'}`
    return { code: 'config.environment', what, right: 'set it' }
  }
  const path = resolve(folder, written.file)
  try {
    const found = read(path).replace(/\r?\n$/, '')
    if (found !== '') return found
    return { code: 'config.file', what: `the file ${written.file} is empty`, right: 'put the secret in it' }
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason' // file system calls throw nothing else
    const right = "name a readable file, relative to this file's folder"
    return { code: 'config.file', what: `the file ${written.file} cannot be read (${reason})`, right }
  }
}
