/**
 * Runs the Ruby YAML codec over oracle vectors: `npm run vectors -- DIR`.
 *
 * Every `*.jsonl` in DIR holds one case a line; what a case is follows from its fields:
 *   {yaml, type, value}          a scalar behind `k: `, read
 *   {yaml, value|error}          a document, read
 *   {group|kind, value, yaml|error, reload?, reload_error?}   a value, written and read back
 * `differences-psych-2.0.0.jsonl` names the written cases that come out differently under the
 * profile psych-2.0; the others must come out the same. Differences of other versions are left alone.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkRead, checkWritten, type VectorRow, type Verdict } from './vector-cases.js'

const LEGACY_DIFFERENCES = 'differences-psych-2.0.0.jsonl'
const MAX_CASE_MS = 1000
const SHOWN_FAILURES = 20

interface Difference {
  readonly file: string
  readonly line: number
  readonly now: { readonly yaml?: string; readonly error?: string }
}

function rowsOf<Row>(path: string): Row[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line): Row => JSON.parse(line))
}

function isWritten(row: VectorRow): boolean {
  return row.type === undefined && ('group' in row || 'kind' in row || 'reload' in row || 'reload_error' in row)
}

/** Time this process has worked, in milliseconds: other processes may keep the machine busy. */
function workedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const tally = { passed: 0, failed: 0 }

function count(name: string, check: () => Verdict): void {
  const started = workedMs()
  let verdict: Verdict
  try {
    verdict = check()
  } catch (error) {
    verdict = error instanceof Error ? `threw ${error.stack ?? error.message}` : `threw ${String(error)}`
  }
  const took = workedMs() - started
  if (verdict === undefined && took > MAX_CASE_MS) verdict = `took ${Math.round(took)} ms`
  if (verdict === undefined) tally.passed++
  else if (++tally.failed <= SHOWN_FAILURES) console.log(`FAILED ${name}\n  ${verdict.replaceAll('\n', '\n  ')}`)
}

function runFile(dir: string, file: string, differences: ReadonlyMap<string, Difference['now']> | undefined): void {
  rowsOf<VectorRow>(join(dir, file)).forEach((row, i) => {
    const name = `${file}:${i + 1}`
    if (!isWritten(row)) {
      count(`${name} read`, () => checkRead(row))
      return
    }
    count(`${name} written`, () => checkWritten(row, 'psych-4'))
    if (row.yaml !== undefined) count(`${name} read back`, () => checkRead(row))
    if (differences === undefined) return
    const now = differences.get(name)
    const legacy = now === undefined ? row : { value: row.value, ...now }
    count(`${name} written as psych-2.0`, () => checkWritten(legacy, 'psych-2.0'))
  })
}

function main(dir: string | undefined): number {
  if (dir === undefined) {
    console.error('usage: npm run vectors -- DIR')
    return 2
  }
  const files = readdirSync(dir).filter((file) => file.endsWith('.jsonl'))
  const legacy = files.includes(LEGACY_DIFFERENCES) ? rowsOf<Difference>(join(dir, LEGACY_DIFFERENCES)) : undefined
  const differences = legacy && new Map(legacy.map(({ file, line, now }) => [`${file}:${line}`, now]))
  for (const file of files.filter((name) => !name.startsWith('differences-')).sort()) runFile(dir, file, differences)
  console.log(`${tally.passed} passed, ${tally.failed} failed`)
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1
}

process.exitCode = main(process.argv[2])
