import { expect, test } from 'vitest'
import { parseDocument, stringify, toTyped } from '../../../src/codecs/ruby-yaml/index.js'
import { GatewayError } from '../../../src/errors.js'

const BYTES = 1_000_000
const MAX_MS = 1000

/** Time this process has worked: other processes may keep the machine busy. */
function workedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function fill(piece: string, bytes = BYTES): string {
  return piece.repeat(Math.floor(bytes / piece.length))
}

function numbered(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join('')
}

const documents: { name: string; text: () => string }[] = [
  { name: 'flow lists that never close', text: () => fill('[') },
  { name: 'flow mappings that never close', text: () => fill('{a: ') },
  { name: 'dashes on one line', text: () => fill('- ') },
  { name: 'question marks on one line', text: () => fill('? ') },
  { name: 'mappings 1400 deep', text: () => numbered(1400, (i) => `${' '.repeat(i)}a:\n`) },
  { name: 'a megabyte of plain words', text: () => `k: ${fill('a ')}` },
  { name: 'a megabyte of folded lines', text: () => `k: ${fill('a\n ')}` },
  { name: 'a megabyte of empty lines in a plain scalar', text: () => `k: a${fill('\n')} b` },
  { name: 'a megabyte in single quotes', text: () => `k: '${fill("it''s\n")}'\n` },
  { name: 'a megabyte of escapes', text: () => `k: "${fill('\\x01')}"\n` },
  { name: 'a quote that never closes', text: () => `k: "${fill('a b')}` },
  { name: 'a megabyte of literal lines', text: () => `--- \nk: |\n${fill('  a\n')}` },
  { name: 'a literal of empty lines', text: () => `k: |+\n${fill('\n')}` },
  { name: 'forty thousand keys', text: () => numbered(40_000, (i) => `k${i}: 1\n`) },
  { name: 'forty thousand keys in a flow mapping', text: () => `{${numbered(40_000, (i) => `k${i}, `)}}` },
  { name: 'the same key over and over', text: () => fill('a: 1\n') },
  { name: 'thousands of lists as keys', text: () => numbered(30_000, (i) => `? [${i}]\n: 1\n`) },
  { name: 'an integer of a million digits', text: () => `k: ${fill('9')}` },
  { name: 'a hexadecimal integer of a million digits', text: () => `k: 0x${fill('f')}` },
  { name: 'many integers of ninety thousand digits', text: () => `k:\n${fill(`- ${'9'.repeat(90_000)}\n`)}` },
  { name: 'a million separators', text: () => `k: 1${fill('_')}` },
  { name: 'a million groups of base 60', text: () => `k: 1${fill(':30')}` },
  { name: 'an exponent of a million digits', text: () => `k: 1.0e+${fill('9')}` },
  { name: 'a fraction of a million digits', text: () => `k: 1.${fill('5')}` },
  {
    name: 'a long prefix used by many tags',
    text: () => `%TAG !e! !${fill('a', 900_000)}\n---\n${fill('- !e!x y\n', 90_000)}`,
  },
  { name: 'an anchor name of a megabyte', text: () => `k: &${fill('a')} b` },
  {
    name: 'aliases of aliases',
    text: () => `a0: &a0 [x, x]\n${numbered(99, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]\n`)}`,
  },
  {
    name: 'aliases of aliases as keys',
    text: () => `- &a0 [x]\n${numbered(60, (i) => `- &a${i + 1} {? *a${i} : *a${i}}\n`)}`,
  },
  {
    name: 'thousands of merges',
    text: () => `- &a {${numbered(2000, (i) => `k${i}: 1, `)}}\n${fill('- {<<: *a}\n', 50_000)}`,
  },
  { name: 'keys at the limit of their length', text: () => fill(`[${fill('a,', 1010)}]: x\n`) },
  { name: 'a megabyte of emoji', text: () => `k: ${fill('😀', 500_000)}` },
  { name: 'a megabyte of comments', text: () => fill('#a\n') },
  { name: 'a control character at the very end', text: () => `k: ${fill('a')}\x01` },
]
for (const { name, text } of documents) {
  test(`${name} ends in a value or a clear error within a second`, () => {
    const body = Buffer.from(text())
    const started = workedMs()
    try {
      const { value, shared } = parseDocument(body)
      expect(workedMs() - started).toBeLessThan(MAX_MS)
      toTyped(value, shared)
      expect(stringify(value).length).toBeLessThan(20 * body.length)
    } catch (error) {
      expect(error).toBeInstanceOf(GatewayError)
    }
    expect(workedMs() - started).toBeLessThan(3 * MAX_MS)
  })
}
