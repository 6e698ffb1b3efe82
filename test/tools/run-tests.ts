/** Builds, checks and runs every test, against real brokers and real Ruby: `npm test`. */
import { CHECKS } from './checks.js'
import { runNode, runSteps, type Step } from './steps.js'
import { vitestStep } from './vitest-step.js'

const MINUTE_MS = 60_000

const steps: readonly Step[] = [
  { name: 'build', run: () => runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']) },
  ...CHECKS,
  vitestStep('unit', 4 * MINUTE_MS),
  vitestStep('integration', 11 * MINUTE_MS),
]

process.exitCode = await runSteps(steps, ['build'])
