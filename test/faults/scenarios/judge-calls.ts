import { setTimeout as delay } from 'node:timers/promises'
import type { TestAsterisk } from '../../harness/index.js'
import { firstOf } from './counted.js'
import type { CallCount } from './steered-calls.js'

/** What may become of the calls beside what always must. */
export interface CallTerms {
  /** Milliseconds in which the events of the Asterisk may pass unheard, all gaps together. Default 0. */
  readonly gapsMs?: number
  /** Nobody has the application for longer than calls wait: some may be refused. Default false. */
  readonly refusals?: boolean
}

/** A CDR is written soon after its leg ended. Milliseconds. */
const WRITTEN_MS = 5000

/** In which application each of these legs ended, by Asterisk's own CDRs. */
async function lastApplications(asterisk: TestAsterisk, legs: readonly string[]): Promise<Map<string, string>> {
  for (const deadline = performance.now() + WRITTEN_MS; ; await delay(100)) {
    const cdrs = await asterisk.cdrs()
    const found = new Map(cdrs.map(({ channel, lastApplication }) => [channel, lastApplication]))
    if (legs.every((leg) => found.has(leg)) || performance.now() > deadline) return found
  }
}

/** Holds what was told of calls to what Asterisk's CDRs say of them. */
export async function judgeCalls(
  count: CallCount,
  asterisk: TestAsterisk,
  { gapsMs = 0, refusals = false }: CallTerms,
): Promise<{ faults: string[]; note: string }> {
  const { placed, started, ended, repeated, failed, gaps } = count
  const lastOf = await lastApplications(asterisk, placed)
  // A controller hangs up within the application; who was never admitted ends behind it in the dialplan.
  const admitted = placed.filter((leg) => lastOf.get(leg) === 'Stasis')
  const refused = placed.filter((leg) => lastOf.has(leg) && lastOf.get(leg) !== 'Stasis')
  const unwritten = placed.filter((leg) => !lastOf.has(leg))
  const standing = unwritten.length === 0 ? '' : await asterisk.cli('core show channels concise')
  const gapMs = gaps.reduce((sum, gap) => sum + gap, 0)
  const faults = [
    ...firstOf('calls without a CDR', unwritten),
    ...(standing.trim() === '' ? [] : [`channels that stand: ${standing.trim()}`]),
    ...(refusals ? [] : firstOf('calls never admitted, by CDR', refused)),
    ...firstOf(
      'admitted by CDR and never announced',
      admitted.filter((leg) => !started.has(leg)),
    ),
    ...firstOf(
      'announced, and by CDR not admitted',
      refused.filter((leg) => started.has(leg)),
    ),
    ...firstOf(
      'their end was never told',
      admitted.filter((leg) => !ended.has(leg)),
    ),
    ...firstOf('told twice under other names', repeated),
    ...firstOf('commands failed', failed),
    ...(gapMs <= gapsMs ? [] : [`gaps of ${gapMs} ms were told, and at most ${gapsMs} ms are due`]),
  ]
  const told = gaps.length === 0 ? '' : `; ${gaps.length} gaps told, ${gapMs} ms together`
  return {
    faults,
    note:
      `${placed.length} calls placed; by CDR ${admitted.length} admitted and ${refused.length} never; ` +
      `${started.size} started, ${ended.size} ended, ${repeated.length} told twice${told}`,
  }
}
