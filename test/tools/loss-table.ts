import { openSubjects } from '../../src/cli/loss-subjects.js'
import { SHIPPED_MAPPINGS, shippedMapping } from '../../src/config/index.js'
import { allLossReports } from '../../src/mapping/loss/report.js'
import { lossMatrix } from '../../src/mapping/loss/text.js'

/** What survives between any two of the shipped dialects, in Markdown. */
export function lossTable(): string {
  const opened = openSubjects(SHIPPED_MAPPINGS.map(shippedMapping), {})
  if ('faults' in opened) throw new Error('the shipped mappings have faults')
  return lossMatrix(allLossReports(opened.subjects))
}
