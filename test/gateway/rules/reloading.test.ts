import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import { makeReloading, makeRules, makeRuleset } from '../../../src/gateway/rules/index.js'
import type { ReloadingParts } from '../../../src/gateway/rules/reloading.js'
import { memoryState } from '../../../src/gateway/state.js'
import { CONFIG, draftOf, keptLog, legacyWith, metricsOf, open, ownFolder, writeSite } from './files.js'

const GOOD = legacyWith('{ fields: { dept: vars.dept } }')
const OTHER = legacyWith('{ fields: { dept: vars.other } }')
const BAD = legacyWith('{ fields: { dept: nonsense, state: nothing } }')

/** A site whose files are followed, without a gateway. */
function following(
  everyMs: number,
  edit = (text: string) => text,
  files: Readonly<Record<string, string>> = {},
  more: Partial<ReloadingParts> = {},
  calls: 'keep' | 'current' = 'keep',
) {
  const folder = ownFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const config = `${edit(CONFIG)}reload: { everyMs: ${everyMs}, calls: ${calls} }\n`
  const { file, draft, text, source } = draftOf(folder, GOOD, config)
  const { lines, log } = keptLog()
  const metrics = metricsOf(draft)
  const store = memoryState()
  const rules = makeRules(makeRuleset(draft, metrics), calls, log)
  const parts = {
    rules,
    config: draft.config,
    source,
    folder,
    open,
    store,
    metrics,
    log,
    version: '0',
    now: Date.now,
    revisions: undefined,
    ...more,
  }
  const reloading = makeReloading({ ...parts, file: { file, env: {}, text } })
  onTestFinished(reloading.stop)
  reloading.start()
  const series = async (start: string) => (await metrics.text()).split('\n').filter((line) => line.startsWith(start))
  const write = (site: string) => void writeSite(folder, site, config)
  const said = (words: string) => lines.filter((line) => line.includes(words))
  return { rules, store, reloading, said, series, write, folder, lines, config }
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
  expect(rules.others()).toHaveLength(1)
  write(GOOD)
  await reloading.look()
  expect(rules.others()).toEqual([])
})

test('with `calls: current` every call counts as one of the current rules', async () => {
  const { rules, store, reloading, write } = following(0, undefined, {}, {}, 'current')
  const { revision } = rules.current()
  const view = { link: 'legacy', channel: { id: 'c' }, told: {}, seenFromStart: true, revision }
  store.keep({ link: 'legacy', calls: new Map([['c', view]]) })
  write(OTHER)
  await reloading.look()
  expect(reloading.status().inUse).toEqual([{ revision: rules.current().revision, calls: 1 }])
})

test.each([
  ['a line that is not YAML', '  legacy: { type: amqp', '  hunter2 no key\n  legacy: { type: amqp'],
  [
    'a value of a wrong kind',
    "'nats://localhost:4222'",
    "'nats://localhost:4222'], prefetch: ['amqp://user:hunter2@a.host.with.a.long.name.example'",
  ],
  [
    'a long URL',
    'type: amqp, dialect: voice-events, url',
    "type: 'amqp://someone.with.a.long.name:hunter2@broker', url",
  ],
  ['a key', 'group: gw', 'group: gw\nhunter2: 1'],
])('of a faulty configuration no text is shown, for there may be secrets in it: %s', async (_name, good, bad) => {
  const { reloading, lines, config, folder } = following(0)
  expect(config).toContain(good)
  writeFileSync(join(folder, 'patchbay.yaml'), config.replace(good, bad))
  await reloading.look()
  const told = JSON.stringify(reloading.status()) + lines.join()
  expect(told).toMatch(/patchbay\.yaml:\d+:\d+: (yaml|config)\.[a-z-]+"/)
  expect(told).not.toContain('hunter2')
})

test('that files cannot be judged is a refusal with a reason', async () => {
  const failing = () => {
    throw new TypeError('a bug')
  }
  const { reloading, said } = following(0, undefined, {}, { open: failing })
  await reloading.look()
  expect(said('rules could not be judged')).toHaveLength(1)
  expect(reloading.status().refused).toMatchObject({
    standing: true,
    faults: [],
    reason: expect.stringContaining('log'),
  })
})

/** A store of texts that is out of reach until it is told otherwise. */
function storeOfTexts() {
  const texts = new Map<string, string>()
  const asked: string[] = []
  const state = { isUp: false, asked, texts }
  const revisions = {
    async put(revision: string, text: string) {
      if (!state.isUp) throw new GatewayError('state.unavailable', 'out of reach', { fate: 'retry' })
      texts.set(revision, text)
    },
    async get(revision: string) {
      asked.push(revision)
      return texts.get(revision)
    },
  }
  return { state, revisions }
}

test('texts that the store did not take are tried again while calls may go by them', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { state, revisions } = storeOfTexts()
  const { rules, reloading, write } = following(0, undefined, {}, { revisions })
  write(OTHER)
  await reloading.look()
  expect(state.texts.size).toBe(0)
  state.isUp = true
  await vi.advanceTimersByTimeAsync(5000)
  expect([...state.texts.keys()]).toEqual([rules.current().revision])
})

test('rules of another replica are asked for and compiled once, however many links need them', async () => {
  const { state, revisions } = storeOfTexts()
  state.isUp = true
  const one = following(0, undefined, {}, { revisions })
  one.write(OTHER)
  await one.reloading.look()
  const { revision } = one.rules.current()
  const { rules, store, reloading, said } = following(0, undefined, {}, { revisions })
  const call = (link: string) => {
    const view = { link, channel: { id: link }, told: {}, seenFromStart: true, revision }
    store.keep({ link, calls: new Map([[link, view]]) })
  }
  for (const link of ['legacy', 'other', 'bus']) call(link)
  await Promise.all(['legacy', 'other', 'bus'].map((link) => reloading.prepare([link])))
  expect(state.asked).toEqual([revision])
  expect(rules.others().map((each) => each.revision)).toEqual([revision])
  expect(said('taken up')).toHaveLength(1)
})

test('texts that another version of the program left are not taken', async () => {
  const { state, revisions } = storeOfTexts()
  state.isUp = true
  const one = following(0, undefined, {}, { revisions, version: '1' })
  one.write(OTHER)
  await one.reloading.look()
  const { rules, store, reloading, said } = following(0, undefined, {}, { revisions, version: '2' })
  const view = {
    link: 'bus',
    channel: { id: 'c' },
    told: {},
    seenFromStart: true,
    revision: one.rules.current().revision,
  }
  store.keep({ link: 'bus', calls: new Map([['c', view]]) })
  await reloading.prepare(['bus'])
  expect(rules.others()).toEqual([])
  expect(said('could not be taken up')).toEqual([expect.stringContaining('they are of version 1, and this is 2')])
})

test('rules that were judged do not hold any more once the gateway stops', async () => {
  let put = () => {}
  const begun = new Promise<void>((resolve) => {
    put = resolve
  })
  const revisions = { put: async () => put(), get: async () => undefined }
  const { rules, reloading, write } = following(0, undefined, {}, { revisions })
  const first = rules.current()
  write(OTHER)
  const looked = reloading.look()
  await begun
  reloading.stop()
  await looked
  expect(rules.current()).toBe(first)
})
