import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOG_FILE, SECRETS_FILE } from './run-logs.js'
import { type StepResult, verdict } from './steps.js'

/** Shorter ones stand in texts by chance. */
const SHORTEST = 8
const NEWLINE = 0x0a

/** A way in which a secret may stand in a log. */
interface Form {
  readonly bytes: Buffer
  /** Which secret, by its place among them: it is never shown. */
  readonly secret: number
}

/**
 * Looks for the secrets of a test run in the logs of its gateways: as they are, and as JSON, a URL or Base64 write
 * them. Fails, too, where there are no logs or no secrets, for then nothing is known.
 */
export function scanLogs(folder: string, tell: (line: string) => void): StepResult {
  const files = readdirSync(folder).sort()
  const secrets = secretsIn(files.filter((name) => name.endsWith(SECRETS_FILE)).map((name) => join(folder, name)))
  const forms = formsOf(secrets)
  const faults: string[] = []
  let lines = 0
  for (const name of files.filter((each) => each.endsWith(LOG_FILE))) {
    const text = readFileSync(join(folder, name))
    for (const byte of text) if (byte === NEWLINE) lines++
    faults.push(...findIn(text, forms).map(({ line, secret }) => `${name}:${line}: holds secret number ${secret + 1}`))
  }
  if (secrets.length === 0) faults.push(`no secret was noted in ${folder}: it is not known what to look for`)
  if (lines === 0) faults.push(`no gateway logged anything to ${folder}: there is nothing to look at`)
  tell(`${lines} lines of logs were looked through for ${secrets.length} secrets`)
  return verdict(faults)
}

function secretsIn(files: readonly string[]): string[] {
  const noted = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean))
  const texts = noted.flatMap((line) => (JSON.parse(line) as string).split(/\r?\n/)) // as `noteSecret` wrote it
  return [...new Set(texts)].filter((text) => text.length >= SHORTEST && !text.startsWith('-----'))
}

/** By their first three bytes. */
function formsOf(secrets: readonly string[]): Map<number, Form[]> {
  const forms = new Map<number, Form[]>()
  for (const [secret, text] of secrets.entries()) {
    const asJson = JSON.stringify(text).slice(1, -1)
    for (const form of new Set([text, asJson, encodeURIComponent(text), ...base64Forms(text)])) {
      const bytes = Buffer.from(form)
      const key = bytes.readUIntBE(0, 3)
      forms.set(key, [...(forms.get(key) ?? []), { bytes, secret }])
    }
  }
  return forms
}

/** The characters that are the same whatever stands before and behind, for each place in a group of three bytes. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
    return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
  })
}

function findIn(text: Buffer, forms: ReadonlyMap<number, readonly Form[]>): { line: number; secret: number }[] {
  const found: { line: number; secret: number }[] = []
  const begins = new Uint8Array(1 << 24)
  for (const key of forms.keys()) begins[key] = 1
  let line = 1
  let key = 0
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!
    if (byte === NEWLINE) line++
    key = ((key << 8) | byte) & 0xffffff
    if (begins[key] !== 1 || at < 2) continue
    const start = at - 2
    for (const { bytes, secret } of forms.get(key)!)
      if (text.subarray(start, start + bytes.length).equals(bytes)) found.push({ line, secret })
  }
  return found
}
