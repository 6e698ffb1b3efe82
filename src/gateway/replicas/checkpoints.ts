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
  /** Everything up to this place of the journal is in it. */
  readonly checkpoint: number
}

/** Writes what the journal says into the bucket, where the last word on each thing stands by itself. */
export interface Checkpoints {
  /** Everything in the bucket, by line; what is written afterwards is compared with it. */
  read(): Promise<ReadonlyMap<string, Snapshot>>
  /** Writes records of a line, and then that everything up to a place is there. */
  write(line: string, records: ReadonlyMap<string, Record>, place: number): Promise<void>
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
  checkpoint: number
}

/** First parts of the keys that are ours. */
const KINDS: ReadonlySet<string> = new Set(['call', 'terminal', 'device', 'command', 'checkpoint'])
const blank = (): Making => ({
  calls: new Map(),
  terminals: new Map(),
  devices: new Map(),
  commands: new Map(),
  checkpoint: 0,
})
/** Writes under way at a time. */
const AT_ONCE = 32

/** Keys under which records stand, `KIND.LINE.NAME`. */
function recordKey(line: string, record: Record): string {
  const name = 'key' in record ? record.key : record.kind === 'terminal' ? record.terminal.serial : record.name
  return `${record.kind}.${line}.${keyPart(name)}`
}

const checkpointKey = (line: string) => `checkpoint.${line}`

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

/** @param keepMs age at which a value vanishes that nobody wrote again */
export function makeCheckpoints(bucket: Bucket, treesOf: TreesOf, keepMs: number, now: () => number): Checkpoints {
  /** What stands in the bucket, as far as it is known here. */
  const written = new Map<string, Written>()

  function textOf(record: Record): string | undefined {
    if (record.kind === 'call') return record.view && JSON.stringify(viewToJson(record.view, treesOf))
    if (record.kind === 'command') return record.frame && JSON.stringify(frameToJson(record.frame))
    return JSON.stringify(record.kind === 'terminal' ? record.terminal : record.state)
  }

  /** Answers whether it could: not where somebody wrote since. */
  async function tryPut(key: string, text: string | undefined): Promise<boolean> {
    const before = written.get(key)
    if (text === undefined) {
      if (before !== undefined && !(await bucket.remove(key, before.revision))) return false
      written.delete(key)
      return true
    }
    const revision = await bucket.swap(key, text, before?.revision ?? 0)
    if (revision !== undefined) written.set(key, { revision, text, at: now() })
    return revision !== undefined
  }

  /** Only the one who takes from a line writes its records: what somebody else wrote is older. */
  async function put(key: string, text: string | undefined): Promise<void> {
    while (!(await tryPut(key, text))) {
      const there = await bucket.get(key)
      if (there === undefined) written.delete(key)
      else written.set(key, { revision: there.revision, text: there.text ?? '', at: now() })
    }
  }

  async function putAll(texts: readonly (readonly [string, string | undefined])[]): Promise<void> {
    const left = [...texts]
    const work = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await put(...next)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, work))
  }

  function fill(into: Making, kind: string, name: string, text: string): void {
    const value: unknown = JSON.parse(text)
    if (kind === 'call') into.calls.set(name, viewFromJson(value, treesOf))
    else if (kind === 'terminal')
      into.terminals.set(name, value as TerminalView) // written by `put`, as all of these
    else if (kind === 'command') into.commands.set(name, frameFromJson(value as FrameJson))
    else if (kind === 'device') into.devices.set(name, value as DeviceState)
    else if (kind === 'checkpoint') into.checkpoint = value as number
  }

  function sort(entries: readonly BucketEntry[]): ReadonlyMap<string, Snapshot> {
    const lines = new Map<string, Making>()
    for (const { key, text, revision } of entries) {
      const [kind = '', line = '', name = ''] = key.split('.')
      if (text === undefined || !KINDS.has(kind)) continue
      written.set(key, { revision, text, at: now() })
      const into = lines.get(line) ?? blank()
      lines.set(line, into)
      fill(into, kind, textOfPart(name), text)
    }
    return lines
  }

  return {
    read: async () => sort(await bucket.all()),
    async write(line, records, place) {
      await putAll([...records].map(([key, record]) => [key, textOf(record)] as const))
      await put(checkpointKey(line), String(place))
    },
    async refresh(line) {
      const old = now() - keepMs / 3
      const parts = ['call', 'terminal', 'device', 'command'].map((kind) => `${kind}.${line}.`)
      const fading = [...written].filter(
        ([key, { at }]) => at < old && (key === checkpointKey(line) || parts.some((part) => key.startsWith(part))),
      )
      await putAll(fading.map(([key, { text }]) => [key, text] as const))
    },
  }
}
