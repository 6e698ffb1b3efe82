import { describe, expect, test } from 'vitest'
import { RubySymbol } from '../../src/codecs/ruby-yaml/index.js'
import type { Fact } from '../../src/model/index.js'
import { openText } from './open.js'

const dialect = openText(`mapping: v1
dialect: d
codec: { name: json-rpc }
messages:
  m:
    address: { subject: s }
    match: { method: Event.Thing }
    root: params
    fact: channel
    fields:
      uuid: { is: id, required: true }
      peer: peers.0
      from: caller.number
      state: cases
    cases:
      rings: { wire: { state: R }, model: { state: ringing, change: state } }
      held:
        wire: { state: A }
        model: { state: answered, change: hold }
        lossy: read as answered without its name
      talks: { wire: { state: A, on: true }, model: { state: answered, change: state }, lossy: never read by itself }
    carry: { at: params, prefix: p_ }
    rest: vars
`)

function paramsOf(fact: object): Record<string, unknown> {
  const { messages } = dialect.encode({ facts: [{ kind: 'channel', id: 'c', ...fact } as Fact] })
  return (JSON.parse(Buffer.from(messages[0]!.body).toString()) as { params: Record<string, unknown> }).params
}

function factOf(params: object): Record<string, unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'Event.Thing', params: { uuid: 'c', ...params } })
  return JSON.parse(JSON.stringify(dialect.decode(undefined, Buffer.from(body)).facts[0])) as Record<string, unknown>
}

describe('what the dialect has no word for rides in the map', () => {
  test.each([
    ['a text as it is', { dialled: '9' }, { p_dialled: '9' }],
    ['a number as typed JSON', { session: 7 }, { p_session: '!7' }],
    ['a truth value', { flags: { held: true } }, { 'p_flags.held': '!true' }],
    ['a text like typed JSON', { dialled: '!7' }, { p_dialled: '!"!7"' }],
    ['a list beyond its first element', { peers: ['a', 'b', 'c'] }, { 'p_peers.1': 'b', 'p_peers.2': 'c' }],
    ['a state without a case', { state: 'early', change: 'vars' }, { p_state: 'early', p_change: 'vars' }],
    ['the variables by their own names', { vars: { dept: 'sales' } }, { dept: 'sales' }],
    [
      'an extension of another dialect, in its types',
      { ext: { ruby: { t: 'gui', $raw: { x: new RubySymbol('a') } } } },
      { 'p_ext.ruby.t': 'gui', 'p_ext.ruby.$raw': '!{"x":{"$sym":"a"}}' },
    ],
  ])('%s', (_name, fact, expected) => {
    const { params } = paramsOf(fact)
    expect(params).toEqual(expected)
    const { ext: _, ...back } = factOf(paramsOf(fact))
    const { ext: __, ...went } = fact as { ext?: unknown }
    expect(back).toEqual({ kind: 'channel', id: 'c', ...went })
  })

  test('nothing that the message says itself', () => {
    expect(paramsOf({ peers: ['a'], caller: { number: '7' }, state: 'ringing', change: 'state' })).toEqual({
      uuid: 'c',
      peer: 'a',
      from: '7',
      state: 'R',
    })
  })

  test('the name of a case that would be read back as another', () => {
    const params = paramsOf({ state: 'answered', change: 'state' })
    expect(params).toEqual({ uuid: 'c', state: 'A', on: true, params: { p_case: 'talks' } })
    expect(factOf(params)).toMatchObject({ state: 'answered', change: 'state' })
    expect(factOf({ state: 'A', on: true })).toMatchObject({ change: 'hold' })
  })

  test('which gives way when the state was changed', () => {
    expect(factOf({ ...paramsOf({ state: 'answered', change: 'state' }), state: 'R' })).toMatchObject({
      state: 'ringing',
      change: 'state',
    })
  })

  test.each([
    ['a model field that does not exist', { p_colour: 'red' }],
    ['a value of another type', { p_session: 'many' }],
    ['JSON that is none', { p_session: '!{' }],
    ['a field that the message says itself', { 'p_caller.number': '8' }],
    ['an extension of nobody', { 'p_ext.sip.x': '1' }],
    ['an extension of our own', { 'p_ext.d.x': '1' }],
    ['an extension whose value is none of its dialect', { 'p_ext.ruby.x': '!{"$no":1}' }],
  ])('%s stays a variable', (_name, carried) => {
    expect(factOf({ params: carried })).toEqual({ kind: 'channel', id: 'c', vars: carried })
    expect(paramsOf(factOf({ params: carried })).params).toEqual(carried)
  })

  test.each([{ n: 1 }, { list: [1] }, { __proto__x: 'a' }])('an entry that is no text comes back: %j', (entry) => {
    const fact = factOf({ params: entry })
    expect(paramsOf(fact).params).toEqual(entry)
  })
})

describe('JSON', () => {
  test.each([
    { from: '7', extra: { deep: [1, null] } },
    { state: 'Z' },
    { peer: 5, from: null },
    { params: {} },
    { params: 'text' },
    { on: false, state: 'R' },
  ])('comes back as it was: %j', (params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'Event.Thing', params: { uuid: 'c', ...params } })
    const { facts, ext } = dialect.decode(undefined, Buffer.from(body))
    const { messages } = dialect.encode({ facts, ext })
    expect(JSON.parse(Buffer.from(messages[0]!.body).toString())).toEqual(JSON.parse(body))
  })

  test('two fields of one model value: what was not there stays away, and a change reaches the one that was', () => {
    const both = openText(`mapping: v1
dialect: d
codec: { name: json-rpc }
messages:
  m:
    address: { subject: s }
    match: { method: Event.Thing }
    root: params
    fact: channel
    fields: { uuid: id, state: state, all: peers, one: peers.0, s: { is: durations.billed, as: seconds-text, lossy: whole }, ms: { is: durations.billed, as: ms-text } }
`)
    for (const params of [
      { one: 'a' },
      { all: ['a'] },
      { all: ['a', 'b'] },
      { s: '58' },
      { ms: '58012' },
      { s: '58', ms: '58012' },
    ]) {
      const body = JSON.stringify({
        jsonrpc: '2.0',
        method: 'Event.Thing',
        params: { uuid: 'c', state: 'ended', ...params },
      })
      const { facts } = both.decode(undefined, Buffer.from(body))
      expect(JSON.parse(Buffer.from(both.encode({ facts }).messages[0]!.body).toString())).toEqual(JSON.parse(body))
    }
    const { facts } = both.decode(undefined, Buffer.from('{"method":"Event.Thing","params":{"uuid":"c","one":"a"}}'))
    Object.assign(facts[0]!, { peers: ['b', 'c'] })
    expect(JSON.parse(Buffer.from(both.encode({ facts }).messages[0]!.body).toString())).toMatchObject({
      params: { one: 'b', all: ['b', 'c'] },
    })
  })
})

describe('names that every object has by itself', () => {
  test.each(['constructor', '__proto__', 'toString', 'constructor.0', '__proto__.x', 'hasOwnProperty.name'])(
    '%s is an entry like any other',
    (name) => {
      const params = JSON.parse(`{"uuid":"c","params":{"p_${name}":"!1","${name}":"2"}}`) as object
      const body = JSON.stringify({ jsonrpc: '2.0', method: 'Event.Thing', params })
      const { facts } = dialect.decode(undefined, Buffer.from(body))
      const { messages } = dialect.encode({ facts })
      expect(JSON.parse(Buffer.from(messages[0]!.body).toString())).toEqual(JSON.parse(body))
    },
  )

  test.each(['constructor', '__proto__'])('ext.%s keeps what was told there, and nothing else', (name) => {
    const keeping = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '' }
    match: { type: m }
    fact: channel
    set: { state: new }
    fields: { id: { is: id, required: true }, x: ext.${name} }
`)
    for (const body of ['{"type":"m","id":"c","x":7}', '{"type":"m","id":"c"}']) {
      const { facts } = keeping.decode(undefined, Buffer.from(body))
      expect(Buffer.from(keeping.encode({ facts }).messages[0]!.body).toString()).toBe(body)
    }
  })
})

describe('a field that only a text of several fields says', () => {
  const formed = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '' }
    match: { type: m }
    fact: channel
    set: { state: new }
    fields:
      id: { is: id, required: true }
      name:
        form: ['T/{serial}-{ext.suffix}', '{ext.name}']
        or: [{ form: 'T/{serial}-{id#}' }, { form: 'X/{id#}' }]
        when: { direction: inbound }
    carry: { at: more, prefix: p_ }
    rest: vars
`)
  const call = { kind: 'channel', id: 'c', state: 'new', direction: 'inbound', serial: 's' }
  const sent = (fact: object) =>
    JSON.parse(
      Buffer.from(formed.encode({ facts: [{ ...call, ...fact } as unknown as Fact] }).messages[0]!.body).toString(),
    ) as Record<string, unknown>

  test.each([
    ['where the text does not say it', { ext: { d: { name: 'Other/7' } } }, 'Other/7'],
    ['where another value was kept aside in its place', { ext: { d: { $raw: { name: 7 } } } }, 7],
    ['where no text is written', { direction: 'outbound' }, undefined],
  ])('rides along %s', (_, fact, name) => {
    const event = sent(fact)
    expect(event).toMatchObject({ more: { p_serial: 's' } })
    expect(event.name).toEqual(name)
    const [back] = formed.decode(undefined, Buffer.from(JSON.stringify(event))).facts
    expect(back).toMatchObject({ serial: 's' })
  })

  test.each([{ ext: { d: { suffix: '9' } } }, {}])('does not where it does: %j', (fact) => {
    expect(sent(fact).more).not.toHaveProperty('p_serial')
  })

  test('goes before one of its name that rides along', () => {
    const body = '{"type":"m","id":"c","name":"T/s-9","more":{"p_direction":"inbound","p_serial":"other"}}'
    const { facts } = formed.decode(undefined, Buffer.from(body))
    expect(facts).toMatchObject([{ serial: 's', vars: { p_serial: 'other' } }])
    expect(JSON.parse(Buffer.from(formed.encode({ facts }).messages[0]!.body).toString())).toEqual(JSON.parse(body))
  })
})

test('a number beyond all bounds is no value of the model', () => {
  const speech = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '' }
    match: { type: m }
    fact: speech
    fields: { id: channel }
    carry: { at: more, prefix: p_ }
`)
  const body = '{"type":"m","id":"c","more":{"p_confidence":"!1e400"}}'
  const { facts } = speech.decode(undefined, Buffer.from(body))
  expect(facts[0]).not.toHaveProperty('confidence', expect.anything())
  expect(Buffer.from(speech.encode({ facts }).messages[0]!.body).toString()).toBe(body)
})
