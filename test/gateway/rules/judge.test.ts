import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatFault, loadConfig } from '../../../src/config/index.js'
import { readThrough } from '../../../src/gateway/rules/index.js'
import { judgeFiles } from '../../../src/gateway/rules/judge.js'
import { servingOf } from '../../../src/gateway/rules/serving.js'
import { CONFIG, draftOf, legacyWith, open, ownFolder, writeSite } from './files.js'

const SITE = legacyWith('{ fields: { dept: vars.dept } }')

/** Judges a site that runs with one configuration and finds another. */
function judge(site: string, config: string, running = CONFIG, env: Record<string, string> = {}) {
  const folder = ownFolder()
  const before = draftOf(folder, SITE, running)
  const question = {
    file: before.file,
    env,
    running: before,
    serving: servingOf(before.draft),
    open,
    targets: new Map(),
  }
  writeSite(folder, site, config)
  const judged = judgeFiles(question, readThrough)
  if ('draft' in judged) return { draft: judged.draft, before: before.draft }
  return judged.faults.map((fault) => formatFault(fault).replace(`${folder}/`, ''))
}

const refused = [
  {
    name: 'a mapping with faults, at their places',
    site: legacyWith('{ fields: { dept: nonsense } }'),
    faults: [/^site\.yaml:4:\d+: mapping\.field: /],
  },
  { name: 'no mapping any more', site: '', faults: [/^site\.yaml:1:1: /] },
  { name: 'broken YAML', config: `${CONFIG}  - {`, faults: [/^patchbay\.yaml:\d+:\d+: yaml\.syntax: /] },
  {
    name: 'a route to nowhere',
    config: `${CONFIG}  - { from: legacy, to: bos }\n`,
    faults: [/^patchbay\.yaml:10:\d+: config\.link: /],
  },
  {
    name: 'another group, and a link that goes elsewhere',
    config: CONFIG.replace('gw', 'gx').replace('nats://localhost:4222', 'nats://localhost:4223'),
    faults: [
      /^patchbay\.yaml:1:1: config\.restart: `group` is another than the gateway runs with; start the gateway anew/,
      /^patchbay\.yaml:6:\d+: config\.restart: `links\.bus\.servers` is another/,
    ],
  },
  {
    name: 'another link',
    config: CONFIG.replace('routes:', "  more: { type: nats, dialect: xcc, servers: ['nats://x'] }\nroutes:"),
    faults: [/^patchbay\.yaml:7:\d+: config\.restart: `links\.more` is another/],
  },
  {
    name: 'a route from a link that nothing was taken from',
    config: `${CONFIG}  - { from: other, to: legacy }\n`,
    faults: [
      /config\.restart: routes and mappings: they want that messages are taken from `links\.other`, and the links/,
    ],
  },
  {
    name: 'the last route from a link goes',
    config: CONFIG.replace('  - { from: bus, to: legacy }\n', ''),
    faults: [/config\.restart: routes and mappings: they end that messages are taken from `links\.bus`, for which/],
  },
  {
    name: 'another subject that calls are announced under, where controllers own some',
    config: `${CONFIG}settings: { xcc: { ctrl-subject: elsewhere } }\n`,
    faults: [
      /they want that calls of `links\.legacy` are announced under "elsewhere" on `links\.bus`/,
      /they end that calls of `links\.legacy` are announced under "cn\.xswitch\.ctrl" on `links\.bus`/,
    ],
  },
  {
    name: 'a mapping that wants to hear another exchange',
    site: SITE.replace('channel-states: {', 'channel-states: { address: { exchange: elsewhere },'),
    faults: [
      /they want that `links\.legacy` has the topic exchange "elsewhere"/,
      /they want that `links\.legacy` hears "channel\.call_state" of the exchange "elsewhere"/,
      /they want that `links\.other` has the topic exchange "elsewhere"/,
    ],
  },
]
test.each(refused)('refused: $name', ({ site = SITE, config = CONFIG, faults }) => {
  const told = judge(site, config)
  expect(told).toEqual(faults.map((fault) => expect.stringMatching(fault)))
})

const accepted = [
  { name: 'another mapping', site: legacyWith('{ fields: { dept: vars.section } }') },
  {
    name: 'another route between links',
    config: `${CONFIG}  - { from: bus, to: other, sync: { answer: false } }\n`,
  },
  { name: 'other facts on a route', config: CONFIG.replace('to: legacy', 'to: legacy, facts: [channel]') },
  { name: 'settings of a mapping', config: `${CONFIG}settings: { voice-events: { profile: psych-4 } }\n` },
]
test.each(accepted)('taken up: $name', ({ site = SITE, config = CONFIG }) => {
  const { draft, before } = judge(site, config) as Exclude<ReturnType<typeof judge>, string[]>
  expect(draft.revision).toMatch(/^[0-9a-f]{12}$/)
  expect(draft.revision).not.toBe(before.revision)
})

test('where running calls go by the new rules at once a route keeps its target as long as it keeps its name', () => {
  const folder = ownFolder()
  const named = (to: string, name = 'calls') =>
    CONFIG.replace('to: legacy', `to: ${to}, name: ${name}, sync: { answer: false }`)
  const before = draftOf(folder, SITE, named('legacy'))
  const targets = new Map([['calls', 'legacy']])
  const question = { file: before.file, env: {}, running: before, serving: servingOf(before.draft), open, targets }
  const judged = (config: string) => {
    writeSite(folder, SITE, config)
    return judgeFiles(question, readThrough)
  }
  expect(judged(named('other'))).toMatchObject({ faults: [{ code: 'config.restart', line: 9 }] })
  expect(judged(named('other', 'more'))).toMatchObject({ draft: {} })
})

const variable = (name: string) => `\${${name}}`

test('names and settings that are in variables are taken from there', () => {
  const config = CONFIG.replace('site.yaml', `'${variable('SITE')}.yaml'`)
    .replace('dialect: xcc', `dialect: '${variable('BUS')}'`)
    .concat(`settings: { voice-events: { profile: '${variable('PROFILE')}' } }\n`)
  const judged = (env: Record<string, string>) => judge(SITE, config, CONFIG, { SITE: 'site', BUS: 'xcc', ...env })
  expect(judged({ PROFILE: 'psych-4' })).toMatchObject({ draft: { config: { settings: { 'voice-events': {} } } } })
  expect(judged({ PROFILE: 'psych-9' })).toEqual([expect.stringMatching(/mapping\.value: .* no profile "psych-9"/)])
  expect(judged({ PROFILE: 'psych-4', BUS: 'xdd' })).toEqual([
    expect.stringMatching(
      /^patchbay\.yaml:6:\d+: config\.link: no mapping file is for the dialect xdd; want voice-events or xcc/,
    ),
  ])
  expect(judge(SITE, config)).toEqual([
    expect.stringMatching(/config\.environment: .* SITE /),
    expect.stringMatching(/config\.environment: .* BUS /),
    expect.stringMatching(/config\.environment: .* PROFILE /),
  ])
})

test('a default that is written out is no change', () => {
  const { draft, before } = judge(SITE, `${CONFIG}admin: { port: 9464 }\nstate: memory\n`) as Exclude<
    ReturnType<typeof judge>,
    string[]
  >
  expect(draft.revision).toBe(before.revision)
})

test('a secret that its file has anew keeps nobody from a reload', () => {
  const folder = ownFolder()
  const secret = join(folder, 'secret')
  writeFileSync(secret, 'one')
  const config = CONFIG.replace(
    "url: 'amqp://u:p@localhost'",
    `url: 'amqp://localhost', username: u, password: { file: ${secret} }`,
  )
  const before = draftOf(folder, SITE, config)
  const question = {
    file: before.file,
    env: {},
    running: before,
    serving: servingOf(before.draft),
    open,
    targets: new Map(),
  }
  writeFileSync(secret, 'two')
  expect(loadConfig(before.file, {}).config?.links.legacy).not.toEqual(before.config.links.legacy)
  writeSite(folder, legacyWith('{ fields: { dept: vars.section } }'), config)
  const judged = judgeFiles(question, readThrough)
  expect('draft' in judged && judged.draft.config.links).toBe(before.config.links)
})

test('equal files have equal revisions wherever they are', () => {
  const [one, other] = [ownFolder(), ownFolder()].map((folder) => draftOf(folder, SITE).draft)
  expect(one!.revision).toBe(other!.revision)
})
