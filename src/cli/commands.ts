import { checkCommand } from './check.js'
import type { CliCommand } from './command.js'
import { demoCommand } from './demo.js'
import { dlqCommand } from './dlq.js'
import { lossCommand } from './loss.js'
import { runCommand } from './run.js'
import { testCommand } from './test.js'
import { translateCommand } from './translate.js'

/** The sub-commands, in the order of the help. */
export const COMMANDS: readonly CliCommand[] = [
  runCommand,
  checkCommand,
  testCommand,
  translateCommand,
  lossCommand,
  dlqCommand,
  demoCommand,
]
