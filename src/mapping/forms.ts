import type { Fact } from '../model/index.js'
import { tableRows } from './converters.js'
import type { ModelPath } from './paths.js'
import type { MappingFile } from './schema.js'

/** A text that several model fields make together, both ways: `PJSIP/{serial|serials}-{ext.suffix}`. */
export interface Form {
  readonly fields: readonly ModelPath[]
  /** Whether it can be read; one with a name made of a field can only be written. */
  readonly isReadable: boolean
  /** Sets its fields and tells whether the text fits; nothing is set where it does not. */
  read(text: string, fact: Fact): boolean
  /** Undefined when a field is absent, empty, or could not be told from the others in the text. */
  write(fact: Fact): string | undefined
}

/** What is wrong with a form's text. */
export class FormFault extends Error {}

/** A name in braces. */
export interface FormField {
  readonly path: string
  readonly table: string | undefined
  /** A short name made of the field stands there, not the field itself. */
  readonly isName: boolean
  /** It ends at the first place where what follows it stands, and not at the last. */
  readonly isShort: boolean
}

type Parsed = { readonly text: string } | { readonly field: FormField }

interface Hole {
  readonly field: ModelPath
  readonly isName: boolean
  readonly isShort: boolean
  toModel(text: string): string | undefined
  toText(value: string): string | undefined
}

type Piece = { readonly text: string; readonly hole?: undefined } | { readonly text?: undefined; readonly hole: Hole }

/** The fields that a form names. @throws FormFault */
export function formFields(source: string): FormField[] {
  return parse(source).flatMap((piece) => ('field' in piece ? [piece.field] : []))
}

/** Compiles a form that check has accepted. */
export function compileForm(source: string, resolve: (path: string) => ModelPath, file: MappingFile): Form {
  const parsed = parse(source)
  const lastShort = parsed.findLastIndex((piece) => 'field' in piece && piece.field.isShort)
  const pieces = parsed.map((piece, i): Piece => {
    if ('text' in piece) return piece
    const { path, table, isName } = piece.field
    // What stands before a short one is read from the left, too.
    const isShort = i <= lastShort
    return {
      hole: { field: resolve(path), isName, isShort, ...(table === undefined ? same : throughTable(table, file)) },
    }
  })
  const holes = pieces.flatMap(({ hole }) => (hole === undefined ? [] : [hole]))
  const isReadable = holes.every((hole) => !hole.isName)
  const take = taker(pieces)
  return {
    fields: holes.map((hole) => hole.field),
    isReadable,
    read(text, fact) {
      const values: (string | undefined)[] | undefined = isReadable ? take(text) : undefined
      if (values === undefined) return false
      for (let i = 0; i < holes.length; i++) {
        values[i] = holes[i]!.toModel(values[i]!)
        if (values[i] === undefined) return false
      }
      for (let i = 0; i < holes.length; i++) holes[i]!.field.set(fact, values[i])
      return true
    },
    write: (fact) => written(pieces, fact),
  }
}

const same = { toModel: (text: string) => text, toText: (value: string) => value }

/** A value that the table does not list stands for itself, unless it would come back as another. */
function throughTable(name: string, file: MappingFile): Pick<Hole, 'toModel' | 'toText'> {
  const rows = tableRows(file.tables?.[name] ?? {}).map(([wire, model]) => [String(wire), String(model)] as const)
  const models = new Map(rows)
  const wires = new Map(rows.toReversed().map(([wire, model]) => [model, wire]))
  return {
    toModel: (text) => models.get(text) ?? (wires.has(text) ? undefined : text),
    toText: (value) => wires.get(value) ?? (models.has(value) ? undefined : value),
  }
}

/** Tells the texts of the holes: from the left as far as they are to be short, the others from the right. */
function taker(pieces: readonly Piece[]): (text: string) => string[] | undefined {
  const short = pieces.findLastIndex(({ hole }) => hole?.isShort === true)
  const left = pieces.slice(0, short + 1)
  const right = pieces.slice(short + 1)
  if (left.length === 0) return (text) => fromTheRight(text, right)
  return (text) => {
    const found: string[] = []
    const end = fromTheLeft(text, left, right[0]?.text, found)
    const rest = end === undefined ? undefined : fromTheRight(text.slice(end), right)
    return rest && [...found, ...rest]
  }
}

/** Adds the texts of the holes to `found`; tells where the last one ends. */
function fromTheLeft(
  text: string,
  pieces: readonly Piece[],
  next: string | undefined,
  found: string[],
): number | undefined {
  let start = 0
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!
    if (piece.hole === undefined) {
      if (!text.startsWith(piece.text, start)) return undefined
      start += piece.text.length
      continue
    }
    const after = i + 1 < pieces.length ? pieces[i + 1]!.text : next
    const end = after === undefined ? text.length : text.indexOf(after, start + 1)
    if (end <= start) return undefined
    found.push(text.slice(start, end))
    start = end
  }
  return start
}

function fromTheRight(text: string, pieces: readonly Piece[]): string[] | undefined {
  const found: string[] = []
  let end = text.length
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]!
    if (piece.hole === undefined) {
      end -= piece.text.length
      if (end < 0 || !text.startsWith(piece.text, end)) return undefined
      continue
    }
    const from = beginning(text, pieces[i - 1]?.text ?? '', end, i <= 1)
    if (from === undefined) return undefined
    found.push(text.slice(from, end))
    end = from
  }
  return end === 0 ? found.reverse() : undefined
}

/** Where the text of a hole begins that ends at `end` and follows `before`; it is never empty. */
function beginning(text: string, before: string, end: number, isFirst: boolean): number | undefined {
  if (isFirst) return text.startsWith(before) && before.length < end ? before.length : undefined
  const at = text.lastIndexOf(before, end - before.length - 1)
  return at < 0 ? undefined : at + before.length
}

function written(pieces: readonly Piece[], fact: Fact): string | undefined {
  let out = ''
  let isFirst = true
  for (let i = 0; i < pieces.length; i++) {
    const { text, hole } = pieces[i]!
    if (hole === undefined) {
      out += text
      continue
    }
    const value = hole.field.get(fact)
    const own = typeof value !== 'string' || value === '' ? undefined : hole.toText(value)
    const told = hole.isName && own !== undefined ? shortName(own) : own
    const edge = hole.isShort ? pieces[i + 1]?.text : isFirst ? undefined : pieces[i - 1]?.text
    if (told === undefined || (edge !== undefined && told.includes(edge))) return undefined
    out += told
    if (!hole.isShort) isFirst = false
  }
  return out
}

/** Eight hexadecimal digits that the same text always gives (FNV-1a). */
function shortName(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

const HOLE = /^([^{}|#~]+)(?:\|([^{}|#~]+))?([#~])?$/

function parse(source: string): Parsed[] {
  const pieces: Parsed[] = []
  let at = 0
  while (at < source.length) {
    const open = source.indexOf('{', at)
    const text = source.slice(at, open < 0 ? undefined : open)
    if (text.includes('}')) throw new FormFault(`"${source}" closes a brace that was never opened`)
    if (text !== '') pieces.push({ text })
    if (open < 0) break
    const close = source.indexOf('}', open)
    if (close < 0) throw new FormFault(`the brace at character ${open + 1} of "${source}" is never closed`)
    const inner = source.slice(open + 1, close)
    const match = HOLE.exec(inner)
    if (match === null) throw new FormFault(`{${inner}} names no field; want {field}, {field|table} or {field#}`)
    const last = pieces.at(-1)
    if (last !== undefined && 'field' in last)
      throw new FormFault(`nothing stands between {${last.field.path}} and {${inner}}`)
    const [, path, table, mark] = match
    pieces.push({ field: { path: path!, table, isName: mark === '#', isShort: mark === '~' } })
    at = close + 1
  }
  if (pieces.every((piece) => 'text' in piece)) throw new FormFault(`"${source}" has no field in braces`)
  return pieces
}
