import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freshSecret } from '../../tools/run-logs.js'

const TEMPLATES = fileURLToPath(new URL('./conf', import.meta.url))

/** Folders that Asterisk expects to find; without `recording` every request to record fails. */
const FOLDERS = [
  'etc',
  'lib/keys',
  'lib/sounds',
  'db',
  'spool/recording',
  'spool/tmp',
  'run',
  'log/cdr-custom',
  'cache',
]

/** Phones that may register, each with {@link phonePassword} of its number. */
export const PHONES = ['1001', '1002', '1003', '1004', '1005']

/** Users of every Asterisk that this process starts: the first may write, the second only read. */
export const ARI_USER = { name: 'patchbay', password: freshSecret('ari') }
export const ARI_READER = { name: 'reader', password: freshSecret('ari-reader') }

export function phonePassword(number: string): string {
  return `secret${number}`
}

/** What one Asterisk's configuration is written from. */
export interface AsteriskSettings {
  /** As told by `GET /ari/asterisk/info`; empty leaves it unset. */
  readonly systemName: string
  /** Six bytes in hex, with colons: `asterisk_id` of every event. */
  readonly entityId: string
  readonly httpPort: number
  readonly sipPort: number
  readonly rtpPorts: readonly [first: number, last: number]
  /** The application that extension 600 enters. */
  readonly app: string
  /** How long the dialplan rings a phone before it gives up; seconds. */
  readonly ringSeconds: number
  /** After how long idle REST connections are closed; milliseconds. */
  readonly keepAliveMs: number
  /** Lines for the general section of `ari.conf`. */
  readonly ariGeneral: readonly string[]
  /** Text appended to configuration files, by file name; a file that there is not is made of it. */
  readonly append: Readonly<Record<string, string>>
}

function phone(number: string): string {
  return [
    `[${number}](phone)`,
    `callerid = "Phone ${number}" <${number}>`,
    `auth = auth${number}`,
    `aors = ${number}`,
    `[auth${number}](phone-auth)`,
    `username = ${number}`,
    `password = ${phonePassword(number)}`,
    `[${number}](phone-aor)`,
  ].join('\n')
}

function valuesOf(base: string, settings: AsteriskSettings): Readonly<Record<string, string | number>> {
  const { systemName, entityId, httpPort, sipPort, app, ringSeconds, keepAliveMs } = settings
  return {
    base,
    systemName,
    entityId,
    httpPort,
    sipPort,
    app,
    ringSeconds,
    keepAliveMs,
    user: ARI_USER.name,
    password: ARI_USER.password,
    readOnlyUser: ARI_READER.name,
    readOnlyPassword: ARI_READER.password,
    rtpStart: settings.rtpPorts[0],
    rtpEnd: settings.rtpPorts[1],
    ariGeneral: settings.ariGeneral.join('\n'),
    phones: PHONES.map(phone).join('\n\n'),
    hints: PHONES.map((number) => `exten => ${number},hint,PJSIP/${number}`).join('\n'),
  }
}

/**
 * Makes the folders of one Asterisk in `folder` and writes its configuration, for a server that
 * sees the folder as `base`.
 */
export function writeConfiguration(folder: string, base: string, settings: AsteriskSettings): void {
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true })
  const values = valuesOf(base, settings)
  const fill = (_: string, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`a template of Asterisk's configuration asks for ${name}`)
    return String(value)
  }
  const templates = readdirSync(TEMPLATES)
  for (const file of new Set([...templates, ...Object.keys(settings.append)])) {
    const text = templates.includes(file) ? readFileSync(join(TEMPLATES, file), 'utf8') : ''
    writeFileSync(join(folder, 'etc', file), text.replace(/\{\{(\w+)\}\}/g, fill) + (settings.append[file] ?? ''))
  }
}
