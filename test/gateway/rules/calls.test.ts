import { expect, test } from 'vitest'
import { makeHub } from '../../../src/gateway/hub.js'
import { assignMeta } from '../../../src/gateway/meta.js'
import { messageReader } from '../../../src/gateway/reading.js'
import { makeRules, type Ruleset } from '../../../src/gateway/rules/index.js'
import { type Letters, memoryState } from '../../../src/gateway/state.js'
import type { Fact } from '../../../src/model/index.js'
import { CONFIG, keptLog, legacyWith, rulesetOf } from './files.js'

const event = (uuid: string, state: string, more = '') =>
  `- uuid: ${uuid}\n  s_id: 1\n  is_caller: true\n  from: '8'\n  to: '9'\n  dept: sales\n  state: ${state}\n${more}`
const message = (...events: readonly string[]) =>
  `--- !ruby/object:Channel_states\nis_sync: false\nevts:\n${events.join('')}`
const PEER = '  r_uuid: other\n'
const picture = (...events: readonly string[]) => message(...events).replace('is_sync: false', 'is_sync: true')
const numbered = (uuid: string, number: string, state: string, more = '') =>
  event(uuid, state, `  call_id: ${number}\n${more}`)

const OLD = rulesetOf(legacyWith('{ fields: { dept: vars.before } }'))
const NEW = rulesetOf(
  legacyWith('{ fields: { dept: vars.after }, cases: { ringing: { wire: { state: ALERTING } } } }'),
  `${CONFIG}settings: { xcc: { bridge-state: BRIDGED } }\n`,
)
/** Rules that find the id of a call in another field. */
const NUMBERED = rulesetOf(
  legacyWith('{ fields: { dept: vars.after, uuid: vars.uuid, call_id: { is: id, required: true } } }'),
)
/** Rules by which the messages are none about calls. */
const DEAF = rulesetOf(`mapping: v1
dialect: voice-events
extends: patchbay/voice-events.yaml
tables: { caller: null }
messages:
  channel-states: null
  noted:
    address: { exchange: voice_events, key: channel.call_state }
    class: Channel_states
    fact: custom
    set: { name: noted }
    fields: { evts: ext.evts, is_sync: ext.is_sync }
`)

interface Said {
  readonly uuid: string
  readonly state?: string
  readonly params?: { readonly before?: string; readonly after?: string }
}

/** The middle of a gateway with its link to the legacy side. */
function gatewayOf(first: Ruleset, calls: 'keep' | 'current' = 'keep') {
  const { lines, log } = keptLog()
  const rules = makeRules(first, calls, log)
  const store = memoryState()
  const said: string[] = []
  async function post(letters: readonly Letters[]): Promise<void> {
    for (const { body } of letters.flatMap(({ frames }) => frames)) {
      const { uuid, state, params } = (JSON.parse(Buffer.from(body).toString()) as { params: Said }).params
      said.push([uuid, state ?? 'CDR', params?.before && 'before', params?.after && 'after'].filter(Boolean).join(' '))
    }
  }
  const hub = makeHub({ isDrawn: () => false, rules, store, post, now: () => 0 })
  const read = messageReader({ link: 'legacy', rules, store, qualify: undefined, unmapped: () => undefined })
  async function take(body: string): Promise<readonly string[]> {
    const frame = {
      address: { exchange: 'voice_events', key: 'channel.call_state' },
      headers: {},
      body: Buffer.from(body),
    }
    const { facts, full, blind } = read(frame)
    const meta = { id: 'm' }
    assignMeta(facts, meta)
    await hub.take({ link: 'legacy', facts, path: [], full, blind, meta }).confirmed
    return said.splice(0)
  }
  async function tell(fact: Fact): Promise<readonly string[]> {
    await hub.take({ link: 'legacy', facts: [fact], path: [], full: undefined, meta: { id: 'm' } }).confirmed
    return said.splice(0)
  }
  return { rules, store, take, tell, lines }
}

test('a call is read and written by the rules that it began with, a new one by the new ones', async () => {
  const { rules, take } = gatewayOf(OLD)
  expect(await take(message(event('a', 'RINGING')))).toEqual(['a START before', 'a RINGING before'])
  rules.swap(NEW)
  expect(await take(message(event('a', 'ACTIVE', PEER)))).toEqual(['a ANSWERED before', 'a BRIDGE before'])
  expect(await take(message(event('b', 'ALERTING')))).toEqual(['b START after', 'b RINGING after'])
  expect(await take(message(event('b', 'ACTIVE', PEER)))).toEqual(['b ANSWERED after', 'b BRIDGED after'])
})

test('of a message about calls of both each is told by its own', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(event('a', 'EARLY')))
  rules.swap(NEW)
  await take(message(event('b', 'EARLY')))
  const both = await take(message(event('b', 'ACTIVE', PEER), event('a', 'ACTIVE', PEER), event('a', 'HELD')))
  expect(both.toSorted()).toEqual([
    'a ANSWERED before',
    'a BRIDGE before',
    'a BRIDGE before',
    'b ANSWERED after',
    'b BRIDGED after',
  ])
})

test('with `calls: current` a running call goes by the new rules at once', async () => {
  const { rules, take } = gatewayOf(OLD, 'current')
  await take(message(event('a', 'RINGING')))
  rules.swap(NEW)
  expect(rules.others()).toEqual([])
  expect(await take(message(event('a', 'ACTIVE', PEER)))).toEqual(['a ANSWERED before after', 'a BRIDGED before after'])
})

test('what only the old rules can read is taken for calls that go by them, and for no other', async () => {
  const renamed = rulesetOf(legacyWith('{ fields: { uuid: null, call_id: { is: id, required: true } } }'))
  const { rules, take } = gatewayOf(OLD)
  await take(message(event('a', 'RINGING')))
  rules.swap(renamed)
  expect(await take(message(event('a', 'ACTIVE')))).toEqual(['a ANSWERED before'])
  await expect(take(message(event('b', 'RINGING')))).rejects.toMatchObject({ code: 'mapping.required' })
  await expect(take(message(event('a', 'HANGUP'), event('b', 'RINGING')))).rejects.toMatchObject({
    code: 'mapping.required',
  })
  expect(await take(message(event('b', 'RINGING')).replace('uuid', 'call_id'))).toEqual(['b START', 'b RINGING'])
})

test('a call whose rules are not known goes on with the current ones from then on, which is logged once', async () => {
  const { rules, store, take, lines } = gatewayOf(OLD)
  await take(message(event('a', 'RINGING'), event('b', 'RINGING')))
  rules.swap(NEW)
  rules.drop(() => false)
  expect(await take(message(event('a', 'ACTIVE', PEER)))).toEqual(['a ANSWERED before after', 'a BRIDGED before after'])
  expect(await take(message(event('b', 'ACTIVE', PEER)))).toEqual(['b ANSWERED before after', 'b BRIDGED before after'])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(`"began":"${OLD.revision}","revision":"${NEW.revision}"`)
  expect(store.callsOf('legacy').map(([, { revision }]) => revision)).toEqual([NEW.revision, NEW.revision])
})

test('rules that are current again serve the calls that began with them, and those of the time between keep theirs', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(event('a', 'EARLY')))
  rules.swap(NEW)
  await take(message(event('b', 'EARLY')))
  rules.swap(OLD)
  expect(rules.others()).toEqual([NEW])
  expect(await take(message(event('a', 'ACTIVE', PEER)))).toEqual(['a ANSWERED before', 'a BRIDGE before'])
  expect(await take(message(event('b', 'ACTIVE', PEER)))).toEqual(['b ANSWERED after', 'b BRIDGED after'])
})

test('a call is found by its own rules where the new ones read its id elsewhere, and no second one begins', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(numbered('a', '1', 'RINGING')))
  rules.swap(NUMBERED)
  expect(await take(message(numbered('a', '1', 'ACTIVE')))).toEqual(['a ANSWERED before'])
  const both = await take(message(numbered('b', '2', 'RINGING'), numbered('a', '1', 'ACTIVE', PEER)))
  expect(both).toEqual(['2 START after', '2 RINGING after', 'a BRIDGE before'])
  expect(await take(message(numbered('b', '2', 'ACTIVE'), numbered('a', '1', 'HANGUP')))).toEqual([
    '2 ANSWERED after',
    'a UNBRIDGE before',
    'a CDR',
    'a DESTROY before',
  ])
})

test('a full picture lists calls as their own rules find them in it', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(numbered('a', '1', 'RINGING')))
  rules.swap(NUMBERED)
  await take(message(numbered('b', '2', 'RINGING')))
  expect(await take(picture(numbered('b', '2', 'RINGING'), numbered('a', '1', 'RINGING')))).toEqual([])
  const ended = (said: readonly string[]) => said.filter((each) => each.includes('DESTROY'))
  expect(ended(await take(picture(numbered('b', '2', 'RINGING'))))).toEqual(['a DESTROY before'])
})

test('a full picture that the rules of a call cannot read says nothing of it', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(numbered('a', '1', 'RINGING')))
  rules.swap(NUMBERED)
  await take(message(numbered('b', '2', 'RINGING')))
  const unread = picture(numbered('c', '3', 'RINGING').replace('uuid: c', 'other: c'))
  expect(await take(unread)).toEqual(['3 START after', '3 RINGING after', '2 CDR', '2 DESTROY after'])
})

test('a call hears what the new rules take for no word about calls', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(event('a', 'RINGING')))
  rules.swap(DEAF)
  expect(await take(message(event('a', 'ACTIVE')))).toEqual(['a ANSWERED before'])
  expect((await take(message(event('b', 'RINGING')))).join()).not.toContain('b ')
})

test('what a call is told is not lost where the new rules find its id in news of another one', async () => {
  const { rules, take } = gatewayOf(OLD)
  await take(message(event('a', 'RINGING')))
  rules.swap(NUMBERED)
  const said = await take(message(numbered('a', '1', 'ACTIVE'), numbered('q', 'a', 'RINGING')))
  expect(said).toContain('a ANSWERED before')
})

test('the record of a call goes where the rules of the call send it', async () => {
  const quiet = rulesetOf(
    legacyWith('{ fields: { dept: vars.after } }'),
    CONFIG.replace('to: bus', 'to: bus, facts: [channel]'),
  )
  const { rules, take, tell } = gatewayOf(OLD)
  await take(message(event('a', 'ACTIVE')))
  rules.swap(quiet)
  await take(message(event('b', 'ACTIVE')))
  expect(await tell({ kind: 'cdr', id: 'a' })).toEqual(['a CDR'])
  expect(await tell({ kind: 'cdr', id: 'b' })).toEqual([])
})
