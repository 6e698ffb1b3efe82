/**
 * What becomes of a load while something is at fault: `npm run faults [-- [--only=NAME]… [--short]]`.
 *
 * --only   only this scenario; may be repeated. Default: all.
 * --short  only those that have a short form of some seconds, in that form.
 *
 * The last line is `N scenarios, N held, N broke`; the exit code is 1 when one broke.
 */
import { parseArgs } from 'node:util'
import { ensureInstalled } from '../harness/index.js'
import { SCENARIOS } from './scenarios/index.js'
import { runScenarios } from './scenarios/runner.js'

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true, default: [] }, short: { type: 'boolean', default: false } },
})
const names = SCENARIOS.map(({ name }) => name)
const strangers = values.only.filter((name) => !names.includes(name))
if (strangers.length > 0) throw new Error(`no scenario ${strangers.join(', ')}; there are ${names.join(', ')}`)

await ensureInstalled()
const chosen = SCENARIOS.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
const results = await runScenarios(chosen, {
  isShort: values.short,
  print: (line) => process.stdout.write(`${line}\n`),
  say: (line) => process.stderr.write(`${line}\n`),
})
process.exitCode = results.every(({ held }) => held) ? 0 : 1
