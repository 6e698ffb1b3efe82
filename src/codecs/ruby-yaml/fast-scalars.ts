import { FIRST_LETTERS, OTHER_LETTER } from './easy-text.js'
import { LONG_INTEGER_DIGITS } from './limits.js'
import { resolvePlain, resolveWord, TOO_MANY_DIGITS } from './resolve.js'
import { RAISES } from './time.js'
import type { RubyValue } from './values.js'

/** What the fast reader gives for a text that is outside its subset. */
export const NOT_MINE = Symbol('not mine')

/** A value, or the word that it has to be read by the complete reader. */
export type Found = RubyValue | typeof NOT_MINE

/**
 * Where the fast reader stands. `pos` is at a value, or behind the line break that ended one.
 * `codes` has one byte for each UTF-16 unit of `text`, see {@link codesOf}.
 */
export interface Fast {
  readonly text: string
  readonly codes: Uint8Array
  readonly end: number
  readonly classes: 'any' | ReadonlySet<string>
  pos: number
  nodes: number
  depth: number
}

/** Stands for every character from U+0100 on that is ordinary text; those that are not become 0. */
const WIDE = 255

/** Characters from U+0100 on that are neither line breaks, BOM, surrogates nor outside YAML's set. */
function isOrdinaryWide(code: number): boolean {
  return (code < 0xd800 && code !== 0x2028 && code !== 0x2029) || (code > 0xdfff && code < 0xfffe && code !== 0xfeff)
}

/** A text as bytes that say all the fast reader asks of its characters. */
export function codesOf(text: string): Uint8Array {
  const codes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    codes[i] = code < 256 ? code : isOrdinaryWide(code) ? WIDE : 0
  }
  return codes
}

/** Kinds of codes: 0 not taken, 1 ordinary everywhere, 2 with a meaning of its own in plain text. */
const KIND = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === 32 || code === 58) return 2
  return (code > 32 && code < 127) || code > 159 ? 1 : 0
})

/** Position behind a line of plain text, or -1 for one with a comment, a `: `, blanks at its end or other characters. */
function endOfPlainLine(codes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const code = codes[at]!
    if (KIND[code] === 1) at++
    else if (code === 10) return at
    else if (code !== 32 && code !== 58) return -1
    else {
      const next = codes[at + 1]
      if (next === 10 || next === (code === 32 ? 35 : 32)) return -1
      at++
    }
  }
}

/** Whether the line at `pos` is indented by more than `parent` columns, so that it continues what stands above it. */
function isDeeper(f: Fast, pos: number, parent: number): boolean {
  if (f.end - pos <= parent) return false
  for (let i = 0; i <= parent; i++) if (f.codes[pos + i] !== 32) return false
  return true
}

/** A plain scalar that starts at the current position, with its continuation lines. */
export function readPlain(f: Fast, parent: number): Found {
  const start = f.pos
  const end = endOfPlainLine(f.codes, start)
  if (end < 0) return NOT_MINE
  f.pos = end + 1
  return isDeeper(f, f.pos, parent) ? readFolded(f, f.text.slice(start, end), parent) : resolveSpan(f, start, end)
}

function readFolded(f: Fast, first: string, parent: number): Found {
  let text = first
  while (isDeeper(f, f.pos, parent)) {
    const start = skipSpaces(f, f.pos)
    const code = f.codes[start]
    const end = code === 10 || code === 35 ? -1 : endOfPlainLine(f.codes, start)
    if (end < 0) return NOT_MINE
    text += ` ${f.text.slice(start, end)}`
    f.pos = end + 1
  }
  return settled(text)
}

function skipSpaces(f: Fast, from: number): number {
  let at = from
  while (f.codes[at] === 32) at++
  return at
}

function settled(text: string): Found {
  const value = resolvePlain(text)
  if (typeof value === 'bigint' && text.length > LONG_INTEGER_DIGITS) return NOT_MINE
  return value === RAISES || value === TOO_MANY_DIGITS ? NOT_MINE : value
}

/** The value of plain text on one line; the usual cases are told by its first characters. */
function resolveSpan(f: Fast, start: number, end: number): Found {
  const first = f.codes[start]!
  if (first > 47 && first < 58) return resolveDigits(f, start, end)
  const text = f.text.slice(start, end)
  const kind = FIRST_LETTERS[first]
  if (kind === OTHER_LETTER) return text
  if (kind === 0 || kind === undefined) return settled(text)
  if (end - start > 5) return text
  if (text === 'true') return true
  return text === 'false' ? false : resolveWord(text)
}

/** Whether digits followed by this character can only be a String: a letter other than b and x, or a dash in no year. */
function beginsNoNumber(code: number, digits: number): boolean {
  if (code === 45) return digits !== 4
  return (code > 96 && code < 123 && code !== 98 && code !== 120) || (code > 64 && code < 91)
}

function resolveDigits(f: Fast, start: number, end: number): Found {
  const { codes } = f
  let at = start
  let number = 0
  let code = codes[at]!
  while (code > 47 && code < 58) {
    number = number * 10 + code - 48
    code = codes[++at]!
  }
  if (at === end) {
    if (at - start < 16 && (codes[start] !== 48 || at - start === 1)) return number
  } else if (beginsNoNumber(code, at - start)) return f.text.slice(start, end)
  return settled(f.text.slice(start, end))
}

/** A quoted scalar must end its line; a line break within it is taken where Psych writes one. */
export function readSingle(f: Fast): Found {
  const { codes, text } = f
  let from = f.pos + 1
  let at = from
  let value = ''
  for (;;) {
    const code = codes[at]!
    if (code === 39) {
      const next = codes[at + 1]
      if (next === 10) break
      if (next !== 39) return NOT_MINE
      value += text.slice(from, at + 1)
      at += 2
      from = at
    } else if (KIND[code] !== 0) at++
    else {
      const resumed = code === 10 ? resumeQuoted(f, at) : -1
      if (resumed < 0) return NOT_MINE
      value += `${text.slice(from, at)} `
      at = resumed
      from = at
    }
  }
  f.pos = at + 2
  return value === '' ? text.slice(from, at) : value + text.slice(from, at)
}

/** Where quoted text goes on after a line break, or -1 when it is not broken as Psych breaks it. */
function resumeQuoted(f: Fast, at: number): number {
  if (f.codes[at - 1] === 32) return -1
  const resumed = skipSpaces(f, at + 1)
  return resumed === at + 1 || f.codes[resumed] === 10 ? -1 : resumed
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
  const { codes, text } = f
  let from = f.pos + 1
  let at = from
  let value = ''
  for (;;) {
    const code = codes[at]!
    if (code === 34) break
    if (code === 92) {
      const escaped = readEscape(text, at)
      if (escaped === undefined) return NOT_MINE
      value += text.slice(from, at) + escaped.text
      at = escaped.end
      from = at
    } else if (KIND[code] !== 0) at++
    else {
      const resumed = code === 10 ? resumeQuoted(f, at) : -1
      if (resumed < 0) return NOT_MINE
      value += `${text.slice(from, at)} `
      at = resumed
      from = at
    }
  }
  if (codes[at + 1] !== 10) return NOT_MINE
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
  const { codes, text } = f
  const mark = codes[f.pos + 1]
  const chomps = mark === 45 || mark === 43
  if ((chomps ? codes[f.pos + 2] : mark) !== 10) return NOT_MINE
  let at = f.pos + (chomps ? 3 : 2)
  const indent = skipSpaces(f, at) - at
  if (indent <= parent || codes[at + indent] === 10) return NOT_MINE
  const parts: string[] = []
  let feeds = 0
  while (at < f.end) {
    if (codes[at] === 10) {
      feeds++
      at++
      continue
    }
    if (!isDeeper(f, at, indent - 1)) break
    const end = endOfLine(codes, at + indent)
    if (end < 0) return NOT_MINE
    if (feeds > 0) parts.push('\n'.repeat(feeds))
    parts.push(text.slice(at + indent, end))
    feeds = 1
    at = end + 1
  }
  const left = skipSpaces(f, at)
  if (at < f.end && (left - at > parent || codes[left] === 10)) return NOT_MINE
  f.pos = at
  if (mark !== 45) parts.push(mark === 43 ? '\n'.repeat(feeds) : '\n')
  return parts.join('')
}

/** Position of the line break that ends a line of literal text, or -1 when other characters than usual are in it. */
function endOfLine(codes: Uint8Array, from: number): number {
  let at = from
  while (KIND[codes[at]!] !== 0) at++
  return codes[at] === 10 ? at : -1
}
