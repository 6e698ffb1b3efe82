import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { describeMember } from '../../src/codecs/json-rpc/index.js'
import { type Fault, formatFault } from '../../src/config/index.js'
import { loadMapping } from '../../src/mapping/load.js'

/** Faults of a site file that changes one entry of the shipped channel message. */
function faultsOf(entry: string, knowsTypes = true): readonly Fault[] {
  const text = `mapping: v1\nextends: patchbay/xcc.yaml\nmessages:\n  channel:\n    ${entry}\n`
  const read = (path: string) => (path === 'site.yaml' ? text : readFileSync(path, 'utf8'))
  const result = loadMapping('site.yaml', {}, read, knowsTypes ? { 'json-rpc': describeMember } : {})
  return 'faults' in result ? result.faults : []
}

test.each(['mappings/xcc.yaml', 'mappings/voice-events.yaml'])('%s writes nothing that its codec refuses', (path) => {
  const result = loadMapping(path, {}, undefined, { 'json-rpc': describeMember })
  expect('faults' in result ? result.faults.map(formatFault) : []).toEqual([])
})

describe('of the types of XCC events', () => {
  test.each([
    ['a misspelt member', 'fields: { cid_nummer: vars.x }', '15: mapping.field', 'did you mean cid_number?'],
    ['a member of a text', 'fields: { domain.x: vars.t, domain: null }', '15: mapping.field', 'domain has no member x'],
    ['a text for a number', 'fields: { create_epoch: { as: stamp } }', '35: mapping.conversion', 'epoch-s'],
    ['a number for a text', 'fields: { billsec: { as: seconds } }', '30: mapping.conversion', 'seconds-text'],
    ['a text for true or false', 'fields: { answered: vars.z }', '25: mapping.conversion', 'want true or false'],
    ['a truth value for a text', 'fields: { params.x: flags.ready }', '25: mapping.conversion', 'bool-text'],
    ['a list for a text', 'fields: { cid_name: peers, peers: null }', '25: mapping.conversion', 'peers is a list'],
    ['a text for a list', 'fields: { peers: vars.p }', '22: mapping.conversion', 'want a list'],
    ['a fixed value', 'fields: { context: { const: 5 } }', '33: mapping.value', 'context cannot be 5'],
    ['a default', 'fields: { held: { default: "" } }', '32: mapping.value', 'want true or false'],
    ['a value of a case', 'cases: { media: { wire: { state: 5 } } }', '38: mapping.value', 'state cannot be 5'],
    [
      'a value beside a case',
      'cases: { bridged: { also: { answered: "yes" } } }',
      '43: mapping.value',
      'answered cannot be "yes"',
    ],
    [
      'a misspelt member of a case',
      'cases: { ringing: { wire: { stat: RINGING } } }',
      '33: mapping.field',
      'did you mean state?',
    ],
    ['a misspelt event', 'match: { method: Event.Chanel }', '22: mapping.value', 'did you mean Event.Channel?'],
    ['a misspelt member that tells it', 'match: { params.stat: X }', '14: mapping.field', 'did you mean params.state?'],
    ['a misspelt map that carries', 'carry: { at: parms }', '18: mapping.field', 'did you mean params?'],
    ['a list that is none', 'each: cid_name', '11: mapping.field', 'cid_name is no list'],
    ['a root that is no part of an event', 'root: param', '11: mapping.missing', 'add `root: params`'],
    ['a root that is not there', 'root: params.x', '11: mapping.field', 'want `root: params`'],
  ])('%s is reported at its place with a hint', (_name, entry, place, hint) => {
    const lines = faultsOf(entry).map(formatFault)
    expect(lines.filter((line) => line.startsWith(`site.yaml:5:${place}: `) && line.includes(hint))).toHaveLength(1)
  })

  test('a map that holds other than texts cannot carry', () => {
    expect(faultsOf('carry: { at: peers }').map(formatFault)).toContainEqual(
      'site.yaml:5:18: mapping.field: peers cannot hold texts by names of ours; name a map of texts',
    )
  })

  test.each([
    ['a member of a map of texts', 'fields: { params.x: vars.t }'],
    [
      'a case that only reads what a peer adds',
      'cases: { x: { only: in, wire: { flow: 1 }, model: { change: state } } }',
    ],
    ['an event of a site’s own', 'match: { method: Event.Weather }'],
    ['a value from a setting', "fields: { context: { is: ext.context, default: '{settings.node}' } }"],
  ])('%s is right', (_name, entry) => {
    expect(faultsOf(entry).map(formatFault)).toEqual([])
  })

  test('a message whose method is a setting is held to the types of the method it stands for', () => {
    expect(faultsOf('rest: vars\n  record:\n    fields: { sise: ext.x }').map(formatFault)).toEqual([
      expect.stringMatching(/Event\.Record has no member sise; did you mean size\?$/),
    ])
  })

  test('nothing is said where they are not known', () => {
    expect(faultsOf('fields: { cid_nummer: vars.x }', false)).toEqual([])
  })
})
