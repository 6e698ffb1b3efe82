import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import type { CliCommand } from './command.js'
import { EXIT, type ExitCode, type Io, WrongUse } from './io.js'

export { EXIT, type ExitCode, type Io, processIo } from './io.js'

const EXIT_CODES = `
Exit codes:
  0  fine
  1  faults were found
  2  wrong use`

/** Runs one command line (without node and script). Answers the exit code; never throws for what a user can mend. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.fine
  const program = makeProgram(await commandsFor(args), io, (result) => {
    code = result
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has written its own text by now.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.wrongUse
    if (!(error instanceof WrongUse)) throw error
    io.err(`error: ${error.message}`)
    return EXIT.wrongUse
  }
}

/** `run` is loaded by itself, for a gateway that starts is waited for; help and mistakes need all commands. */
async function commandsFor([name]: readonly string[]): Promise<readonly CliCommand[]> {
  if (name === 'run') return [(await import('./run.js')).runCommand]
  return (await import('./commands.js')).COMMANDS
}

/** A program of these commands, with their options and helps. `exit` is told how the process is to end. */
export function makeProgram(commands: readonly CliCommand[], io: Io, exit: (code: ExitCode) => void): Command {
  const program = new Command('patchbay')
    .description('Converts telephony dialects into one another by mapping files.')
    .version(version())
    .addHelpText('after', EXIT_CODES)
  for (const { name, register } of commands) {
    register(program.command(name), { io, exit })
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text.trimEnd()),
    })
    if (command !== program) command.addHelpText('after', EXIT_CODES).showHelpAfterError('(--help tells more)')
  }
  return program
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
