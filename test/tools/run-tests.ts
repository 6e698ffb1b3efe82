/** Builds, checks and runs every test, against real brokers and real Ruby: `npm test`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHECKS } from './checks.js'
import { scanLogs } from './log-scan.js'
import { LOGS_VARIABLE } from './run-logs.js'
import { runNode, runSteps, type Step } from './steps.js'
import { vitestStep } from './vitest-step.js'

const MINUTE_MS = 60_000

const given = process.env[LOGS_VARIABLE]
const logs = given ?? mkdtempSync(join(tmpdir(), 'patchbay-logs-'))
process.env[LOGS_VARIABLE] = logs // for the processes that the steps start

const steps: readonly Step[] = [
  { name: 'build', run: () => runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']) },
  ...CHECKS,
  vitestStep('unit', 4 * MINUTE_MS),
  vitestStep('integration', 12 * MINUTE_MS),
  { name: 'log scan', run: () => scanLogs(logs, console.log) },
]

process.exitCode = await runSteps(steps, ['build'])
if (given === undefined) rmSync(logs, { recursive: true, force: true })
