import { type Event, parseEvents, YAMLException } from 'js-yaml'
import type { Position } from './fault.js'

/** A mistake of syntax, in words for whoever wrote the file. */
export interface SyntaxMistake extends Position {
  readonly what: string
  readonly right: string
}

/** What could be read of a text. `events` refer to `text`, whose lines are those of the original. */
export interface TolerantParse {
  readonly text: string
  readonly events: readonly Event[]
  readonly mistakes: readonly SyntaxMistake[]
  /** Indices of the lines that were taken out; undefined when nothing could be read. */
  readonly leftOut: readonly number[] | undefined
}

const MAX_REPAIRS = 40
const MISALIGNED = 'the indentation does not fit the lines above'
/** Longer texts are not repaired: one mistake is reported, not all. Each repair costs some parses. */
const MAX_REPAIRED_UNITS = 300_000
/** How far back the beginning of an open quote or bracket is looked for, lines. */
const MAX_OPEN_LINES = 100

/**
 * Parses YAML and goes on after a mistake, so that one report names all of them: a line that
 * cannot be read is taken out together with what is indented below it, tabs become spaces.
 * Line numbers stay as they are; columns too, except on a line whose tabs were replaced.
 */
export function parseTolerant(original: string, maxDepth: number): TolerantParse {
  const lines = original.split(/\r\n?|\n/)
  const mistakes: SyntaxMistake[] = []
  const untabbed = new Set<number>()
  const leftOut: number[] = []
  let previous: { what: string; indent: number; next: number } | undefined
  for (let repairs = 0; repairs <= MAX_REPAIRS; repairs++) {
    const text = lines.join('\n')
    const failure = tryParse(text, maxDepth)
    if (Array.isArray(failure)) return { text, events: failure, mistakes, leftOut }
    const at = Math.min(failure.line, lines.length - 1)
    const blame = text.length > MAX_REPAIRED_UNITS ? undefined : findCulprit(lines, at, failure.reason, maxDepth)
    if (blame === undefined) {
      return { text, events: [], mistakes: [...mistakes, describe(failure, lines, at, at)], leftOut: undefined }
    }
    const indent = indentOf(lines[blame.from] as string)
    const mistake = describe(failure, lines, at, blame.from)
    const isEcho =
      mistake.what === MISALIGNED &&
      previous?.what === MISALIGNED &&
      previous.next === blame.from &&
      previous.indent === indent
    if (!isEcho && !untabbed.has(blame.from)) mistakes.push(mistake)
    if (isTab(failure.reason) && !untabbed.has(blame.from)) {
      untabbed.add(blame.from)
      lines[blame.from] = withoutTabs(lines, blame.from)
      continue
    }
    const next = blankOut(lines, blame.from, blame.to)
    for (let line = blame.from; line < next; line++) leftOut.push(line)
    previous = { what: mistake.what, indent, next }
  }
  return { text: '', events: [], mistakes, leftOut: undefined }
}

interface Failure {
  readonly reason: string
  readonly line: number
  readonly column: number
}

function tryParse(text: string, maxDepth: number): Event[] | Failure {
  try {
    return parseEvents(text, { maxDepth })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    return { reason: error.reason, line: error.mark?.line ?? 0, column: error.mark?.column ?? 0 }
  }
}

const isTab = (reason: string) => reason.startsWith('tab characters')
const isOpenEnd = (reason: string) => reason.startsWith('unexpected end') || reason.startsWith('deficient indentation')
const isBlank = (line: string | undefined) => line === undefined || /^\s*(#.*)?$/.test(line)
const indentOf = (line: string) => line.length - line.trimStart().length

/** The lines (end exclusive) to take out so that the rest may be read; undefined when nothing is left to take. */
function findCulprit(
  lines: readonly string[],
  at: number,
  reason: string,
  maxDepth: number,
): { from: number; to: number } | undefined {
  if (isOpenEnd(reason)) {
    const opener = findOpener(lines, at, maxDepth)
    if (opener !== undefined) return { from: opener, to: Math.max(at, opener + 1) }
  }
  const above = lastFilled(lines, at - 1)
  if (above !== undefined && isLoose(lines[above] as string) && !isInBlockText(lines, above)) {
    const without = [...lines]
    blankOut(without, above, above + 1)
    const next = tryParse(without.join('\n'), maxDepth)
    if (Array.isArray(next) || next.line > at) return { from: above, to: above + 1 }
  }
  const from = lastFilled(lines, at)
  return from === undefined ? undefined : { from, to: from + 1 }
}

/** Neither a key nor a list item nor part of something quoted or bracketed: it may be why the next line does not fit. */
function isLoose(line: string): boolean {
  return /^\s*[^\s#'"[\]{}&!|>?,-][^'"[\]{}]*$/.test(line) && !/:(\s|$)/.test(line)
}

/** True for a line of a literal or folded text. */
function isInBlockText(lines: readonly string[], at: number): boolean {
  let indent = indentOf(lines[at] as string)
  for (let i = at - 1; i >= 0 && indent > 0; i--) {
    const line = lines[i] as string
    if (isBlank(line) || indentOf(line) >= indent) continue
    if (/(^|\s)[|>][-+\d]*\s*(#.*)?$/.test(line)) return true
    indent = indentOf(line)
  }
  return false
}

/** The line where a quote or bracket was opened that is still open before line `at`. */
function findOpener(lines: readonly string[], at: number, maxDepth: number): number | undefined {
  let opener: number | undefined
  for (let end = at; end > 0; end--) {
    const result = tryParse(lines.slice(0, end).join('\n'), maxDepth)
    if (Array.isArray(result) || !isOpenEnd(result.reason)) return opener
    if (at - end > MAX_OPEN_LINES) return undefined
    opener = end - 1
  }
  return opener
}

function lastFilled(lines: readonly string[], from: number): number | undefined {
  for (let i = from; i >= 0; i--) if (!isBlank(lines[i])) return i
  return undefined
}

/** Empties the lines and all below that are indented deeper than the first. Returns the next filled line. */
function blankOut(lines: string[], from: number, to: number): number {
  const indent = indentOf(lines[from] as string)
  let i = from
  while (i < lines.length && (i < to || isBlank(lines[i]) || indentOf(lines[i] as string) > indent)) lines[i++] = ''
  return i
}

function withoutTabs(lines: readonly string[], at: number): string {
  const above = lastFilled(lines, at - 1)
  const line = lines[at] as string
  const parent = above === undefined ? '' : (lines[above] as string)
  const opens = /:\s*(#.*)?$/.test(parent)
  return ' '.repeat(indentOf(parent) + (opens ? 2 : 0)) + line.trimStart()
}

/** The one place that reads the parser's own words. */
function describe(failure: Failure, lines: readonly string[], at: number, from: number): SyntaxMistake {
  const line = lines[from] ?? ''
  const onSpot = from === at
  const place = { line: from + 1, column: (onSpot ? failure.column : indentOf(line)) + 1 }
  return { ...place, ...inWords(failure, line, onSpot) }
}

function inWords({ reason, column }: Failure, line: string, onSpot: boolean): { what: string; right: string } {
  if (isTab(reason)) return { what: 'a tab stands in the indentation', right: 'indent with spaces' }
  if (isOpenEnd(reason)) {
    return { what: 'a quote or bracket is opened here and never closed', right: 'close it before the next key' }
  }
  if (!onSpot) {
    return {
      what: `\`${line.trim()}\` is neither \`key: value\` nor a list item`,
      right: 'write `key: value` with a space after the colon, or `- value`',
    }
  }
  if (/non-printable|null byte/.test(reason)) {
    return { what: 'a control character', right: 'write it as an escape in double quotes, such as "\\u0001"' }
  }
  if (/['"]/.test(line[column - 1] ?? '') || /:\s+("[^"]*"|'[^']*')[^\s,}\]]/.test(line)) {
    return {
      what: 'text follows the closing quote',
      right: 'double a single quote inside quotes, or use the other kind',
    }
  }
  if (/^[@`%]/.test(line.slice(column))) {
    return { what: `a plain value cannot begin with \`${line[column]}\``, right: 'put the value in quotes' }
  }
  if (/^\s*(- )?[^'"#[{]*?:\s+[^'"#[{]*?:(\s|$)/.test(line)) {
    return { what: 'a plain value holds a colon and a space', right: 'put the value in quotes' }
  }
  if (/^(name of an|duplication of an? (anchor|alias))/.test(reason)) {
    return { what: '`*` and `&` begin an alias and an anchor', right: 'put the value in quotes' }
  }
  if (/^\s*-[^\s-]/.test(line)) return { what: 'no space follows the dash', right: 'write `- ` before the item' }
  if (reason.startsWith('bad indentation')) {
    return { what: MISALIGNED, right: 'align the line with its siblings' }
  }
  if (reason.startsWith('missed comma')) {
    return { what: 'two entries without a comma between them', right: 'separate entries in brackets by `, `' }
  }
  if (reason.startsWith('nesting exceeded')) return { what: 'the nesting is too deep', right: 'flatten it' }
  return { what: reason, right: 'look here and at the line above for a missing colon, quote or bracket' }
}
