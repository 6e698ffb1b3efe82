import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse, toTyped } from '../../src/codecs/ruby-yaml/index.js'
import { freshVhost, rubyLoad, startNats, type TestNats } from '../harness/index.js'
import { bothWays, type LegacySide, legacySide, startGateway, until, type XccSide, xccSide } from './site.js'

const fixture = (name: string) => readFileSync(new URL(`../fixtures/voice-events/${name}.yaml`, import.meta.url))
const STATES = 'channel.call_state'
const TERMINALS = 'terminal.online_offline_states'

let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let gateway: Awaited<ReturnType<typeof startGateway>>
let amqpUrl: string

beforeEach(async () => {
  amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  gateway = await startGateway(bothWays('gw', amqpUrl, nats.url, { extra: 'sync: { waitMs: 400 }' }))
})

/** Every YAML that a gateway published in these tests. */
const published: Buffer[] = []

afterEach(async () => {
  await gateway.stop()
  const ours = legacy.seen.filter((each) => each.headers['patchbay-path'] !== undefined)
  published.push(...ours.map((each) => each.body))
  await bus.close()
  await legacy.close()
  await nats.stop()
})

afterAll(async () => {
  expect(published.length).toBeGreaterThan(60)
  const rubys = await rubyLoad(published)
  const classes = ['Channel_states', 'TerminalDialno', 'Terminal::TerminalDialno']
  expect(rubys).toEqual(published.map((body) => toTyped(parse(body, { classes }))))
})

/** Keys of a call event that tests leave as they are. */
const leg = (uuid: string, state: string, more: Record<string, unknown> = {}) => ({
  uuid,
  s_id: 7,
  t_id: '1004',
  c_type: 'talk',
  is_caller: '',
  j_name: 'talk',
  t_type: 'gui',
  t_src: 'client',
  r_uuid: '',
  from: '1004',
  to: '1003',
  des: '1003',
  state,
  is_loopback: false,
  ...more,
})
const yamlOf = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))
const callStates = (isSync: boolean, ...legs: Record<string, unknown>[]) =>
  `--- !ruby/object:Channel_states\nis_sync: ${isSync}\nevts:${legs.length === 0 ? ' []' : ''}\n${legs
    .map(
      (each) =>
        `- ${Object.entries(each)
          .map(([key, value]) => `${key}: ${yamlOf(value)}`)
          .join('\n  ')}\n`,
    )
    .join('')}`
const terminals = (isSync: boolean, online: string[], offline: string[] = []) =>
  `---\nis_sync: ${isSync}\nonline:${online.length === 0 ? ' []' : ''}\n${online.map((sn) => `- ${sn}\n`).join('')}offline:${offline.length === 0 ? ' []' : ''}\n${offline.map((sn) => `- ${sn}\n`).join('')}`

const statesOf = (uuid: string) =>
  bus
    .events('Event.Channel')
    .filter(({ params }) => params.uuid === uuid)
    .map(({ params }) => params.state)
const xcc = (uuid: string, state: string, more: object = {}) => ({
  jsonrpc: '2.0',
  method: 'Event.Channel',
  params: { node_uuid: 'edge-1', uuid, direction: 'inbound', state, cid_number: '1001', dest_number: '9000', ...more },
})
const legacyAt = (at: string) => legacy.seen.filter((each) => each.at === at)
const fromUs = (at: string) => legacyAt(at).filter((each) => each.headers['patchbay-path'] === 'gw')

interface TypedMap {
  readonly [key: string]: unknown
}
/** Typed values of real Ruby as plain objects, for short expectations. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const {
    $map: map,
    $obj: object,
    ivars,
  } = value as { $map?: [string, unknown][]; $obj?: string; ivars?: [string, unknown][] }
  const pairs = map ?? ivars
  if (pairs === undefined) return value
  return {
    ...(object !== undefined && { class: object }),
    ...Object.fromEntries(pairs.map(([key, each]) => [key, plain(each)])),
  }
}
const rubySees = async (bodies: readonly Uint8Array[]) =>
  (await rubyLoad(bodies)).map((value) => plain(value) as TypedMap)

describe('legacy to XCC', () => {
  test('a call is told START first, each state once, one CDR before one DESTROY', async () => {
    await legacy.publish('voice_events', STATES, fixture('seed-channel-call-state'), { timestamp: 1_700_000_000 })
    await legacy.publish('voice_events', STATES, fixture('made-call-state-hangup'), { timestamp: 1_700_000_060 })
    const uuid = '65da6180-877b-4378-a0bc-161f969fe643'
    await until(() => statesOf(uuid).includes('DESTROY'))
    expect(statesOf(uuid)).toEqual(['START', 'MEDIA', 'RINGING', 'ANSWERED', 'DESTROY'])
    const methods = bus.events().map(({ method }) => method)
    expect(methods.filter((method) => method === 'Event.CDR')).toHaveLength(1)
    expect(methods.lastIndexOf('Event.Channel')).toBeGreaterThan(methods.indexOf('Event.CDR'))
    const [cdr] = bus.events('Event.CDR')
    expect(cdr!.params.cdr).toMatchObject({
      billsec: '60',
      duration: '60',
      start_stamp: '2023-11-14 22:13:20',
      end_stamp: '2023-11-14 22:14:20',
    })
    const [start] = bus.events('Event.Channel')
    expect(start!.params).toMatchObject({
      cid_number: '0008',
      direction: 'inbound',
      create_epoch: 1_700_000_000,
      params: { patchbay_steerable: 'false' },
    })
    expect(
      bus.seen.every(({ at }) => ['cn.xswitch.ctrl', 'cn.xswitch.event.cdr', 'cn.xswitch.status.node'].includes(at)),
    ).toBe(true)
  })

  test('bridge, hold and the end of a bridge are told in the words of XCC', async () => {
    const steps = [
      leg('a', 'RINGING'),
      leg('a', 'ACTIVE'),
      leg('a', 'ACTIVE', { r_uuid: 'b' }),
      leg('a', 'HELD', { r_uuid: 'b' }),
      leg('a', 'UNHELD', { r_uuid: 'b' }),
      leg('a', 'ACTIVE'),
      leg('a', 'HANGUP'),
    ]
    for (const step of steps) await legacy.publish('voice_events', STATES, callStates(false, step))
    await until(() => statesOf('a').includes('DESTROY'))
    const told = bus.events('Event.Channel').map(({ params }) => [params.state, params.held, params.peer_uuid])
    expect(told).toEqual([
      ['START', false, undefined],
      ['RINGING', false, undefined],
      ['ANSWERED', false, undefined],
      ['BRIDGE', false, 'b'],
      ['BRIDGE', true, 'b'],
      ['BRIDGE', false, 'b'],
      ['UNBRIDGE', false, 'b'],
      ['DESTROY', false, undefined],
    ])
  })

  test('online, offline, online within a second: all three arrive', async () => {
    for (const message of [terminals(false, ['t1']), terminals(false, [], ['t1']), terminals(false, ['t1'])]) {
      await legacy.publish('voice_events', TERMINALS, message)
    }
    await until(() => bus.events('Event.NativeEvent').length >= 3)
    expect(bus.events('Event.NativeEvent').map(({ params }) => (params.event as { state: string }).state)).toEqual([
      'online',
      'offline',
      'online',
    ])
    expect(bus.seen.filter(({ at }) => at === 'cn.xswitch.event.custom.terminal')).toHaveLength(3)
  })

  test('also through a stream: online, offline, online, the first and the third byte-identical', async () => {
    const stream = await startGateway(
      `${bothWays('stream', amqpUrl, nats.url, { bus: ', deliver: jetstream, stream: { subjects: [cn.xswitch.ctrl, cn.xswitch.ctrl.>, cn.xswitch.event.>, cn.xswitch.status.node] }' })}`,
    )
    for (const message of [terminals(false, ['t1']), terminals(false, [], ['t1']), terminals(false, ['t1'])]) {
      await legacy.publish('voice_events', TERMINALS, message)
    }
    const told = () =>
      bus.seen.filter(
        ({ at, headers }) => at === 'cn.xswitch.event.custom.terminal' && headers['patchbay-path'] === 'stream',
      )
    await until(() => told().length >= 3)
    const manager = await jetstreamManager(bus.nc)
    const { state } = await manager.streams.info('PATCHBAY', { subjects_filter: 'cn.xswitch.event.custom.terminal' })
    // The stream takes what both gateways publish; it swallowed none of either.
    expect(state.subjects).toEqual({ 'cn.xswitch.event.custom.terminal': 6 })
    expect(new Set(told().map(({ headers }) => headers['Nats-Msg-Id'])).size).toBe(3)
    await stream.stop()
  })

  test('a sync of calls ends what it no longer lists and bills nothing it did not see', async () => {
    await legacy.publish('voice_events', STATES, callStates(true, leg('a', 'ACTIVE'), leg('b', 'RINGING')))
    await legacy.publish('voice_events', STATES, callStates(true, leg('b', 'ACTIVE')))
    await until(() => statesOf('a').includes('DESTROY') && statesOf('b').includes('ANSWERED'))
    expect(statesOf('a')).toEqual(['START', 'ANSWERED', 'DESTROY'])
    expect(statesOf('b')).toEqual(['START', 'RINGING', 'ANSWERED'])
    const cdr = bus.events('Event.CDR')[0]!.params.cdr as Record<string, string>
    expect(cdr).toMatchObject({ uuid: 'a', hangup_cause: 'NORMAL_UNSPECIFIED' })
    expect(cdr).not.toHaveProperty('billsec')
    expect(cdr).not.toHaveProperty('duration')
  })

  test('a sync of terminals says offline of those it no longer lists', async () => {
    await legacy.publish('voice_events', TERMINALS, fixture('seed-online-offline-change'))
    await until(() => bus.events('Event.NativeEvent').length >= 19)
    await legacy.publish('voice_events', TERMINALS, terminals(true, ['f4908713']))
    await until(() => bus.events('Event.NativeEvent').length >= 38)
    const last = bus
      .events('Event.NativeEvent')
      .slice(19)
      .map(({ params }) => params.event as { serial: string; state: string })
    expect(last.filter(({ state }) => state === 'online').map(({ serial }) => serial)).toEqual(['f4908713'])
    expect(last.filter(({ state }) => state === 'offline')).toHaveLength(18)
  })

  test.each([
    ['a bare word', 'cluster.master', { event: 'cluster-master' }],
    ['a list', "---\n- terminal.reboot_calls\n- '1004'\n", { event: 'reboot-calls', number: '1004' }],
    ['a mapping', "---\nmsg: terminal.reboot_calls\nargs:\n- '1004'\n", { event: 'reboot-calls', number: '1004' }],
  ])('a lifecycle message as %s is a native event, and asks for full pictures', async (_form, body, event) => {
    await until(() => fromUs('voice_sync_online/').length >= 1)
    await legacy.publish('voice_sync_events', '', body)
    await until(() => bus.events('Event.NativeEvent').length > 0 && fromUs('voice_sync_online/').length >= 2)
    expect(bus.seen.find(({ at }) => at === 'cn.xswitch.event.custom.lifecycle')).toBeDefined()
    expect(bus.events('Event.NativeEvent')[0]!.params.event).toMatchObject(event)
    expect(fromUs('voice_sync_events/').map((each) => each.body.toString())).toContain('channel.call_state')
  })

  test.each([
    ['terminal.voice_crash', 'CRASH', 2],
    ['terminal.reboot', 'SYSTEM_SHUTDOWN', 1],
  ])('%s ends the calls of that number', async (word, cause, asked) => {
    await legacy.publish(
      'voice_events',
      STATES,
      callStates(false, leg('a', 'ACTIVE'), leg('b', 'ACTIVE', { t_id: '1003' })),
    )
    await until(() => statesOf('b').includes('ANSWERED'))
    await legacy.publish('voice_sync_events', '', `---\n- ${word}\n- '1004'\n`)
    await until(() => statesOf('a').includes('DESTROY'))
    await delay(150)
    expect(statesOf('a')).toEqual(['START', 'ANSWERED', 'DESTROY'])
    expect(statesOf('b')).toEqual(['START', 'ANSWERED'])
    expect(bus.events('Event.CDR').map(({ params }) => (params.cdr as { hangup_cause: string }).hangup_cause)).toEqual([
      cause,
    ])
    expect(fromUs('voice_sync_online/')).toHaveLength(asked)
  })
})

describe('XCC to legacy', () => {
  test('a call is told on the right key, and real Ruby reads what went in', async () => {
    for (const [state, more] of [
      ['START', {}],
      ['RINGING', {}],
      ['ANSWERED', {}],
      ['BRIDGE', { peer_uuid: 'c-2', bridged: true }],
      ['BRIDGE', { peer_uuid: 'c-2', bridged: true, held: true }],
      ['BRIDGE', { peer_uuid: 'c-2', bridged: true, held: false }],
      ['UNBRIDGE', { peer_uuid: 'c-2' }],
      ['DESTROY', { cause: 'NORMAL_CLEARING' }],
    ] as const) {
      await bus.publish('cn.xswitch.ctrl', xcc('c-1', state, more))
    }
    await until(() => legacyAt(`voice_events/${STATES}`).some((each) => each.body.includes('HANGUP')))
    const seen = await rubySees(legacyAt(`voice_events/${STATES}`).map((each) => each.body))
    const told = seen.map(
      (message) =>
        (message.evts as TypedMap[]).map(({ uuid, state, r_uuid, from, des, is_caller }) => ({
          uuid,
          state,
          r_uuid,
          from,
          des,
          is_caller,
        }))[0],
    )
    const same = { uuid: 'c-1', from: '1001', des: '9000', is_caller: true }
    expect(told).toEqual([
      { ...same, state: 'EARLY', r_uuid: '' },
      { ...same, state: 'RINGING', r_uuid: '' },
      { ...same, state: 'ACTIVE', r_uuid: '' },
      { ...same, state: 'ACTIVE', r_uuid: 'c-2' },
      { ...same, state: 'HELD', r_uuid: 'c-2' },
      { ...same, state: 'UNHELD', r_uuid: 'c-2' },
      { ...same, state: 'ACTIVE', r_uuid: '' },
      { ...same, state: 'HANGUP', r_uuid: '' },
    ])
    expect(seen.every((message) => message.class === 'Channel_states' && message.is_sync === false)).toBe(true)
  })

  test('a terminal and a lifecycle event come out in the words of the legacy side', async () => {
    const native = (event: Record<string, string>) => ({
      jsonrpc: '2.0',
      method: 'Event.NativeEvent',
      params: { node_uuid: 'edge-1', event: { 'Event-Name': 'CUSTOM', ...event } },
    })
    await bus.publish(
      'cn.xswitch.event.custom.terminal',
      native({ 'Event-Subclass': 'terminal', serial: '00000018', number: '0008', state: 'online', change: 'state' }),
    )
    await bus.publish(
      'cn.xswitch.event.custom.lifecycle',
      native({ 'Event-Subclass': 'lifecycle', event: 'voice-crash', number: '1003' }),
    )
    await bus.publish(
      'cn.xswitch.event.custom.lifecycle',
      native({ 'Event-Subclass': 'lifecycle', event: 'cluster-backup' }),
    )
    const words = () => fromUs('voice_sync_events/').filter((each) => !each.body.includes('channel.call_state'))
    await until(() => words().length >= 2 && fromUs(`voice_events/${TERMINALS}`).length >= 1)
    const [terminal, crash] = await rubySees([fromUs(`voice_events/${TERMINALS}`)[0]!.body, words()[0]!.body])
    expect(terminal).toEqual({
      is_sync: false,
      online: ['00000018'],
      online_dialno: ['0008'],
      offline: [],
      offline_dialno: [],
    })
    expect(crash).toEqual(['terminal.voice_crash', '1003'])
    expect(words()[1]!.body.toString()).toBe('cluster.backup')
  })

  test('a crash told by XCC ends the calls of that number', async () => {
    await bus.publish('cn.xswitch.ctrl', xcc('c-1', 'START'))
    await bus.publish('cn.xswitch.ctrl', xcc('c-1', 'ANSWERED'))
    await bus.publish('cn.xswitch.event.custom.lifecycle', {
      jsonrpc: '2.0',
      method: 'Event.NativeEvent',
      params: { node_uuid: 'edge-1', event: { 'Event-Subclass': 'lifecycle', event: 'voice-crash', number: '1001' } },
    })
    await until(() => legacyAt(`voice_events/${STATES}`).some((each) => each.body.includes('HANGUP')))
    const states = (await rubySees(legacyAt(`voice_events/${STATES}`).map((each) => each.body))).map(
      (message) => (message.evts as TypedMap[])[0]!.state,
    )
    expect(states).toEqual(['EARLY', 'ACTIVE', 'HANGUP'])
  })

  test('what is no event of a call is passed over, counted and never answered', async () => {
    await bus.publish('cn.xswitch.ctrl.app-1', { jsonrpc: '2.0', id: '5', result: { code: 200, message: 'OK' } })
    await bus.publish('cn.xswitch.ctrl', { jsonrpc: '2.0', method: 'Event.Unheard', params: {} })
    await bus.publish('cn.xswitch.ctrl', { jsonrpc: '2.0', id: 'x', method: 'XCtrl.Dialplan', params: {} })
    await bus.publish('cn.xswitch.ctrl', 'no json at all')
    const dead = bus.nc.subscribe('patchbay.dead-letters', { max: 1 })
    await until(() => gateway.lines.some((line) => line.includes('dead letter')))
    const text = await gateway.metrics.text()
    for (const kind of ['result', 'unknown-event', 'controller-request'])
      expect(text).toMatch(new RegExp(`gateway_ignored_messages_total\\{link="bus",kind="${kind}"\\} 1`))
    expect(text).toMatch(/gateway_dead_letter_messages_total\{link="bus",code="codec.malformed"\} 1/)
    dead.unsubscribe()
  })
})

describe('syncs', () => {
  test('the gateway asks at its start, in words the legacy side knows', async () => {
    await until(() => fromUs('voice_sync_events/').length >= 1 && fromUs('voice_sync_online/').length >= 1)
    expect(fromUs('voice_sync_online/')[0]!.body.toString()).toBe('sync_terminal_states')
    expect(fromUs('voice_sync_events/')[0]!.body.toString()).toBe('channel.call_state')
  })

  test('a living publisher answers first, then comes one union of its picture and ours, last', async () => {
    await bus.publish('cn.xswitch.event.custom.terminal', {
      jsonrpc: '2.0',
      method: 'Event.NativeEvent',
      params: {
        node_uuid: 'edge-1',
        event: { 'Event-Subclass': 'terminal', serial: 'x1', state: 'online', change: 'state' },
      },
    })
    await bus.publish('cn.xswitch.ctrl', xcc('c-1', 'START'))
    await bus.publish('cn.xswitch.ctrl', xcc('c-1', 'ANSWERED'))
    await legacy.publish('voice_events', TERMINALS, terminals(false, ['t1']))
    await until(() => fromUs(`voice_events/${STATES}`).length >= 2 && fromUs(`voice_events/${TERMINALS}`).length >= 1)
    const asked = legacy.seen.length
    await legacy.publish('voice_sync_online', '', 'sync_terminal_states')
    await legacy.publish('voice_sync_events', '', 'channel.call_state')
    await delay(100)
    await legacy.publish('voice_events', TERMINALS, terminals(true, ['t1', 't2']))
    await legacy.publish('voice_events', STATES, callStates(true, leg('a', 'ACTIVE')))
    const answers = () =>
      legacy.seen
        .slice(asked)
        .filter((each) => each.headers['patchbay-path'] === 'gw' && each.at.startsWith('voice_events/'))
    await until(() => answers().length >= 2)
    await delay(600)
    const seen = await rubySees(answers().map((each) => each.body))
    expect(seen).toHaveLength(2)
    const union = seen.find((message) => 'online' in message)
    expect(union).toMatchObject({ is_sync: true, online: ['t1', 't2', 'x1'], offline: [] })
    const calls = seen.find((message) => 'evts' in message)!
    expect(calls).toMatchObject({ is_sync: true })
    expect((calls.evts as TypedMap[]).map(({ uuid, state }) => [uuid, state])).toEqual([
      ['a', 'ACTIVE'],
      ['c-1', 'ACTIVE'],
    ])
  })

  test('without a known picture of the publisher only changes are told, never a partial sync', async () => {
    await bus.publish('cn.xswitch.event.custom.terminal', {
      jsonrpc: '2.0',
      method: 'Event.NativeEvent',
      params: {
        node_uuid: 'edge-1',
        event: { 'Event-Subclass': 'terminal', serial: 'x1', state: 'online', change: 'state' },
      },
    })
    await until(() => fromUs(`voice_events/${TERMINALS}`).length >= 1)
    await legacy.publish('voice_sync_online', '', 'sync_terminal_states')
    await until(() => fromUs(`voice_events/${TERMINALS}`).length >= 2)
    const [, answer] = await rubySees(fromUs(`voice_events/${TERMINALS}`).map((each) => each.body))
    expect(answer).toEqual({ is_sync: false, online: ['x1'], online_dialno: [''], offline: [], offline_dialno: [] })
  })
})

describe('the node of watched calls', () => {
  beforeEach(async () => {
    await legacy.publish('voice_events', STATES, callStates(false, leg('a', 'RINGING')))
    await until(() => statesOf('a').includes('RINGING'))
  })
  const ask = (method: string, params: unknown = { uuid: 'a', ctrl_uuid: 'app-1' }, id: unknown = '1') =>
    bus.request('cn.xswitch.node.gw', { jsonrpc: '2.0', id, method, params })

  test('the first Accept owns the call; later events go to the owner; others get 419; a takeover moves it', async () => {
    expect(await ask('XNode.Accept')).toMatchObject({ id: '1', result: { code: 200, uuid: 'a', node_uuid: 'gw' } })
    expect(await ask('XNode.Accept', { uuid: 'a', ctrl_uuid: 'app-2' })).toMatchObject({ result: { code: 419 } })
    await legacy.publish('voice_events', STATES, callStates(false, leg('a', 'ACTIVE')))
    await until(() => statesOf('a').includes('ANSWERED'))
    expect(await ask('XNode.Accept', { uuid: 'a', ctrl_uuid: 'app-2', takeover: true })).toMatchObject({
      result: { code: 200 },
    })
    await legacy.publish('voice_events', STATES, callStates(false, leg('a', 'HANGUP')))
    await until(() => statesOf('a').includes('DESTROY'))
    const placed = bus.seen
      .filter(({ body }) => body.includes('"Event.Channel"'))
      .map(({ at, body }) => [at, (JSON.parse(body.toString()) as { params: { state: string } }).params.state])
    expect(placed).toEqual([
      ['cn.xswitch.ctrl', 'START'],
      ['cn.xswitch.ctrl', 'RINGING'],
      ['cn.xswitch.ctrl.app-1', 'RINGING'],
      ['cn.xswitch.ctrl.app-1', 'ANSWERED'],
      ['cn.xswitch.ctrl.app-2', 'ANSWERED'],
      ['cn.xswitch.ctrl.app-2', 'DESTROY'],
    ])
  })

  test.each([
    ['GetState', { uuid: 'a' }, { code: 200, answered: false, answer_state: 'ringing', controlled: false }],
    ['GetVar', { uuid: 'a', data: ['caller_id_number', 'nothing'] }, { code: 200, data: { caller_id_number: '1004' } }],
    ['GetChannelData', { uuid: 'a' }, { code: 200, format: 'JSON', data: { variable_destination_number: '1003' } }],
    ['Answer', { uuid: 'a', ctrl_uuid: 'app-1' }, { code: 501 }],
    ['Play', { uuid: 'a', media: { data: 'x.wav' } }, { code: 501 }],
    ['Dial', { destination: {} }, { code: 501 }],
    ['Accept', { ctrl_uuid: 'app-1' }, { code: 400 }],
    ['Accept', { uuid: 'a', ctrl_uuid: 'a.*' }, { code: 400 }],
    ['GetState', { uuid: 'nobody' }, { code: 400 }],
  ])('%s %j is answered %j', async (method, params, result) => {
    expect(await ask(`XNode.${method}`, params)).toMatchObject({ id: '1', result })
  })

  test('an unknown method and broken params are errors of the envelope; a null id is echoed', async () => {
    expect(await ask('XNode.Fly')).toMatchObject({ error: { code: -32601 } })
    expect(await ask('XNode.Answer', 5)).toMatchObject({ error: { code: -32602 } })
    expect(await ask('XNode.GetState', { uuid: 'a' }, null)).toMatchObject({ id: null, result: { code: 200 } })
  })

  test('a request gets one answer, ours, also with a stream beside it', async () => {
    const manager = await jetstreamManager(bus.nc)
    await manager.streams.add({ name: 'OBSERVER', subjects: ['cn.xswitch.ctrl.>', 'cn.xswitch.event.>'] })
    const inbox = bus.nc.subscribe('answers.here')
    const answers: string[] = []
    const reading = (async () => {
      for await (const answer of inbox) answers.push(answer.string())
    })()
    bus.nc.publish(
      'cn.xswitch.node.gw',
      JSON.stringify({ jsonrpc: '2.0', id: '1', method: 'XNode.GetState', params: { uuid: 'a' } }),
      { reply: 'answers.here' },
    )
    bus.nc.publish(
      'cn.xswitch.node',
      JSON.stringify({ jsonrpc: '2.0', id: '2', method: 'XNode.GetState', params: { uuid: 'a' } }),
      { reply: 'answers.here' },
    )
    bus.nc.publish(
      'cn.xswitch.node.gw',
      JSON.stringify({ jsonrpc: '2.0', method: 'Event.Channel', params: { uuid: 'a' } }),
      { reply: 'answers.here' },
    )
    await until(() => answers.length > 0)
    await delay(200)
    inbox.unsubscribe()
    await reading
    expect(answers.map((answer) => (JSON.parse(answer) as { id: string }).id)).toEqual(['1'])
  })

  test('a request published with an id gets its result on the subject of the controller', async () => {
    await bus.publish('cn.xswitch.node.gw', {
      jsonrpc: '2.0',
      id: 'q7',
      method: 'XNode.Accept',
      params: { uuid: 'a', ctrl_uuid: 'app-9' },
    })
    const results = () => bus.seen.filter(({ at, body }) => at === 'cn.xswitch.ctrl.app-9' && body.includes('"result"'))
    await until(() => results().length > 0)
    expect(JSON.parse(results()[0]!.body.toString())).toEqual({
      jsonrpc: '2.0',
      id: 'q7',
      result: { code: 200, message: 'OK', node_uuid: 'gw', uuid: 'a' },
    })
  })

  test('CtrlStartUp makes the node register again', async () => {
    const before = bus.events('Event.NodeRegister').length
    await bus.publish('cn.xswitch.node.gw', {
      jsonrpc: '2.0',
      id: null,
      method: 'XNode.CtrlStartUp',
      params: { ctrl_uuid: 'app-1' },
    })
    await until(() => bus.events('Event.NodeRegister').length > before)
    expect(bus.events('Event.NodeRegister').length).toBe(before + 1)
  })
})

test('two gateways of different groups with routes both ways: one message in, finite traffic', async () => {
  const other = await startGateway(bothWays('other', amqpUrl, nats.url))
  await delay(300)
  const before = bus.seen.length + legacy.seen.length
  await legacy.publish('voice_events', TERMINALS, terminals(false, ['t1']))
  await legacy.publish('voice_events', STATES, callStates(false, leg('a', 'RINGING')))
  await bus.publish('cn.xswitch.ctrl', xcc('c-1', 'START'))
  await delay(2000)
  const after = bus.seen.length + legacy.seen.length
  await delay(700)
  expect(bus.seen.length + legacy.seen.length).toBe(after)
  expect(after - before).toBeLessThan(40)
  const text = (await gateway.metrics.text()) + (await other.metrics.text())
  expect(text).toMatch(/gateway_looped_messages_total\{link="\w+"\} [1-9]/)
  await other.stop()
})
