import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type GuardedFolder, guardedFolder, type ServerProcess } from '../../../src/cli/private-brokers/index.js'
import { type AsteriskPlace, INSTANCE_BASE, SERVER_ARGS, STOP_TIMEOUT_MS } from './place.js'
import { ensureAsteriskRoot } from './root.js'

/**
 * Runs a program in the shared root with an instance's folder at {@link INSTANCE_BASE} and the time
 * zone TZ, which Asterisk reads from its file only. The mounts are seen by this process alone and go
 * with it. Arguments: root, folder, program and its arguments.
 */
const ENTER_SCRIPT = `
set -eu
root=$1 folder=$2
shift 2
mount -t proc proc "$root/proc"
mount --bind "$folder" "$root${INSTANCE_BASE}"
mount --bind "$root/usr/share/zoneinfo/$TZ" "$root/etc/localtime"
exec chroot "$root" "$@"
`
const START_OF_ENTER = ['--mount', '--propagation', 'private', '--', 'sh', '-c', ENTER_SCRIPT, 'sh']
const OUTPUT_FILE = 'out.log'
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024

function environment(timeZone: string): Record<string, string> {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: INSTANCE_BASE, TZ: timeZone }
}

async function endGently(server: ServerProcess): Promise<void> {
  const ended = server.end('SIGTERM')
  const waiting = new AbortController()
  const late = delay(STOP_TIMEOUT_MS, 'late', { signal: waiting.signal }).catch(() => 'ended')
  if ((await Promise.race([ended, late])) === 'late') await server.end('SIGKILL')
  waiting.abort()
}

/**
 * An instance in a chroot of the root that {@link ensureAsteriskRoot} made. Several share the root
 * side by side; nothing of an instance outlives this process. `fill` writes its folder.
 */
export async function chrootPlace(timeZone: string, fill: (folder: string) => void): Promise<AsteriskPlace> {
  const root = await ensureAsteriskRoot()
  const folder: GuardedFolder = guardedFolder('asterisk')
  fill(folder.path)
  const env = environment(timeZone)
  const enter = (program: string, args: readonly string[]) => [...START_OF_ENTER, root, folder.path, program, ...args]
  let server: ServerProcess | undefined
  return {
    get pid() {
      return server?.pid
    },
    running: async () => server?.running() ?? false,
    async start() {
      server = folder.spawn('unshare', enter('asterisk', SERVER_ARGS), env, OUTPUT_FILE)
    },
    async end(signal) {
      if (server?.running() !== true) return
      await (signal === 'SIGKILL' ? server.end(signal) : endGently(server))
    },
    async run(program, args) {
      const options = { env, maxBuffer: OUTPUT_LIMIT_BYTES }
      return (await promisify(execFile)('unshare', enter(program, args), options)).stdout
    },
    log: async () => `${folder.tail(OUTPUT_FILE)}\n${folder.tail('log/messages.log')}`.trim(),
    remove: () => folder.remove(),
  }
}
