import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { formatFault } from '../../src/config/index.js'
import { loadMapping } from '../../src/mapping/load.js'
import { loadTexts, openText, read } from './open.js'

const BASE = `mapping: v1
dialect: d
codec: { name: ruby-yaml, classes: [A, B] }
settings: { profile: psych-4, key: k }
tables: { t: { in: inbound, out: outbound } }
messages:
  m:
    address: { exchange: x, key: '{settings.key}' }
    fact: channel
    fields:
      id: { is: id, required: true }
      dir: { is: direction, table: t }
      from: caller.number
      s: cases
    cases:
      rings: { wire: { s: R }, model: { state: ringing } }
      gone: { wire: { s: E }, model: { state: ended } }
  other: { address: { exchange: x, key: o }, fact: sync, fields: { of: of } }
`

function merged(site: string) {
  const { file } = loadTexts({ 'site.yaml': `mapping: v1\nextends: base.yaml\n${site}`, 'base.yaml': BASE })
  return JSON.parse(JSON.stringify(file)) as {
    codec: { classes: string[] }
    settings: Record<string, unknown>
    tables: Record<string, unknown>
    messages: Record<string, { address: unknown; fields: Record<string, unknown>; cases: Record<string, unknown> }>
  }
}

describe('a file that extends another', () => {
  test('changes nothing by itself', () => {
    expect(merged('')).toEqual(JSON.parse(JSON.stringify(loadTexts({ 'base.yaml': BASE }).file)))
  })

  test('changes a key of a field, keeping the others, also of one written as a bare path', () => {
    const { fields } = merged('messages: { m: { fields: { from: { default: none }, dir: { lossy: why } } } }').messages
      .m!
    expect([fields.from, fields.dir]).toEqual([
      { is: 'caller.number', default: 'none' },
      { is: 'direction', table: 't', lossy: 'why' },
    ])
  })

  test('puts new fields after the inherited ones, and new cases before them', () => {
    const { fields, cases } = merged(
      'messages: { m: { fields: { to: dialled }, cases: { also: { wire: { s: B }, model: { state: ringing, change: hold } } } } }',
    ).messages.m!
    expect(Object.keys(fields)).toEqual(['id', 'dir', 'from', 's', 'to'])
    expect(Object.keys(cases)).toEqual(['also', 'rings', 'gone'])
  })

  test('removes by null: a message, a field, a case, a row', () => {
    const file = merged(
      'tables: { t: { out: null } }\nmessages: { other: null, m: { fields: { from: null }, cases: { gone: null } } }',
    )
    expect(Object.keys(file.messages)).toEqual(['m'])
    expect(Object.keys(file.messages.m!.fields)).toEqual(['id', 'dir', 's'])
    expect(Object.keys(file.messages.m!.cases)).toEqual(['rings'])
    expect(file.tables.t).toEqual({ in: 'inbound' })
  })

  test('replaces lists, and settings one by one', () => {
    const file = merged('codec: { classes: [C] }\nsettings: { key: other }')
    expect(file.codec.classes).toEqual(['C'])
    expect(file.settings).toEqual({ profile: 'psych-4', key: 'other' })
    expect(file.messages.m!.address).toEqual({ exchange: 'x', key: 'other' })
  })

  test('has its faults where it has the place, and those of the base there', () => {
    const result = loadMapping('site.yaml', {}, (path) =>
      path === 'site.yaml'
        ? 'mapping: v1\nextends: base.yaml\nmessages: { m: { fields: { to: dialed } } }\n'
        : BASE.replace('caller.number', 'caller.numbr'),
    )
    const faults = 'faults' in result ? result.faults.map(({ file, line }) => [file.split('/').at(-1), line]) : []
    expect(faults).toEqual(
      [
        ['base.yaml', 13],
        ['site.yaml', 3],
      ].sort(),
    )
  })

  test.each([
    [
      'a message',
      'messages: { chanel: { fields: { cid_name: vars.x } } }',
      [
        '3:13: mapping.unknown-key: the base has no message chanel; did you mean channel? A new one needs `address` and `fact`',
      ],
    ],
    [
      'a case',
      'messages: { channel: { cases: { ringin: { also: { held: true } } } } }',
      [
        '3:33: mapping.unknown-key: the base has no case ringin; did you mean ringing? A new one needs `wire` and `model`',
      ],
    ],
    [
      'a case of a mistyped message, which is checked all the same',
      'messages: { chanel: { cases: { ringin: { model: { state: rining } } } } }',
      [
        '3:13: mapping.unknown-key: the base has no message chanel;',
        '3:32: mapping.unknown-key: the base has no case ringin;',
        '3:58: mapping.value: state cannot be "rining"; did you mean ringing?',
      ],
    ],
    [
      'a message with one of its keys mistyped is one of its own',
      'messages: { chanel: { adress: { subject: x }, match: { method: Event.X }, root: params, fact: gap } }',
      ['3:23: mapping.unknown-key: nobody reads the key `adress`'],
    ],
    [
      'a message like none of the base',
      'messages: { zebra: { fields: { a: vars.x } } }',
      ['3:13: mapping.missing: `messages.zebra.address`', '3:13: mapping.missing: `messages.zebra.fact`'],
    ],
  ])('tells of a name that it mistypes: %s', (_name, text, expected) => {
    const result = loadMapping('site.yaml', {}, (path) =>
      path === 'site.yaml' ? `mapping: v1\nextends: patchbay/xcc.yaml\n${text}\n` : readFileSync(path, 'utf8'),
    )
    const lines = 'faults' in result ? result.faults.map(formatFault) : []
    expect(lines.map((line, i) => line.slice(0, `site.yaml:${expected[i]}`.length))).toEqual(
      expected.map((each) => `site.yaml:${each}`),
    )
  })

  test.each([
    ['itself', 'site.yaml', 'extend each other too deep or in a circle'],
    ['a file that is not there', 'gone.yaml', 'gone.yaml cannot be read (ENOENT)'],
  ])('cannot extend %s', (_name, base, expected) => {
    expect(() => loadTexts({ 'site.yaml': `mapping: v1\nextends: ${base}\n` })).toThrow(expected)
  })

  test('may extend a shipped file by its name', () => {
    const result = loadMapping('site.yaml', {}, (path) =>
      path === 'site.yaml' ? 'mapping: v1\nextends: patchbay/xcc.yaml\n' : readFileSync(path, 'utf8'),
    )
    expect('mapping' in result && result.mapping.file.dialect).toBe('xcc')
  })
})

describe('the revision', () => {
  const revisionOf = (text: string, settings = {}) => loadTexts({ 'd.yaml': text }, settings).revision

  test('is the same for the same rules, whatever the comments', () => {
    expect(revisionOf(`# a comment\n${BASE}`)).toBe(revisionOf(BASE))
  })

  test('changes with a rule and with a setting', () => {
    const all = [BASE, BASE.replace('inbound', 'outbound').replace('out: outbound', 'out: inbound')].map((text) =>
      revisionOf(text),
    )
    expect(new Set([...all, revisionOf(BASE, { key: 'z' })]).size).toBe(3)
  })
})

describe('an address', () => {
  const dialect = openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
messages:
  m:
    address: { subject: 'a.b[.{controller}]' }
    fact: channel
    fields: { id: id, state: state }
`)
  const body = '---\nid: c\nstate: ended\n'

  test.each([
    ['a.b', undefined],
    ['a.b.c1', 'c1'],
    ['a.b.c.d', 'c.d'],
  ])('%s is read', (subject, controller) => {
    expect(read(dialect, body, { subject })).toEqual([
      { kind: 'channel', id: 'c', state: 'ended', ...(controller && { controller }) },
    ])
    const { facts } = dialect.decode({ subject }, Buffer.from(body))
    expect(dialect.encode({ facts }).messages[0]!.address).toEqual({ subject })
  })

  test.each(['a.bc', 'a.b.', 'xa.b', 'a.b\nc', 'aXb'])('%j does not fit', (subject) => {
    expect(() => read(dialect, body, { subject })).toThrow('no rule is for that address')
  })

  test('of a message that its link gave more parts is compared in the parts that the mapping names', () => {
    expect(read(dialect, body, { subject: 'a.b', reply: '_INBOX.1' })).toHaveLength(1)
  })
})
