import { describe, expect, test } from 'vitest'
import { formatFault } from '../../src/config/index.js'
import { loadMapping } from '../../src/mapping/load.js'
import { again, loadTexts, openText, read, write } from './open.js'

/** A dialect of events, of whose channel message these are the parts. */
const mapping = (rest: string) => `mapping: v1
dialect: d
codec: { name: stasis }
${rest}
`

const calls = openText(
  mapping(`parts:
  leg:
    fields:
      id: { is: id, required: true }
      place.exten: { is: dialled, if: { state: in }, else: ext.exten }
    cases:
      ringing: { wire: { state: ringing }, model: { state: ringing } }
      answered: { wire: { state: up }, also: { live: true }, model: { state: answered } }
    infer:
      came-in: { wire: { state: in }, model: { direction: inbound } }
messages:
  one:
    address: { node: '[{node}]' }
    match: { type: one }
    fact: channel
    set: { change: state }
    use: { leg: leg }
    fields:
      note: vars.note
  all:
    address: { node: '[{node}]' }
    match: { type: all }
    fact: channel
    set: { full: true }
    full: channels
    each: legs
    item:
      use: { leg: '' }`),
)

describe('a part', () => {
  test('is read where the message uses it, with all its paths', () => {
    expect(read(calls, '{"type":"one","leg":{"id":"c","state":"in","place":{"exten":"17"}},"note":"n"}')).toMatchObject(
      [{ id: 'c', dialled: '17', direction: 'inbound', change: 'state', vars: { note: 'n' } }],
    )
    expect(read(calls, '{"type":"all","legs":[{"id":"c","state":"up"},{"id":"d","state":"in"}]}')).toMatchObject([
      { id: 'c', state: 'answered', full: true },
      { id: 'd', direction: 'inbound', full: true },
    ])
  })

  test('is written there, too', () => {
    expect(write(calls, [{ kind: 'channel', id: 'c', state: 'answered', change: 'state' }])).toEqual([
      '{"type":"one","leg":{"id":"c","state":"up","live":true}}',
    ])
    expect(write(calls, [{ kind: 'channel', id: 'c', state: 'ringing', full: true }])).toEqual([
      '{"type":"all","legs":[{"id":"c","state":"ringing"}]}',
    ])
  })

  test('that leaves something aside puts it back', () => {
    for (const leg of [
      { id: 'c', state: 'busy' },
      { id: 'c', place: { exten: '9' }, live: false, state: 'up' },
      { id: 'c', place: [] },
    ]) {
      const body = JSON.stringify({ type: 'one', leg })
      expect(again(calls, body).map((each) => JSON.parse(each) as unknown)).toEqual([JSON.parse(body)])
    }
  })

  test('an empty full picture is one, too', () => {
    expect(calls.decode({ node: 'n' }, Buffer.from('{"type":"all","legs":[]}')).full).toBe('channels')
    expect(Buffer.from(calls.encodeEmpty('channels')!.body).toString()).toBe('{"type":"all","legs":[]}')
  })
})

const PARTED = mapping(`parts:
  leg:
    fields:
      id: { is: id, required: true }
      state: state
messages:
  one:
    address: { node: '[{node}]' }
    match: { type: one }
    fact: channel
    use: { leg: leg }`)

function faultsOf(text: string): string[] {
  const result = loadMapping('m.yaml', {}, () => text)
  return 'faults' in result ? result.faults.map(formatFault) : []
}

describe('a fault', () => {
  test('of a part is reported once, where the part has it', () => {
    const twice = `${PARTED.replace('state: state', 'state: sate')}  two:
    address: { node: '[{node}]' }
    match: { type: two }
    fact: channel
    use: { leg: '' }
`
    expect(faultsOf(twice)).toEqual([
      'm.yaml:8:14: mapping.field: a channel fact has no field sate; did you mean state? To keep a value the model has no word for: ext.sate',
    ])
  })

  test.each([
    [
      'a part that there is not',
      'use: { leg: leg }',
      'use: { legs: leg }',
      'm.yaml:14:12: mapping.field: there is no part legs; did you mean leg?',
    ],
    [
      'a part that nothing uses',
      'messages:',
      '  more:\n    fields: { x: id }\nmessages:',
      'm.yaml:9:3: mapping.dead-rule: no message uses the part more; use it or remove it',
    ],
    [
      'a part without what must be told',
      '      state: state\n',
      '',
      'm.yaml:9:3: mapping.unmapped: nothing maps state, without which a channel fact means nothing; map a wire field to state',
    ],
  ])('is %s', (_, from, to, fault) => {
    expect(PARTED).toContain(from)
    expect(faultsOf(PARTED.replace(from, to))).toContain(fault)
  })
})

describe('two parts that have a rule of one name', () => {
  const both = (more: string) =>
    mapping(`parts:
  leg: { fields: { id: { is: id, required: true }, state: state } }
  way: { fields: { leg.state: { is: direction } }, infer: { far: { wire: { x: 1 }, model: { direction: outbound } } } }
  far: { infer: { far: { wire: { x: 1 }, model: { flags.held: true } } } }
messages:
  one:
    address: { node: '[{node}]' }
    match: { type: one }
    fact: channel
    use: { leg: leg, way: '', far: '' }
${more}`)

  test('are a fault, for the second would never be used', () => {
    expect(faultsOf(both(''))).toEqual([
      'm.yaml:13:22: mapping.contradiction: fields.leg.state of the part way is never used, for the part leg has one, too; rename one of them, or say in the message which is meant',
      'm.yaml:13:31: mapping.contradiction: infer.far of the part far is never used, for the part way has one, too; rename one of them, or say in the message which is meant',
    ])
  })

  test('are none where the message has one of its own', () => {
    const own = '    fields: { leg.state: state }\n    infer: { far: { wire: { x: 1 }, model: { flags.ready: true } } }'
    expect(faultsOf(both(own))).toEqual([])
  })
})

describe('a site', () => {
  const site = (rest: string) => ({ 'site.yaml': `mapping: v1\nextends: base.yaml\n${rest}\n`, 'base.yaml': PARTED })

  test('changes a part for all that use it', () => {
    const { file } = loadTexts(site('parts: { leg: { fields: { dept: vars.dept } } }'))
    expect(file.messages.one!.fields).toEqual({
      'leg.id': { is: 'id', required: true },
      'leg.state': 'state',
      'leg.dept': 'vars.dept',
    })
  })

  test('changes or removes what one message has of a part', () => {
    const { file } = loadTexts(
      site('messages: { one: { fields: { leg.state: { is: state, lossy: why }, leg.x: dialled } } }'),
    )
    expect(file.messages.one!.fields).toEqual({
      'leg.id': { is: 'id', required: true },
      'leg.state': { is: 'state', lossy: 'why' },
      'leg.x': 'dialled',
    })
  })
})
