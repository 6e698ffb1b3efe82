/** Format, lint, types, import arrows, generated files, mapping lint: `npm run check`. */
import { CHECKS } from './checks.js'
import { runSteps } from './steps.js'

process.exitCode = await runSteps(CHECKS)
