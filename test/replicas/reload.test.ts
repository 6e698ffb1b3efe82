import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { makeSharedStore } from '../../src/transports/nats/index.js'
import { configText, type GatewayProcess } from '../faults/gateway-process.js'
import { readHeard } from '../faults/heard.js'
import { callState, makeStories, publishStories } from '../faults/legacy-load.js'
import type { LegacyMessage } from '../faults/legacy-publisher.js'
import { configuration, openSite, publishAll, startGateway, until } from '../faults/site.js'
import { type XccSide, xccSide } from '../integration/site.js'

const SAID_OF_A_CALL = ['START', 'MEDIA', 'RINGING', 'ANSWERED', 'ANSWERED held', 'ANSWERED', 'CDR', 'DESTROY']
const CALLS = 200
const WITHIN_MS = 2000

/** A mapping that reads the field `dept` into a variable, whose name shows by which rules a message went. */
const mappingWith = (variable: string) => `
mapping: v1
dialect: voice-events
extends: patchbay/voice-events.yaml
messages: { channel-states: { item: { fields: { dept: ${variable} } } } }
`
const BEFORE = mappingWith('vars.before')
const AFTER = mappingWith('vars.after')
const BROKEN = mappingWith('nonsense')
const WISHES = {
  top: 'state: jetstream\nmappings: [site.yaml, patchbay/xcc.yaml]',
  legacy: 'queue: { type: quorum }',
}

interface RulesStatus {
  readonly revision: string
  readonly inUse: readonly { readonly revision: string; readonly calls: number }[]
  readonly refused?: { readonly standing: boolean; readonly faults: readonly { readonly code: string }[] }
}

const withDept = (message: LegacyMessage): LegacyMessage => ({ ...message, body: `${message.body}  dept: sales\n` })
const rulesOf = (gateway: GatewayProcess) => gateway.json<RulesStatus>('/rules')
const revisionsOf = async (gateways: readonly GatewayProcess[]) => [
  ...new Set(await Promise.all(gateways.map(async (each) => (await rulesOf(each)).revision))),
]
const says =
  (words: string, times = 1) =>
  (gateway: GatewayProcess) =>
    gateway.lines.filter((line) => line.includes(words)).length === times

/** Waits until something is so of each gateway; answers how long that took. Milliseconds. */
async function untilEach(gateways: readonly GatewayProcess[], holds: (each: GatewayProcess) => boolean) {
  const began = performance.now()
  await Promise.all(gateways.map((each) => until(() => holds(each))))
  return performance.now() - began
}

/** What was said of a call, and by which rules. */
function toldOf({ seen }: XccSide, uuid: string) {
  const own = seen.filter(({ body }) => body.includes(`"${uuid}"`)).map(({ body }) => body.toString())
  const rules = own.flatMap((body) => [...body.matchAll(/"(before|after)":"sales"/g)].map(([, name]) => name))
  return { words: own.map((body) => readHeard(body, '')?.word), rules: [...new Set(rules)] }
}

async function openReplicas(count: number) {
  const { amqpUrl, nats, legacy } = await openSite(true)
  const yaml = configuration(amqpUrl, nats.url, WISHES)
  const start = (text: string) => startGateway(yaml, { 'site.yaml': text })
  const gateways = await Promise.all(Array.from({ length: count }, () => start(BEFORE)))
  await Promise.all(gateways.map((each) => each.untilReady()))
  const bus = await xccSide(nats.url)
  onTestFinished(() => bus.close())
  return { amqpUrl, natsUrl: nats.url, yaml, legacy, gateways, bus, start }
}

test('under load three replicas refuse broken files and go on, and take up good ones within 2 s: nothing is lost, doubled or said by two rules', async () => {
  const { amqpUrl, yaml, gateways, bus } = await openReplicas(3)
  const [first] = await revisionsOf(gateways)
  const stories = new Map([...makeStories(CALLS, 0, 0)].map(([name, story]) => [name, story.map(withDept)] as const))
  const load = publishStories(amqpUrl, stories, { ids: true, atOnce: 40, perSecond: 120 })
  await delay(1500)

  for (const each of gateways) each.write({ 'site.yaml': BROKEN })
  await untilEach(gateways, says('rules refused'))
  for (const each of gateways) {
    expect(each.lines.filter((line) => line.includes('rules refused'))).toEqual([
      expect.stringMatching(/site\.yaml:5:\d+: mapping\.field: /),
    ])
    expect((await rulesOf(each)).refused).toMatchObject({ standing: true, faults: [{ code: 'mapping.field' }] })
  }
  for (const each of gateways) each.write({ 'patchbay.yaml': configText(yaml).replace('group: gw', 'group: other') })
  await untilEach(gateways, says('rules refused', 2))
  expect(await revisionsOf(gateways)).toEqual([first])

  for (const each of gateways) each.write({ 'patchbay.yaml': configText(yaml), 'site.yaml': AFTER })
  const tookMs = await untilEach(gateways, says('rules reloaded'))
  expect(tookMs).toBeLessThan(WITHIN_MS)
  const revisions = await revisionsOf(gateways)
  expect(revisions).toHaveLength(1)
  expect(revisions).not.toEqual([first])
  for (const each of gateways) {
    expect(await each.metric('gateway_reloads_total', { outcome: 'refused' })).toBe(2)
    expect(await each.metric('gateway_reloads_total', { outcome: 'applied' })).toBe(1)
    expect(await each.metric('gateway_rules_info', { revision: revisions[0]! })).toBe(1)
    expect(await each.metric('gateway_rules_info')).toBe(1)
    expect((await rulesOf(each)).refused?.standing).toBe(false)
  }
  await load.done
  await until(() => bus.seen.length >= CALLS * SAID_OF_A_CALL.length)
  const told = [...stories.keys()].map((uuid) => toldOf(bus, uuid))
  for (const { words } of told) expect(words).toEqual(SAID_OF_A_CALL)
  const rules = told.map((each) => each.rules.join())
  expect(new Set(rules)).toEqual(new Set(['before', 'after']))
  // Calls that began before the change went by the old rules to their end, which nobody needs by now.
  for (const each of gateways) expect((await rulesOf(each)).inUse).toEqual([{ revision: revisions[0], calls: 0 }])
}, 120_000)

test('a call keeps the rules it began with when another replica takes it over, also one that never had them', async () => {
  const { legacy, gateways, bus, start } = await openReplicas(2)
  const say = (uuid: string, state: string) => publishAll(legacy, [withDept(callState(uuid, state))])
  const heard = (uuid: string, word: string) => until(() => toldOf(bus, uuid).words.includes(word))
  await say('long', 'RINGING')
  await heard('long', 'RINGING')
  for (const each of gateways) each.write({ 'site.yaml': AFTER })
  await untilEach(gateways, says('rules reloaded'))
  const later = await start(AFTER)
  await later.untilReady()

  const holder = () =>
    gateways.find((each) => each.isRunning() && each.lines.some((line) => line.includes('duty begun')))
  const kill = async (gateway: GatewayProcess) => {
    await delay(400) // till it is noted what arrived
    gateway.signal('SIGKILL')
    await gateway.ended
  }
  await kill(holder()!)
  await say('long', 'ACTIVE')
  await heard('long', 'ANSWERED')
  for (const each of gateways.filter((one) => one.isRunning())) await kill(each)
  await say('long', 'HANGUP')
  await heard('long', 'DESTROY')
  await say('new', 'RINGING')
  await heard('new', 'RINGING')
  expect(toldOf(bus, 'long')).toEqual({ words: ['START', 'RINGING', 'ANSWERED', 'CDR', 'DESTROY'], rules: ['before'] })
  expect(toldOf(bus, 'new').rules).toEqual(['after'])
  expect(later.lines.filter((line) => line.includes('are not known here'))).toEqual([])
}, 120_000)

test('a call whose rules are nowhere any more goes on with the current ones, and that is logged', async () => {
  const { legacy, gateways, bus, start, natsUrl } = await openReplicas(1)
  const [gateway] = gateways
  const say = (uuid: string, state: string) => publishAll(legacy, [withDept(callState(uuid, state))])
  await say('long', 'RINGING')
  await until(() => toldOf(bus, 'long').words.includes('RINGING'))
  const [began] = await revisionsOf(gateways)
  await delay(400) // till it is noted what arrived
  gateway!.signal('SIGKILL')
  await gateway!.ended
  await forget(natsUrl, began!)
  const later = await start(AFTER)
  await say('long', 'HANGUP')
  await until(() => toldOf(bus, 'long').words.includes('DESTROY'))
  expect(toldOf(bus, 'long')).toEqual({ words: ['START', 'RINGING', 'CDR', 'DESTROY'], rules: ['before', 'after'] })
  const { revision } = await rulesOf(later)
  expect(later.lines.filter((line) => line.includes('are not known here'))).toEqual([
    expect.stringContaining(`"began":"${began}","revision":"${revision}"`),
  ])
})

/** Takes the texts of a revision out of the store. */
async function forget(natsUrl: string, revision: string): Promise<void> {
  const nats = { servers: [natsUrl] }
  const shared = makeSharedStore({ nats, group: 'gw', copies: 1, keepMs: 3_600_000, declare: false })
  await shared.open(
    () => undefined,
    () => undefined,
  )
  expect(await shared.bucket.get(`revision.${revision}`)).toBeDefined()
  await shared.bucket.remove(`revision.${revision}`)
  await shared.close()
}
