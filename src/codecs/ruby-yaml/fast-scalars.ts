import { isDigit } from './chars.js'
import { resolvePlain, resolveWord, TOO_MANY_DIGITS } from './resolve.js'
import { RAISES } from './time.js'
import type { RubyValue } from './values.js'

/** What the fast reader gives for a text that is outside its subset. */
export const NOT_MINE = Symbol('not mine')

/** A value, or the word that it has to be read by the complete reader. */
export type Found = RubyValue | typeof NOT_MINE

/** Where the fast reader stands. `pos` is at a value, or behind the line break that ended one. */
export interface Fast {
  readonly text: string
  readonly end: number
  readonly classes: 'any' | ReadonlySet<string>
  pos: number
  nodes: number
  depth: number
}

/** Characters below U+0100: 0 not taken, 1 ordinary everywhere, 2 with a meaning of its own in plain text. */
const KIND = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === 32 || code === 58) return 2
  return (code > 32 && code < 127) || code > 159 ? 1 : 0
})

/** Characters from U+0100 on that are neither line breaks, BOM, surrogates nor outside YAML's set. */
function isOrdinaryWide(code: number): boolean {
  return (code < 0xd800 && code !== 0x2028 && code !== 0x2029) || (code > 0xdfff && code < 0xfffe && code !== 0xfeff)
}

/** Position behind a line of plain text, or -1 for one with a comment, a `: `, blanks at its end or other characters. */
function endOfPlainLine(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (code < 256 ? KIND[code] === 1 : isOrdinaryWide(code)) at++
    else if (code === 10) return at
    else if (code !== 32 && code !== 58) return -1
    else {
      const next = text.charCodeAt(at + 1)
      if (next === 10 || next === (code === 32 ? 35 : 32)) return -1
      at++
    }
  }
}

/** Whether the line at `pos` is indented by more than `parent` columns, so that it continues what stands above it. */
function isDeeper(f: Fast, pos: number, parent: number): boolean {
  for (let i = 0; i <= parent; i++) if (f.text.charCodeAt(pos + i) !== 32) return false
  return true
}

/** A plain scalar that starts at the current position, with its continuation lines. */
export function readPlain(f: Fast, parent: number): Found {
  const start = f.pos
  const end = endOfPlainLine(f.text, start)
  if (end < 0) return NOT_MINE
  f.pos = end + 1
  return isDeeper(f, f.pos, parent) ? readFolded(f, f.text.slice(start, end), parent) : resolveSpan(f.text, start, end)
}

function readFolded(f: Fast, first: string, parent: number): Found {
  let text = first
  while (isDeeper(f, f.pos, parent)) {
    const start = skipSpaces(f, f.pos)
    const code = f.text.charCodeAt(start)
    const end = code === 10 || code === 35 ? -1 : endOfPlainLine(f.text, start)
    if (end < 0) return NOT_MINE
    text += ` ${f.text.slice(start, end)}`
    f.pos = end + 1
  }
  return settled(text)
}

function skipSpaces(f: Fast, from: number): number {
  let at = from
  while (f.text.charCodeAt(at) === 32) at++
  return at
}

function settled(text: string): Found {
  const value = resolvePlain(text)
  return value === RAISES || value === TOO_MANY_DIGITS ? NOT_MINE : value
}

/** The value of plain text on one line; the usual cases are told by its first characters. */
function resolveSpan(text: string, start: number, end: number): Found {
  const first = text.charCodeAt(start)
  if ((first > 96 && first < 123) || (first > 64 && first < 91)) {
    const word = text.slice(start, end)
    return end - start > 5 ? word : resolveWord(word)
  }
  if (first > 47 && first < 58) return resolveDigits(text, start, end)
  return settled(text.slice(start, end))
}

/** Whether digits followed by this character can only be a String: a letter other than b and x, or a dash in no year. */
function beginsNoNumber(code: number, digits: number): boolean {
  if (code === 45) return digits !== 4
  return (code > 96 && code < 123 && code !== 98 && code !== 120) || (code > 64 && code < 91)
}

function resolveDigits(text: string, start: number, end: number): Found {
  let at = start
  let number = 0
  let code = text.charCodeAt(at)
  while (isDigit(code)) {
    number = number * 10 + code - 48
    code = text.charCodeAt(++at)
  }
  if (at === end) {
    if (at - start < 16 && (text.charCodeAt(start) !== 48 || at - start === 1)) return number
  } else if (beginsNoNumber(code, at - start)) return text.slice(start, end)
  return settled(text.slice(start, end))
}

/** A quoted scalar must end its line; a line break within it is taken where Psych writes one. */
export function readSingle(f: Fast): Found {
  const { text } = f
  let from = f.pos + 1
  let at = from
  let value = ''
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === 39) {
      const next = text.charCodeAt(at + 1)
      if (next === 10) break
      if (next !== 39) return NOT_MINE
      value += text.slice(from, at + 1)
      at += 2
      from = at
    } else if (code === 10) {
      const resumed = resumeQuoted(f, at)
      if (resumed < 0) return NOT_MINE
      value += `${text.slice(from, at)} `
      at = resumed
      from = at
    } else if (code < 256 ? KIND[code] !== 0 : isOrdinaryWide(code)) at++
    else return NOT_MINE
  }
  f.pos = at + 2
  return value === '' ? text.slice(from, at) : value + text.slice(from, at)
}

/** Where quoted text goes on after a line break, or -1 when it is not broken as Psych breaks it. */
function resumeQuoted(f: Fast, at: number): number {
  if (f.text.charCodeAt(at - 1) === 32) return -1
  const resumed = skipSpaces(f, at + 1)
  return resumed === at + 1 || f.text.charCodeAt(resumed) === 10 ? -1 : resumed
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [32, ' '],
  [34, '"'],
  [48, '\0'],
  [92, '\\'],
  [97, '\x07'],
  [98, '\b'],
  [101, '\x1b'],
  [102, '\f'],
  [110, '\n'],
  [114, '\r'],
  [116, '\t'],
  [118, '\v'],
  [76, '\u2028'],
  [78, '\x85'],
  [80, '\u2029'],
])

export function readDouble(f: Fast): Found {
  const { text } = f
  let from = f.pos + 1
  let at = from
  let value = ''
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === 34) break
    if (code === 92) {
      const escaped = readEscape(text, at)
      if (escaped === undefined) return NOT_MINE
      value += text.slice(from, at) + escaped.text
      at = escaped.end
      from = at
    } else if (code === 10) {
      const resumed = resumeQuoted(f, at)
      if (resumed < 0) return NOT_MINE
      value += `${text.slice(from, at)} `
      at = resumed
      from = at
    } else if (code < 256 ? KIND[code] !== 0 : isOrdinaryWide(code)) at++
    else return NOT_MINE
  }
  if (text.charCodeAt(at + 1) !== 10) return NOT_MINE
  f.pos = at + 2
  return value === '' ? text.slice(from, at) : value + text.slice(from, at)
}

function readEscape(text: string, at: number): { text: string; end: number } | undefined {
  const code = text.charCodeAt(at + 1)
  const simple = ESCAPES.get(code)
  if (simple !== undefined) return { text: simple, end: at + 2 }
  const length = code === 120 ? 2 : code === 117 ? 4 : code === 85 ? 8 : 0
  const digits = text.slice(at + 2, at + 2 + length)
  if (length === 0 || !/^[0-9A-Fa-f]+$/.test(digits)) return undefined
  const codePoint = Number.parseInt(digits, 16)
  if (digits.length < length || (codePoint >= 0xd800 && codePoint <= 0xdfff) || codePoint > 0x10ffff) return undefined
  return { text: String.fromCodePoint(codePoint), end: at + 2 + length }
}

/** A literal without indentation indicator whose first line has text: `|`, `|-` or `|+`. */
export function readLiteral(f: Fast, parent: number): Found {
  const { text } = f
  const mark = text.charCodeAt(f.pos + 1)
  const chomps = mark === 45 || mark === 43
  if ((chomps ? text.charCodeAt(f.pos + 2) : mark) !== 10) return NOT_MINE
  let at = f.pos + (chomps ? 3 : 2)
  const indent = skipSpaces(f, at) - at
  if (indent <= parent || text.charCodeAt(at + indent) === 10) return NOT_MINE
  let value = ''
  let breaks = ''
  while (at < f.end) {
    if (text.charCodeAt(at) === 10) {
      breaks += '\n'
      at++
      continue
    }
    if (!isDeeper(f, at, indent - 1)) break
    const end = endOfLine(text, at + indent)
    if (end < 0) return NOT_MINE
    value += breaks + text.slice(at + indent, end)
    breaks = '\n'
    at = end + 1
  }
  const left = skipSpaces(f, at)
  if (at < f.end && (left - at > parent || text.charCodeAt(left) === 10)) return NOT_MINE
  f.pos = at
  if (mark === 45) return value
  return value + (mark === 43 ? breaks : '\n')
}

/** Position of the line break that ends a line of literal text, or -1 when other characters than usual are in it. */
function endOfLine(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (code < 256 ? KIND[code] !== 0 : isOrdinaryWide(code)) at++
    else return code === 10 ? at : -1
  }
}
