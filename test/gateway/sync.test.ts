import { expect, onTestFinished, test } from 'vitest'
import { makeHub } from '../../src/gateway/hub.js'
import { makeRules, type Ruleset } from '../../src/gateway/rules/index.js'
import { memoryState } from '../../src/gateway/state.js'
import { makeSyncDesk } from '../../src/gateway/sync.js'
import type { Fact } from '../../src/model/index.js'
import type { OutgoingFrame } from '../../src/transports/transport.js'
import { CONFIG, keptLog, legacyWith, rulesetOf } from './rules/files.js'

const SITE = legacyWith('{ fields: { dept: vars.dept } }')
const ROUTE = '  - { from: bus, to: legacy }\n'
const OLD = rulesetOf(SITE)

/** The middle of a gateway, and who answers syncs of its legacy link. */
function deskOf(first: Ruleset) {
  const { log } = keptLog()
  const rules = makeRules(first, 'keep', log)
  const store = memoryState()
  const sent: string[] = []
  const send = async ({ body }: OutgoingFrame) => void sent.push(Buffer.from(body).toString())
  const hub = makeHub({ isDrawn: () => false, rules, store, post: async () => undefined, now: () => 0 })
  const links = new Map([['legacy', { name: 'legacy', transport: { send } }]])
  const options = { waitMs: 0, publisherAliveMs: 0, publisher: 'none' as const }
  const desk = makeSyncDesk({ group: 'gw', links, rules, store, options, log, now: () => 0 })
  onTestFinished(desk.stop)
  const arrival = { path: [], full: undefined, meta: { id: 'm' } }
  const call = (id: string): Fact => ({ kind: 'channel', id, direction: 'inbound', state: 'ringing', change: 'state' })
  return {
    rules,
    take: (id: string) => hub.take({ ...arrival, link: 'bus', facts: [call(id)] }).confirmed,
    /** Calls that the legacy side is told in answer to its sync. */
    async calls() {
      sent.length = 0
      desk.note({ ...arrival, link: 'legacy', facts: [{ kind: 'sync', of: 'channels' }] })
      await expect.poll(() => sent).toHaveLength(1)
      return [...sent[0]!.matchAll(/uuid: (\w+)/g)].map(([, uuid]) => uuid)
    },
  }
}

test.each([
  ['renamed', '  - { from: bus, to: legacy, name: calls }\n', ['a', 'b']],
  [
    'split',
    '  - { from: bus, to: legacy, facts: [terminal], name: phones }\n  - { from: bus, to: legacy, facts: [channel], name: calls }\n',
    ['a', 'b'],
  ],
  ['gone', '  - { from: other, to: legacy }\n', ['a']],
])('the answer to a sync names calls that began with a route that is %s by now', async (_how, routes, after) => {
  const next = rulesetOf(SITE, CONFIG.replace(ROUTE, routes))
  const { rules, take, calls } = deskOf(OLD)
  await take('a')
  expect(await calls()).toEqual(['a'])
  rules.swap(next)
  await take('b')
  expect(await calls()).toEqual(after)
})
