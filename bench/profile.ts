import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What we read of V8's .cpuprofile. Times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** One function as called along one path. */
interface ProfileNode {
  readonly id: number
  readonly callFrame: CallFrame
  readonly children?: readonly number[]
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  /** From 0. */
  readonly lineNumber: number
}

/** Microseconds by function, as `name<tab>place`. */
type Times = Map<string, number>

const SHOWN = 30
const IDLE = '(idle)\t'

/** A folder that a Node process writes its CPU profile to. */
export interface ProfileFolder {
  /** Arguments for that process. */
  readonly flags: readonly string[]
  /** Tables of where the process spent its time. Once it has ended. */
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

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const place = url.startsWith('file:') ? `${relative('.', fileURLToPath(url))}:${lineNumber + 1}` : url
  return `${functionName || '(anonymous)'}\t${place}`
}

function add(times: Times, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time)
}

/** Own time of each function, and its time with all that it calls. */
function functionTimes({ nodes, samples, timeDeltas }: CpuProfile): { readonly own: Times; readonly whole: Times } {
  const ownById = new Map<number, number>()
  for (const [i, id] of samples.entries()) ownById.set(id, (ownById.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const own: Times = new Map()
  const whole: Times = new Map()
  const visit = ({ id, callFrame, children = [] }: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(callFrame)
    const ownTime = ownById.get(id) ?? 0
    const within = new Set(above).add(name)
    const time = children.reduce((sum, child) => sum + visit(byId.get(child)!, within), ownTime)
    add(own, name, ownTime)
    if (!above.has(name)) add(whole, name, time) // a function that calls itself counts once
    return time
  }
  visit(nodes[0]!, new Set())
  return { own, whole }
}

function rows(times: Times, total: number): string[] {
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, SHOWN)
    .map(([name, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${name.replace('\t', '  ')}`)
}

/** Times of files and functions, in shares of the time that was not idle. */
function profileTable(profile: CpuProfile): string {
  const { own, whole } = functionTimes(profile)
  const idle = own.get(IDLE) ?? 0
  own.delete(IDLE)
  const total = [...own.values()].reduce((sum, time) => sum + time, 0)
  const files: Times = new Map()
  for (const [name, time] of own) {
    const [functionName = '', place = ''] = name.split('\t')
    add(files, place === '' ? functionName : place.replace(/:\d+$/, ''), time)
  }
  const ours = new Map([...whole].filter(([name]) => name.includes('\tdist/')))
  return [
    `busy for ${(total / 1e6).toFixed(1)} s, idle for ${(idle / 1e6).toFixed(1)} s`,
    ...['', 'own time by file', ...rows(files, total)],
    ...['', 'own time by function', ...rows(own, total)],
    ...['', 'time by function of ours, with what it calls', ...rows(ours, total)],
  ].join('\n')
}
