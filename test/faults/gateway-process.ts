import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { loadConfig, secretValues } from '../../src/config/index.js'
import { noteLine, noteSecret } from '../tools/run-logs.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'dist', 'main.js')
const LOCK = join(tmpdir(), 'patchbay-build.lock')

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The gateway as a process of its own, as an operator runs it. */
export interface GatewayProcess {
  readonly pid: number
  /** What it wrote, a line each. */
  readonly lines: readonly string[]
  readonly ended: Promise<Ending>
  isRunning(): boolean
  signal(signal: NodeJS.Signals): void
  /** Writes files beside its configuration, which is `patchbay.yaml`. */
  write(files: Readonly<Record<string, string>>): void
  /** What an admin path answers as JSON. */
  json<T>(path: string): Promise<T>
  /** Status of an admin path; undefined when nobody answered. */
  status(path: string): Promise<number | undefined>
  /** Posts to an admin path, with a token where one is given. */
  post(path: string, token?: string): Promise<Response>
  /** Waits until every link is ready. */
  untilReady(timeoutMs?: number): Promise<void>
  /** The sum of the series of a metric whose labels hold all of `labels`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  /** Ends it at once if it still runs, and removes its files. */
  remove(): Promise<void>
}

function newest(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs
  })
  return Math.max(0, ...times)
}

const isBuilt = () => existsSync(MAIN) && newest(join(ROOT, 'dist')) >= newest(join(ROOT, 'src'))

/** Builds the program unless that was done since its sources changed; two test files may want it at the same time. */
async function ensureBuilt(): Promise<void> {
  const deadline = Date.now() + 60_000
  const held = () => {
    try {
      mkdirSync(LOCK)
      return true
    } catch {
      return false
    }
  }
  while (!held()) {
    if (Date.now() > deadline) rmSync(LOCK, { recursive: true, force: true })
    await delay(50)
  }
  try {
    const build = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']
    if (!isBuilt()) await promisify(execFile)(process.execPath, build, { cwd: ROOT })
  } finally {
    rmSync(LOCK, { recursive: true, force: true })
  }
}

/** Collects whole lines, and gives the admin port once one of them tells it. */
function readLines(child: ChildProcess, lines: string[]): Promise<number> {
  let rest = ''
  return new Promise((resolve) => {
    const take = (piece: string) => {
      const parts = (rest + piece).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) {
        lines.push(line)
        noteLine(line)
        const port = /"port":(\d+).*"admin server listens"/.exec(line)?.[1]
        if (port !== undefined) resolve(Number(port))
      }
    }
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', take)
  })
}

/** Ends a child with this process, in whatever way this process ends. */
function guard(child: ChildProcess): void {
  const script = 'read -r line; kill -KILL "$0"'
  const watcher = spawn('/bin/sh', ['-c', script, String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.once('close', () => watcher.kill('SIGKILL'))
}

/** What a start may take on a busy machine. Milliseconds. */
const START_MS = 30_000

/** The text of the configuration file that {@link runGateway} writes; one that speaks of `admin` has to take port 0. */
export const configText = (yaml: string) => (/^admin:/m.test(yaml) ? yaml : `${yaml}\nadmin: { port: 0 }\n`)

/**
 * Runs the built program with a configuration, with Node options and files beside the configuration where given;
 * resolves when its admin server answers.
 */
export async function runGateway(
  yaml: string,
  nodeOptions: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  await ensureBuilt()
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-run-'))
  const file = join(folder, 'patchbay.yaml')
  const write: GatewayProcess['write'] = (texts) => {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text)
  }
  write({ 'patchbay.yaml': configText(yaml), ...files })
  const { config } = loadConfig(file, process.env)
  if (config !== undefined) for (const secret of secretValues(config)) noteSecret(secret)
  const child = spawn(process.execPath, [...nodeOptions, MAIN, 'run', '-c', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  guard(child)
  let running = true
  const lines: string[] = []
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => {
      running = false
      resolve({ code, signal })
    })
  })
  const failed = ended.then(() => Promise.reject(new Error(`the gateway did not start:\n${lines.join('\n')}`)))
  const late = setTimeout(() => child.kill('SIGKILL'), START_MS)
  const port = await Promise.race([readLines(child, lines), failed]).finally(() => clearTimeout(late))
  failed.catch(() => undefined)
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2000), ...init })
  const status = (path: string) =>
    ask(path).then(
      (answer) => answer.status,
      () => undefined,
    )
  return {
    pid: child.pid!,
    lines,
    ended,
    isRunning: () => running,
    signal: (signal) => void child.kill(signal),
    write,
    json: async <T>(path: string) => (await (await ask(path)).json()) as T, // as the path answers
    status,
    post: (path, token) =>
      ask(path, { method: 'POST', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }),
    async untilReady(timeoutMs = 20_000) {
      const end = Date.now() + timeoutMs
      while ((await status('/readyz')) !== 200) {
        if (Date.now() > end) throw new Error(`the gateway did not get ready:\n${lines.join('\n')}`)
        await delay(20)
      }
    },
    async metric(name, labels = {}) {
      const text = await (await ask('/metrics')).text()
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
      const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      const chosen = series.filter((line) => wanted.every((label) => line.includes(label)))
      return chosen.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    async remove() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs replicas: several processes of one configuration. Those that did start go when one does not. */
export async function runGateways(count: number, yaml: string): Promise<GatewayProcess[]> {
  const starts = await Promise.allSettled(Array.from({ length: count }, () => runGateway(yaml)))
  const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failed = starts.find((start) => start.status === 'rejected')
  if (failed === undefined) return running
  await Promise.all(running.map((gateway) => gateway.remove()))
  throw failed.reason
}

/** Watches what the processes hold in memory, until it is asked. */
export interface MemoryWatch {
  /** Resident bytes of the largest: at first, and at most. */
  stop(): Promise<{ readonly firstBytes: number; readonly mostBytes: number }>
}

const MEMORY_INTERVAL_MS = 500

/** Begins when it resolves. A process that does not answer, because it was killed, is left out. */
export async function watchMemory(gateways: readonly GatewayProcess[]): Promise<MemoryWatch> {
  const ask = (gateway: GatewayProcess) => gateway.metric('process_resident_memory_bytes').catch(() => 0)
  const largest = async () => Math.max(...(await Promise.all(gateways.map(ask))))
  const firstBytes = await largest()
  const over = new AbortController()
  let mostBytes = firstBytes
  const watching = (async () => {
    while (!over.signal.aborted) {
      await delay(MEMORY_INTERVAL_MS, undefined, over).catch(() => undefined)
      mostBytes = Math.max(mostBytes, await largest())
    }
  })()
  return {
    async stop() {
      over.abort()
      await watching
      return { firstBytes, mostBytes }
    },
  }
}
