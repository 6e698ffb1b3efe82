import { isBlank, isBlankOrEnd, isBreak, isDigit } from './chars.js'
import { skipToLineEnd } from './scan-properties.js'
import { atDocumentMark, column, malformed, type Scan, T, type Token, takeBreak, token } from './scan-state.js'

/** White space between two lines of a scalar: what a fold turns it into is decided when text follows. */
interface Fold {
  blanks: string
  leading: string
  trailing: string
  broken: boolean
}

/** One line feed folds into a space, each further break stays; LS and PS stay themselves. */
function foldedText(fold: Fold): string {
  if (!fold.broken) return fold.blanks
  if (fold.leading !== '\n') return fold.leading + fold.trailing
  return fold.trailing === '' ? ' ' : fold.trailing
}

function isFlowEnd(code: number): boolean {
  return code === 44 || code === 91 || code === 93 || code === 123 || code === 125
}

/** Position behind the run of plain text that starts here, on one line. */
function endOfPlainRun(s: Scan): number {
  const { text } = s
  let at = s.pos
  for (;;) {
    const code = text.charCodeAt(at)
    if (isBlankOrEnd(code)) return at
    if (code === 58) {
      const next = text.charCodeAt(at + 1)
      if (isBlankOrEnd(next)) return at
      if (s.flowLevel > 0 && (isFlowEnd(next) || next === 63)) {
        throw malformed(s, at, 'a ":" before a flow indicator; put a space behind it, or the text in quotes')
      }
    } else if (s.flowLevel > 0 && isFlowEnd(code)) return at
    at++
  }
}

export function scanPlain(s: Scan): Token {
  const start = s.pos
  const indent = s.indent + 1
  const fold: Fold = { blanks: '', leading: '', trailing: '', broken: false }
  let value = ''
  for (;;) {
    if (atDocumentMark(s) || s.text.charCodeAt(s.pos) === 35) break
    const end = endOfPlainRun(s)
    if (end > s.pos) {
      value += value === '' ? '' : foldedText(fold)
      value += s.text.slice(s.pos, end)
      s.pos = end
      fold.blanks = ''
      fold.broken = false
    }
    const code = s.text.charCodeAt(s.pos)
    if (!isBlank(code) && !isBreak(code)) break
    takeWhiteSpace(s, fold, indent)
    if (s.flowLevel === 0 && column(s) < indent) break
  }
  if (fold.broken) s.keyAllowed = true
  return token(T.scalar, start, value, '', true)
}

/** Collects blanks and breaks. With an `indent`, a tab before that column is refused. */
function takeWhiteSpace(s: Scan, fold: Fold, indent: number): void {
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (isBlank(code)) {
      if (!fold.broken) fold.blanks = takeBlanks(s)
      else if (code === 9 && column(s) < indent) throw malformed(s, s.pos, 'a tab may not indent; use spaces')
      else s.pos++
    } else if (isBreak(code)) {
      if (fold.broken) fold.trailing += takeBreak(s)
      else {
        fold.leading = takeBreak(s)
        fold.trailing = ''
        fold.broken = true
      }
    } else return
  }
}

function takeBlanks(s: Scan): string {
  const start = s.pos
  while (isBlank(s.text.charCodeAt(s.pos))) s.pos++
  return s.text.slice(start, s.pos)
}

export function scanQuoted(s: Scan): Token {
  const start = s.pos
  const quote = s.text.charCodeAt(s.pos++)
  const fold: Fold = { blanks: '', leading: '', trailing: '', broken: false }
  const parts: string[] = []
  for (;;) {
    if (atDocumentMark(s)) throw malformed(s, s.pos, 'a document mark inside quotes; the closing quote is missing')
    fold.blanks = ''
    fold.broken = quote === 34 ? takeDoubleRun(s, parts) : takeSingleRun(s, parts)
    const code = s.text.charCodeAt(s.pos)
    if (code === quote) break
    if (code === 0) throw malformed(s, start, 'the closing quote is missing')
    if (fold.broken) {
      fold.leading = ''
      fold.trailing = ''
    }
    takeWhiteSpace(s, fold, 0)
    parts.push(foldedText(fold))
  }
  s.pos++
  return token(T.scalar, start, parts.length === 1 ? parts[0]! : parts.join(''))
}

/** Text up to white space or the closing quote, `''` halved. */
function takeSingleRun(s: Scan, parts: string[]): false {
  let from = s.pos
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (code === 39) {
      if (s.text.charCodeAt(s.pos + 1) !== 39) break
      parts.push(s.text.slice(from, s.pos + 1))
      s.pos += 2
      from = s.pos
    } else if (isBlankOrEnd(code)) break
    else s.pos++
  }
  parts.push(s.text.slice(from, s.pos))
  return false
}

/** Text up to white space or the closing quote; true when it ends with an escaped line break. */
function takeDoubleRun(s: Scan, parts: string[]): boolean {
  let from = s.pos
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (code === 34 || isBlankOrEnd(code)) break
    if (code !== 92) {
      s.pos++
      continue
    }
    parts.push(s.text.slice(from, s.pos))
    if (isBreak(s.text.charCodeAt(s.pos + 1))) {
      s.pos++
      takeBreak(s)
      return true
    }
    parts.push(takeEscape(s))
    from = s.pos
  }
  parts.push(s.text.slice(from, s.pos))
  return false
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ['/', '/'],
  ['\\', '\\'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
])
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

function takeEscape(s: Scan): string {
  const at = s.pos
  const letter = s.text.charAt(s.pos + 1)
  s.pos += 2
  const simple = ESCAPES.get(letter)
  if (simple !== undefined) return simple
  const length = HEX_DIGITS.get(letter)
  if (length === undefined)
    throw malformed(s, at, `\\${letter === '\0' ? '' : letter} is no escape; write \\\\ for a backslash`)
  const digits = s.text.slice(s.pos, s.pos + length)
  if (digits.length < length || !/^[0-9A-Fa-f]+$/.test(digits)) {
    throw malformed(s, at, `\\${letter} is followed by ${length} hexadecimal digits`)
  }
  const codePoint = Number.parseInt(digits, 16)
  if ((codePoint >= 0xd800 && codePoint <= 0xdfff) || codePoint > 0x10ffff) {
    throw malformed(s, at, `\\${letter}${digits} is no character; write it whole as \\U and eight digits`)
  }
  s.pos += length
  return String.fromCodePoint(codePoint)
}

/** What stands behind `|` or `>`. */
interface BlockHeader {
  /** Columns to indent by, 0 to find out. */
  increment: number
  /** `-` strips, `+` keeps, otherwise one line break stays. */
  chomp: string
}

function takeBlockHeader(s: Scan): BlockHeader {
  const header: BlockHeader = { increment: 0, chomp: '' }
  for (let i = 0; i < 2; i++) {
    const code = s.text.charCodeAt(s.pos)
    if ((code === 43 || code === 45) && header.chomp === '') header.chomp = s.text.charAt(s.pos++)
    else if (isDigit(code) && header.increment === 0) {
      if (code === 48) throw malformed(s, s.pos, 'a block scalar is indented by 1 to 9')
      header.increment = code - 48
      s.pos++
    }
  }
  if (!skipToLineEnd(s)) throw malformed(s, s.pos, 'the text of a block scalar begins on the next line')
  if (s.text.charCodeAt(s.pos) !== 0) takeBreak(s)
  return header
}

/** Empty lines before the next line of text, and the column where that text must begin. */
interface BlockLayout {
  /** 0 while it is not known. */
  indent: number
  breaks: string
}

export function scanBlock(s: Scan): Token {
  const start = s.pos
  const folded = s.text.charCodeAt(s.pos++) === 62
  const { increment, chomp } = takeBlockHeader(s)
  const layout: BlockLayout = { indent: increment === 0 ? 0 : Math.max(s.indent, 0) + increment, breaks: '' }
  takeBlockBreaks(s, layout)
  let value = ''
  let leading = ''
  let afterBlank = false
  while (column(s) === layout.indent && s.text.charCodeAt(s.pos) !== 0) {
    const blank = isBlank(s.text.charCodeAt(s.pos))
    if (folded && leading === '\n' && !afterBlank && !blank) leading = layout.breaks === '' ? ' ' : ''
    value += leading + layout.breaks + takeLine(s)
    afterBlank = blank
    leading = isBreak(s.text.charCodeAt(s.pos)) ? takeBreak(s) : ''
    takeBlockBreaks(s, layout)
  }
  if (chomp !== '-') value += leading
  if (chomp === '+') value += layout.breaks
  return token(T.scalar, start, value)
}

function takeLine(s: Scan): string {
  const start = s.pos
  let code = s.text.charCodeAt(s.pos)
  while (code !== 0 && !isBreak(code)) code = s.text.charCodeAt(++s.pos)
  return s.text.slice(start, s.pos)
}

/** Takes empty lines and the indentation of the next line with text, and settles the indent if it is not known. */
function takeBlockBreaks(s: Scan, layout: BlockLayout): void {
  const { indent } = layout
  let widest = 0
  layout.breaks = ''
  for (;;) {
    while ((indent === 0 || column(s) < indent) && s.text.charCodeAt(s.pos) === 32) s.pos++
    widest = Math.max(widest, column(s))
    const code = s.text.charCodeAt(s.pos)
    if (code === 9 && (indent === 0 || column(s) < indent))
      throw malformed(s, s.pos, 'a tab may not indent; use spaces')
    if (!isBreak(code)) break
    layout.breaks += takeBreak(s)
  }
  if (indent === 0) layout.indent = Math.max(widest, s.indent + 1, 1)
}
