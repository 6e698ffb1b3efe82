import type { Command } from 'commander'
import type { ExitCode, Io } from './io.js'

/** What a command is given. */
export interface CommandContext {
  readonly io: Io
  /** Says how the process ends when the command's action is over; fine, if never called. */
  exit(code: ExitCode): void
}

/** One sub-command: its name, and what gives it options, help and an action. */
export interface CliCommand {
  readonly name: string
  register(command: Command, context: CommandContext): void
}
