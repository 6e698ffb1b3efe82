import { describe, expect, test } from 'vitest'
import type { Subject } from '../../src/mapping/loss/probe.js'
import { lossReport } from '../../src/mapping/loss/report.js'
import { loadTexts, openText } from './open.js'

function subject(text: string): Subject {
  return { file: loadTexts({ 'd.yaml': text }).file, dialect: openText(text) }
}

const SOURCE = subject(`
mapping: v1
dialect: a
codec: { name: ruby-yaml }
messages:
  call:
    address: { exchange: a, key: a }
    fact: channel
    fields:
      call: { is: id, required: true }
      number: dialled
      held: flags.held
      note: ext.note
      state: cases
    cases:
      bell: { wire: { state: bell }, model: { state: ringing, change: state } }
      talk: { wire: { state: talk }, model: { state: answered, change: state } }
  key:
    address: { exchange: a, key: k }
    fact: dtmf
    fields: { call: channel, key: digit }
`)

/** A dialect of calls in which one field and one more line are other each time. */
function target(number: string, more = ''): Subject {
  return subject(`
mapping: v1
dialect: b
codec: { name: json-rpc }
tables: { numbers: { one: '1', two: '2' } }
messages:
  call:
    address: { subject: b }
    match: { method: Event.Calls }
    root: params
    fact: channel
    ${more}
    fields:
      uuid: { is: id, required: true }
      ${number}
      say: cases
    cases:
      ring: { wire: { say: R }, model: { state: ringing, change: state } }
      talk: { wire: { say: T }, model: { state: answered, change: state } }
`)
}

function channelIn(to: Subject) {
  return lossReport(SOURCE, to).kinds.find(({ kind }) => kind === 'channel')!
}

function claimsOf(field: string, to: Subject) {
  return channelIn(to).fields.find((each) => each.field === field)?.claims
}

// The tables of a mapping must be in use.
const TABLE = 'other: { is: ext.other, table: numbers }'
const CARRY = 'carry: { at: bag, prefix: p_ }'

describe('a field', () => {
  test.each([
    ['with a rule', `number: dialled\n      ${TABLE}`, '', [{ fate: 'survives' }]],
    ['without one', TABLE, '', [{ fate: 'lost', why: 'no field for it' }]],
    ['without one, where there is a place for it', TABLE, CARRY, [{ fate: 'rides along', why: 'params.bag' }]],
    [
      'with a rule that loses something',
      `number: { is: dialled, lossy: digits only }\n      ${TABLE}`,
      '',
      [{ fate: 'approximately', why: 'digits only' }],
    ],
    [
      'written for some facts only',
      `number: { is: dialled, when: { state: ringing } }\n      ${TABLE}`,
      '',
      [
        { fate: 'survives', where: [{ state: 'ringing' }] },
        { fate: 'lost', why: 'written only where state is ringing', where: [{ state: { any: ['answered', null] } }] },
      ],
    ],
    [
      'of which one value stands for none',
      `number: { is: dialled, default: none }\n      ${TABLE}`,
      '',
      [
        { fate: 'survives', where: [{ dialled: { not: ['none'] } }] },
        { fate: 'lost', why: 'it stands for "not told"', where: [{ dialled: 'none' }] },
      ],
    ],
    [
      'for which there are few words',
      'number: { is: dialled, table: numbers }',
      '',
      [
        { fate: 'survives', where: [{ dialled: { any: ['1', '2'] } }] },
        { fate: 'lost', why: 'no word for it', where: [{ dialled: { not: ['1', '2'] } }] },
      ],
    ],
    [
      'for which there are few words, and a place for the others',
      'number: { is: dialled, table: numbers }',
      CARRY,
      [
        { fate: 'survives', where: [{ dialled: { any: ['1', '2'] } }] },
        { fate: 'rides along', why: 'params.bag', where: [{ dialled: { not: ['1', '2'] } }] },
      ],
    ],
  ])('%s', (_, number, more, claims) => {
    expect(claimsOf('dialled', target(number, more))).toEqual(claims)
  })
})

describe('a kind of fact', () => {
  test('is said by every rule that does not have to say its case', () => {
    expect(channelIn(target(TABLE))).toMatchObject({ said: 'always', unsaid: [] })
  })

  test('is not said where no case says it and one must', () => {
    expect(channelIn(target(TABLE, 'mustSay: true'))).toMatchObject({
      said: 'sometimes',
      unsaid: [{ why: 'no case says it', where: [{ state: null }] }],
    })
  })

  test('is not said where a fixed value is another', () => {
    expect(channelIn(target(TABLE, 'set: { flags.held: true }')).unsaid).toEqual([
      { why: 'it knows flags.held true only', where: [{ 'flags.held': { any: [false, null] } }] },
    ])
  })

  test('is lost without a rule for it', () => {
    const dtmf = lossReport(SOURCE, target(TABLE)).kinds.find(({ kind }) => kind === 'dtmf')
    expect(dtmf).toMatchObject({ said: 'never', unsaid: [{ why: 'b has no word for it' }] })
  })
})

test('what the source keeps aside needs a place', () => {
  expect(channelIn(target(TABLE)).aside).toEqual({
    names: ['note'],
    claims: [{ fate: 'lost', why: 'no place for it' }],
  })
  expect(channelIn(target(TABLE, CARRY)).aside.claims).toEqual([{ fate: 'rides along', why: 'params.bag' }])
})

test('what the target makes up is told with what it is made of', () => {
  const to = target(`number: { is: session, derive: sessionNumber(fact.id) }\n      ${TABLE}`)
  expect(channelIn(to).madeUp).toEqual([{ field: 'session', of: 'sessionNumber(fact.id)' }])
})
