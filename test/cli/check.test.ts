import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { patchbay } from './run.js'

const CONFIG = `group: gw
mappings: [MAPPINGS]
settings:
  voice-events: { profile: psych-4 }
links:
  legacy: { type: amqp, dialect: voice-events, url: 'amqp://u:p@localhost' }
  bus: { type: nats, dialect: xcc, servers: ['nats://localhost:4222'] }
routes:
  - { from: legacy, to: bus }
`
const SHIPPED = `${process.cwd()}/mappings/voice-events.yaml, ${process.cwd()}/mappings/xcc.yaml`

function configFile(edit: (text: string) => string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'patchbay-check-')), 'patchbay.yaml')
  writeFileSync(file, edit(CONFIG.replace('MAPPINGS', SHIPPED)))
  return file
}

const linesOf = (out: Buffer) => out.toString().trimEnd().split('\n')

test('without arguments the shipped mappings are checked', async () => {
  const { code, out } = await patchbay(['check'])
  expect([code, out.toString()]).toEqual([0, '3 files checked, no faults\n'])
})

test('every fault has a line of its own with file, place, code, what is wrong and what would be right', async () => {
  const { code, out } = await patchbay(['check', 'test/fixtures/mappings/ten-mistakes.yaml', 'mappings/xcc.yaml'])
  const lines = linesOf(out)
  expect(code).toBe(1)
  expect(lines.at(-1)).toBe('2 files checked, 10 faults')
  expect(lines).toHaveLength(11)
  for (const line of lines.slice(0, -1)) {
    expect(line).toMatch(/^test\/fixtures\/mappings\/ten-mistakes\.yaml:\d+:\d+: [a-z]+\.[a-z-]+: .+; .+$/)
  }
})

test('a site file is held to the types of its codec’s messages', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'patchbay-check-')), 'site.yaml')
  const text = 'mapping: v1\nextends: patchbay/xcc.yaml\nmessages: { channel: { fields: { cid_nummer: vars.x } } }\n'
  writeFileSync(file, text)
  const { code, out } = await patchbay(['check', file])
  const line = `${file}:3:34: mapping.field: Event.Channel has no member cid_nummer; did you mean cid_number?`
  expect([code, linesOf(out)[0]]).toEqual([1, line])
})

test('a sound configuration is checked with its mappings', async () => {
  const { code, out } = await patchbay(['check', '-c', configFile((text) => text)])
  expect([code, out.toString()]).toEqual([0, '3 files checked, no faults\n'])
})

test.each([
  [
    'a dialect without a mapping file',
    'dialect: xcc',
    'dialect: xkk',
    ':7:31: config.link: no mapping file is for the dialect xkk; want voice-events or xcc',
  ],
  [
    'a message that the mapping does not have',
    'dialect: voice-events,',
    'dialect: voice-events, messages: [channel-states, chanel-states],',
    'the mapping of voice-events has no message chanel-states; did you mean channel-states?',
  ],
  [
    'a setting that is none',
    'profile: psych-4',
    'profil: psych-4',
    ':4:19: mapping.setting: voice-events has no setting profil; did you mean profile?',
  ],
  [
    'a value that the codec does not know',
    'profile: psych-4',
    'profile: psych-9',
    ':4:28: mapping.value: the ruby-yaml codec has no profile "psych-9"',
  ],
  [
    'settings of no dialect',
    'voice-events: {',
    'voice-event: {',
    ':4:3: config.value: there is no dialect voice-event; did you mean voice-events?',
  ],
  [
    'two files for one dialect',
    `, ${process.cwd()}/mappings/xcc.yaml`,
    `, ${process.cwd()}/mappings/voice-events.yaml, ${process.cwd()}/mappings/xcc.yaml`,
    ': config.value: ',
  ],
  [
    'a mapping file that is not there',
    '/mappings/xcc.yaml',
    '/mappings/gone.yaml',
    '/mappings/gone.yaml:1:1: mapping.file: ',
  ],
  [
    'a fault of the configuration itself',
    'group: gw',
    'grup: gw',
    ':1:1: config.unknown-key: nobody reads the key `grup` here; did you mean `group`?',
  ],
])('with -c, %s is reported at its place', async (_name, from, to, expected) => {
  const { code, out } = await patchbay(['check', '-c', configFile((text) => text.replace(from, to))])
  expect(code).toBe(1)
  const faults = linesOf(out).slice(0, -1)
  expect(faults, faults.join('\n')).toHaveLength(1)
  expect(faults[0]).toContain(expected)
})

test('faults of the configuration and of its mappings come together', async () => {
  const ten = `${process.cwd()}/test/fixtures/mappings/ten-mistakes.yaml`
  const file = configFile((text) => text.replace('group: gw', 'group: g w').replace(SHIPPED, `${SHIPPED}, ${ten}`))
  const { code, out } = await patchbay(['check', '-c', file])
  expect([code, linesOf(out).at(-1)]).toEqual([1, '4 files checked, 11 faults'])
})

test('a configuration and mapping files at once are wrong use', async () => {
  const { code, err } = await patchbay(['check', '-c', 'patchbay.yaml', 'mappings/xcc.yaml'])
  expect(code).toBe(2)
  expect(err.join()).toContain('want either -c FILE or mapping files')
})

test('a configuration that is not there is a fault, not a crash', async () => {
  const { code, out } = await patchbay(['check', '-c', 'gone.yaml'])
  expect([code, linesOf(out)[0]]).toEqual([1, expect.stringContaining('gone.yaml:1:1: config.file: ')])
})

test('the steering files of a configuration are checked with it', async () => {
  const ari = "pbx: { type: ari, dialect: stasis, url: 'http://h:8088', username: u, password: p, steer: STEER }"
  const withSteer = (steer: string) =>
    configFile((text) =>
      text
        .replace('links:\n', `links:\n  ${ari.replace('STEER', steer)}\n`)
        .replace('routes:\n', 'routes:\n  - { from: pbx, to: bus }\n')
        .replace(/mappings: .*\n/, ''),
    )
  const good = await patchbay(['check', '-c', withSteer('{}')])
  expect([good.code, linesOf(good.out)]).toEqual([0, ['5 files checked, no faults']])
  const mistyped = await patchbay(['check', '-c', withSteer('{ hangup: USER_BUSI }')])
  expect([mistyped.code, linesOf(mistyped.out)[0]]).toEqual([
    1,
    expect.stringMatching(/config\.value: this is no hangup cause; want one such as NO_USER_RESPONSE or USER_BUSY$/),
  ])
  const bad = await patchbay(['check', '-c', withSteer('{ tables: missing.yaml }')])
  expect([bad.code, linesOf(bad.out)]).toEqual([
    1,
    [
      expect.stringMatching(
        /missing\.yaml:1:1: config\.file: the file cannot be read \(ENOENT\); name a readable file$/,
      ),
      '5 files checked, 1 fault',
    ],
  ])
})
