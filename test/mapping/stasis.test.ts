import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EVENTS, eventFaults } from '../../src/codecs/stasis/index.js'
import { formatFault } from '../../src/config/index.js'
import { openDialects } from '../../src/gateway/dialects.js'
import type { Dialect } from '../../src/mapping/dialect.js'
import type { Fact } from '../../src/model/index.js'
import { patchbay } from '../cli/run.js'
import { lossOf, recordedFrames, withoutSecrets } from './ari-frames.js'

const seed = process.env.FC_SEED
const RUNS = { numRuns: 300, ...(seed === undefined ? {} : { seed: Number(seed) }) }

type Json = Record<string, unknown>

function open(...paths: string[]): ReadonlyMap<string, Dialect> {
  const opened = openDialects(paths)
  if ('faults' in opened) throw new Error(opened.faults.map(formatFault).join('\n'))
  return opened.dialects
}

const dialects = open('mappings/voice-events.yaml', 'mappings/xcc.yaml', 'mappings/stasis.yaml')
const stasis = dialects.get('stasis')!
const xcc = dialects.get('xcc')!
const legacy = dialects.get('voice-events')!
const frames = recordedFrames('test/fixtures/ari/frames.jsonl.gz')
const typeOf = (text: string) => String((JSON.parse(text) as Json).type)
const types = [...new Set(frames.map(({ text }) => typeOf(text)))].sort()

const read = (event: unknown, by = stasis): Fact[] =>
  by.decode({ node: 'ast1' }, Buffer.from(JSON.stringify(event))).facts
const written = (facts: readonly Fact[], by = stasis): Json[] =>
  by.encode({ facts }).messages.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as Json)
const again = (event: unknown): Json => written(read(event))[0]!
const ofType = (type: string): Json[] =>
  frames.filter(({ text }) => typeOf(text) === type).map(({ text }) => JSON.parse(text) as Json)

describe('what an Asterisk sent', () => {
  test('was recorded in every shape', () => {
    expect([frames.length, types.length]).toEqual([592, 44])
  })

  test.each(types)('%s is known and comes back the same', (type) => {
    const lost = frames.filter(({ text }) => typeOf(text) === type).map((frame) => lossOf(frame, stasis))
    expect(lost.filter((each) => each !== undefined)).toEqual([])
  })

  test.each(types)('%s has the members that are known of it', (type) => {
    expect(ofType(type).flatMap(eventFaults)).toEqual([])
  })

  test('is the same after XCC where XCC has room for what it has no word for, but for the times', () => {
    const told = frames.flatMap(({ text }) => {
      const event = JSON.parse(text) as Json
      const facts = read(event)
      const [message] = xcc.encode({ facts }).messages
      return message === undefined || ROOMLESS.has(facts[0]!.kind)
        ? []
        : [{ event, back: xcc.decode(message.address, message.body).facts }]
    })
    expect(told.length).toBeGreaterThan(550)
    for (const { event, back } of told) expect(written(back).map(rounded)).toEqual([rounded(withoutSecrets(event))])
  })
})

/** XCC's events of media are what they are: nothing rides along. */
const ROOMLESS: ReadonlySet<string> = new Set(['dtmf', 'playback', 'recording'])

/** An event without its own time, other times in whole seconds. */
function rounded({ timestamp: _, ...event }: Json): unknown {
  return JSON.parse(
    JSON.stringify(event, (key, value: unknown) =>
      key === 'creationtime' ? String(value).replace(/\.\d{3}/, '') : key === 'duration' ? 'rounded' : value,
    ),
  )
}

/** Every object in an event, itself included. */
function objectsOf(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(objectsOf)
  if (typeof value !== 'object' || value === null) return []
  return [value as Json, ...Object.values(value).flatMap(objectsOf)]
}

describe('whatever an Asterisk may say tomorrow', () => {
  const event = fc.constantFrom(...frames.map(({ text }) => text))
  const place = fc.nat(100)
  const key = fc.oneof(fc.constantFrom('added', '__proto__', 'a.b', '', 'constructor', 'patchbay_x'), fc.string())

  test('a member added anywhere survives', () => {
    fc.assert(
      fc.property(event, place, key, fc.jsonValue(), (text, at, name, value) => {
        const changed = JSON.parse(text) as Json
        const objects = objectsOf(changed)
        const into = objects[at % objects.length]!
        fc.pre(!Object.hasOwn(into, name))
        Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true })
        expect(lossOf({ scenario: '', text: JSON.stringify(changed) }, stasis)).toBeUndefined()
      }),
      RUNS,
    )
  })

  test('any value in place of another survives, or the event is refused for want of an id', () => {
    fc.assert(
      fc.property(event, place, fc.jsonValue(), (text, at, value) => {
        const changed = JSON.parse(text) as Json
        const places = objectsOf(changed).flatMap((into) => Object.keys(into).map((name) => ({ into, name })))
        const { into, name } = places[at % places.length]!
        fc.pre(!(into === changed && name === 'type'))
        into[name] = value
        expect(lossOf({ scenario: '', text: JSON.stringify(changed) }, stasis) ?? 'mapping.required').toMatch(
          /^mapping\.(required|message)/,
        )
      }),
      RUNS,
    )
  })

  test('an event without any one of its members survives', () => {
    fc.assert(
      fc.property(event, place, (text, at) => {
        const changed = JSON.parse(text) as Json
        const places = objectsOf(changed).flatMap((into) => Object.keys(into).map((name) => ({ into, name })))
        const { into, name } = places[at % places.length]!
        fc.pre(!(into === changed && name === 'type'))
        delete into[name]
        expect(lossOf({ scenario: '', text: JSON.stringify(changed) }, stasis) ?? 'mapping.required').toMatch(
          /^mapping\.required/,
        )
      }),
      RUNS,
    )
  })

  test('an Asterisk in another zone keeps its offset', () => {
    for (const type of ['StasisStart', 'ChannelEnteredBridge', 'BridgeCreated']) {
      const event = JSON.parse(JSON.stringify(ofType(type)[0]).replaceAll('+0000', '-0330')) as Json
      expect(again(event)).toEqual(event)
      expect(read(event)[0]!.meta!.at).toBe(Date.parse(String(event.timestamp).replace('-0330', '-03:30')))
    }
  })
})

describe('a value changed between reading and writing', () => {
  const [start] = ofType('StasisStart') as [Json & { channel: Json }]
  const changes: [string, (fact: Json) => void, (event: Json & { channel: Json }) => void][] = [
    ['the state', (fact) => Object.assign(fact, { state: 'answered' }), ({ channel }) => (channel.state = 'Up')],
    [
      'the own number',
      (fact) => Object.assign(fact, { own: { ...(fact.own as Json), number: '77' } }),
      ({ channel }) => Object.assign(channel.caller as Json, { number: '77' }),
    ],
    [
      'the telephone',
      (fact) => Object.assign(fact, { serial: 'desk-7' }),
      ({ channel }) => (channel.name = String(channel.name).replace(/\/.*-/, '/desk-7-')),
    ],
    ['the Call-ID', (fact) => Object.assign(fact, { correlate: 'x' }), ({ channel }) => (channel.protocol_id = 'x')],
  ]

  test.each(changes)('%s changes that value and no other', (_, change, expected) => {
    const event = structuredClone(
      ofType('StasisStart').find(({ channel }) => /PJSIP/.test(String((channel as Json).name))) as typeof start,
    )
    const facts = read(event)
    change(facts[0] as unknown as Json)
    expected(event)
    expect(written(facts)).toEqual([event])
  })
})

describe('an event says', () => {
  test('who is at which end, what was dialled, by which telephone', () => {
    const event = ofType('StasisStart').find(({ channel }) => (channel as Json).state === 'Ring')
    expect(read(event)).toMatchObject([
      { direction: 'inbound', own: { number: '1001' }, serial: '1001', state: 'new', change: 'control' },
    ])
    expect(read(event)[0]).toHaveProperty('dialled', ((event!.channel as Json).dialplan as Json).exten)
  })

  test('no direction of a channel that is up, unless it was dialled', () => {
    const up = ofType('ChannelStateChange').filter(({ channel }) => (channel as Json).state === 'Up')
    for (const event of up) {
      const app = ((event.channel as Json).dialplan as Json).app_name
      const [fact] = read(event)
      expect(fact).toMatchObject({ state: 'answered' })
      expect((fact as unknown as Json).direction).toBe(/^AppDial/.test(String(app)) ? 'outbound' : undefined)
    }
  })

  test('the cause of an end only at the end', () => {
    for (const event of ofType('ChannelHangupRequest'))
      expect(read(event)[0]).not.toHaveProperty('cause.code', expect.anything())
    const causes = ofType('ChannelDestroyed').flatMap((event) => read(event))
    for (const fact of causes) expect(fact).toMatchObject({ state: 'ended', change: 'state' })
    expect(causes.map((fact) => (fact.kind === 'channel' ? fact.cause : {}))).toContainEqual(
      expect.objectContaining({ code: 17, name: 'USER_BUSY' }),
    )
  })

  test('which channels are no call of anybody: halves of Local channels, and what listens', () => {
    const names = frames.flatMap(({ text }) => {
      const { channel } = JSON.parse(text) as { channel?: Json }
      const [fact] = read(JSON.parse(text))
      return channel?.name === undefined || fact?.kind !== 'channel'
        ? []
        : [[String(channel.name), fact.flags?.loopback]]
    })
    for (const [name, loopback] of names) expect(loopback).toBe(/^(Local|Snoop)\//.test(String(name)) || undefined)
  })

  test('that the channel of text messages is no call of anybody', () => {
    const [start] = ofType('StasisStart') as [Json & { channel: Json }]
    const queue = { ...start, channel: { ...start.channel, name: 'Message/ast_msg_queue', state: 'Up' } }
    expect(read(queue)).toMatchObject([{ kind: 'channel', flags: { loopback: true, controllable: true } }])
    expect(again(queue)).toEqual(queue)
  })

  test('what a text message says, and nothing of the headers it came with', () => {
    const [event] = ofType('TextMessageReceived') as [Json & { message: Json }]
    expect(event.message.variables).toHaveProperty('Authorization')
    const [fact] = read(event)
    expect(fact).toMatchObject({ kind: 'custom', name: 'TextMessageReceived', body: event.message.body })
    expect(JSON.stringify(fact)).not.toMatch(/Authorization|Digest|nonce/)
    expect(fact!.ext?.stasis).not.toHaveProperty('$more.message')
    expect(JSON.stringify(fact!.ext)).not.toContain(JSON.stringify(event.message.body))
  })

  test('nothing of whether a telephone is there when a contact goes', () => {
    for (const event of ofType('ContactStatusChange')) {
      const [fact] = read(event)
      expect(fact).toMatchObject({
        kind: 'terminal',
        change: 'contact',
        address: expect.stringMatching(/^[\d.]+:\d+$/) as unknown,
      })
      expect((fact as unknown as Json).state).toBeUndefined()
    }
  })

  test('how the address of a contact is told, whatever parameters it has', () => {
    const [event] = ofType('ContactStatusChange') as [Json & { contact_info: Json }]
    const at = (uri: string) => ({ ...event, contact_info: { ...event.contact_info, uri } })
    const uris: [string, string | undefined][] = [
      ['sip:1001@10.0.0.5:5060', '10.0.0.5:5060'],
      ['sip:1001@10.0.0.5:5060;transport=tcp;ob', '10.0.0.5:5060'],
      ['sip:a%40b@[2001:db8::1]:5060;ob', '[2001:db8::1]:5060'],
      ['sip:10.0.0.5', undefined],
      ['tel:+491', undefined],
    ]
    for (const [uri, address] of uris) {
      expect((read(at(uri))[0] as unknown as Json).address).toBe(address)
      expect(again(at(uri))).toEqual(at(uri))
    }
  })
})

describe('a site', () => {
  const site = open('test/fixtures/mappings/site/stasis.yaml').get('stasis')!

  test('names the telephones behind resources, and their dial numbers', () => {
    const start = ofType('StasisStart').find(({ channel }) => /^PJSIP\/1001-/.test(String((channel as Json).name)))
    expect(read(start, site)).toMatchObject([{ serial: '00000018', terminal: '2001' }])
    const other = ofType('ChannelStateChange').find(({ channel }) =>
      /^PJSIP\/1002-/.test(String((channel as Json).name)),
    )
    expect(read(other, site)).toMatchObject([{ serial: '1002', terminal: '2002' }])
    const [peer] = ofType('PeerStatusChange') as [Json & { endpoint: Json }]
    const event = { ...peer, endpoint: { ...peer.endpoint, resource: '1001' } }
    expect(read(event, site)).toMatchObject([{ serial: '00000018', number: '2001' }])
    for (const each of [start, other, event]) expect(written(read(each, site), site)).toEqual([each])
  })

  test('whose serial number looks like a resource of another keeps the two apart', () => {
    const [peer] = ofType('PeerStatusChange') as [Json & { endpoint: Json }]
    const event = { ...peer, endpoint: { ...peer.endpoint, resource: '00000018' } }
    expect(() => read(event, site)).toThrow(expect.objectContaining({ code: 'mapping.required' }))
  })
})

describe('what an Asterisk never said', () => {
  const bodies = 'test/fixtures/voice-events'
  const told = readdirSync(bodies)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => legacy.decode(undefined, readFileSync(`${bodies}/${name}`)).facts)
  const calls = readFileSync('test/fixtures/xcc/samples.jsonl', 'utf8').split('\n').filter(Boolean)
  const samples = calls.flatMap((line) => {
    try {
      return xcc.decode(undefined, Buffer.from(JSON.stringify((JSON.parse(line) as Json).message ?? JSON.parse(line))))
        .facts
    } catch {
      return []
    }
  })

  test.each([
    ['legacy', told],
    ['XCC', samples],
  ])('%s facts become events as Asterisk would send them', (_, facts) => {
    const events = facts.flatMap((fact) => written([{ ...fact, meta: { at: 1_795_193_876_219 } }]))
    expect(events.length).toBeGreaterThan(10)
    for (const event of events) expect([event.type, eventFaults(event)]).toEqual([event.type, []])
  })

  test('a blind transfer of which no more than the channels are known is a whole event', () => {
    const transfer = { kind: 'transfer', type: 'blind', by: 'c-1', who: 'c-2', target: '600' } as const
    const [event] = written([{ ...transfer, meta: { at: 1_795_193_876_219 } }])
    expect([event!.type, eventFaults(event!)]).toEqual(['BridgeBlindTransfer', []])
    expect(read(event)).toMatchObject([transfer])
  })

  test('nothing is said of a telephone without a name', () => {
    const phone = { kind: 'terminal', change: 'state', state: 'online' } as const
    expect(written([{ ...phone, serial: '1001' }])).toMatchObject([{ endpoint: { resource: '1001' } }])
    expect(stasis.encode({ facts: [{ ...phone, serial: '' }] })).toMatchObject({
      messages: [],
      unsaid: [{ serial: '' }],
    })
  })

  test('a call has one name through all its events', () => {
    const call = {
      kind: 'channel',
      id: 'u-1',
      direction: 'inbound',
      caller: { number: '1004' },
      callee: { number: '1003' },
    } as const
    const events = written([
      { ...call, change: 'control', flags: { controllable: true }, state: 'new' },
      { ...call, change: 'state', state: 'answered' },
      { ...call, change: 'state', state: 'ended', cause: { code: 16 } },
    ])
    expect(events.map(({ type }) => type)).toEqual(['StasisStart', 'ChannelStateChange', 'ChannelDestroyed'])
    expect(new Set(events.map(({ channel }) => (channel as Json).name)).size).toBe(1)
    expect(events[0]).toMatchObject({
      channel: {
        name: expect.stringMatching(/^Patchbay\/1004-[\da-f]{8}$/) as unknown,
        caller: { number: '1004' },
        connected: { number: '1003' },
      },
    })
    expect(events[2]).toMatchObject({ cause: 16, cause_txt: 'Normal Clearing' })
  })
})

describe('`patchbay translate` takes an event', () => {
  const [event] = ofType('ChannelDestroyed').filter(({ cause }) => cause === 17)
  const args = (to: string) => ['translate', '--from', 'stasis', '--to', to, '--bodies', '--address', 'node=ast1']

  test.each([
    [
      'xcc',
      /^\{"jsonrpc":"2.0","method":"Event.Channel","params":\{"node_uuid":"ast1",.*"state":"DESTROY",.*"cause":"USER_BUSY"/,
    ],
    ['voice-events', /^--- !ruby\/object:Channel_states\n(?:.*\n)*?.*state: HANGUP/],
    ['facts', /"kind":"channel",.*"node":"ast1",.*"cause":\{"code":17,"name":"USER_BUSY"\}/],
    ['stasis', /^\{"type":"ChannelDestroyed"/],
  ])('to %s', async (to, wanted) => {
    const { code, out, err } = await patchbay(args(to), JSON.stringify(event))
    expect([code, err]).toEqual([0, []])
    expect(out.toString()).toMatch(wanted)
  })
})

test('every event that is known is mapped by name', () => {
  const named = stasis.messages.flatMap(({ rule }) => Object.values(rule.match ?? {}).slice(0, 1))
  const mapped = named.flatMap((each) =>
    typeof each === 'object' && each !== null && 'any' in each ? each.any : [each],
  )
  expect(new Set(mapped)).toEqual(new Set(Object.keys(EVENTS)))
})
