import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { patchbay } from './run.js'

const DOORS = readFileSync('test/fixtures/mappings/manual/doors.yaml', 'utf8')
const TESTS = readFileSync('test/fixtures/mappings/manual/doors.test.yaml', 'utf8')

/** A mapping file in a folder of its own, with tests beside it unless there are none. */
function files(mapping: string, tests: string | undefined, name = 'doors'): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-test-'))
  writeFileSync(join(folder, `${name}.yaml`), mapping)
  if (tests !== undefined) writeFileSync(join(folder, `${name}.test.yaml`), tests)
  return join(folder, `${name}.yaml`)
}

const textOf = (out: Buffer) => out.toString()

test('the shipped mappings hold their tests and laws, and every rule of theirs is tested', async () => {
  for (const seed of ['1', '2', '3']) {
    const { code, out } = await patchbay(['test', '--seed', seed])
    expect([code, textOf(out)]).toEqual([0, expect.stringMatching(/^seed \d\n\d{3} passed, 0 failed\n$/)])
  }
})

test('without a seed one is chosen and told, so that a run can be repeated', async () => {
  const { out } = await patchbay(['test', 'test/fixtures/mappings/manual/doors.yaml'])
  expect(textOf(out)).toMatch(/^seed \d+\n9|^seed \d+\n10 passed, 0 failed\n$/)
})

test('--verbose names what passes', async () => {
  const { out } = await patchbay(['test', '--seed', '1', '--verbose', 'test/fixtures/mappings/manual/doors.yaml'])
  expect(textOf(out)).toContain('doors.test.yaml:2: someone rings at the front door (read)\n')
  expect(textOf(out)).toContain('laws: door, 75 facts\n')
})

test('a test that does not hold tells path by path what differs', async () => {
  const tests = TESTS.replace("dialled: '12', state: ringing", "dialled: '13', state: ringing")
  const { code, out } = await patchbay(['test', '--seed', '1', files(DOORS, tests)])
  expect(code).toBe(1)
  expect(textOf(out)).toMatch(
    /FAIL {2}\S+doors\.test\.yaml:2: someone rings at the front door \(read\)\n {6}facts\[0\]\.dialled: want "13", got "12"\n/,
  )
  expect(textOf(out)).toMatch(/\(write\)\n {6}line 4: want "flat: '12'", got "flat: '13'"\n/)
  expect(textOf(out)).toContain('passed, 2 failed\n')
})

test.each([
  [
    'an address',
    '{ exchange: doors, key: door.state }\n      body: |\n        ---\n        call: d-17\n        door: front',
    '{ exchange: doors, key: elsewhere }\n      body: |\n        ---\n        call: d-17\n        door: front',
    'mapping.message: doors: a message at',
  ],
  ['a body that is none of the dialect', 'state: bell\n', 'state: [\n', 'codec.malformed'],
  [
    'a fact of an unknown kind',
    "{ kind: channel, id: d-17, caller: { number: front }, dialled: '12', state: ringing, change: state }",
    '{ kind: chanel }',
    'codec.field: facts[0].kind',
  ],
  [
    'a fact the dialect has no word for',
    "{ kind: channel, id: d-17, caller: { number: front }, dialled: '12', state: ringing, change: state }",
    '{ kind: sync, of: channels }',
    'mapping.unsayable: no message for 1 of 1 facts (sync)',
  ],
])('a test with %s fails and says why', async (_name, from, to, expected) => {
  expect(TESTS).toContain(from)
  const { code, out } = await patchbay(['test', '--seed', '1', files(DOORS, TESTS.replace(from, to))])
  expect([code, textOf(out)]).toEqual([1, expect.stringContaining(expected)])
})

test('a test file with faults of form names them', async () => {
  const { code, out } = await patchbay(['test', files(DOORS, 'tests:\n  a: { wires: { body: x }, facts: [] }\n')])
  expect(code).toBe(1)
  expect(textOf(out)).toMatch(/doors\.test\.yaml:2:8: mapping\.unknown-key: .*did you mean `wire`\?/)
})

test('a mapping with faults is not run', async () => {
  const { code, out } = await patchbay(['test', '--seed', '1', files(DOORS.replace('is: id', 'is: idd'), TESTS)])
  expect(code).toBe(1)
  expect(textOf(out)).toMatch(/doors\.yaml:10:19: mapping\.field: .*\n0 passed, 1 failed\n$/)
})

test('a message or case that no test comes to is a failure, unless that is allowed', async () => {
  const mapping = files(
    `${DOORS}      lost: { wire: { state: lost }, model: { state: ended, change: bridge } }\n  other:\n    address: { exchange: doors, key: other }\n    fact: sync\n    words: { table: w, is: of }\ntables: { w: { all: channels } }\n`,
    TESTS,
  )
  const strict = await patchbay(['test', '--seed', '1', mapping])
  expect(strict.code).toBe(1)
  expect(textOf(strict.out)).toContain(
    'doors.yaml:18:7: mapping.test: no test comes to the case lost of door; add a test for it',
  )
  expect(textOf(strict.out)).toContain(
    'doors.yaml:19:3: mapping.test: no test comes to the message other; add a test for it',
  )
  expect((await patchbay(['test', '--seed', '1', '--allow-untested', mapping])).code).toBe(0)
})

test('a mapping without tests fails, unless that is allowed', async () => {
  const mapping = files(DOORS, undefined)
  const { code, out } = await patchbay(['test', '--seed', '1', mapping])
  expect([code, textOf(out)]).toEqual([1, expect.stringContaining('doors.test.yaml:1:1: mapping.test: ')])
  expect((await patchbay(['test', '--allow-untested', mapping])).code).toBe(0)
})

test('a rule that breaks a law without saying so is named, with the smallest fact that shows it', async () => {
  const site = `mapping: v1
extends: patchbay/voice-events.yaml
messages:
  channel-states:
    item:
      cases:
        bridged: { lossy: null, model: { state: answered } }
`
  const { code, out } = await patchbay([
    'test',
    '--seed',
    '1',
    '--allow-untested',
    files(site, undefined, 'voice-events'),
  ])
  expect(code).toBe(1)
  expect(textOf(out)).toMatch(
    /voice-events\.yaml:7:9: mapping\.law: flags\.bridged was true and came back as false; mend the rule/,
  )
  expect(textOf(out)).toMatch(
    /counterexample \{"kind":"channel","id":".*","state":"answered","change":"bridge","flags":\{"bridged":true\}\}/,
  )
})

test.each([
  [
    'a conversion of texts that are numbers',
    '      door: caller.number',
    '      door: { is: caller.number, default: front }',
    undefined,
  ],
  [
    'two fields of one model value',
    '      flat: dialled',
    '      flat: dialled\n      flat2: { is: dialled, lossy: twice }',
    undefined,
  ],
  [
    'a case that is read as another one',
    'talk: { wire: { state: talk }',
    'talk: { wire: { state: { any: [talk] } }',
    'state was "answered" and came back as absent',
  ],
])('%s is judged by the laws', async (_name, from, to, expected) => {
  const { code, out } = await patchbay([
    'test',
    '--seed',
    '1',
    '--allow-untested',
    files(DOORS.replace(from, to), undefined),
  ])
  if (expected === undefined) expect([code, textOf(out)]).toEqual([0, expect.stringContaining(' 0 failed')])
  else expect([code, textOf(out)]).toEqual([1, expect.stringContaining(expected)])
})
