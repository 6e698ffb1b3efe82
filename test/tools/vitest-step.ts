import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { runNode, type Step, type StepResult, verdict } from './steps.js'

/** What we read of vitest's JSON report. */
interface Report {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults?: readonly {
    /** Path of the file. */
    readonly name: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages?: readonly string[] | null
    }[]
  }[]
}

/** Failed tests that are named at the end, and characters of what each says. */
const MAX_NAMED = 12
const MAX_SAID = 200

const VITEST = 'node_modules/vitest/vitest.mjs'

/**
 * Runs a project of vitest.config.ts and counts its tests. A skipped test counts as failed: what
 * it needs was not there, so nothing is known.
 */
export function vitestStep(project: string, timeoutMs: number): Step {
  return {
    name: `${project} tests`,
    async run() {
      const folder = mkdtempSync(join(tmpdir(), 'patchbay-report-'))
      const file = join(folder, 'report.json')
      try {
        const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
        const ending = await runNode([VITEST, 'run', `--project=${project}`, ...reporters], { timeoutMs, live: true })
        return readReport(readFileIfThere(file), ending)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

function readFileIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The counts of a report, given how vitest ended. */
export function readReport(json: string | undefined, ending: StepResult): StepResult {
  if (json === undefined) return verdict([`vitest gave no report: ${ending.output}`])
  const report = JSON.parse(json) as Report // vitest's own format
  const skipped = report.numPendingTests + report.numTodoTests
  const failed = report.numFailedTests + skipped
  const output = [...failuresIn(report), ...(skipped === 0 ? [] : [`${skipped} tests were skipped`])]
  // Outside every test: a file that cannot be loaded, a broker that cannot be started, a late rejection.
  const otherwise = failed === 0 && (ending.failed > 0 || !report.success)
  if (otherwise) output.push(`vitest failed outside of its tests: ${ending.output}`)
  return { passed: report.numPassedTests, failed: failed + (otherwise ? 1 : 0), output: output.join('\n') }
}

/** What failed, a line each: a log is often kept by its end alone, and what vitest prints of a failure is long. */
function failuresIn({ testResults = [] }: Report): string[] {
  const all = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => {
        const [said = ''] = (failureMessages?.[0] ?? '').split('\n')
        return `${relative(process.cwd(), name)}: ${fullName}: ${said.slice(0, MAX_SAID)}`
      }),
  )
  return all.length <= MAX_NAMED ? all : [...all.slice(0, MAX_NAMED), `and ${all.length - MAX_NAMED} more`]
}
