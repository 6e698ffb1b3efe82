import type { Command } from 'commander'
import { COMMANDS } from '../../src/cli/commands.js'
import { makeProgram } from '../../src/cli/index.js'

const PROGRAM = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:patchbay|node dist\/main\.js)(?: |$)(.*)$/

/** A command line as a document has it: the words behind the program's name. */
export interface CommandLine {
  readonly line: string
  readonly words: readonly string[]
}

/** The command lines of ours in some lines of a shell, or in texts that stand as code. */
export function commandsIn(lines: readonly string[]): CommandLine[] {
  return lines.flatMap((line) =>
    line
      .replace(/ #.*$/, '')
      .split(/ [|<>] /)
      .flatMap((part) => {
        const rest = PROGRAM.exec(part.trim())?.[1]
        if (rest === undefined || rest.startsWith('-V')) return []
        return [
          {
            line,
            words: rest
              .replaceAll(/[[\]]/g, '')
              .split(' ')
              .filter((word) => word !== ''),
          },
        ]
      }),
  )
}

const program = makeProgram(
  COMMANDS,
  { stdin: (async function* () {})(), env: {}, out: () => Promise.resolve(), err: () => undefined },
  () => undefined,
)

/** Commands that the first words name; `ls|show` names several. Undefined where one of them is not there. */
function named(words: readonly string[]): { readonly commands: readonly Command[]; readonly rest: readonly string[] } {
  let commands: readonly Command[] = [program]
  let at = 0
  while (at < words.length && commands.every((command) => command.commands.length > 0)) {
    const names = words[at]!.split('|')
    const [parent] = commands
    commands = names.flatMap((name) => parent!.commands.filter((each) => each.name() === name))
    if (commands.length !== names.length) return { commands: [], rest: [] }
    at += 1
  }
  return { commands, rest: words.slice(at) }
}

/**
 * What is wrong with a command line: a command or an option that is not there; in a whole one also a required option
 * that is missing.
 */
export function commandFaults({ line, words }: CommandLine, isWhole: boolean): string[] {
  const { commands, rest } = named(words)
  if (commands.length === 0) return [`${line}: no such command`]
  const flags = rest.filter((word) => word.startsWith('-') && word !== '-').map((word) => word.split('=')[0]!)
  return commands.flatMap((command) => {
    const known = (flag: string) =>
      ['--help', '-h'].includes(flag) || command.options.some(({ short, long }) => flag === short || flag === long)
    const missing = command.options.filter(
      ({ mandatory, short, long }) => isWhole && mandatory && !flags.some((flag) => flag === short || flag === long),
    )
    return [
      ...flags.filter((flag) => !known(flag)).map((flag) => `${line}: ${command.name()} has no ${flag}`),
      ...missing.map(({ flags: wanted }) => `${line}: ${command.name()} wants ${wanted}`),
    ]
  })
}
