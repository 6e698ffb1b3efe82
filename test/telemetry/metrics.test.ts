import { expect, test } from 'vitest'
import { METRICS } from '../../src/telemetry/index.js'
import { createMetrics } from '../../src/telemetry/metrics.js'
import { exposed } from './exposed.js'

const make = (process = false) =>
  createMetrics({ links: ['legacy', 'bus'], routes: [{ name: 'r', to: 'bus' }], version: '1.2.3', process })

const series = async (metrics: ReturnType<typeof make>) => exposed(await metrics.text()).series

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
  legacy.duplicate()
  legacy.unmapped('evts.dept')
  legacy.unmapped('evts.dept')
  legacy.inFlight(7)
  legacy.outbox(() => 3)
  legacy.calls(() => 5)
  legacy.waits(() => 1)
  legacy.waits(() => 1)
  legacy.up(true)
  metrics.ready(() => true)
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
    'gateway_duplicate_messages_total{link="legacy"}': 1,
    'gateway_unmapped_fields_total{link="legacy",field="evts.dept"}': 2,
    'gateway_in_flight_messages{link="legacy"}': 7,
    'gateway_outbox_messages{link="legacy"}': 3,
    'gateway_calls{link="legacy"}': 5,
    'gateway_steering_waits{link="legacy"}': 2,
    gateway_ready: 1,
    'gateway_link_up{link="legacy"}': 1,
    'gateway_translated_messages_total{route="r"}': 1,
    'gateway_sent_messages_total{link="bus",route="r"}': 1,
    'gateway_unsaid_facts_total{route="r",kind="mailbox"}': 2,
    'gateway_suppressed_facts_total{route="r"}': 1,
  })
})

test('a time is counted under its bound and all above it, in seconds', async () => {
  const metrics = make()
  for (const ms of [0.2, 0.5, 0.6, 40, 60_000]) metrics.route('r', 'bus').delivered(ms)
  const found = await series(metrics)
  const bucket = (le: string) => found.get(`gateway_delivery_seconds_bucket{le="${le}",route="r"}`)
  expect(['0.0005', '0.001', '0.025', '0.05', '10', '+Inf'].map(bucket)).toEqual([2, 3, 3, 4, 4, 5])
  expect(found.get('gateway_delivery_seconds_count{route="r"}')).toBe(5)
  expect(found.get('gateway_delivery_seconds_sum{route="r"}')).toBeCloseTo(60.0413, 9)
})

test('each stage has its own times', async () => {
  const metrics = make()
  metrics.stages.read(1)
  for (let i = 0; i < 2; i++) metrics.stages.decide(1)
  for (let i = 0; i < 3; i++) metrics.stages.write(1)
  for (let i = 0; i < 4; i++) metrics.stages.confirm(1)
  const found = await series(metrics)
  const counts = ['read', 'decide', 'write', 'confirm'].map((stage) =>
    found.get(`gateway_stage_seconds_count{stage="${stage}"}`),
  )
  expect(counts).toEqual([1, 2, 3, 4])
})

test('commands are counted by method and code, and timed by method', async () => {
  const metrics = make()
  const bus = metrics.link('bus')
  bus.command('XNode.Dial', 202, 3)
  bus.command('XNode.Dial', 202, 3)
  bus.command('XNode.Dial', 501, 1)
  bus.command('other', -32601, 1)
  const found = await series(metrics)
  const commands = [...found].filter(([name]) => /^gateway_command(s_total|_seconds_count)/.test(name))
  expect(Object.fromEntries(commands)).toEqual({
    'gateway_commands_total{link="bus",method="XNode.Dial",code="202"}': 2,
    'gateway_commands_total{link="bus",method="XNode.Dial",code="501"}': 1,
    'gateway_commands_total{link="bus",method="other",code="-32601"}': 1,
    'gateway_command_seconds_count{link="bus",method="XNode.Dial"}': 3,
    'gateway_command_seconds_count{link="bus",method="other"}': 1,
  })
})

test('of the fields that no rule knows 64 of a link have a name, where it is short and printable', async () => {
  const metrics = make()
  const bus = metrics.link('bus')
  for (const odd of ['x'.repeat(101), '', 'a\nb', '\ud800']) bus.unmapped(odd)
  for (let turn = 0; turn < 2; turn++) for (let at = 0; at < 70; at++) bus.unmapped(`f${at}`)
  metrics.link('legacy').unmapped('f69')
  const found = await series(metrics)
  const of = (link: string, field: string) =>
    found.get(`gateway_unmapped_fields_total{link="${link}",field="${field}"}`)
  expect([of('bus', 'f0'), of('bus', 'f63'), of('bus', 'f64'), of('bus', 'other')]).toEqual([2, 2, undefined, 16])
  expect([of('legacy', 'f69'), of('legacy', 'other')]).toEqual([1, 0])
})

test('whatever a field is called, it is one series in the exposition', async () => {
  const metrics = make()
  metrics.link('bus').unmapped('a"b\\c d}')
  const found = await series(metrics)
  expect(found.get('gateway_unmapped_fields_total{link="bus",field="a\\"b\\\\c d}"}')).toBe(1)
})

test('what is exposed is what is declared', async () => {
  const metrics = make()
  metrics.rules('one')
  metrics.link('bus').waits(() => 0)
  metrics.link('bus').outbox(() => 0)
  metrics.link('bus').calls(() => 0)
  metrics.link('bus').certificate('ours', 0)
  metrics.link('bus').holds(false)
  metrics.link('bus').command('XNode.Dial', 202, 1)
  metrics.route('r', 'bus').unsaid('mailbox')
  const declared = METRICS.map(({ name, kind, labels }) => [name, kind, [...labels].sort()])
  expect(exposed(await metrics.text()).metrics).toEqual(declared.sort())
})

test.each(METRICS)('$name follows the conventions and has a help line', ({ name, kind, help }) => {
  expect(name).toMatch(/^gateway_[a-z]+(_[a-z]+)*$/)
  expect(name.endsWith('_total')).toBe(kind === 'counter')
  if (kind === 'histogram') expect(name).toMatch(/_seconds$/)
  expect(help).toMatch(/^\S.*\.$/)
})

test('the figures of the process are there unless switched off', async () => {
  const { metrics } = exposed(await make(true).text())
  const others = metrics.map(([name]) => name).filter((name) => !name.startsWith('gateway_'))
  expect(others).toContain('process_cpu_seconds_total')
  expect(others.filter((name) => !/^(process|nodejs)_/.test(name))).toEqual([])
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

test('of the certificates of a link the earliest end is told, and nothing where there is none', async () => {
  const metrics = make()
  const { certificate } = metrics.link('bus')
  metrics.link('legacy').certificate('ours', undefined)
  const told = async () =>
    [...(await series(metrics))].filter(([name]) => name.startsWith('gateway_certificate_expiry_seconds'))
  expect(await told()).toEqual([])
  const name = 'gateway_certificate_expiry_seconds{link="bus"}'
  certificate('ours', 2_000_000)
  certificate('peer', 1_000_000)
  expect(await told()).toEqual([[name, 1000]])
  certificate('peer', 3_000_000)
  expect(await told()).toEqual([[name, 2000]])
  certificate('ours', undefined)
  expect(await told()).toEqual([[name, 3000]])
})
