import { isBlank, isBlankOrEnd, isBreak, isDigit } from './chars.js'
import { skipToLineEnd } from './scan-properties.js'
import { atDocumentMark, column, malformed, type Scan, T, type Token, takeBreak, token } from './scan-state.js'

/** Line breaks as libyaml keeps them. Line feeds are counted, since there may be millions. */
interface Breaks {
  text: string
  feeds: number
}

function noBreaks(): Breaks {
  return { text: '', feeds: 0 }
}

function addBreak(s: Scan, breaks: Breaks): void {
  const found = takeBreak(s)
  if (found === '\n') breaks.feeds++
  else {
    breaks.text = textOfBreaks(breaks) + found
    breaks.feeds = 0
  }
}

function textOfBreaks(breaks: Breaks): string {
  return breaks.text + '\n'.repeat(breaks.feeds)
}

/**
 * Takes the white space between two lines and returns what a fold turns it into: a single line
 * feed becomes a space, each further break stays; LS and PS stay themselves. `escaped` means that
 * the first break is taken already and counts for nothing. A tab before column `indent` is refused.
 */
function takeFold(s: Scan, indent: number, escaped: boolean): string {
  const leading = escaped ? '' : takeBreak(s)
  const trailing = noBreaks()
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (isBreak(code)) addBreak(s, trailing)
    else if (!isBlank(code)) break
    else if (code === 9 && column(s) < indent) throw malformed(s, s.pos, 'a tab may not indent; use spaces')
    else s.pos++
  }
  const rest = textOfBreaks(trailing)
  if (leading !== '\n') return leading + rest
  return rest === '' ? ' ' : rest
}

function skipBlanks(s: Scan): void {
  while (isBlank(s.text.charCodeAt(s.pos))) s.pos++
}

function isFlowEnd(code: number): boolean {
  return code === 44 || code === 91 || code === 93 || code === 123 || code === 125
}

/** Position behind the run of plain text without blanks that starts at `from`. */
function endOfPlainRun(s: Scan, from: number): number {
  const { text } = s
  let at = from
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

/** Moves to the end of the plain text on this line and over the blanks behind it; returns the text. */
function takePlainLine(s: Scan): string {
  const start = s.pos
  let end = start
  while (s.text.charCodeAt(s.pos) !== 35) {
    const next = endOfPlainRun(s, s.pos)
    if (next === s.pos) break
    end = next
    s.pos = next
    skipBlanks(s)
  }
  return s.text.slice(start, end)
}

export function scanPlain(s: Scan): Token {
  const start = s.pos
  const indent = s.indent + 1
  let value = takePlainLine(s)
  while (isBreak(s.text.charCodeAt(s.pos))) {
    const fold = takeFold(s, indent, false)
    s.keyAllowed = true
    if ((s.flowLevel === 0 && column(s) < indent) || atDocumentMark(s)) break
    const line = takePlainLine(s)
    if (line === '') break
    value += fold + line
    s.keyAllowed = false
  }
  return token(T.scalar, start, value, '', true)
}

export function scanQuoted(s: Scan): Token {
  const start = s.pos
  const quote = s.text.charCodeAt(s.pos++)
  const parts: string[] = []
  for (;;) {
    if (atDocumentMark(s)) throw malformed(s, s.pos, 'a document mark inside quotes; the closing quote is missing')
    const escaped = quote === 34 ? takeDoubleLine(s, parts) : takeSingleLine(s, parts)
    const code = s.text.charCodeAt(s.pos)
    if (code === quote) break
    if (code === 0) throw malformed(s, start, 'the closing quote is missing')
    parts.push(takeFold(s, 0, escaped))
  }
  s.pos++
  return token(T.scalar, start, parts.length === 1 ? parts[0]! : parts.join(''))
}

/** Adds the text of a line from `from` on; blanks before its line break are dropped. */
function addLine(s: Scan, parts: string[], from: number): void {
  let end = s.pos
  if (isBreak(s.text.charCodeAt(end))) while (end > from && isBlank(s.text.charCodeAt(end - 1))) end--
  if (end > from || parts.length === 0) parts.push(s.text.slice(from, end))
}

/** Text up to the end of the line or the closing quote, `''` halved. */
function takeSingleLine(s: Scan, parts: string[]): false {
  const from = s.pos
  let doubled = false
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (code === 0 || isBreak(code)) break
    if (code === 39) {
      if (s.text.charCodeAt(s.pos + 1) !== 39) break
      doubled = true
      s.pos++
    }
    s.pos++
  }
  addLine(s, parts, from)
  if (doubled) parts.push(parts.pop()!.replaceAll("''", "'"))
  return false
}

/** Text up to the end of the line or the closing quote; true when it ends with an escaped line break. */
function takeDoubleLine(s: Scan, parts: string[]): boolean {
  let from = s.pos
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (code === 34 || code === 0 || isBreak(code)) break
    if (code !== 92) {
      s.pos++
      continue
    }
    if (s.pos > from) parts.push(s.text.slice(from, s.pos))
    if (isBreak(s.text.charCodeAt(s.pos + 1))) {
      s.pos++
      takeBreak(s)
      skipBlanks(s)
      return true
    }
    parts.push(takeEscape(s))
    from = s.pos
  }
  addLine(s, parts, from)
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
  const parts: string[] = []
  let leading = ''
  let afterBlank = false
  while (column(s) === layout.indent && s.text.charCodeAt(s.pos) !== 0) {
    const blank = isBlank(s.text.charCodeAt(s.pos))
    if (folded && leading === '\n' && !afterBlank && !blank) leading = layout.breaks === '' ? ' ' : ''
    parts.push(leading + layout.breaks + takeLine(s))
    afterBlank = blank
    leading = isBreak(s.text.charCodeAt(s.pos)) ? takeBreak(s) : ''
    takeBlockBreaks(s, layout)
  }
  if (chomp !== '-') parts.push(leading)
  if (chomp === '+') parts.push(layout.breaks)
  return token(T.scalar, start, parts.join(''))
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
  const breaks = noBreaks()
  let widest = 0
  for (;;) {
    while ((indent === 0 || column(s) < indent) && s.text.charCodeAt(s.pos) === 32) s.pos++
    widest = Math.max(widest, column(s))
    const code = s.text.charCodeAt(s.pos)
    if (code === 9 && (indent === 0 || column(s) < indent))
      throw malformed(s, s.pos, 'a tab may not indent; use spaces')
    if (!isBreak(code)) break
    addBreak(s, breaks)
  }
  layout.breaks = textOfBreaks(breaks)
  if (indent === 0) layout.indent = Math.max(widest, s.indent + 1, 1)
}
