import { startRabbitMq, type TestRabbitMq } from '../../harness/index.js'
import type { Outcome, Report, Scenario, SharedRabbitMq } from './scenario.js'
import { table } from './table.js'

/** How scenarios are run. */
export interface RunOptions {
  /** Only those that have a short form, in their short form. */
  readonly isShort: boolean
  /** Takes the lines of the table. */
  print(line: string): void
  /** Takes what happens meanwhile. */
  say(line: string): void
  /** For scenarios that leave their broker alone. Default: one is started when it is asked for, and stopped in the end. */
  readonly rabbitMq?: SharedRabbitMq | undefined
}

/** What became of a scenario: its outcome, or the error that ended it. */
export type Result =
  | { readonly name: string; readonly held: boolean; readonly outcome: Outcome }
  | { readonly name: string; readonly held: false; readonly error: unknown }

const told = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))
const indented = (text: string) => text.split('\n').map((line) => `  ${line}`)

function rowsOf(result: Result, rows: ReturnType<typeof table>): string[] {
  const { name } = result
  if ('error' in result) return [rows.broken(name), ...indented(told(result.error))]
  const { outcome } = result
  return [rows.row(name, outcome), ...(outcome.why ?? []).flatMap(indented), ...(outcome.notes ?? []).flatMap(indented)]
}

async function runOne({ name, run }: Scenario, report: Report): Promise<Result> {
  try {
    const outcome = await run(report)
    return { name, held: outcome.held, outcome }
  } catch (error) {
    return { name, held: false, error }
  }
}

/**
 * Runs scenarios one after another and prints a row for each when it is over, with what broke and what is noted below it. The
 * last line is `N scenarios, N held, N broke`. An error is a scenario that broke.
 */
export async function runScenarios(scenarios: readonly Scenario[], options: RunOptions): Promise<readonly Result[]> {
  const { isShort, print, say, rabbitMq } = options
  const chosen = scenarios.filter((scenario) => !isShort || scenario.isShort)
  const rows = table(chosen.map(({ name }) => name))
  const results: Result[] = []
  let started: Promise<TestRabbitMq> | undefined
  const sharedRabbitMq = async () => {
    if (rabbitMq !== undefined) return rabbitMq
    started ??= startRabbitMq()
    return started
  }
  try {
    print(rows.head())
    for (const scenario of chosen) {
      const result = await runOne(scenario, {
        isShort,
        say: (line) => say(`${scenario.name}: ${line}`),
        sharedRabbitMq,
      })
      results.push(result)
      for (const line of rowsOf(result, rows)) print(line)
    }
  } finally {
    await (await started?.catch(() => undefined))?.stop()
  }
  const held = results.filter((result) => result.held).length
  print(`${results.length} scenarios, ${held} held, ${results.length - held} broke`)
  return results
}
