import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Fault, formatFault, sortFaults } from '../config/index.js'
import { openMapping } from '../gateway/dialects.js'
import { checkFiles } from '../gateway/rules/index.js'
import type { CliCommand, CommandContext } from './command.js'
import { EXIT, type ExitCode, type Io, WrongUse } from './io.js'
import { shippedPaths } from './shipped.js'

const HELP = `
Every fault comes at once, a line each:
  file:line:column: code: what is wrong; what would be right
With neither FILE nor MAPPING the shipped mappings are checked.

Examples:
  patchbay check
  patchbay check -c patchbay.yaml
  patchbay check site/voice-events.yaml`

/** `patchbay check`: every fault of a configuration or of mapping files. */
export const checkCommand: CliCommand = {
  name: 'check',
  register(command: Command, { io, exit }: CommandContext) {
    command
      .description('Checks mapping files, or a configuration with the mapping files it names.')
      .argument('[MAPPING...]', 'mapping files')
      .option('-c, --config <FILE>', 'a configuration file, checked together with its mappings')
      .addHelpText('after', HELP)
      .action(async (mappings: string[], { config }: { config?: string }) => exit(await check(mappings, config, io)))
  },
}

/** What was looked at and what was found. */
interface Report {
  readonly files: readonly string[]
  readonly faults: readonly Fault[]
}

async function check(mappings: readonly string[], config: string | undefined, io: Io): Promise<ExitCode> {
  if (config !== undefined && mappings.length > 0)
    throw new WrongUse('want either -c FILE or mapping files; the configuration names its own')
  const paths = mappings.length > 0 ? mappings : shippedPaths()
  const { files, faults } =
    config === undefined ? checkMappings(paths) : checkFiles(config, io.env, (path) => readFileSync(path, 'utf8'))
  for (const fault of faults) await io.out(`${formatFault(fault)}\n`)
  const checked = `${files.length} ${files.length === 1 ? 'file' : 'files'}`
  if (faults.length === 0) {
    await io.out(`${checked} checked, no faults\n`)
    return EXIT.fine
  }
  await io.out(`${checked} checked, ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}\n`)
  return EXIT.faults
}

function checkMappings(paths: readonly string[]): Report {
  const faults = paths.flatMap((path) => {
    const result = openMapping(path)
    return 'faults' in result ? result.faults : []
  })
  return { files: paths, faults: sortFaults(faults) }
}
