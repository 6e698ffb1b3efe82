import type { GatewayError } from '../../errors.js'
import { isBlankOrEnd, isHighSurrogate } from './chars.js'
import { fault } from './fault.js'

/** Kinds of tokens, as the YAML 1.1 grammar of libyaml has them. */
export const T = {
  streamEnd: 0,
  versionDirective: 1,
  tagDirective: 2,
  documentStart: 3,
  documentEnd: 4,
  blockSequenceStart: 5,
  blockMappingStart: 6,
  blockEnd: 7,
  flowSequenceStart: 8,
  flowSequenceEnd: 9,
  flowMappingStart: 10,
  flowMappingEnd: 11,
  entry: 12,
  flowEntry: 13,
  key: 14,
  value: 15,
  alias: 16,
  anchor: 17,
  tag: 18,
  scalar: 19,
} as const

export type TokenKind = (typeof T)[keyof typeof T]

/**
 * One token. `text` is a scalar's text, an anchor's name, a tag's suffix or a directive's
 * prefix; `handle` a tag's handle; `plain` is true for plain scalars only.
 */
export interface Token {
  readonly kind: TokenKind
  readonly at: number
  readonly text: string
  readonly handle: string
  readonly plain: boolean
}

/** A place where a key may turn out to begin, once a `:` follows on the same line within 1024 characters. */
export interface KeyCandidate {
  possible: boolean
  required: boolean
  token: number
  at: number
  index: number
  line: number
  column: number
}

/** Where the scanner stands. `text` ends in a NUL that stands for the end. */
export interface Scan {
  readonly text: string
  pos: number
  line: number
  lineStart: number
  readonly hasAstral: boolean
  /** Code points before `countedTo`: a cursor that only moves forward. */
  counted: number
  countedTo: number
  /** The queue of tokens is what stands from `head` up to `tail`. */
  readonly tokens: Token[]
  head: number
  tail: number
  taken: number
  flowLevel: number
  indent: number
  readonly indents: number[]
  keyAllowed: boolean
  readonly keys: KeyCandidate[]
  /** No candidate below this flow level is possible. */
  firstPossible: number
}

export function newScan(text: string): Scan {
  return {
    text: `${text}\0`,
    pos: 0,
    line: 0,
    lineStart: 0,
    hasAstral: /[\ud800-\udbff]/.test(text),
    counted: 0,
    countedTo: 0,
    tokens: [],
    head: 0,
    tail: 0,
    taken: 0,
    flowLevel: 0,
    indent: -1,
    indents: [],
    keyAllowed: true,
    keys: [newCandidate()],
    firstPossible: 0,
  }
}

export function newCandidate(): KeyCandidate {
  return { possible: false, required: false, token: 0, at: 0, index: 0, line: 0, column: 0 }
}

/** Appends a token to the queue. */
export function pushToken(s: Scan, added: Token): void {
  s.tokens[s.tail++] = added
}

/** Puts a token before one that is still in the queue, told by its number. */
export function insertToken(s: Scan, number: number, added: Token): void {
  const at = s.head + number - s.taken
  for (let i = s.tail++; i > at; i--) s.tokens[i] = s.tokens[i - 1]!
  s.tokens[at] = added
}

export function token(kind: TokenKind, at: number, text = '', handle = '', plain = false): Token {
  return { kind, at, text, handle, plain }
}

export function malformed(s: Scan, at: number, what: string): GatewayError {
  return fault('codec.malformed', s.text, at, what)
}

/** Column in UTF-16 units. Only columns before any character beyond the BMP are ever compared. */
export function column(s: Scan): number {
  return s.pos - s.lineStart
}

/** Code points before the current position. */
export function indexHere(s: Scan): number {
  if (!s.hasAstral) return s.pos
  for (; s.countedTo < s.pos; s.countedTo++) {
    if (!isHighSurrogate(s.text.charCodeAt(s.countedTo))) s.counted++
  }
  return s.counted
}

/** Moves behind the line break at the current position and returns it as libyaml keeps it: LF, LS or PS. */
export function takeBreak(s: Scan): string {
  const code = s.text.charCodeAt(s.pos)
  s.pos += code === 13 && s.text.charCodeAt(s.pos + 1) === 10 ? 2 : 1
  s.line++
  s.lineStart = s.pos
  return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : '\n'
}

/** Whether `---` or `...` stands at the beginning of the line the scanner is at. */
export function atDocumentMark(s: Scan): boolean {
  if (s.pos !== s.lineStart) return false
  const code = s.text.charCodeAt(s.pos)
  return (
    (code === 45 || code === 46) &&
    s.text.charCodeAt(s.pos + 1) === code &&
    s.text.charCodeAt(s.pos + 2) === code &&
    isBlankOrEnd(s.text.charCodeAt(s.pos + 3))
  )
}
