import type { Outcome } from './scenario.js'

interface Column {
  readonly title: string
  readonly width: number
  cell(outcome: Outcome): string
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const COLUMNS: readonly Column[] = [
  { title: 'length', width: 8, cell: ({ lengthMs }) => seconds(lengthMs) },
  { title: 'sent', width: 8, cell: ({ sent }) => String(sent) },
  { title: 'received', width: 9, cell: ({ received }) => String(received) },
  { title: 'duplicates', width: 11, cell: ({ duplicates }) => String(duplicates) },
  { title: 'lost', width: 6, cell: ({ lost }) => String(lost) },
  { title: 'longest gap', width: 12, cell: ({ longestGapMs }) => seconds(longestGapMs) },
  { title: 'held', width: 5, cell: ({ held }) => (held ? 'yes' : 'NO') },
]

/** Rows for scenarios of these names. */
export function table(names: readonly string[]) {
  const width = Math.max('scenario'.length, ...names.map((name) => name.length))
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}${cells.map((cell, at) => cell.padStart(COLUMNS[at]?.width ?? 0)).join('')}`
  return {
    head: () =>
      line(
        'scenario',
        COLUMNS.map(({ title }) => title),
      ),
    row: (name: string, outcome: Outcome) =>
      line(
        name,
        COLUMNS.map(({ cell }) => cell(outcome)),
      ),
    /** The row of a scenario that did not come to its end. */
    broken: (name: string) =>
      line(
        name,
        COLUMNS.map(({ title }) => (title === 'held' ? 'NO' : '-')),
      ),
  }
}
