import { composeDocument } from '../../src/codecs/ruby-yaml/compose.js'
import { NOT_MINE, readFast } from '../../src/codecs/ruby-yaml/fast-reader.js'
import {
  DEFAULT_LIMITS,
  equal,
  fromTyped,
  type ParseOptions,
  parse,
  RubyDate,
  RubyMap,
  type RubyValue,
  stringify,
  toTyped,
  type WriterProfile,
} from '../../src/codecs/ruby-yaml/index.js'
import { GatewayError } from '../../src/errors.js'

/** A line of a file of vectors; which fields are there says what kind of case it is. */
export interface VectorRow {
  readonly yaml?: string
  readonly type?: string
  readonly value?: unknown
  readonly error?: unknown
  readonly reload?: unknown
  readonly reload_error?: unknown
}

/** What is wrong with a case, or undefined when it passed. */
export type Verdict = string | undefined

const CLASSES = new Set(['Channel_states', 'TerminalDialno', 'Terminal::TerminalDialno', 'Object'])
const OPTIONS: ParseOptions = { classes: CLASSES, emptyStream: false }

/** Values that a codec for messages refuses to build. */
const FOREIGN = /"\$(?:other|datetime|array|hash)":/

function attempt<T>(run: () => T): { value: T } | { refused: GatewayError } {
  try {
    return { value: run() }
  } catch (error) {
    if (error instanceof GatewayError) return { refused: error }
    throw error
  }
}

/** Reads the text of a case and compares with the value that Ruby read. */
export function checkRead(row: VectorRow): Verdict {
  const isScalar = row.type !== undefined
  const text = isScalar ? `k: ${row.yaml}\n` : (row.yaml ?? '')
  const outcome = attempt(() => parse(text, OPTIONS))
  const got = 'value' in outcome ? (isScalar ? showScalar(outcome.value) : show(outcome.value)) : undefined
  const refusal = 'refused' in outcome ? `${outcome.refused.code} ${outcome.refused.message}` : ''
  const want = wantedReading(row)
  if (want === 'refused') return got === undefined ? undefined : told(text, 'an error', got)
  if (want === 'foreign') return refusal.startsWith('codec.tag') ? undefined : told(text, 'codec.tag', got ?? refusal)
  return got === want ? readersDiffer(text) : told(text, want, got ?? refusal)
}

/** Where the fast reader gives a value at all, the complete one must give the same. */
function readersDiffer(text: string): Verdict {
  const rules = { classes: CLASSES, limits: DEFAULT_LIMITS }
  const fast = readFast(text, undefined, rules)
  if (fast === NOT_MINE) return undefined
  const complete = attempt(() => composeDocument(text, rules)?.value ?? null)
  if ('value' in complete && equal(fast, complete.value)) return undefined
  return `the readers differ\n${told(text, 'value' in complete ? show(complete.value) : 'an error', show(fast))}`
}

function told(text: string, want: string, got: string): string {
  return `text ${JSON.stringify(text)}\nwant ${want}\ngot  ${got}`
}

/** The value behind `k: `, unless the text of the scalar made something else of the document. */
function showScalar(value: RubyValue): string {
  const isField = value instanceof RubyMap && value.keys.length === 1 && value.keys[0] === 'k'
  const field = isField ? value.values[0]! : value
  return JSON.stringify(field instanceof RubyDate ? { $date: field.text } : toTyped(field))
}

function wantedReading(row: VectorRow): string {
  if (row.type !== undefined) return row.type === 'error' ? 'refused' : JSON.stringify(scalarValue(row))
  if (row.reload_error !== undefined || (row.reload === undefined && row.error !== undefined)) return 'refused'
  const value = row.reload === undefined ? row.value : row.reload
  return FOREIGN.test(JSON.stringify(value)) ? 'foreign' : show(fromTyped(value))
}

/** A row of scalars says its value as text beside its type. */
function scalarValue(row: VectorRow): unknown {
  const text = String(row.value)
  switch (row.type) {
    case 'int':
      return toTyped(fromTyped({ $int: text }))
    case 'bool':
      return text === 'true'
    case 'nil':
      return null
    case 'str':
      return text
    case 'date':
      return { $date: text }
    default:
      return { [`$${row.type}`]: text }
  }
}

/** Typed JSON with the variables of objects in alphabetical order, since their order depends on the Ruby. */
function show(value: RubyValue): string {
  sortVariables(value, new Set())
  return JSON.stringify(toTyped(value))
}

function sortVariables(value: RubyValue, done: Set<RubyValue>): void {
  if (typeof value !== 'object' || value === null || done.has(value)) return
  done.add(value)
  if (Array.isArray(value)) for (const item of value) sortVariables(item, done)
  if (!(value instanceof RubyMap)) return
  for (const part of [...value.keys, ...value.values]) sortVariables(part, done)
  if (value.className === undefined) return
  const pairs = value.keys.map((key, i) => [key, value.values[i]!] as const)
  pairs.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  value.keys = pairs.map(([key]) => key)
  value.values = pairs.map(([, item]) => item)
}

/** Writes the value of a case and compares with the bytes that Ruby wrote. */
export function checkWritten(row: VectorRow, profile: WriterProfile): Verdict {
  const outcome = attempt(() => stringify(fromTyped(row.value), { profile }))
  const got = 'value' in outcome ? outcome.value : undefined
  if (row.error !== undefined) return got === undefined ? undefined : told('', 'an error', JSON.stringify(got))
  if (got === row.yaml) return undefined
  const instead = 'refused' in outcome ? outcome.refused.message : JSON.stringify(got)
  return `value ${JSON.stringify(row.value)}\nwant ${JSON.stringify(row.yaml)}\ngot  ${instead}`
}
