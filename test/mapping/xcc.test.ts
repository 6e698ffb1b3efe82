import { describe, expect, test } from 'vitest'
import { openDialects } from '../../src/gateway/dialects.js'

const opened = openDialects(['mappings/voice-events.yaml', 'mappings/xcc.yaml'])
if ('faults' in opened) throw new Error('the shipped mappings have faults')
const xcc = opened.dialects.get('xcc')!
const legacy = opened.dialects.get('voice-events')!

type Params = Readonly<Record<string, unknown>>

function read(method: string, params: Params) {
  return xcc.decode(undefined, Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, params }))).facts
}

function again(method: string, params: Params): unknown {
  const [message] = xcc.encode({ facts: read(method, params) }).messages
  return (JSON.parse(Buffer.from(message!.body).toString()) as { params: unknown }).params
}

const native = (event: Params): Params => ({ node_uuid: 'n', event: { 'Event-Name': 'CUSTOM', ...event } })

describe('a lifecycle event', () => {
  test.each([
    ['voice-crash', 'terminal.voice_crash'],
    ['reboot', 'terminal.reboot'],
    ['reboot-calls', 'terminal.reboot_calls'],
    ['cluster-master', 'cluster.master'],
    ['cluster-backup', 'cluster.backup'],
  ])('%s may be told in the legacy word, and is written in ours', (ours, theirs) => {
    for (const event of [ours, theirs]) {
      const params = native({ 'Event-Subclass': 'lifecycle', event, number: '1003' })
      expect(read('Event.NativeEvent', params)).toMatchObject([{ kind: 'lifecycle', event: ours, number: '1003' }])
      expect(again('Event.NativeEvent', params)).toMatchObject({ event: { event: ours } })
    }
  })
})

describe('a terminal event', () => {
  const terminal = (event: Params) => native({ 'Event-Subclass': 'terminal', serial: '00000018', ...event })

  test.each([
    [{ number: '1001', state: 'online' }, 'state'],
    [{ state: 'offline' }, 'state'],
    [{ number: '1001' }, 'number'],
    [{ number: '1001', state: 'online', change: 'number' }, 'number'],
    [{ number: '1001', change: 'state' }, 'state'],
    [{ address: '10.0.0.1' }, undefined],
  ])('%j is a change of %s, which the legacy side can say, and comes back as it was', (event, change) => {
    const facts = read('Event.NativeEvent', terminal(event))
    expect(facts).toMatchObject([{ kind: 'terminal', serial: '00000018' }])
    expect(facts.map((fact) => 'change' in fact && fact.change)).toEqual([change])
    expect(again('Event.NativeEvent', terminal(event))).toEqual(terminal(event))
  })

  test('without `change` reaches the legacy side', () => {
    for (const event of [{ number: '1001', state: 'online' }, { number: '1001' }])
      expect(legacy.encode({ facts: read('Event.NativeEvent', terminal(event)) })).toMatchObject({ unsaid: [] })
  })
})

describe('a channel', () => {
  const channel = (more: Params): Params => ({ node_uuid: 'n', uuid: 'c', state: 'RINGING', ...more })

  test('with an empty peer_uuid keeps its peers', () => {
    expect(read('Event.Channel', channel({ peers: ['a', 'b'], peer_uuid: '' }))).toMatchObject([{ peers: ['a', 'b'] }])
    expect(again('Event.Channel', channel({ peer_uuid: '' }))).toEqual(channel({ peer_uuid: '' }))
  })

  test('with an absurd moment is told without it', () => {
    const fact = {
      ...read('Event.Channel', channel({}))[0]!,
      ext: {},
      times: { created: 1e15, ringing: -1, ended: 2e12 },
    }
    const [message] = xcc.encode({ facts: [fact as never] }).messages
    expect(JSON.parse(Buffer.from(message!.body).toString())).toMatchObject({
      params: expect.not.objectContaining({ create_epoch: expect.anything() as unknown }) as unknown,
    })
    expect(Buffer.from(message!.body).toString()).toContain('"hangup_epoch":2000000000')
    expect(Buffer.from(message!.body).toString()).not.toContain('ring_epoch')
  })
})

test.each([
  '---\n- terminal.voice_crash\n- 1003\n',
  "---\nmsg: terminal.voice_crash\nargs: '1001'\n",
  '---\nis_sync: false\nonline:\n- f1\nonline_dialno:\n- 1003\noffline: []\noffline_dialno: []\n',
])('a dial number in a legacy message of another form has its number in XCC and comes back: %j', (body) => {
  const exchange = body.includes('is_sync') ? 'voice_events' : 'voice_sync_events'
  const key = body.includes('is_sync') ? 'terminal.online_offline_states' : ''
  const { facts, ext } = legacy.decode({ exchange, key }, Buffer.from(body))
  const [message] = xcc.encode({ facts }).messages
  expect(Buffer.from(message!.body).toString()).toMatch(/"number":"100[13]"/)
  const back = xcc.decode(message!.address, message!.body).facts
  const again = legacy.encode({ facts: back, ext }).messages
  expect(again.map((each) => Buffer.from(each.body).toString())).toEqual([body])
})
