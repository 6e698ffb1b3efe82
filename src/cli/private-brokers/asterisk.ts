import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type GuardedFolder, guardedFolder, type ServerProcess } from './guarded-folder.js'
import { freePorts } from './loopback.js'

/** An Asterisk of our own, with nothing but its REST interface: no telephone can reach it. `stop` removes all of it. */
export interface PrivateAsterisk {
  /** `http://127.0.0.1:PORT`, without `/ari`. */
  readonly url: string
  readonly port: number
  readonly username: string
  readonly password: string
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 8000
const CONFIG_FILE = 'asterisk.conf'
const LOG_FILE = 'out.log'

/** Folders that Asterisk writes to, by the names it has for them; programs and sounds stay where they were installed. */
const FOLDERS = {
  astvarlibdir: 'lib',
  astdbdir: 'lib',
  astkeydir: 'lib',
  astspooldir: 'spool',
  astrundir: 'run',
  astlogdir: 'log',
} as const

/** What a call between channels of Asterisk's own needs. */
const MODULES = [
  'codec_ulaw',
  'res_sorcery_config',
  'res_http_websocket',
  'res_websocket_client',
  'res_stasis',
  'res_stasis_answer',
  'res_stasis_device_state',
  'res_stasis_playback',
  'res_stasis_recording',
  'res_stasis_snoop',
  'app_stasis',
  'res_ari',
  'res_ari_model',
  'res_ari_applications',
  'res_ari_asterisk',
  'res_ari_bridges',
  'res_ari_channels',
  'res_ari_device_states',
  'res_ari_endpoints',
  'res_ari_events',
]

/**
 * Starts `program` (an asterisk) on a free loopback port, about a second.
 * @throws Error with the end of its output when it does not come up.
 */
export async function startPrivateAsterisk(program: string): Promise<PrivateAsterisk> {
  const [port = 0] = await freePorts(1)
  const folder = guardedFolder('asterisk')
  const [username, password] = ['demo', randomBytes(12).toString('hex')]
  writeFiles(folder, port, username, password)
  const args = ['-C', join(folder.path, CONFIG_FILE), '-f', '-n']
  const server = folder.spawn(program, args, { ...process.env, HOME: folder.path }, LOG_FILE)
  const url = `http://127.0.0.1:${port}`
  try {
    await untilAnswering(`${url}/ari/asterisk/ping?api_key=${username}:${password}`, server)
  } catch (cause) {
    const log = folder.tail(LOG_FILE)
    await folder.remove()
    throw new Error(`asterisk did not start: ${log}`, { cause })
  }
  return { url, port, username, password, stop: () => folder.remove() }
}

function writeFiles({ path }: GuardedFolder, port: number, username: string, password: string): void {
  for (const name of new Set(Object.values(FOLDERS))) mkdirSync(join(path, name))
  const directories = Object.entries(FOLDERS).map(([name, folder]) => `${name} => ${join(path, folder)}`)
  const files = {
    [CONFIG_FILE]: [
      '[directories]',
      `astetcdir => ${path}`,
      ...directories,
      '[options]',
      `systemname = patchbay-${port}`,
      `entityid = 02:00:00:00:${hex(port >> 8)}:${hex(port & 0xff)}`,
    ],
    'modules.conf': ['[modules]', 'autoload = no', ...MODULES.map((name) => `load = ${name}.so`)],
    'http.conf': ['[general]', 'enabled = yes', 'bindaddr = 127.0.0.1', `bindport = ${port}`],
    'ari.conf': ['[general]', 'enabled = yes', `[${username}]`, 'type = user', `password = ${password}`],
    'logger.conf': ['[general]', '[logfiles]', 'console => warning,error'],
  }
  for (const [name, lines] of Object.entries(files)) {
    writeFileSync(join(path, name), `${lines.join('\n')}\n`, { mode: 0o600 })
  }
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0')

/** Asterisk answers before it is ready, with other codes. */
async function untilAnswering(url: string, server: ServerProcess): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (!(await isFine(url))) {
    if (!server.running()) throw new Error('it ended while starting')
    if (performance.now() > deadline) throw new Error(`no answer within ${START_TIMEOUT_MS} ms`)
    await delay(50)
  }
}

async function isFine(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok
  } catch {
    return false
  }
}
