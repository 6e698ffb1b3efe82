import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What we read of V8's .cpuprofile. Times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  /** From 0. */
  readonly lineNumber: number
}

const SHOWN = 30
const IDLE = '(idle)\t'

/** A folder that a Node process writes its CPU profile to; see {@link flags}. */
export interface ProfileFolder {
  /** Arguments for that process. */
  readonly flags: readonly string[]
  /** Table of the functions that took the most time themselves. Once the process has ended. */
  table(): string
  remove(): void
}

/** Makes the folder. */
export function profileFolder(): ProfileFolder {
  const path = mkdtempSync(join(tmpdir(), 'patchbay-profile-'))
  return {
    flags: ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${path}`],
    table() {
      const file = readdirSync(path).find((name) => name.endsWith('.cpuprofile'))
      if (file === undefined) throw new Error('the process wrote no profile')
      return profileTable(JSON.parse(readFileSync(join(path, file), 'utf8')) as CpuProfile) // V8's own format
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

function place({ url, lineNumber }: CallFrame): string {
  if (!url.startsWith('file:')) return url
  return `${relative('.', fileURLToPath(url))}:${lineNumber + 1}`
}

function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName || '(anonymous)'}\t${place(callFrame)}`]),
  )
  const times = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? '(unknown)\t'
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  }
  return times
}

/** Own time of functions and of whole files, in shares of the time that was not idle. */
function profileTable(profile: CpuProfile): string {
  const functions = selfTimes(profile)
  const idle = functions.get(IDLE) ?? 0
  functions.delete(IDLE)
  const files = new Map<string, number>()
  for (const [name, time] of functions) {
    const [own = '', at = ''] = name.split('\t')
    const file = at === '' ? own : at.replace(/:\d+$/, '')
    files.set(file, (files.get(file) ?? 0) + time)
  }
  const total = [...functions.values()].reduce((sum, time) => sum + time, 0)
  const rows = (times: Map<string, number>) =>
    [...times]
      .sort((a, b) => b[1] - a[1])
      .slice(0, SHOWN)
      .map(([name, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${name.replace('\t', '  ')}`)
  const spent = `busy for ${(total / 1e6).toFixed(1)} s, idle for ${(idle / 1e6).toFixed(1)} s`
  return [spent, '', 'own time by file', ...rows(files), '', 'own time by function', ...rows(functions)].join('\n')
}
