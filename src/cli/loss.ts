import type { Command } from 'commander'
import { formatFault, loadConfig } from '../config/index.js'
import { allLossReports, lossReport } from '../mapping/loss/report.js'
import { lossMatrix, lossText } from '../mapping/loss/text.js'
import type { CliCommand, CommandContext } from './command.js'
import { EXIT, type ExitCode, type Io, WrongUse } from './io.js'
import { type OpenedSubjects, openSubjects } from './loss-subjects.js'
import { withShipped } from './shipped.js'

const HELP = `
For each kind of fact that the source tells: which fields the target says in its own
words, which ride along unseen and come back, which are lost, and why. It is computed
from the mapping files. Without --from and --to, all pairs side by side as Markdown.

Examples:
  patchbay loss --from xcc --to voice-events
  patchbay loss --from voice-events --to xcc --json
  patchbay loss --from voice-events --to xcc site/voice-events.yaml
  patchbay loss -c patchbay.yaml`

interface Options {
  readonly from?: string
  readonly to?: string
  readonly config?: string
  readonly json?: boolean
}

/** `patchbay loss`: what survives between two dialects. */
export const lossCommand: CliCommand = {
  name: 'loss',
  register(command: Command, { io, exit }: CommandContext) {
    command
      .description('Tells what survives from one dialect to another, what rides along, what is lost and why.')
      .argument('[MAPPING...]', 'mapping files in place of the shipped ones of their dialects')
      .option('--from <dialect>', 'dialect that tells the facts')
      .option('--to <dialect>', 'dialect that is to say them')
      .option('-c, --config <FILE>', 'a configuration file, with its mappings and settings')
      .option('--json', 'write JSON: one report, or a list of all pairs')
      .addHelpText('after', HELP)
      .action(async (mappings: string[], options: Options) => exit(await loss(mappings, options, io)))
  },
}

async function loss(mappings: readonly string[], options: Options, io: Io): Promise<ExitCode> {
  const { from, to, config } = options
  if (config !== undefined && mappings.length > 0)
    throw new WrongUse('want either -c FILE or mapping files; the configuration names its own')
  if ((from === undefined) !== (to === undefined))
    throw new WrongUse('want both --from and --to, or neither for all pairs')
  const opened = open(mappings, config, io)
  if ('faults' in opened) {
    for (const fault of opened.faults) io.err(formatFault(fault))
    return EXIT.faults
  }
  const subject = (option: string, name: string) => {
    const found = opened.subjects.find(({ file }) => file.dialect === name)
    const known = opened.subjects.map(({ file }) => file.dialect)
    if (found === undefined) throw new WrongUse(`--${option}: there is no dialect ${name}; want ${known.join(' or ')}`)
    return found
  }
  if (from !== undefined && to !== undefined) {
    const report = lossReport(subject('from', from), subject('to', to))
    await io.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : lossText(report))
    return EXIT.fine
  }
  const reports = allLossReports(opened.subjects)
  await io.out(options.json ? `${JSON.stringify(reports, null, 2)}\n` : lossMatrix(reports))
  return EXIT.fine
}

function open(mappings: readonly string[], config: string | undefined, io: Io): OpenedSubjects {
  if (config === undefined) return openSubjects(withShipped(mappings), {})
  const loaded = loadConfig(config, io.env)
  return loaded.config === undefined
    ? { faults: loaded.faults }
    : openSubjects(loaded.config.mappings, loaded.config.settings)
}
