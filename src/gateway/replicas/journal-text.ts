import { isUtf8 } from 'node:buffer'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Trees } from '../../codecs/codec.js'
import { bagFromTyped, bagToTyped } from '../../mapping/residue.js'
import type { DeviceState, Extension } from '../../model/index.js'
import type { OutgoingFrame } from '../../transports/transport.js'
import type { CallView, Change, Letters, TakenMessage, TerminalView } from '../state.js'

/** A change as it stands in the journal; `number` counts those of one line. */
export interface Entry extends Omit<Change, 'link'> {
  readonly number: number
}

/** What is appended to a line at once. */
export interface Batch {
  /** The replica that wrote it. */
  readonly by: string
  /** Numbers of the last entry of the line, and of the last message that was taken. */
  readonly last: number
  readonly lastTaken: number
  /** The letters of all entries up to this one arrived. */
  readonly said: number
  /** Entries whose letters arrived since the batch before, in that order. */
  readonly saidNow: readonly number[]
  /** Everything up to this place is in the bucket, too. */
  readonly checkpoint: number
  readonly entries: readonly Entry[]
}

/** Value types of the dialects whose extensions are kept. */
export type TreesOf = (dialect: string) => Trees | undefined

/** Larger ones are compressed: full pictures repeat themselves. Bytes. */
const COMPRESS_FROM = 32_768
const COMPRESSED = 0

type Json = Readonly<Record<string, unknown>>

function extToJson(ext: NonNullable<CallView['ext']>, treesOf: TreesOf): Json {
  return Object.fromEntries(
    Object.entries(ext).map(([dialect, bag]) => {
      const trees = treesOf(dialect)
      return [dialect, trees === undefined ? bag : bagToTyped(bag, trees)]
    }),
  )
}

function extFromJson(json: Readonly<Record<string, Extension>>, treesOf: TreesOf): Record<string, Extension> {
  return Object.fromEntries(
    Object.entries(json).map(([dialect, bag]) => {
      const trees = treesOf(dialect)
      return [dialect, trees === undefined ? bag : bagFromTyped(bag, trees)]
    }),
  )
}

/** A call as JSON; extensions keep their dialects' types. */
export function viewToJson(view: CallView, treesOf: TreesOf): Json {
  return view.ext === undefined ? { ...view } : { ...view, ext: extToJson(view.ext, treesOf) }
}

/** The reverse of {@link viewToJson}. */
export function viewFromJson(json: unknown, treesOf: TreesOf): CallView {
  const view = json as CallView // written by another replica of ours, by `viewToJson`
  return view.ext === undefined ? view : { ...view, ext: extFromJson(view.ext, treesOf) }
}

export interface FrameJson {
  readonly to: OutgoingFrame['address']
  readonly headers: OutgoingFrame['headers']
  readonly text?: string
  readonly base64?: string
  readonly order?: string | undefined
  readonly id?: string | undefined
  readonly at?: number | undefined
}

/** A frame as JSON; its body as text where it is one. */
export function frameToJson({ address, headers, body, orderKey, messageId, at }: OutgoingFrame): FrameJson {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const content = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') }
  return { to: address, headers, ...content, order: orderKey, id: messageId, at }
}

/** The reverse of {@link frameToJson}. */
export function frameFromJson({ to, headers, text, base64, order, id, at }: FrameJson): OutgoingFrame {
  return {
    address: to,
    headers,
    body: text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'utf8'),
    ...(order !== undefined && { orderKey: order }),
    messageId: id,
    at,
  }
}

interface EntryJson {
  readonly n: number
  readonly calls?: readonly (readonly [string, unknown])[]
  readonly terminals?: readonly TerminalView[]
  readonly devices?: readonly (readonly [string, DeviceState])[]
  readonly letters?: readonly {
    readonly to: string
    readonly route?: string | undefined
    readonly frames: FrameJson[]
  }[]
  readonly taken?: TakenMessage | undefined
  readonly commands?: readonly (readonly [string, FrameJson?])[]
}

function entryToJson(
  { number, calls, terminals, devices, letters, taken, commands }: Entry,
  treesOf: TreesOf,
): EntryJson {
  return {
    n: number,
    ...(calls &&
      calls.size > 0 && { calls: [...calls].map(([key, view]) => [key, viewToJson(view, treesOf)] as const) }),
    ...(terminals && terminals.size > 0 && { terminals: [...terminals.values()] }),
    ...(devices && devices.size > 0 && { devices: [...devices] }),
    ...(letters &&
      letters.length > 0 && {
        letters: letters.map(({ to, route, frames }) => ({ to, route, frames: frames.map(frameToJson) })),
      }),
    taken,
    ...(commands && {
      commands: [...commands].map(([key, frame]) =>
        frame === undefined ? ([key] as const) : ([key, frameToJson(frame)] as const),
      ),
    }),
  }
}

function entryFromJson({ n, calls, terminals, devices, letters, taken, commands }: EntryJson, treesOf: TreesOf): Entry {
  return {
    number: n,
    ...(calls && { calls: new Map(calls.map(([key, view]) => [key, viewFromJson(view, treesOf)])) }),
    ...(terminals && { terminals: new Map(terminals.map((each) => [each.serial, each])) }),
    ...(devices && { devices: new Map(devices) }),
    ...(letters && {
      letters: letters.map(({ to, route, frames }): Letters => ({ to, route, frames: frames.map(frameFromJson) })),
    }),
    taken,
    ...(commands && { commands: new Map(commands.map(([key, frame]) => [key, frame && frameFromJson(frame)])) }),
  }
}

interface BatchJson extends Omit<Batch, 'entries' | 'saidNow'> {
  readonly entries: readonly EntryJson[]
  /** Absent in what a replica of an older version wrote. */
  readonly saidNow?: Batch['saidNow']
}

/** A batch as bytes. */
export function batchToBytes({ entries, ...head }: Batch, treesOf: TreesOf): Uint8Array {
  const text = JSON.stringify({ ...head, entries: entries.map((entry) => entryToJson(entry, treesOf)) })
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length < COMPRESS_FROM) return bytes
  return Buffer.concat([Buffer.of(COMPRESSED), deflateRawSync(bytes, { level: 1 })])
}

/** The reverse of {@link batchToBytes}. */
export function batchFromBytes(bytes: Uint8Array, treesOf: TreesOf): Batch {
  const plain = bytes[0] === COMPRESSED ? inflateRawSync(bytes.subarray(1)) : Buffer.from(bytes)
  const { entries, saidNow = [], ...head } = JSON.parse(plain.toString('utf8')) as BatchJson // as written above
  return { ...head, saidNow, entries: entries.map((entry) => entryFromJson(entry, treesOf)) }
}
