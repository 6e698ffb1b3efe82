import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LossReport } from '../../src/mapping/loss/report.js'
import { patchbay } from './run.js'

const DOORS = 'test/fixtures/mappings/manual/doors.yaml'
const SITE = 'test/fixtures/mappings/site/voice-events.yaml'

async function textOf(...args: string[]): Promise<string> {
  const { code, out, err } = await patchbay(['loss', ...args])
  expect([code, err]).toEqual([0, []])
  return out.toString()
}

describe('a report for people', () => {
  test('has a line for each field of each kind of fact, with what becomes of it', async () => {
    expect(await textOf('--from', 'doors', '--to', 'xcc', DOORS)).toBe(`From doors to xcc

channel: told
  id             survives
  caller.number  survives
  dialled        survives
  state          survives
  change         survives
  kept aside (what no rule knows): rides along in params.params

survives: said in the target's own words, and read back the same
approximately: said, with something lost that the rule admits
rides along: unseen by receivers of the target, and back when the fact returns
lost: not there any more
Empty texts, and what a setting gives for want of a value, count as not told.
`)
  })

  test('says where it depends on the fact, and why', async () => {
    const text = await textOf('--from', 'xcc', '--to', 'voice-events')
    expect(text).toMatch(
      /^channel: told in part\n {2}voice-events does not tell it where state is absent: no case says it$/m,
    )
    expect(text).toMatch(/^ {2}peers\.0 +survives +otherwise$/m)
    expect(text).toMatch(/^ {2}flags\.held +lost +no case says it$/m)
    expect(text).toMatch(/^ +lost +where change is bridge and flags\.bridged is false: the legacy side tells /m)
    expect(text).toMatch(/^ {2}times\.created +lost +no field for it$/m)
    expect(text).toMatch(
      /^dtmf: lost; voice-events has no word for it\n {2}channel, node, digit, durationMs, controller$/m,
    )
    expect(text).toMatch(/^ {2}made up where it was not told: session \(sessionNumber\(.*fact\.id\)\)$/m)
  })

  test('quotes the reason of a rule that loses something', async () => {
    expect(await textOf('--from', 'voice-events', '--to', 'xcc')).toMatch(
      /^ {2}event +approximately +the legacy words come back as ours$/m,
    )
  })

  test('is of the mapping that is named in place of the shipped one', async () => {
    expect(await textOf('--from', 'voice-events', '--to', 'xcc')).not.toContain('vars.dept')
    expect(await textOf('--from', 'voice-events', '--to', 'xcc', SITE)).toMatch(/^ {2}vars\.dept +survives$/m)
  })
})

test('--json writes the same as data', async () => {
  const report = JSON.parse(await textOf('--from', 'doors', '--to', 'voice-events', '--json', DOORS)) as LossReport
  expect(report).toMatchObject({ from: 'doors', to: 'voice-events' })
  expect(report.kinds.map(({ kind, said }) => [kind, said])).toEqual([['channel', 'sometimes']])
  expect(report.kinds[0]!.unsaid).toEqual([{ why: 'no case says it', where: [{ state: null }] }])
  expect(report.kinds[0]!.fields.find(({ field }) => field === 'dialled')).toEqual({
    field: 'dialled',
    claims: [{ fate: 'survives' }],
  })
})

test('without --from and --to all pairs stand side by side', async () => {
  const text = await textOf(DOORS)
  expect(text).toMatch(/^\| Fact \| Fields \|.* doors → voice-events \| doors → xcc \|/)
  expect(text).toMatch(/^\| `channel` \| `id`/m)
  const reports = JSON.parse(await textOf('--json')) as LossReport[]
  expect(reports.map(({ from, to }) => `${from} ${to}`)).toContain('xcc stasis')
})

describe('with a configuration', () => {
  function config(text: string): string {
    const path = join(mkdtempSync(join(tmpdir(), 'patchbay-loss-')), 'patchbay.yaml')
    writeFileSync(path, text)
    return path
  }

  test('its mappings and settings are taken', async () => {
    const path = config(`group: hq
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://127.0.0.1', username: a, password: b }
  xswitch: { type: nats, dialect: xcc, servers: [nats://127.0.0.1] }
routes: [{ from: legacy, to: xswitch }]
mappings: [${resolve(SITE)}, patchbay/xcc.yaml]
settings: { xcc: { node: gateway } }
`)
    expect(await textOf('-c', path, '--from', 'voice-events', '--to', 'xcc')).toMatch(/^ {2}vars\.dept +survives$/m)
  })

  test('its faults are told', async () => {
    const { code, err } = await patchbay(['loss', '-c', config('group: 5\n'), '--from', 'xcc', '--to', 'voice-events'])
    expect([code, err.join('\n')]).toEqual([1, expect.stringContaining('patchbay.yaml:1:8: config.')])
  })
})

test('faults of a mapping are told, and nothing else', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'patchbay-loss-')), 'doors.yaml')
  writeFileSync(path, readFileSync(DOORS, 'utf8').replace('dialled', 'dialed'))
  const { code, out, err } = await patchbay(['loss', '--from', 'doors', '--to', 'xcc', path])
  expect([code, out.toString()]).toEqual([1, ''])
  expect(err.join('\n')).toMatch(/doors\.yaml:12:13: mapping\.field: .*did you mean dialled\?/)
})

test.each([
  ['one dialect alone', ['--from', 'xcc'], 'error: want both --from and --to, or neither for all pairs'],
  ['an unknown dialect', ['--from', 'xcc', '--to', 'sip'], 'error: --to: there is no dialect sip; want '],
  ['a configuration beside mappings', ['-c', 'patchbay.yaml', DOORS], 'error: want either -c FILE or mapping files'],
])('%s is wrong use', async (_name, args, text) => {
  const { code, out, err } = await patchbay(['loss', ...args])
  expect([code, out.toString(), err.join('\n')]).toEqual([2, '', expect.stringContaining(text)])
})
