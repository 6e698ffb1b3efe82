import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runNode, type Step, type StepResult, verdict } from './steps.js'

/** What we read of vitest's JSON report. */
interface Report {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
}

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
  const output = skipped === 0 ? [] : [`${skipped} tests were skipped`]
  // Outside every test: a file that cannot be loaded, a broker that cannot be started, a late rejection.
  const otherwise = failed === 0 && (ending.failed > 0 || !report.success)
  if (otherwise) output.push(`vitest failed outside of its tests: ${ending.output}`)
  return { passed: report.numPassedTests, failed: failed + (otherwise ? 1 : 0), output: output.join('\n') }
}
