import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A process under test. */
export interface Subject {
  /** Ends it orderly and resolves when it is gone. @throws Error when it had failed before. */
  stop(): Promise<void>
}

/** A child process as one under test. */
export function asSubject(child: ChildProcess, afterwards: () => void): Subject {
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `exit code ${code ?? signal}`))
  })
  return {
    async stop() {
      child.kill('SIGTERM')
      const failure = await gone
      afterwards()
      if (failure !== '') throw new Error(`the process under test failed: ${failure}`)
    },
  }
}

/** Starts a whole gateway. `nodeFlags` are for its Node. */
export function startPatchbay(config: object, nodeFlags: readonly string[] = []): Subject {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const file = join(folder, 'patchbay.yaml')
  writeFileSync(file, JSON.stringify(config)) // JSON is YAML
  const child = spawn(process.execPath, [...nodeFlags, 'dist/main.js', 'run', '-c', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return asSubject(child, () => rmSync(folder, { recursive: true, force: true }))
}

/** Whether a gateway's links all work: its queue is declared and bound. */
export async function isReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok
  } catch {
    return false // it does not listen yet
  }
}
