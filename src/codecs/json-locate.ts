/** A place in a text, both counted from 1, columns in characters. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Why a text is not JSON: the first place that breaks the grammar, and what could stand there. */
export interface JsonFault extends Position {
  readonly want: string
  readonly got: string
}

/** Where index `at` (in UTF-16 units) of a text lies. */
export function positionOf(text: string, at: number): Position {
  let line = 1
  let start = 0
  for (let feed = text.indexOf('\n'); feed !== -1 && feed < at; feed = text.indexOf('\n', start)) {
    line++
    start = feed + 1
  }
  let column = 1
  for (let i = start; i < at; i += text.codePointAt(i)! > 0xffff ? 2 : 1) column++
  return { line, column }
}

const END = 'the end of the body'
const WHITE = /[ \t\n\r]*/y
const WHOLE = /0|[1-9]\d*/y
const DIGITS = /\d+/y
const WORDS = ['true', 'false', 'null'] as const
const STRING_PART = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y

/** Carries the place of the fault out of the nested readers; never leaves this file. */
class Broken extends Error {
  readonly at: number
  readonly want: string
  constructor(at: number, want: string) {
    super(want)
    this.at = at
    this.want = want
  }
}

/**
 * Reads a text that `JSON.parse` has refused, to say where and why in the same words on every
 * version of the runtime. Recurses once per level, so the caller bounds the depth first.
 * Undefined: the text is JSON after all.
 */
export function locateJsonFault(text: string): JsonFault | undefined {
  try {
    const end = white(text, value(text, white(text, 0)))
    if (end < text.length) throw new Broken(end, END)
    return undefined
  } catch (broken) {
    if (!(broken instanceof Broken)) throw broken
    return { ...positionOf(text, broken.at), want: broken.want, got: found(text, broken.at) }
  }
}

function found(text: string, at: number): string {
  const character = text.codePointAt(at)
  if (character === undefined) return END
  if (character > 0x20 && character < 0x7f) return `'${String.fromCodePoint(character)}'`
  return `U+${character.toString(16).toUpperCase().padStart(4, '0')}`
}

/** The end of what the sticky expression matches at `at`, or -1. */
function match(part: RegExp, text: string, at: number): number {
  part.lastIndex = at
  return part.test(text) ? part.lastIndex : -1
}

function white(text: string, at: number): number {
  return match(WHITE, text, at)
}

function value(text: string, at: number): number {
  const first = text.charAt(at)
  if (first === '{') return object(text, at)
  if (first === '[') return list(text, at)
  if (first === '"') return string(text, at)
  if (first === '-' || (first >= '0' && first <= '9')) return number(text, at)
  const word = WORDS.find((candidate) => candidate[0] === first)
  if (word === undefined) throw new Broken(at, 'a value')
  for (let i = 0; i < word.length; i++) if (text[at + i] !== word[i]) throw new Broken(at + i, word)
  return at + word.length
}

function number(text: string, at: number): number {
  let end = digits(WHOLE, text, text[at] === '-' ? at + 1 : at)
  if (text[end] === '.') end = digits(DIGITS, text, end + 1)
  if (text[end] !== 'e' && text[end] !== 'E') return end
  const sign = text[end + 1] === '+' || text[end + 1] === '-' ? 1 : 0
  return digits(DIGITS, text, end + 1 + sign)
}

function digits(part: RegExp, text: string, at: number): number {
  const end = match(part, text, at)
  if (end === -1) throw new Broken(at, 'a digit')
  return end
}

function string(text: string, at: number): number {
  let end = at + 1
  for (;;) {
    end = match(STRING_PART, text, end)
    const next = text[end]
    if (next === '"') return end + 1
    if (next === undefined) throw new Broken(end, "'\"'")
    if (next !== '\\') throw new Broken(end, 'an escape such as \\n instead of a control character')
    const escaped = match(ESCAPE, text, end)
    if (escaped === -1) throw new Broken(end, 'one of the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX')
    end = escaped
  }
}

function object(text: string, at: number): number {
  let end = white(text, at + 1)
  if (text[end] === '}') return end + 1
  for (;;) {
    if (text[end] !== '"') throw new Broken(end, 'a key in double quotes')
    end = white(text, string(text, end))
    if (text[end] !== ':') throw new Broken(end, "':'")
    end = white(text, value(text, white(text, end + 1)))
    if (text[end] === '}') return end + 1
    if (text[end] !== ',') throw new Broken(end, "',' or '}'")
    end = white(text, end + 1)
  }
}

function list(text: string, at: number): number {
  let end = white(text, at + 1)
  if (text[end] === ']') return end + 1
  for (;;) {
    end = white(text, value(text, end))
    if (text[end] === ']') return end + 1
    if (text[end] !== ',') throw new Broken(end, "',' or ']'")
    end = white(text, end + 1)
  }
}
