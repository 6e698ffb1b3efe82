import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse, stringify } from '../../../src/codecs/ruby-yaml/index.js'
import { checkRead, checkWritten, type VectorRow } from '../../tools/vector-cases.js'
import { CLASSES } from './arbitrary.js'

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url))

function rows<Row = VectorRow>(file: string): Row[] {
  const lines = readFileSync(`${FIXTURES}psych/${file}`, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line): Row => JSON.parse(line))
}

for (const file of ['scalars.jsonl', 'quoted.jsonl', 'dumps.jsonl', 'documents.jsonl']) {
  test(`${file} of the oracle reads as real Ruby reads it`, () => {
    const readable = rows(file).filter((row) => row.yaml !== undefined)
    expect(readable.map(checkRead).filter((verdict) => verdict !== undefined)).toEqual([])
  })
}

interface Difference {
  readonly file: string
  readonly line: number
  readonly now: VectorRow
}

for (const file of ['dumps.jsonl', 'documents.jsonl']) {
  test(`${file} of the oracle is written as Psych 4.0.3 writes it`, () => {
    expect(
      rows(file)
        .map((row) => checkWritten(row, 'psych-4'))
        .filter((verdict) => verdict !== undefined),
    ).toEqual([])
  })

  test(`${file} of the oracle is written as Psych 2.0.0 writes it`, () => {
    const differences = rows<Difference>('differences-psych-2.0.0.jsonl').filter(
      (difference) => difference.file === file,
    )
    const legacy = rows(file).map((row, i) => {
      const now = differences.find(({ line }) => line === i + 1)?.now
      return now === undefined ? row : { value: row.value, ...now }
    })
    expect(legacy.map((row) => checkWritten(row, 'psych-2.0')).filter((verdict) => verdict !== undefined)).toEqual([])
  })
}

const messages = readdirSync(`${FIXTURES}voice-events`).filter((file) => file.endsWith('.yaml'))
const hasQuotedLookalike = 'seed-channel-call-state.yaml' // holds the same text plain and quoted, as no Psych writes it
for (const file of messages.filter((name) => name !== hasQuotedLookalike)) {
  const profile = file.startsWith('seed-') ? 'psych-2.0' : 'psych-4'
  test(`${file} comes out byte for byte as it went in, under ${profile}`, () => {
    const bytes = readFileSync(`${FIXTURES}voice-events/${file}`)
    expect(stringify(parse(bytes, { classes: CLASSES }), { profile })).toBe(bytes.toString())
  })
}
