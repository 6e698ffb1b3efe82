import { type Command, InvalidArgumentError } from 'commander'
import { type Fault, formatFault } from '../config/index.js'
import { type Dialects, openDialects, openOnce } from '../gateway/dialects.js'
import type { Dialect } from '../mapping/dialect.js'
import { checkLaws } from '../mapping/laws.js'
import type { LoadedMapping, SettingValues } from '../mapping/load.js'
import { type Coverage, coverageOf } from '../mapping/testing/coverage.js'
import { runCase } from '../mapping/testing/run-case.js'
import { loadTests, type TestFile } from '../mapping/testing/test-file.js'
import type { CliCommand, CommandContext } from './command.js'
import { EXIT, type ExitCode, type Io } from './io.js'
import { shippedPaths, withShipped } from './shipped.js'

const HELP = `
The tests of NAME.yaml stand beside it in NAME.test.yaml: named cases, each a message
on the wire and the facts it says, run in both directions. Every message of a test is
also read and written again, and every rule is held to the laws with made-up facts.
Without MAPPING the shipped mappings are tested.

Examples:
  patchbay test
  patchbay test site/voice-events.yaml --verbose
  patchbay test --seed 42`

interface Options {
  readonly seed?: number
  readonly allowUntested?: boolean
  readonly verbose?: boolean
}

/** `patchbay test`: the tests beside mapping files, and the laws. */
export const testCommand: CliCommand = {
  name: 'test',
  register(command: Command, { io, exit }: CommandContext) {
    command
      .description('Runs the tests beside mapping files in both directions, and holds the mappings to their laws.')
      .argument('[MAPPING...]', 'mapping files')
      .option('--seed <number>', 'seed of the made-up facts; without it another one each time', wholeNumber)
      .option('--allow-untested', 'do not count rules that no test comes to as failures')
      .option('--verbose', 'also name what passes')
      .addHelpText('after', HELP)
      .action(async (mappings: string[], options: Options) => exit(await runTests(mappings, options, io)))
  },
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('want a whole number of at most nine digits.')
  return Number(text)
}

/** Counts and writes down how tests went. */
interface Reporter {
  pass(name: string): void
  fail(name: string, details: readonly string[]): void
  fault(fault: Fault): void
  /** Writes what was gathered so far. */
  flush(): Promise<void>
  readonly counts: { passed: number; failed: number }
}

function reporter(isVerbose: boolean, io: Io): Reporter {
  const counts = { passed: 0, failed: 0 }
  let lines: string[] = []
  return {
    counts,
    pass(name) {
      counts.passed += 1
      if (isVerbose) lines.push(`ok    ${name}`)
    },
    fail(name, details) {
      counts.failed += 1
      lines.push(`FAIL  ${name}`, ...details.map((line) => `      ${line}`))
    },
    fault(fault) {
      counts.failed += 1
      lines.push(formatFault(fault))
    },
    async flush() {
      const text = lines.map((line) => `${line}\n`).join('')
      lines = []
      if (text !== '') await io.out(text)
    },
  }
}

async function runTests(mappings: readonly string[], options: Options, io: Io): Promise<ExitCode> {
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000_000)
  const report = reporter(options.verbose === true, io)
  await io.out(`seed ${seed}\n`)
  for (const path of mappings.length > 0 ? mappings : shippedPaths()) {
    const result = openOnce(path)
    if ('faults' in result) result.faults.forEach(report.fault)
    else testMapping(result.mapping, seed, options.allowUntested === true, report)
    await report.flush()
  }
  const { passed, failed } = report.counts
  await io.out(`${passed} passed, ${failed} failed\n`)
  return failed === 0 ? EXIT.fine : EXIT.faults
}

/** Opens the dialect of a mapping with other settings, and the others beside it. */
type Open = (settings: SettingValues) => { readonly dialect: Dialect; readonly dialects: Dialects }

function testMapping(mapping: LoadedMapping, seed: number, allowUntested: boolean, report: Reporter): void {
  const open = opener(mapping, report)
  const plain = open?.({})
  if (open === undefined || plain === undefined) return
  const coverage = coverageOf(mapping, plain.dialect)
  const tests = loadTests(mapping.path)
  if ('faults' in tests) {
    if (!allowUntested) tests.faults.forEach(report.fault)
  } else runFile(tests.file, open, coverage, report)
  if (!allowUntested && !('faults' in tests)) coverage.faults().forEach(report.fault)
  for (const { message, facts, breaches } of checkLaws(mapping.file, plain.dialect, seed)) {
    const name = `${mapping.path}: laws: ${message}`
    if (breaches.length === 0) report.pass(`${name}, ${facts} facts`)
    for (const { path, what, counterexample } of breaches) {
      const right = 'mend the rule, or say `lossy` with what gets lost and why'
      report.fail(name, [
        formatFault(mapping.source.fault(path, 'mapping.law', what, right, 'key')),
        `counterexample ${JSON.stringify(counterexample)}`,
      ])
    }
  }
}

function opener({ path, file }: LoadedMapping, report: Reporter): Open | undefined {
  const known = new Map<string, { dialect: Dialect; dialects: Dialects }>()
  const open: Open = (settings) => {
    const key = JSON.stringify(settings)
    const before = known.get(key)
    if (before !== undefined) return before
    const opened = openDialects(withShipped([path]), { [file.dialect]: settings })
    if ('faults' in opened) throw new SettingFaults(opened.faults)
    const made = { dialect: opened.dialects.get(file.dialect)!, dialects: opened.dialects }
    known.set(key, made)
    return made
  }
  try {
    open({})
    return open
  } catch (error) {
    if (!(error instanceof SettingFaults)) throw error
    error.faults.forEach(report.fault)
    return undefined
  }
}

/** A mapping that cannot be opened with these settings. */
class SettingFaults extends Error {
  readonly faults: readonly Fault[]
  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join('\n'))
    this.faults = faults
  }
}

function runFile(file: TestFile, open: Open, coverage: Coverage, report: Reporter): void {
  for (const [name, test] of Object.entries(file.tests)) {
    const { line } = file.source.locate(['tests', name], 'key')
    const title = `${file.path}:${line}: ${name}`
    let opened: ReturnType<Open>
    try {
      opened = open({ ...file.settings, ...test.settings })
    } catch (error) {
      if (!(error instanceof SettingFaults)) throw error
      report.fail(title, error.faults.map(formatFault))
      continue
    }
    const { dialect, dialects } = opened
    const trace = runCase(test, dialect, (other) => dialects.get(other)?.codec.trees)
    const isLossy = coverage.take(trace)
    for (const { direction, differences } of trace.results) {
      if (differences.length === 0 || (isLossy && direction === 'round trip')) report.pass(`${title} (${direction})`)
      else report.fail(`${title} (${direction})`, differences)
    }
  }
}
