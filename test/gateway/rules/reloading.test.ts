import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { makeReloading, makeRules, makeRuleset } from '../../../src/gateway/rules/index.js'
import { memoryState } from '../../../src/gateway/state.js'
import { CONFIG, draftOf, keptLog, legacyWith, metricsOf, open, ownFolder, writeSite } from './files.js'

const GOOD = legacyWith('{ fields: { dept: vars.dept } }')
const OTHER = legacyWith('{ fields: { dept: vars.other } }')
const BAD = legacyWith('{ fields: { dept: nonsense, state: nothing } }')

/** A site whose files are followed, without a gateway. */
function following(everyMs: number, edit = (text: string) => text, files: Readonly<Record<string, string>> = {}) {
  const folder = ownFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const config = `${edit(CONFIG)}reload: { everyMs: ${everyMs} }\n`
  const { file, draft, text, source } = draftOf(folder, GOOD, config)
  const { lines, log } = keptLog()
  const metrics = metricsOf(draft)
  const store = memoryState()
  const rules = makeRules(makeRuleset(draft, metrics), 'keep', log)
  const parts = { rules, config: draft.config, source, folder, open, store, metrics, log, now: Date.now }
  const reloading = makeReloading({ ...parts, file: { file, env: {}, text }, revisions: undefined })
  onTestFinished(reloading.stop)
  reloading.start()
  const series = async (start: string) => (await metrics.text()).split('\n').filter((line) => line.startsWith(start))
  const write = (site: string) => void writeSite(folder, site, config)
  const said = (words: string) => lines.filter((line) => line.includes(words))
  return { rules, store, reloading, said, series, write, folder }
}

test('a bad file is refused once with every fault, in the log, by a number and in the status; the rules stay until it is mended', async () => {
  const { rules, reloading, said, series, write, folder } = following(20)
  const first = rules.current()
  write(BAD)
  await expect.poll(() => said('rules refused')).toHaveLength(1)
  const places = [`${folder}/site.yaml:4:`, 'mapping.field']
  for (const each of places) expect(said('rules refused')[0]).toContain(each)
  const { refused } = reloading.status()
  expect(refused).toMatchObject({ standing: true, faults: [{ file: `${folder}/site.yaml`, line: 4 }, { line: 4 }] })
  expect(rules.current()).toBe(first)
  await delay(300)
  expect(said('rules refused')).toHaveLength(1)
  expect(await series('gateway_reloads_total')).toEqual([
    'gateway_reloads_total{outcome="applied"} 0',
    'gateway_reloads_total{outcome="refused"} 1',
  ])

  write(OTHER)
  await expect.poll(() => said('rules reloaded')).toHaveLength(1)
  const { revision } = rules.current()
  expect(revision).not.toBe(first.revision)
  expect(said('rules reloaded')[0]).toContain(`"revision":"${revision}","before":"${first.revision}"`)
  expect(await series('gateway_rules_info')).toEqual([`gateway_rules_info{revision="${revision}"} 1`])
  expect(reloading.status()).toMatchObject({ revision, inUse: [{ revision, calls: 0 }], refused: { standing: false } })
})

test('a bad file that is taken back changes nothing', async () => {
  const { rules, reloading, said, write } = following(20)
  const first = rules.current()
  write(BAD)
  await expect.poll(() => said('rules refused')).toHaveLength(1)
  write(GOOD)
  await expect.poll(() => reloading.status().refused?.standing).toBe(false)
  expect(rules.current()).toBe(first)
  expect(said('rules reloaded')).toEqual([])
})

test('a configuration that names no files any more is refused once, and so is each that comes after it', async () => {
  const { reloading, said, folder, write } = following(20)
  const file = join(folder, 'patchbay.yaml')
  for (const [at, text] of ['group: [', '', 'mappings: [gone.yaml]\n'].entries()) {
    writeFileSync(file, text)
    await expect.poll(() => said('rules refused')).toHaveLength(at + 1)
    await delay(300)
    expect(said('rules refused')).toHaveLength(at + 1)
  }
  rmSync(file)
  await expect.poll(() => said('rules refused')).toHaveLength(4)
  await delay(300)
  expect(said('rules refused')).toHaveLength(4)
  write(OTHER)
  await expect.poll(() => said('rules reloaded')).toHaveLength(1)
  expect(reloading.status().refused?.standing).toBe(false)
})

test('who asks has a bad file refused again, and a good one taken up at once, also where nothing is watched', async () => {
  const { rules, reloading, said, write } = following(0)
  write(BAD)
  await reloading.look()
  await reloading.look()
  expect(said('rules refused')).toHaveLength(2)
  write(OTHER)
  const { revision } = rules.current()
  await reloading.look()
  expect(rules.current().revision).not.toBe(revision)
})

test('steering tables are taken up as mappings are', async () => {
  const tables = (endpoint: string) =>
    `steering: v1\ndial-strings: [['user/{number}', '${endpoint}/{number}']]\nmedia: []\n`
  const pbx =
    "  pbx: { type: ari, dialect: stasis, url: 'http://x', username: u, password: p, steer: { tables: tables.yaml } }\n"
  const { rules, reloading, folder } = following(
    0,
    (text) =>
      text
        .replace('patchbay/xcc.yaml', 'patchbay/xcc.yaml, patchbay/stasis.yaml')
        .replace('routes:\n', `${pbx}routes:\n  - { from: pbx, to: bus }\n`),
    { 'tables.yaml': tables('PJSIP') },
  )
  const dials = () => rules.current().steeringOf('pbx').endpointOf('user/1')
  expect(dials()).toBe('PJSIP/1')
  writeFileSync(join(folder, 'tables.yaml'), tables('SIP'))
  await reloading.look()
  expect(dials()).toBe('SIP/1')
})

test('rules that calls began with stay as long as there are such calls', async () => {
  const { rules, store, reloading, write } = following(0)
  const { revision: first } = rules.current()
  const call = (state: 'ringing' | 'ended') => {
    const view = { link: 'legacy', channel: { id: 'c', state }, told: {}, seenFromStart: true, revision: first }
    store.keep({ link: 'legacy', calls: new Map([['c', view]]) })
  }
  call('ringing')
  write(OTHER)
  await reloading.look()
  const { revision } = rules.current()
  expect(reloading.status().inUse).toEqual([
    { revision, calls: 0 },
    { revision: first, calls: 1 },
  ])
  call('ended')
  expect(reloading.status().inUse).toEqual([{ revision, calls: 0 }])
  expect(rules.others()).toEqual([])
})
