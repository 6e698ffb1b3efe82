import { Command } from 'commander'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.js'

test('no flag and no argument of any command takes a secret: whoever lists processes sees them', () => {
  const quiet = { out: async () => undefined, err: () => undefined }
  const names = COMMANDS.flatMap(({ name, register }) => {
    const command = new Command(name)
    // Nothing is run, so nothing else of it is asked for.
    register(command, { io: quiet as never, exit: () => undefined })
    return [command, ...command.commands].flatMap(({ options, registeredArguments }) => [
      ...options.map(({ flags }) => flags),
      ...registeredArguments.map((argument) => argument.name()),
    ])
  })
  expect(names).toContain('-c, --config <file>')
  expect(names.filter((each) => /pass|secret|token|\bkey|nkey|cred|cert|user/i.test(each))).toEqual([])
})
