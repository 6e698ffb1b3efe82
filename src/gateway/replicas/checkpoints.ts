import { GatewayError } from '../../errors.js'
import type { DeviceState } from '../../model/index.js'
import { type Bucket, type BucketEntry, keyPart, textOfPart } from '../../transports/nats/index.js'
import type { Frame } from '../../transports/transport.js'
import type { CallView, TerminalView } from '../state.js'
import {
  type Entry,
  type FrameJson,
  frameFromJson,
  frameToJson,
  type TreesOf,
  viewFromJson,
  viewToJson,
} from './journal-text.js'

/** One thing that is known, under its key in the bucket. Undefined: nothing is known of it any more. */
export type Record =
  | { readonly kind: 'call'; readonly key: string; readonly view: CallView | undefined }
  | { readonly kind: 'terminal'; readonly terminal: TerminalView }
  | { readonly kind: 'device'; readonly name: string; readonly state: DeviceState }
  | { readonly kind: 'command'; readonly key: string; readonly frame: Frame | undefined }

/** Everything that the bucket holds of one line. */
export interface Snapshot {
  readonly calls: ReadonlyMap<string, CallView>
  readonly terminals: ReadonlyMap<string, TerminalView>
  readonly devices: ReadonlyMap<string, DeviceState>
  readonly commands: ReadonlyMap<string, Frame>
}

/** Writes what the journal says into the bucket, where the last word on each thing stands by itself. */
export interface Checkpoints {
  /** Everything in the bucket about some lines; what is written of them afterwards is compared with it. */
  read(lines: readonly string[]): Promise<ReadonlyMap<string, Snapshot>>
  /**
   * Writes records of a line.
   * @throws GatewayError `state.outrun` where another replica writes the line
   */
  write(line: string, records: ReadonlyMap<string, Record>): Promise<void>
  /** Writes again what nobody changed for so long that it would vanish. */
  refresh(line: string): Promise<void>
}

interface Written {
  readonly revision: number
  readonly at: number
  readonly text: string
}

interface Making {
  readonly calls: Map<string, CallView>
  readonly terminals: Map<string, TerminalView>
  readonly devices: Map<string, DeviceState>
  readonly commands: Map<string, Frame>
}

/** First parts of the keys that are ours. */
const KINDS: ReadonlySet<string> = new Set(['call', 'terminal', 'device', 'command'])
const blank = (): Making => ({
  calls: new Map(),
  terminals: new Map(),
  devices: new Map(),
  commands: new Map(),
})
/** Writes under way at a time. */
const AT_ONCE = 32

/** Keys under which records stand, `KIND.LINE.NAME`. */
function recordKey(line: string, record: Record): string {
  const name = 'key' in record ? record.key : record.kind === 'terminal' ? record.terminal.serial : record.name
  return `${record.kind}.${line}.${keyPart(name)}`
}

/** What an entry of the journal says, by key in the bucket. */
export function recordsOf(line: string, { calls, terminals, devices, commands }: Entry): ReadonlyMap<string, Record> {
  const records: Record[] = []
  for (const [key, view] of calls ?? [])
    records.push({ kind: 'call', key, view: view.channel.state === 'ended' ? undefined : view })
  for (const terminal of terminals?.values() ?? []) records.push({ kind: 'terminal', terminal })
  for (const [key, frame] of commands ?? []) records.push({ kind: 'command', key, frame })
  for (const [name, state] of devices ?? []) records.push({ kind: 'device', name, state })
  return new Map(records.map((record) => [recordKey(line, record), record]))
}

/** What checkpoints are made with. */
export interface CheckpointsParts {
  readonly bucket: Bucket
  readonly treesOf: TreesOf
  /** Age at which a value vanishes that nobody wrote again. Milliseconds. */
  readonly keepMs: number
  /** Whether nobody else wrote to the journal of a line since we did. */
  isWriter(line: string): Promise<boolean>
  readonly now: () => number
}

/** Makes them. */
export function makeCheckpoints({ bucket, treesOf, keepMs, isWriter, now }: CheckpointsParts): Checkpoints {
  /** What stands in the bucket, as far as it is known here, by line and key. */
  const written = new Map<string, Map<string, Written>>()
  const writtenOf = (line: string) => {
    const known = written.get(line) ?? new Map<string, Written>()
    written.set(line, known)
    return known
  }

  function textOf(record: Record): string | undefined {
    if (record.kind === 'call') return record.view && JSON.stringify(viewToJson(record.view, treesOf))
    if (record.kind === 'command') return record.frame && JSON.stringify(frameToJson(record.frame))
    return JSON.stringify(record.kind === 'terminal' ? record.terminal : record.state)
  }

  /** Answers whether it could: not where somebody wrote since. */
  async function tryPut(known: Map<string, Written>, key: string, text: string | undefined): Promise<boolean> {
    const before = known.get(key)
    if (text === undefined) {
      if (before !== undefined && !(await bucket.remove(key, before.revision))) return false
      known.delete(key)
      return true
    }
    const revision = await bucket.swap(key, text, before?.revision ?? 0)
    if (revision !== undefined) known.set(key, { revision, text, at: now() })
    return revision !== undefined
  }

  /**
   * What somebody else wrote is older where we are the one who writes the line. A replica that stood still for a while
   * may have been followed by another without having heard of it yet: so the journal is asked.
   */
  async function put(line: string, key: string, text: string | undefined): Promise<void> {
    const known = writtenOf(line)
    while (!(await tryPut(known, key, text))) {
      const there = await bucket.get(key)
      if (!(await isWriter(line)))
        throw new GatewayError('state.outrun', `another replica writes ${line}`, { fate: 'retry' })
      if (there === undefined) known.delete(key)
      else known.set(key, { revision: there.revision, text: there.text ?? '', at: there.at })
    }
  }

  /** What somebody wrote meanwhile is young; or it was we ourselves, and did not hear of it. */
  async function again(known: Map<string, Written>, key: string): Promise<void> {
    const text = known.get(key)?.text
    if (text === undefined || (await tryPut(known, key, text))) return
    const there = await bucket.get(key)
    if (there?.text === undefined) known.delete(key)
    else known.set(key, { revision: there.revision, text: there.text, at: there.at })
  }

  async function atOnce<T>(work: readonly T[], carryOut: (each: T) => Promise<unknown>): Promise<void> {
    const left = [...work]
    const some = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await carryOut(next)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, some))
  }

  function fill(into: Making, kind: string, name: string, text: string): void {
    const value: unknown = JSON.parse(text)
    if (kind === 'call') into.calls.set(name, viewFromJson(value, treesOf))
    else if (kind === 'terminal')
      into.terminals.set(name, value as TerminalView) // written by `put`, as all of these
    else if (kind === 'command') into.commands.set(name, frameFromJson(value as FrameJson))
    else if (kind === 'device') into.devices.set(name, value as DeviceState)
  }

  function sort(entries: readonly BucketEntry[], wanted: ReadonlySet<string>): ReadonlyMap<string, Snapshot> {
    const lines = new Map([...wanted].map((line) => [line, blank()] as const))
    for (const line of wanted) written.delete(line)
    for (const { key, text, revision, at } of entries) {
      const [kind = '', line = '', name = ''] = key.split('.')
      const into = lines.get(line)
      if (text === undefined || into === undefined || !KINDS.has(kind)) continue
      writtenOf(line).set(key, { revision, text, at })
      fill(into, kind, textOfPart(name), text)
    }
    return lines
  }

  return {
    read: async (lines) => sort(await bucket.all(), new Set(lines)),
    write: (line, records) => atOnce([...records], ([key, record]) => put(line, key, textOf(record))),
    async refresh(line) {
      const old = now() - keepMs / 3
      const known = writtenOf(line)
      const fading = [...known].filter(([, { at }]) => at < old).map(([key]) => key)
      await atOnce(fading, (key) => again(known, key))
    },
  }
}
