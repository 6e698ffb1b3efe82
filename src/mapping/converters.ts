import type { Trees } from '../codecs/codec.js'
import type { FieldShape } from '../model/index.js'
import { readIso, UTC, writeIso } from './iso-time.js'
import type { Conversion, Scalar, TableRule } from './schema.js'

/**
 * Turns wire values into model values and back. Either direction answers undefined for a value
 * it cannot turn, and then nothing was done: the caller keeps the raw value.
 */
export interface Converter {
  read(wire: unknown): unknown
  write(model: unknown): unknown
  /** Set where both sides are the same: values of this type, and no others. */
  readonly type?: 'string' | 'boolean'
  /** A value in another form than the one that `write` gives: what it means, and a note by which it is written so again. */
  readonly noted?: {
    read(wire: unknown): { readonly model: unknown; readonly note: string } | undefined
    write(model: unknown, note: string): unknown
  }
}

/** FreeSWITCH counts the length of a key press in samples of 8 kHz audio. */
const SAMPLES_PER_MS = 8
const DECIMAL = /^(?:0|-?[1-9][0-9]{0,15})$/
const STAMP = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/

/** The conversion a model field takes when its rule names none. */
export function defaultConversion(shape: FieldShape | undefined): Conversion | undefined {
  if (shape === undefined || shape.list || shape.map) return undefined
  if (shape.type === 'boolean') return 'bool'
  if (shape.type === 'int64' || shape.type === 'uint32') return 'int'
  if (shape.type === 'double') return undefined
  return 'str'
}

/** Model types a conversion yields. */
export function conversionFits(conversion: Conversion, shape: FieldShape): boolean {
  const text = shape.type === 'string' || shape.type === 'enum'
  if (conversion === 'list') return shape.list === true && shape.type === 'string'
  if (conversion === 'str') return text
  if (conversion === 'bool' || conversion === 'bool-text') return shape.type === 'boolean'
  return shape.type === 'int64' || shape.type === 'uint32'
}

/** A converter by name. Whole numbers are kept within what the model's type can hold. */
export function converter(conversion: Conversion | undefined, shape: FieldShape | undefined, trees: Trees): Converter {
  if (shape?.list) return conversion === 'list' ? anyTextList : textList
  switch (conversion) {
    case 'list':
      return anyTextList
    case 'iso':
      return isoTime
    case undefined:
      return shape?.type === 'double' ? double : same
    case 'str':
      return shape?.type === 'enum' ? closedSet(shape.values ?? []) : text
    case 'bool':
      return flag
    case 'bool-text':
      return {
        read: (v) => (v === 'true' ? true : v === 'false' ? false : undefined),
        write: (m) => (typeof m === 'boolean' ? String(m) : undefined),
      }
    case 'stamp':
      return { read: readStamp, write: (m) => (isCount(m) ? writeStamp(m) : undefined) }
    case 'int':
      return whole(trees, 1, shape)
    case 'seconds':
      return whole(trees, 1000, shape)
    case 'samples':
      return whole(trees, 1 / SAMPLES_PER_MS, shape)
    case 'epoch-ms':
      return epoch(whole(trees, 1, shape))
    case 'epoch-s':
      return unsigned32(epoch(whole(trees, 1000, shape)))
    case 'int-text':
    case 'ms-text':
      return decimalText(1)
    case 'seconds-text':
      return decimalText(1000)
  }
}

const same: Converter = { read: (v) => v ?? undefined, write: (m) => m }
const text: Converter = {
  type: 'string',
  read: (v) => (typeof v === 'string' ? v : undefined),
  write: (m) => (typeof m === 'string' ? m : undefined),
}
const flag: Converter = {
  type: 'boolean',
  read: (v) => (typeof v === 'boolean' ? v : undefined),
  write: (m) => (typeof m === 'boolean' ? m : undefined),
}
const double: Converter = {
  // JSON reads 1e400 as infinity and writes that as null.
  read: (v) => (Number.isFinite(v) ? v : undefined),
  write: (m) => (Number.isFinite(m) ? m : undefined),
}
const textList: Converter = {
  read: (v) => (Array.isArray(v) && v.length > 0 && v.every((e) => typeof e === 'string') ? v.slice() : undefined),
  write: (m) => (Array.isArray(m) && m.length > 0 ? m : undefined),
}
const anyTextList: Converter = {
  read: (v) => (Array.isArray(v) && v.every((e) => typeof e === 'string') ? v.slice() : undefined),
  write: (m) => (Array.isArray(m) ? m : undefined),
}
const isoTime: Converter = {
  read(v) {
    const time = readIso(v)
    return time?.offset === UTC ? time.ms : undefined
  },
  write: (m) => (isCount(m) ? writeIso(m) : undefined),
  noted: {
    read(v) {
      const time = readIso(v)
      return time && { model: time.ms, note: time.offset }
    },
    write: (m, note) => (isCount(m) && /^[+-]\d{4}$/.test(note) ? writeIso(m, note) : undefined),
  },
}

function closedSet(values: readonly string[]): Converter {
  const known = new Set<unknown>(values)
  return { read: (v) => (known.has(v) ? v : undefined), write: (m) => (typeof m === 'string' ? m : undefined) }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

/** `unit`: how many of the model's units one of the wire's is. Zero stands for "not told" only where a rule says so. */
function whole(trees: Trees, unit: number, shape: FieldShape | undefined): Converter {
  const highest = shape?.type === 'uint32' ? 0xffff_ffff : Number.MAX_SAFE_INTEGER
  const lowest = shape?.type === 'uint32' ? 0 : -highest
  return {
    read: (v) => {
      const n = trees.integer(v)
      if (n === undefined) return undefined
      const scaled = n * unit
      return Number.isInteger(scaled) && scaled >= lowest && scaled <= highest ? scaled : undefined
    },
    write: (m) => (isCount(m) ? Math.floor(m / unit) : undefined),
  }
}

/** Zero and less stand for "has not happened", never for a moment in 1970. */
function epoch(inner: Converter): Converter {
  return {
    read: (v) => {
      const ms = inner.read(v) as number | undefined
      return ms !== undefined && ms > 0 ? ms : undefined
    },
    write: inner.write,
  }
}

/** Leaves out what 32 bits cannot hold, so that one absurd moment does not make the whole message unsayable. */
function unsigned32(inner: Converter): Converter {
  return {
    read: inner.read,
    write: (m) => {
      const wire = inner.write(m)
      return typeof wire === 'number' && wire >= 0 && wire <= 0xffff_ffff ? wire : undefined
    },
  }
}

function decimalText(unit: number): Converter {
  return {
    read: (v) => {
      if (typeof v !== 'string' || !DECIMAL.test(v)) return undefined
      const n = Number(v) * unit
      return Number.isSafeInteger(n) ? n : undefined
    },
    write: (m) => (isCount(m) ? String(Math.floor(m / unit)) : undefined),
  }
}

function readStamp(value: unknown): number | undefined {
  const match = typeof value === 'string' ? STAMP.exec(value) : null
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  return writeStamp(ms) === value ? ms : undefined
}

function writeStamp(ms: number): string | undefined {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().slice(0, 19).replace('T', ' ')
}

/** A two-way table. Where several rows share a model value the first of them is written. */
export function tableConverter(rows: readonly (readonly [Scalar, Scalar])[]): Converter {
  const read = new Map<unknown, unknown>()
  const write = new Map<unknown, unknown>()
  for (const [wire, model] of rows) {
    if (!read.has(wire)) read.set(wire, model)
    if (!write.has(model)) write.set(model, wire)
  }
  return { read: (v) => read.get(v) ?? undefined, write: (m) => write.get(m) }
}

/** Rows of a table in either of its two written forms, without those a site removed. */
export function tableRows(rule: TableRule): [Scalar, Scalar][] {
  if (Array.isArray(rule)) return rule
  return Object.entries(rule).filter((row): row is [string, Scalar] => row[1] !== null)
}
