import { type Command, InvalidArgumentError } from 'commander'
import type { CliCommand, CommandContext } from './command.js'
import { type ListOptions, listLetters } from './dlq/ls.js'
import { type ShowOptions, showLetter } from './dlq/show.js'
import { dropLetters, replayLetters, type TakeOptions } from './dlq/take.js'

const HELP = `
Letters are kept by the broker: in the dead-letter queue of an AMQP link, and on NATS in
the stream that takes the link's dead-letter subject, which is its own with
deliver: jetstream. Without a stream nobody keeps them. Those of a link to an Asterisk are
with the link that its deadLetters names.

On AMQP a letter can be read only by taking it. All are given back together, in front of
what came later, and so in their order, unless another consumer takes from the same queue
meanwhile. If we or the broker die first, the broker gives them back itself. A quorum queue
counts each reading as a delivery: the gateway declares its queue without a limit of these,
but in a queue of your own with a limit (20 by default from RabbitMQ 4 on) letters go once
they were read more often. At most 65,535 messages are seen at a time.

Examples:
  patchbay dlq ls -c patchbay.yaml --summary
  patchbay dlq show m17-kZ1x0Cq3yTA -c patchbay.yaml
  patchbay dlq replay --all --code mapping.message -c patchbay.yaml
  patchbay dlq drop --all --link legacy --yes -c patchbay.yaml`

const LS_HELP = `
One line for each letter, the oldest first: id, time, link, code, address, size in bytes,
reason; then how many. With --json a line of JSON each.`

const SHOW_HELP = `
A body that is not printable text is shown in hexadecimal.

Examples:
  patchbay dlq show m17-kZ1x0Cq3yTA -c patchbay.yaml
  patchbay dlq show m17-kZ1x0Cq3yTA --raw -c patchbay.yaml | patchbay translate --from voice-events --to xcc`

const REPLAY_HELP = `
Sends the bytes with the headers they came with, patchbay-id among them, in the order of
the letters, and takes a letter away once the broker has confirmed that. Should that break
off, a message may come twice, with the same patchbay-id, but none is lost.

AMQP: to the queue of the link alone, so no other consumer of its exchange sees it again.
Its timestamp is the sender's, else that of the failure.
NATS: to the subject it came by, so everybody who listens there sees it again. A stream
that takes the subject confirms it, else the server: then it is lost unless the gateway
runs. A letter younger than the duplicate window of its stream has to wait, for another
letter of the same message would be taken for a copy of it.
Asterisk: it takes no events from us, so its letters stay where they are.

A message that fails again makes a new letter, with the same id.`

const DROP_HELP = `
--all asks on a terminal; elsewhere it wants --yes.`

const EXIT_CODES = `
Exit codes:
  0  fine
  1  a letter was not found or stays where it is, or a broker could not be reached
  2  wrong use`

/** `patchbay dlq`: dead letters seen, sent again and taken away. */
export const dlqCommand: CliCommand = {
  name: 'dlq',
  register(command: Command, context: CommandContext) {
    const { io, exit } = context
    command.description('Shows dead letters, sends them again or takes them away.').addHelpText('after', HELP)
    subCommand(command, 'ls', LS_HELP, context)
      .description('Lists letters.')
      .option('--json', 'write lines of JSON')
      .option('--summary', 'count by code and link instead')
      .action(async (options: ListOptions) => exit(await listLetters(options, io)))
    subCommand(command, 'show', SHOW_HELP, context)
      .description('Shows everything of a letter.')
      .argument('<ID>', 'id of a letter')
      .option('--raw', 'write the bytes of the body alone')
      .action(async (id: string, options: ShowOptions) => exit(await showLetter(id, options, io)))
    subCommand(command, 'replay', REPLAY_HELP, context)
      .description('Sends letters again to where the gateway takes them, and then takes them away.')
      .argument('[ID...]', 'ids of letters')
      .option('--all', 'all letters, or those that --code and --link choose')
      .action(async (ids: string[], options: TakeOptions) => exit(await replayLetters(ids, options, io)))
    subCommand(command, 'drop', DROP_HELP, context)
      .description('Takes letters away for good.')
      .argument('[ID...]', 'ids of letters')
      .option('--all', 'all letters, or those that --code and --link choose')
      .option('--yes', 'do not ask')
      .action(async (ids: string[], options: TakeOptions) => exit(await dropLetters(ids, options, io)))
  },
}

/** The settings of a command reach only the commands directly below the program. */
function subCommand(parent: Command, name: string, help: string, { io }: CommandContext): Command {
  const command = parent.command(name)
  command.exitOverride().configureOutput({
    writeOut: (text) => void io.out(text),
    writeErr: (text) => io.err(text.trimEnd()),
  })
  command.requiredOption('-c, --config <FILE>', 'configuration file')
  command.option('--code <CODE>', 'only letters with this error code')
  command.option('--link <NAME>', 'only letters of the link they came by')
  if (name !== 'show') command.option('--limit <N>', 'at most so many letters', positive)
  return command.addHelpText('after', help).addHelpText('after', EXIT_CODES).showHelpAfterError('(--help tells more)')
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('want a whole number from 1 on.')
  return Number(text)
}
