import { expect, test } from 'vitest'
import { createMetrics } from '../../src/telemetry/metrics.js'

const make = (process = false) =>
  createMetrics({ links: ['legacy', 'bus'], routes: [{ name: 'r', to: 'bus' }], version: '1.2.3', process })

async function series(metrics: ReturnType<typeof make>): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

test('every series begins at zero', async () => {
  const found = await series(make())
  expect(found.get('gateway_taken_messages_total{link="legacy"}')).toBe(0)
  expect(found.get('gateway_sent_messages_total{link="bus",route="r"}')).toBe(0)
  expect(found.get('gateway_dead_letter_messages_total{link="legacy",code="codec.malformed"}')).toBe(0)
  expect(found.get('gateway_dropped_messages_total{link="bus",reason="buffer-full"}')).toBe(0)
  expect(found.get('gateway_link_up{link="bus"}')).toBe(0)
  expect(found.get('gateway_build_info{version="1.2.3"}')).toBe(1)
})

test('a route that comes later is counted from zero, and one that was there goes on', async () => {
  const metrics = make()
  metrics.route('r', 'bus').sent()
  metrics.addRoutes([
    { name: 'r', to: 'bus' },
    { name: 'late', to: 'legacy' },
  ])
  metrics.route('r', 'bus').sent()
  const found = await series(metrics)
  expect(found.get('gateway_sent_messages_total{link="bus",route="r"}')).toBe(2)
  expect(found.get('gateway_sent_messages_total{link="legacy",route="late"}')).toBe(0)
  expect([metrics.hasRoute('late', 'legacy'), metrics.hasRoute('late', 'bus')]).toEqual([true, false])
})

test('a route that goes elsewhere by other rules is counted by its target, and so is the one before', async () => {
  const metrics = make()
  const before = metrics.route('r', 'bus')
  metrics.addRoutes([{ name: 'r', to: 'legacy' }])
  before.translated()
  for (let i = 0; i < 2; i++) metrics.route('r', 'bus').sent()
  metrics.route('r', 'legacy').sent()
  metrics.route('r', 'legacy').translated()
  const found = await series(metrics)
  expect(found.get('gateway_sent_messages_total{link="bus",route="r"}')).toBe(2)
  expect(found.get('gateway_sent_messages_total{link="legacy",route="r"}')).toBe(1)
  expect(found.get('gateway_translated_messages_total{route="r"}')).toBe(2)
})

test('of the rules the revision that holds is told, and no other', async () => {
  const metrics = make()
  metrics.rules('one')
  metrics.rules('two')
  metrics.reload('applied')
  const found = await series(metrics)
  expect([...found.keys()].filter((name) => name.startsWith('gateway_rules'))).toEqual([
    'gateway_rules_info{revision="two"}',
  ])
  expect(found.get('gateway_reloads_total{outcome="applied"}')).toBe(1)
  expect(found.get('gateway_reloads_total{outcome="refused"}')).toBe(0)
})

test('each function counts its own series and no other', async () => {
  const metrics = make()
  const before = await series(metrics)
  const legacy = metrics.link('legacy')
  legacy.taken()
  legacy.taken()
  legacy.deadLetter('mapping.message')
  legacy.unroutable()
  legacy.loop()
  legacy.reconnect()
  for (let i = 0; i < 3; i++) legacy.dropped('buffer-full')
  legacy.ignored('result')
  legacy.unknownWord()
  legacy.inFlight(7)
  legacy.up(true)
  const route = metrics.route('r', 'bus')
  route.translated()
  route.sent()
  route.unsaid('mailbox')
  route.unsaid('mailbox')
  route.suppressed()
  const changed = [...(await series(metrics))].filter(([name, value]) => value !== (before.get(name) ?? 0))
  expect(Object.fromEntries(changed)).toEqual({
    'gateway_taken_messages_total{link="legacy"}': 2,
    'gateway_dead_letter_messages_total{link="legacy",code="mapping.message"}': 1,
    'gateway_unroutable_messages_total{link="legacy"}': 1,
    'gateway_looped_messages_total{link="legacy"}': 1,
    'gateway_link_reconnects_total{link="legacy"}': 1,
    'gateway_dropped_messages_total{link="legacy",reason="buffer-full"}': 3,
    'gateway_ignored_messages_total{link="legacy",kind="result"}': 1,
    'gateway_unknown_words_total{link="legacy"}': 1,
    'gateway_in_flight_messages{link="legacy"}': 7,
    'gateway_link_up{link="legacy"}': 1,
    'gateway_translated_messages_total{route="r"}': 1,
    'gateway_sent_messages_total{link="bus",route="r"}': 1,
    'gateway_unsaid_facts_total{route="r",kind="mailbox"}': 2,
    'gateway_suppressed_facts_total{route="r"}': 1,
  })
})

test('names follow the conventions and every metric has a help line', async () => {
  const text = await make().text()
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    expect(name).toMatch(/^gateway_[a-z]+(_[a-z]+)+$/)
    expect(name?.endsWith('_total')).toBe(type === 'counter')
    expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`, 'm'))
  }
})

test('the figures of the process are there unless switched off', async () => {
  expect(await make(true).text()).toContain('process_cpu_seconds_total')
  expect(await make(false).text()).not.toContain('process_')
})

test('two gateways in one process count apart', async () => {
  const one = make()
  one.link('bus').taken()
  expect((await series(make())).get('gateway_taken_messages_total{link="bus"}')).toBe(0)
})

test('a name that is not known is a bug', () => {
  expect(() => make().link('bsu')).toThrow('no link bsu')
  expect(() => make().route('x', 'bus')).toThrow('no route x')
})
