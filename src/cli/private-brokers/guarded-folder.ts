import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Waits on its standard input, where each line replaces the list of process groups to end.
 * The input closes when our process ends, in whatever way; then the groups and the folder go.
 */
const GUARD_SCRIPT =
  'groups=; while read -r line; do groups=$line; done; for g in $groups; do kill -KILL "-$g"; done; sleep 0.2; rm -rf -- "$0"'

/** A server process: leader of a process group of its own. */
export interface ServerProcess {
  readonly pid: number
  running(): boolean
  /** Sends the whole group a signal and waits until its leader has ended. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** A data folder, and the server processes that live in it and die with it. */
export interface GuardedFolder {
  readonly path: string
  /** Starts a program; its output goes to `logFile` in the folder. Does not keep this process alive. */
  spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv, logFile: string): ServerProcess
  /** The last lines of a file in the folder, or an empty text. */
  tail(file: string): string
  /** Kills what still runs and removes the folder. */
  remove(): Promise<void>
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // the group is gone already
  }
}

function asServer(child: ChildProcess, program: string, onEnd: (server: ServerProcess) => void): ServerProcess {
  const pid = child.pid
  if (pid === undefined) throw new Error(`${program} could not be started`)
  let running = true
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const server: ServerProcess = {
    pid,
    running: () => running,
    end(signal) {
      child.ref() // an unreferenced child would let this process run out while it waits
      signalGroup(pid, signal)
      return ended
    },
  }
  child.once('exit', () => {
    running = false
    onEnd(server)
  })
  child.unref()
  return server
}

function startGuard(folder: string): { watch(pids: readonly number[]): void; dismiss(): void } {
  const child = spawn('/bin/sh', ['-c', GUARD_SCRIPT, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  return {
    watch: (pids) => void child.stdin.write(`${pids.join(' ')}\n`),
    dismiss: () => void child.stdin.end('\n'),
  }
}

/** Makes a folder under the system's temporary folder; `name` is part of its name. */
export function guardedFolder(name: string): GuardedFolder {
  const path = mkdtempSync(join(tmpdir(), `patchbay-${name}-`))
  const guard = startGuard(path)
  const servers = new Set<ServerProcess>()
  const watch = () => guard.watch([...servers].map((server) => server.pid))
  return {
    path,
    spawn(program, args, env, logFile) {
      const log = openSync(join(path, logFile), 'a')
      const child = spawn(program, args, { cwd: path, detached: true, env, stdio: ['ignore', log, log] })
      child.on('error', () => undefined)
      const server = asServer(child, program, (ended) => {
        servers.delete(ended)
        watch()
      })
      servers.add(server)
      watch()
      return server
    },
    tail(file) {
      try {
        return readFileSync(join(path, file), 'utf8').split('\n').slice(-15).join('\n')
      } catch {
        return ''
      }
    },
    async remove() {
      await Promise.all([...servers].map((server) => server.end('SIGKILL')))
      guard.dismiss()
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
