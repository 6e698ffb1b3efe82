import { DEAD_LETTER_HEADERS } from '../../gateway/dead-letters.js'
import { HEADERS } from '../../gateway/headers.js'
import type { Address, Frame } from '../../transports/transport.js'
import type { Cue } from './scenario.js'
import { REPLIES } from './site.js'
import type { CellLine, Row } from './table.js'
import { type Element, elementsOf, type Line, type Memory, makeMemory, NAMES, wholeBody } from './wire-text.js'

/** Turns what was said and what came of it into rows of a table. */
export interface RowMaker {
  /** Rows of one table; `played` in the order of the story. */
  rows(played: readonly Played[]): readonly Row[]
  /** The same of messages that were shown before, with what the ARI application was told of them. */
  lookBack(played: readonly Played[]): readonly Row[]
}

/** Whether nobody was told anything because of a message of which that was not known before. */
export function isNoNews({ cue, outcome }: Played): boolean {
  return cue.expected === undefined && outcome.length === 0
}

/** A message of the story, and what came of it. */
export interface Played {
  readonly cue: Cue
  /** Messages to legacy consumers and controllers. */
  readonly outcome: readonly Frame[]
  /** Events to the ARI application. */
  readonly told: readonly Frame[]
}

const STRONG = { style: 'strong' } as const

/** One column of the tables: it knows what it showed before. */
interface Column {
  readonly memory: Memory
  address: string
}

const remark = (text: string): CellLine => ({ text, style: 'dim', whole: 'words' })

/** `prefix` is left out of addresses; with `full` bodies are shown as they are. */
export function makeRowMaker(prefix: string, full: boolean): RowMaker {
  const memories = { came: makeMemory(), went: makeMemory() }

  function rows(played: readonly Played[]): readonly Row[] {
    if (full) return played.map(wholeRow)
    const came: Column = { memory: memories.came, address: '' }
    const went: Column = { memory: memories.went, address: '' }
    return played.flatMap((each) => rowsOf(each, came, went))
  }

  function lookBack(played: readonly Played[]): readonly Row[] {
    const heard = played.filter(({ told }) => told.length > 0)
    if (full) return heard.map(({ cue, told }) => wholeRow({ cue, outcome: told }))
    const came: Column = { memory: memories.came, address: '' }
    const went: Column = { memory: memories.went, address: '' }
    return heard.map(({ cue, told }) => ({
      came: [
        ...addressLines(cue.address, came),
        ...elementsOf(new TextEncoder().encode(cue.body)).flatMap((element) => reminder(element, came)),
      ],
      went: told.flatMap((frame) => frameLines(frame, went)),
    }))
  }

  function rowsOf({ cue, outcome }: Played, came: Column, went: Column): Row[] {
    const elements = elementsOf(new TextEncoder().encode(cue.body))
    return elements.map((element, at) => {
      const own = elements.length === 1 ? outcome : outcome.filter((frame) => elementOf(frame) === at)
      return {
        came: [...addressLines(cue.address, came), ...linesOf(element, came)],
        went:
          own.length === 0
            ? [remark(cue.silence?.[at + 1] ?? 'nothing')]
            : own.flatMap((frame) => frameLines(frame, went)),
      }
    })
  }

  function wholeRow({ cue, outcome }: Pick<Played, 'cue' | 'outcome'>): Row {
    const whole = (body: Uint8Array) => wholeBody(body).map((text): CellLine => ({ text, whole: 'anywhere' }))
    const at = (address: Address) => addressLines(address, { memory: memories.came, address: '' })
    const went = outcome.flatMap((frame) => [...at(frame.address), ...reasonLines(frame), ...whole(frame.body)])
    return {
      came: [...at(cue.address), ...whole(new TextEncoder().encode(cue.body))],
      went: went.length === 0 ? [remark(Object.values(cue.silence ?? {})[0] ?? 'nothing')] : went,
    }
  }

  /** Nothing while a column stays at one address. */
  function addressLines(address: Address, column: Column): CellLine[] {
    const text = addressText(address, prefix)
    if (text === column.address) return []
    column.address = text
    return [{ text, style: 'name', whole: 'words' }]
  }

  function frameLines(frame: Frame, column: Column): CellLine[] {
    const reasons = reasonLines(frame)
    const lines =
      reasons.length > 0
        ? [...reasons, remark(`and the body as it came, ${frame.body.length} bytes`)]
        : elementsOf(frame.body).flatMap((element) => linesOf(element, column))
    return [...addressLines(frame.address, column), ...lines]
  }

  return { rows, lookBack }
}

function linesOf(element: Element, { memory }: Column): CellLine[] {
  const news = memory.news(element)
  const shown = news.filter(({ ridesAlong }) => !ridesAlong).map(cellLine)
  const rest = news.length - shown.length
  const note: CellLine[] =
    rest === 0 ? [] : [{ text: `  … and ${rest} that ${rest === 1 ? 'rides' : 'ride'} along`, style: 'dim' }]
  return [...titleLines(element.title), ...shown, ...note]
}

/** So much of an element as tells which of those it is that were shown before. */
function reminder(element: Element, { memory }: Column): CellLine[] {
  const lines = memory.news(element).filter(({ name, strong }) => strong || NAMES.has(name))
  return [...titleLines(element.title), ...lines.map(cellLine)]
}

function titleLines(text: string): CellLine[] {
  return text === '' ? [] : [{ text, style: 'good' }]
}

function cellLine({ name, text, strong }: Line): CellLine {
  return { text: `  ${text}`, ...(strong && STRONG), ...(name === 'message' && { whole: 'words' }) }
}

/** The number of the element that a message was made of; messages of several name it behind a stroke. */
function elementOf({ headers }: Frame): number {
  return Number(/\/(\d+)[^/]*$/.exec(headers[HEADERS.id] ?? '')?.[1] ?? 0)
}

function reasonLines({ headers }: Frame): CellLine[] {
  const names = [DEAD_LETTER_HEADERS.code, DEAD_LETTER_HEADERS.error]
  return names.flatMap((name): CellLine[] =>
    headers[name] === undefined ? [] : [{ text: `${name}: ${headers[name]}`, whole: 'words', ...STRONG }],
  )
}

/** An address in one line. */
export function addressText({ exchange, key, subject, node, application }: Address, prefix: string): string {
  if (node !== undefined) return `ARI events of ${node}`
  if (application !== undefined) return `ARI events to ${application}`
  if (subject?.startsWith(`${prefix}${REPLIES}`)) return 'reply'
  const plain = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)
  if (subject !== undefined) return plain(subject)
  return [plain(exchange ?? ''), key].filter((part) => part !== undefined && part !== '').join('  ')
}
