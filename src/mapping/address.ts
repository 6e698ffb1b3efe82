import type { Fact } from '../model/index.js'
import type { ModelPath } from './paths.js'

type Piece = { readonly text: string } | { readonly field: ModelPath } | { readonly optional: readonly Piece[] }

/** A two-way text template: `cn.xswitch.ctrl[.{controller}]`. */
export interface Template {
  /** Whether it has no variable part: then it stands for exactly this text. */
  readonly fixed: string | undefined
  readonly fields: readonly ModelPath[]
  /** Sets the fields it finds and tells whether the text fits. */
  read(text: string, fact: Fact): boolean
  matches(text: string): boolean
  /** Undefined when a field outside an optional part is absent. */
  write(fact: Fact): string | undefined
}

/** What is wrong with a template's text. */
export class TemplateFault extends Error {}

/**
 * Compiles a template. `[part]` is written only when every field in it is present, and read when
 * it is there. `resolve` turns a name in braces into a model field or throws a TemplateFault.
 */
export function compileTemplate(source: string, resolve: (name: string) => ModelPath): Template {
  const pieces = parse(source, resolve)
  const fields = pieces.flatMap(fieldsOf)
  const [only, ...others] = pieces
  if (only !== undefined && others.length === 0 && !('text' in only)) {
    const whole = wholeTemplate(only)
    if (whole !== undefined) return whole
  }
  const pattern = new RegExp(`^${pieces.map(patternOf).join('')}$`, 's')
  return {
    fixed: pieces.every((piece) => 'text' in piece)
      ? pieces.map((piece) => ('text' in piece ? piece.text : '')).join('')
      : undefined,
    fields,
    matches: (text) => pattern.test(text),
    read(text, fact) {
      const found = pattern.exec(text)
      if (found === null) return false
      for (const [i, field] of fields.entries()) {
        const value = found[i + 1]
        if (value !== undefined) field.set(fact, value)
      }
      return true
    },
    write: (fact) => writeAll(pieces, fact),
  }
}

/** A template that is one field and nothing else, perhaps an optional one. */
function wholeTemplate(piece: Exclude<Piece, { readonly text: string }>): Template | undefined {
  const isOptional = 'optional' in piece
  const inner = isOptional ? piece.optional : [piece]
  const [only, ...others] = inner
  if (only === undefined || others.length > 0 || !('field' in only)) return undefined
  const { field } = only
  return {
    fixed: undefined,
    fields: [field],
    matches: (text) => isOptional || text !== '',
    read(text, fact) {
      if (text !== '') field.set(fact, text)
      return isOptional || text !== ''
    },
    write: (fact) => writeAll([piece], fact),
  }
}

function fieldsOf(piece: Piece): ModelPath[] {
  if ('field' in piece) return [piece.field]
  return 'optional' in piece ? piece.optional.flatMap(fieldsOf) : []
}

/** Fields match one or more characters; each is followed by fixed text or the end, so the pattern stays linear. */
function patternOf(piece: Piece): string {
  if ('text' in piece) return piece.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  if ('field' in piece) return '(.+)'
  return `(?:${piece.optional.map(patternOf).join('')})?`
}

function writeAll(pieces: readonly Piece[], fact: Fact): string | undefined {
  let out = ''
  for (const piece of pieces) {
    if ('text' in piece) out += piece.text
    else if ('field' in piece) {
      const value = piece.field.get(fact)
      if (typeof value !== 'string' || value === '') return undefined
      out += value
    } else out += writeAll(piece.optional, fact) ?? ''
  }
  return out
}

function parse(source: string, resolve: (name: string) => ModelPath): Piece[] {
  const root: Piece[] = []
  let into = root
  let at = 0
  while (at < source.length) {
    const char = source[at]!
    if (char === '{') {
      const end = source.indexOf('}', at)
      if (end < 0) throw new TemplateFault(`the brace at character ${at + 1} of "${source}" is never closed`)
      into.push({ field: resolve(source.slice(at + 1, end)) })
      at = end + 1
    } else if (char === '[') {
      if (into !== root) throw new TemplateFault(`"${source}" has an optional part inside an optional part`)
      into = []
      at += 1
    } else if (char === ']') {
      if (into === root) throw new TemplateFault(`"${source}" closes an optional part that was never opened`)
      root.push({ optional: into })
      into = root
      at += 1
    } else {
      const next = /[{}[\]]/.exec(source.slice(at + 1))
      const end = next === null ? source.length : at + 1 + next.index
      into.push({ text: source.slice(at, end) })
      at = end
    }
  }
  if (into !== root) throw new TemplateFault(`"${source}" opens an optional part and never closes it`)
  if (root.flatMap(fieldsOf).length > 1) throw new TemplateFault(`"${source}" names more than one field`)
  return root
}
