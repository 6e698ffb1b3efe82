import type { Command } from 'commander'
import { COMMANDS } from '../../../src/cli/commands.js'
import { type Io, makeProgram } from '../../../src/cli/index.js'
import { code, page, table } from './page.js'

const ABOUT = `Each command has \`-h, --help\`; \`patchbay -V\` (\`--version\`) tells the version.

Exit codes: 0 fine, 1 faults were found, 2 wrong use. Of \`patchbay dlq\` 1 says that a letter was not found or stays where it is, or that a
broker could not be reached.`

const EXIT_CODES = /\nExit codes:\n(?: {2}.*\n?)*/g

/** Commands that do something, with the whole way to each: `dlq ls`, but not `dlq`. */
function leaves(command: Command, way: readonly string[]): ReadonlyArray<readonly [string, Command]> {
  if (command.commands.length === 0) return [[way.join(' '), command]]
  const below = command.commands.flatMap((each) => leaves(each, [...way, each.name()]))
  return way.length === 1 ? below : [[way.join(' '), command], ...below]
}

/** What stands in a help behind the usage and the options. */
function notes(command: Command): string {
  let written = ''
  command.configureOutput({
    writeOut: (text) => {
      written += text
    },
  })
  command.outputHelp()
  return written.slice(command.helpInformation().length).replaceAll(EXIT_CODES, '').trim()
}

function section([way, command]: readonly [string, Command]): string {
  const options = command.options.map(({ flags, description, mandatory }) => [
    code(flags),
    mandatory ? `${description} (required)` : description,
  ])
  const args = command.registeredArguments.map((each) => {
    const name = `${each.name()}${each.variadic ? '…' : ''}`
    return [code(each.required ? `<${name}>` : `[${name}]`), each.description]
  })
  const usage = command.commands.length > 0 ? 'COMMAND' : command.usage()
  const rows = [...args, ...options]
  const text = notes(command)
  return [
    `## ${way}`,
    command.description(),
    `\`\`\`text\n${way} ${usage}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table(['Argument or option', 'Meaning'], rows)]),
    ...(text === '' ? [] : [`\`\`\`text\n${text}\n\`\`\``]),
  ].join('\n\n')
}

const silent: Io = {
  stdin: (async function* () {})(),
  env: {},
  out: () => Promise.resolve(),
  err: () => undefined,
}

/** `docs/reference/cli.md`: every command with its arguments, options and notes. */
export function cliPage(): string {
  const program = makeProgram(COMMANDS, silent, () => undefined)
  return page('Command line', ABOUT, leaves(program, ['patchbay']).map(section))
}
