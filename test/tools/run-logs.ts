/** What the gateways of a test run log, and the secrets that they were given, in one folder; `log-scan.ts` looks at both. */
import { randomBytes } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Names the folder. Where it is not set nothing is kept. */
export const LOGS_VARIABLE = 'PATCHBAY_TEST_LOGS'
/** Ends of names of files with logs, and with secrets, a JSON text a line each. */
export const LOG_FILE = '.log'
export const SECRETS_FILE = '.secrets'

const open = new Map<string, number>()

/** Each process of the run has files of its own. */
function append(ending: string, line: string): void {
  const folder = process.env[LOGS_VARIABLE]
  if (folder === undefined || folder === '') return
  const file = open.get(ending) ?? openSync(join(folder, `${process.pid}${ending}`), 'a')
  open.set(ending, file)
  writeSync(file, line.endsWith('\n') ? line : `${line}\n`)
}

/** Keeps a line that a gateway logged, or anything else that it printed. */
export function noteLine(line: string): void {
  append(LOG_FILE, line)
}

/** Keeps a text that no log may hold. Of PEM its lines count each for itself. */
export function noteSecret(secret: string): void {
  append(SECRETS_FILE, JSON.stringify(secret))
}

/** A secret that stands nowhere by chance, and is looked for in all logs of the run. */
export function freshSecret(kind: string): string {
  const secret = `x${randomBytes(12).toString('hex')}-${kind}` // a digit behind a colon would look like a port
  noteSecret(secret)
  return secret
}
