import { cut, pieces, type Style, type Terminal, wrap } from './terminal.js'

/** A line of a cell. It is cut to the width of its column, unless it is to be shown `whole`: broken anywhere, or between words. */
export interface CellLine {
  readonly text: string
  readonly style?: Style
  readonly whole?: 'anywhere' | 'words'
}

/** What came and what went out for it. */
export interface Row {
  readonly came: readonly CellLine[]
  readonly went: readonly CellLine[]
}

/** Below this two columns hold too little. */
const TWO_COLUMNS_FROM = 64

/** Lines of the table: two columns side by side, or below each other on a narrow terminal. */
export function tableLines(rows: readonly Row[], terminal: Terminal): string[] {
  return terminal.columns < TWO_COLUMNS_FROM ? stacked(rows, terminal) : sideBySide(rows, terminal)
}

function sideBySide(rows: readonly Row[], { columns, paint }: Terminal): string[] {
  const left = Math.floor((columns - 5) / 2)
  const right = columns - 5 - left
  const rule = (cross: string) => paint('dim', ` ${'─'.repeat(left + 1)}${cross}${'─'.repeat(right + 1)}`)
  const bar = paint('dim', '│')
  const cell = (line: CellLine | undefined, width: number) => {
    const text = cut(line?.text ?? '', width)
    const painted = line?.style === undefined ? text : paint(line.style, text)
    return painted + ' '.repeat(width - text.length)
  }
  const out = [
    ` ${cell({ text: 'CAME IN', style: 'dim' }, left)} ${bar} ${cell({ text: 'WENT OUT', style: 'dim' }, right)}`,
  ]
  for (const row of rows) {
    const came = broken(row.came, left)
    const went = broken(row.went, right)
    out.push(rule('┼'))
    for (let at = 0; at < Math.max(came.length, went.length); at++)
      out.push(` ${cell(came[at], left)} ${bar} ${cell(went[at], right)}`)
  }
  return [...out.map((line) => line.trimEnd()), rule('┴')]
}

function stacked(rows: readonly Row[], { columns, paint }: Terminal): string[] {
  const rule = paint('dim', '─'.repeat(columns))
  const lines = (cell: readonly CellLine[], mark: string) =>
    broken(cell, columns - 3).map(({ text, style }, at) => {
      const fitted = cut(text, columns - 3)
      return `${paint('dim', at === 0 ? mark : ' ')} ${style === undefined ? fitted : paint(style, fitted)}`.trimEnd()
    })
  return [...rows.flatMap(({ came, went }) => [rule, ...lines(came, '>'), ...lines(went, '<')]), rule]
}

/** Lines that are to be shown whole, in as many as they need. */
function broken(cell: readonly CellLine[], width: number): readonly CellLine[] {
  return cell.flatMap((line) => {
    if (line.whole === undefined || line.text.length <= width) return [line]
    const texts = line.whole === 'words' ? wrap(line.text, width) : pieces(line.text, width)
    return texts.map((text) => ({ ...line, text }))
  })
}

/** A heading with its text below. */
export function headingLines(number: number, title: string, about: string, { columns, paint }: Terminal): string[] {
  const indent = '    '
  const text = wrap(about, Math.max(10, columns - indent.length - 1))
  return ['', paint('title', cut(` ${number}  ${title}`, columns)), ...text.map((line) => indent + line), '']
}
