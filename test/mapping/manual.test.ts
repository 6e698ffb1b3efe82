import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { patchbay } from '../cli/run.js'

const MANUAL = readFileSync('mappings/README.md', 'utf8')

const quoted = [...MANUAL.matchAll(/<!-- file: (\S+) -->\n```\w+\n([\s\S]*?)```/g)]
const consoles = [...MANUAL.matchAll(/<!-- run -->\n```console\n([\s\S]*?)```/g)]

test('the manual quotes files and shows commands', () => {
  expect([quoted.length, consoles.length]).toEqual([6, 2])
})

test.each(quoted.map(([, file, text]) => [file!, text!]))('it quotes %s as it is', (file, text) => {
  expect(text).toBe(readFileSync(file, 'utf8'))
})

/** A command of the manual with the output shown below it. */
const shown = consoles.flatMap(([, text]) =>
  [...text!.matchAll(/^\$ patchbay (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, command, output]) => [command!, output!]),
)

test.each(shown)('patchbay %s prints what the manual shows', async (command, output) => {
  const { code, out, err } = await patchbay(command.split(' '))
  expect([code, err]).toEqual([0, []])
  expect(out.toString()).toBe(out.toString().endsWith('\n') ? output : output.trimEnd())
})

test('its table of settings names every setting of the shipped mappings with its usual value', async () => {
  for (const dialect of ['voice-events', 'xcc', 'stasis']) {
    const block = /^settings:\n((?: {2}.*\n)+)/m.exec(readFileSync(`mappings/${dialect}.yaml`, 'utf8'))![1]!
    for (const [, name, usual] of block.matchAll(/^ {2}([\w-]+): (.*)$/gm))
      expect(MANUAL).toContain(`| \`${dialect}.${name}\` | \`${usual}\` |`)
  }
})

test('it names every conversion and everything that is kept aside', () => {
  const schema = JSON.parse(readFileSync('mappings/schema/mapping.schema.json', 'utf8')) as object
  const conversions = /"as":\{[^{}]*"enum":\[([^\]]*)\]/
    .exec(JSON.stringify(schema))![1]!
    .replaceAll('"', '')
    .split(',')
  expect(conversions.length).toBeGreaterThan(10)
  for (const name of conversions) expect(MANUAL).toContain(`\`${name}\``)
  for (const [, name] of readFileSync('src/mapping/residue.ts', 'utf8').matchAll(/`(\$\w+)`/g)) {
    expect(MANUAL).toContain(`\`${name}\``)
  }
})
