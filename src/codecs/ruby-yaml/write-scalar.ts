import { isPrintable } from './analyze.js'
import { isBreak } from './chars.js'

/** Columns after which a space becomes a line break. */
export const WIDTH = 80

const PADS: string[] = Array.from({ length: 65 }, (_, i) => ' '.repeat(i))

export function pad(columns: number): string {
  return columns < PADS.length ? PADS[columns]! : ' '.repeat(columns)
}

const NEW_LINES: string[] = PADS.map((margin) => `\n${margin}`)

/** A line break and the margin behind it. */
export function newLine(columns: number): string {
  return columns < NEW_LINES.length ? NEW_LINES[columns]! : `\n${' '.repeat(columns)}`
}

/**
 * Where a scalar is written: the column its first character comes to, the column that lines
 * after the first begin at, and whether lines may be broken (not in a key before `:`).
 */
export interface Place {
  readonly column: number
  readonly indent: number
  readonly folds: boolean
}

export function plainText(text: string, place: Place): string {
  if (!place.folds || place.column + text.length <= WIDTH) return text
  let out = ''
  let from = 0
  let lineStart = -place.column
  for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) {
    if (at - lineStart <= WIDTH || text.charCodeAt(at - 1) === 32 || text.charCodeAt(at + 1) === 32) continue
    out += `${text.slice(from, at)}\n${pad(place.indent)}`
    from = at + 1
    lineStart = from - place.indent
  }
  return out + text.slice(from)
}

export function hasBreak(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isBreak(text.charCodeAt(i))) return true
  return false
}

export function singleText(text: string, place: Place, indentsClosingQuote: boolean): string {
  const margin = pad(place.indent)
  let out = "'"
  let from = 0
  let column = place.column + 1
  let afterSpace = false
  let afterBreak = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 32) {
      if (place.folds && !afterSpace && column > WIDTH && isInnerSpace(text, i) && text.charCodeAt(i + 1) !== 32) {
        out += `${text.slice(from, i)}\n${margin}`
        from = i + 1
        column = place.indent
      } else column++
      afterSpace = true
    } else if (isBreak(code)) {
      if (!afterBreak && code === 10) {
        out += `${text.slice(from, i)}\n`
        from = i
      }
      column = 0
      afterBreak = true
    } else {
      if (afterBreak) {
        out += text.slice(from, i) + margin
        from = i
        column = place.indent
      }
      if (code === 39) {
        out += `${text.slice(from, i)}'`
        from = i
      }
      column += code === 39 ? 2 : 1
      afterSpace = false
      afterBreak = false
    }
  }
  return `${out}${text.slice(from)}${afterBreak && indentsClosingQuote ? margin : ''}'`
}

function isInnerSpace(text: string, at: number): boolean {
  return at > 0 && at < text.length - 1
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0, '\\0'],
  [7, '\\a'],
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [27, '\\e'],
  [34, '\\"'],
  [92, '\\\\'],
  [0x85, '\\N'],
  [0x2028, '\\L'],
  [0x2029, '\\P'],
])

/** Escapes met so far; what is met again is mostly the same few. */
const MET_ESCAPES = new Map(ESCAPES)
const MAX_MET = 4096

function escapeOf(codePoint: number): string {
  const met = MET_ESCAPES.get(codePoint)
  if (met !== undefined) return met
  const spelled = spellEscape(codePoint)
  if (MET_ESCAPES.size < MAX_MET) MET_ESCAPES.set(codePoint, spelled)
  return spelled
}

function spellEscape(codePoint: number): string {
  const digits = codePoint.toString(16).toUpperCase()
  if (codePoint < 0x100) return `\\x${digits.padStart(2, '0')}`
  return codePoint < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

function needsEscape(code: number): boolean {
  return code === 34 || code === 92 || !isPrintable(code)
}

export function doubleText(text: string, place: Place): string {
  let out = '"'
  let from = 0
  let column = place.column + 1
  let afterSpace = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 32) {
      if (place.folds && !afterSpace && column > WIDTH && isInnerSpace(text, i)) {
        out += `${text.slice(from, i)}\n${pad(place.indent)}`
        from = i + 1
        column = place.indent
        if (text.charCodeAt(from) === 32) {
          out += '\\'
          column++
        }
      } else column++
      afterSpace = true
      continue
    }
    afterSpace = false
    if (needsEscape(code)) {
      const codePoint = text.codePointAt(i)!
      const escaped = escapeOf(codePoint)
      out += from < i ? text.slice(from, i) + escaped : escaped
      if (codePoint > 0xffff) i++
      from = i + 1
      column += escaped.length
    } else column++
  }
  return `${out}${text.slice(from)}"`
}

/** Whether a literal keeps all the line breaks at its end, which leaves its end open. */
export function keepsBreaks(text: string): boolean {
  const last = text.length - 1
  return isBreak(text.charCodeAt(last)) && (last === 0 || isBreak(text.charCodeAt(last - 1)))
}

/** The beginning of a line that is not empty. LF, LS and PS end lines; CR stands in no literal. */
const LINE_START = /^./gm

export function literalText(text: string, indent: number): string {
  const first = text.charCodeAt(0)
  const hint = first === 32 || isBreak(first) ? '2' : ''
  const chomp = isBreak(text.charCodeAt(text.length - 1)) ? (keepsBreaks(text) ? '+' : '') : '-'
  return `|${hint}${chomp}\n${text.replace(LINE_START, `${pad(indent)}$&`)}`
}
