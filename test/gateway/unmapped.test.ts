import { expect, test } from 'vitest'
import { openDialects } from '../../src/gateway/dialects.js'
import { eachUnmapped } from '../../src/gateway/unmapped.js'

const opened = openDialects(['mappings/voice-events.yaml', 'mappings/xcc.yaml', 'mappings/stasis.yaml'])
if ('faults' in opened) throw new Error('the shipped mappings have faults')

const xcc = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', method, params })
const call = { node_uuid: 'n', uuid: 'u', state: 'START' }

const CASES: readonly (readonly [what: string, dialect: string, body: string, fields: readonly string[]])[] = [
  ['none', 'voice-events', '--- !ruby/object:Channel_states\nevts:\n- uuid: u\n  state: EARLY\n', []],
  [
    'one of an element, for each of them',
    'voice-events',
    '--- !ruby/object:Channel_states\nevts:\n- uuid: u\n  dept: 1\n- uuid: v\n  dept: 2\n  floor: 3\n',
    ['evts.dept', 'evts.dept', 'evts.floor'],
  ],
  ['one of the whole message', 'voice-events', '--- !ruby/object:Channel_states\nevts: []\nsite: x\n', ['site']],
  ['one beside lists', 'voice-events', '---\nis_sync: false\nonline: [s]\nsite: x\n', ['site']],
  ['a key that is no text', 'voice-events', '---\nis_sync: false\nonline: [s]\n7: x\n', ['7']],
  ['none where texts ride in the map', 'xcc', xcc('Event.Channel', { ...call, params: { own: 'x' } }), []],
  ['one below the root', 'xcc', xcc('Event.Channel', { ...call, odd: 7 }), ['params.odd']],
  ['one of a map within', 'xcc', xcc('Event.CDR', { uuid: 'u', cdr: { uuid: 'u', odd: 7 } }), ['params.cdr.odd']],
]

test.each(CASES)('%s (%s)', (_what, name, body, fields) => {
  const dialect = opened.dialects.get(name)!
  const found: string[] = []
  eachUnmapped(dialect, dialect.decode(undefined, Buffer.from(body)), (field) => void found.push(field))
  expect(found).toEqual(fields)
})
