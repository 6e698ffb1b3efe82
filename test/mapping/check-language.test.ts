import { expect, test } from 'vitest'
import { describeMember } from '../../src/codecs/stasis/index.js'
import { formatFault } from '../../src/config/index.js'
import { loadMapping } from '../../src/mapping/load.js'

const SOUND = `mapping: v1
dialect: pbx
codec: { name: stasis }
tables:
  serials: {}
  numbers: {}
  whys: { Unknown: UNKNOWN }
messages:
  start:
    address: { node: '[{node}]' }
    match: { type: StasisStart }
    fact: channel
    fields:
      timestamp: { is: at, as: iso, default: '1970-01-01T00:00:00.000+0000' }
      args: { is: ext.args, default: [] }
      channel.id: { is: id, required: true }
      channel.state: state
      channel.name: { form: 'PJSIP/{serial|serials}-{ext.suffix}', or: [{ form: 'X/{id#}', when: { serial: null } }] }
      channel.caller.number: { is: own.number, or: [caller.number, { value: '0' }] }
      channel.dialplan.exten: { is: dialled, if: { channel.state: Ring }, else: ext.exten }
    infer:
      loop: { wire: { channel.name: { starts: Local/ } }, model: { flags.loopback: true } }
      number: { lookup: { terminal: { of: serial, table: numbers } } }
    carry: { at: channel.channelvars, prefix: p_ }
  other:
    address: { node: '[{node}]' }
    match: { type: { any: [ChannelHold, ChannelUnhold] }, channel: { present: true } }
    fact: custom
    fields:
      type: name
  ended:
    address: { node: '[{node}]' }
    match: { type: ChannelDestroyed }
    fact: cdr
    fields:
      channel.id: id
      cause_txt: { is: cause.name, table: whys }
`

function faultsOf(text: string): string[] {
  const result = loadMapping('pbx.yaml', {}, () => text, { stasis: describeMember })
  return 'faults' in result ? result.faults.map(formatFault) : []
}

test('the mapping that the mistakes are made in is sound itself', () => {
  expect(faultsOf(SOUND)).toEqual([])
})

test.each([
  // Forms.
  ['an unknown field in a form', '{ext.suffix}', '{suffx}', ['mapping.field: a channel fact has no field suffx']],
  ['a form without fields', "'X/{id#}'", "'X/'", ['mapping.template: "X/" has no field in braces']],
  ['a brace that stays open', "'X/{id#}'", "'X/{id#'", ['mapping.template: the brace at character 3']],
  ['a brace that was never opened', "'X/{id#}'", "'X/id}{id#}'", ['mapping.template: "X/id}{id#}" closes a brace']],
  [
    'two fields without anything between',
    "'X/{id#}'",
    "'{serial}{id}'",
    ['mapping.template: nothing stands between {serial} and {id}'],
  ],
  ['a form of what is no text', "'X/{id#}'", "'X/{flags.held}'", ['mapping.template: {flags.held} is no text']],
  [
    'a name that is to be read back',
    '{ext.suffix}',
    '{ext.suffix#}',
    ['mapping.template: {ext.suffix#} cannot be read back'],
  ],
  [
    'an unknown table in a form',
    'serial|serials',
    'serial|serial',
    ['mapping.table: there is no table serial; did you mean serials?'],
  ],
  [
    'a form beside a field',
    "{ form: 'PJSIP",
    "{ is: correlate, form: 'PJSIP",
    ['mapping.contradiction: a form names its model fields itself'],
  ],
  [
    'a form for a number',
    'args: { is: ext.args, default: [] }',
    "channel.dialplan.priority: { form: 'a{dialled}' }",
    [
      'mapping.conversion: a form writes text, which channel.dialplan.priority cannot be',
      'mapping.contradiction: dialled is already said',
    ],
  ],
  // Substitutes.
  [
    'an unknown substitute',
    '[caller.number,',
    '[caller.numbr,',
    ['mapping.field: a channel fact has no field caller.numbr'],
  ],
  [
    'a substitute that says nothing',
    "{ value: '0' }",
    '{ when: { serial: null } }',
    ['mapping.contradiction: one of `is`, `form` and `value` is written'],
  ],
  [
    'a substitute of two sorts',
    "{ value: '0' }",
    "{ value: '0', is: dialled }",
    ['mapping.contradiction: one of `is`, `form` and `value`'],
  ],
  [
    'a fixed value of a wrong type',
    "{ value: '0' }",
    '{ value: 0 }',
    ['mapping.value: channel.caller.number cannot be 0'],
  ],
  [
    'a test of an unknown field',
    'when: { serial: null }',
    'when: { serail: null }',
    ['mapping.field: a channel fact has no field serail; did you mean serial?'],
  ],
  [
    'a substitute for a fixed value',
    'channel.state: state',
    'channel.state: state\n      channel.language: { const: en, or: [dialled] }',
    ['mapping.contradiction: a fixed value is always written'],
  ],
  // Conditions.
  [
    'what is left of no condition',
    ', if: { channel.state: Ring }',
    '',
    ['mapping.contradiction: `else` is about what `if` leaves'],
  ],
  [
    'what is left goes to the model',
    'else: ext.exten',
    'else: correlate',
    ['mapping.field: correlate is a field of the model'],
  ],
  // Inferences.
  [
    'an inference of nothing',
    '{ wire: { channel.name: { starts: Local/ } }, model: { flags.loopback: true } }',
    '{ wire: { channel.name: x } }',
    ['mapping.contradiction: nothing is told by this'],
  ],
  [
    'an inference from nothing',
    '{ wire: { channel.name: { starts: Local/ } }, model: { flags.loopback: true } }',
    '{ model: { flags.loopback: true } }',
    ['mapping.contradiction: this would be told of every message'],
  ],
  [
    'an inferred value of a wrong type',
    'flags.loopback: true',
    "flags.loopback: 'yes'",
    ['mapping.value: flags.loopback cannot be "yes"'],
  ],
  [
    'an unknown table to look up',
    'table: numbers',
    'table: number',
    ['mapping.table: there is no table number; did you mean numbers?'],
  ],
  ['an unknown field to look up', 'of: serial', 'of: serail', ['mapping.field: a channel fact has no field serail']],
  // Times, lists, defaults.
  [
    'a time for a text',
    'is: at, as: iso',
    'is: correlate, as: iso',
    ['mapping.conversion: iso does not give a string'],
  ],
  [
    'a whole number for a time',
    'is: at, as: iso',
    'is: at, as: int',
    [
      'mapping.conversion: int writes a number, which timestamp cannot be',
      'is a word, and the other values of this field are none',
    ],
  ],
  [
    'an empty list for a text',
    'channel.state: state',
    'channel.state: { is: state, default: [] }',
    ['mapping.value: an empty list cannot stand for state'],
  ],
  // Telling messages apart.
  [
    'values of which nothing says which',
    '    fields:\n      type: name\n',
    '    set: { name: x }\n',
    ['mapping.unmapped: type may be one of several values'],
  ],
  [
    'a misspelt value among several',
    'ChannelUnhold',
    'ChannelUnhould',
    ['mapping.value: nothing is known of the type ChannelUnhould; did you mean ChannelUnhold?'],
  ],
  [
    'a message that another takes before',
    'match: { type: ChannelDestroyed }',
    'match: { type: ChannelHold, channel: { present: true } }',
    ['mapping.dead-rule: nothing ever comes to ended', 'ChannelHold has no member cause_txt'],
  ],
  [
    'an address that is none',
    "address: { node: '[{node}]' }\n    match: { type: ChannelDestroyed }",
    'address: { nod: x }\n    match: { type: ChannelDestroyed }',
    ['mapping.template: no link has an address with nod; did you mean node?'],
  ],
  // The members of events.
  [
    'a misspelt member',
    'channel.state: state',
    'channel.stat: state',
    ['mapping.field: StasisStart channel has no member stat; did you mean channel.state?'],
  ],
  [
    'a member of another event',
    'type: name',
    'type: name\n      cause: ext.cause',
    ['mapping.field: ChannelHold or ChannelUnhold has no member cause'],
  ],
  [
    'a table that nothing uses',
    '{ is: cause.name, table: whys }',
    'cause.name',
    ['mapping.dead-rule: no rule uses the table whys'],
  ],
  [
    'a table without rows where rows are needed',
    'whys: { Unknown: UNKNOWN }',
    'whys: {}',
    ['mapping.table: the table whys has no rows'],
  ],
])('%s is reported', (_, from, to, wanted) => {
  expect(SOUND).toContain(from)
  const faults = faultsOf(SOUND.replace(from, to))
  for (const want of wanted) expect(faults.filter((fault) => fault.includes(want))).toHaveLength(1)
  // One mistake, one report, but for what it leaves behind.
  expect(faults.filter((fault) => !wanted.some((want) => fault.includes(want)) && !/dead-rule/.test(fault))).toEqual([])
})
