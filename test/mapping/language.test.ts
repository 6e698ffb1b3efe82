import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readIso, writeIso } from '../../src/mapping/iso-time.js'
import type { Fact } from '../../src/model/index.js'
import { again, openText, read, write } from './open.js'

const seed = process.env.FC_SEED
const RUNS = { numRuns: 500, ...(seed === undefined ? {} : { seed: Number(seed) }) }

/** A dialect of one event with these fields. */
function withFields(fields: string, more = '', top = '') {
  return openText(`mapping: v1
dialect: d
codec: { name: stasis }
${top}
messages:
  m:
    address: { node: '[{node}]' }
    match: { type: m }
    fact: channel
    fields:
      id: { is: id, required: true }
      state: { is: state }
${fields}
${more}`)
}

const BASE = { type: 'm', id: 'c', state: 'ended' }
const wire = (more: object) => JSON.stringify({ ...BASE, ...more })
const fact = (more: object) => ({ kind: 'channel', id: 'c', state: 'ended', ...more })
const parsed = (texts: readonly string[]) => texts.map((text) => JSON.parse(text) as unknown)

describe('a form', () => {
  const tables = 'tables:\n  names: { a: one, b: two }'
  const d = withFields(
    `      x: { form: ['T/{serial|names}-{ext.suffix}', '{ext.x}'], or: [{ form: 'T/{serial|names}-{id#}' }] }`,
    '',
    tables,
  )

  test.each([
    ['its fields', 'T/s-7-00', { serial: 's-7', ext: { d: { suffix: '00' } } }],
    ['its fields through a table', 'T/a-00', { serial: 'one', ext: { d: { suffix: '00' } } }],
    ['the next form where the first does not fit', 'U/s-00', { ext: { d: { x: 'U/s-00' } } }],
    ['the next where a value would come back as another', 'T/one-00', { ext: { d: { x: 'T/one-00' } } }],
    ['the next where a field would be empty', 'T/-00', { ext: { d: { x: 'T/-00' } } }],
  ])('is read as %s', (_, x, want) => {
    expect(read(d, wire({ x }))).toMatchObject([want])
    expect(parsed(again(d, wire({ x })))).toEqual([{ ...BASE, x }])
  })

  test.each([[7], [null], [''], [[]]])('leaves %j as it is', (x) => {
    expect(parsed(again(d, wire({ x })))).toEqual([{ ...BASE, x }])
  })

  test('is written with what the model says since', () => {
    const facts = d.decode(undefined, Buffer.from(wire({ x: 'T/a-00' }))).facts as (Fact & { serial?: string })[]
    facts[0]!.serial = 'two'
    expect(Buffer.from(d.encode({ facts }).messages[0]!.body).toString()).toBe(wire({ x: 'T/b-00' }))
  })

  test('may be written with a short name, which the same text always gives', () => {
    const [first] = write(d, [fact({ serial: 's' })])
    expect(first).toMatch(/"x":"T\/s-[\da-f]{8}"/)
    expect(write(d, [fact({ serial: 's' })])).toEqual([first])
    expect(write(d, [{ ...fact({ serial: 's' }), id: 'other' }])[0]).not.toContain(first!.match(/-[\da-f]{8}/)![0])
  })

  test('whatever its fields hold, gives them back or leaves them out', () => {
    const both = withFields(`      x: { form: 'p:{ext.user~}@{dialled~};{correlate}-{ext.end}' }`)
    const text = fc.string({ unit: fc.constantFrom('a', '@', ';', '-', ':', 'é') })
    fc.assert(
      fc.property(text, text, text, text, (user, dialled, correlate, end) => {
        const [body] = write(both, [fact({ dialled, correlate, ext: { d: { user, end } } })])
        const { x } = JSON.parse(body!) as { x?: string }
        if (x === undefined)
          expect([user, dialled, correlate, end].some((each) => each === '' || /[@;-]/.test(each))).toBe(true)
        else expect(read(both, body!)).toMatchObject([{ dialled, correlate, ext: { d: { user, end } } }])
      }),
      RUNS,
    )
  })
})

describe('`or`', () => {
  const d = withFields(
    `      near: { is: own.number, or: [{ is: callee.number, when: { direction: outbound } }, caller.number], default: '' }
      why: { is: cause.name, table: whys, or: [{ is: cause.code, table: numbers }, { value: none, when: { cause.code: 0 } }], default: unknown }
      at: { or: [dialled] }`,
    '',
    'tables:\n  whys: { busy: BUSY, gone: GONE }\n  numbers: [[busy, 17], [other, 99]]',
  )

  test.each([
    ['the field itself first', { own: { number: '1' }, caller: { number: '2' } }, { near: '1' }],
    ['the first that is there', { caller: { number: '2' }, callee: { number: '3' } }, { near: '2' }],
    [
      'the first whose tests pass',
      { direction: 'outbound', caller: { number: '2' }, callee: { number: '3' } },
      { near: '3' },
    ],
    ['the default last', {}, { near: '', why: 'unknown' }],
    ['one through a table', { cause: { code: 99 } }, { why: 'other' }],
    ['a fixed value', { cause: { code: 0 } }, { why: 'none' }],
    ['a word that the field itself has not', { cause: { name: 'ODD', code: 17 } }, { why: 'busy' }],
    ['a field without a model side', { dialled: '7' }, { at: '7' }],
  ])('writes %s', (_, told, want) => {
    expect(parsed(write(d, [fact(told)]))).toMatchObject([want])
  })

  test.each([
    [{ near: '', why: 'unknown' }],
    [{ near: '', why: 'busy' }],
    [{ near: '5', why: 'none' }],
    [{ near: 5, at: 'x' }],
    [{ why: 'other' }],
    [{}],
  ])('%j comes back the same', (more) => {
    expect(parsed(again(d, wire(more)))).toEqual([{ ...BASE, ...more }])
  })

  test('what would be written in any case is not kept aside', () => {
    expect(read(d, wire({ near: '', why: 'unknown' }))[0]).not.toHaveProperty('ext')
  })
})

describe('`if`', () => {
  const d = withFields(
    `      mode: ext.mode
      x: { is: dialled, if: { mode: in, x: { not: ['', s] } }, else: ext.x, or: [{ value: s }] }`,
    `    carry: { at: vars, prefix: p_ }`,
  )

  test.each([
    [
      { mode: 'in', x: '17' },
      { dialled: '17', ext: { d: { mode: 'in' } } },
    ],
    [{ mode: 'in', x: 's' }, { ext: { d: { mode: 'in', x: 's' } } }],
    [{ mode: 'out', x: '17' }, { ext: { d: { mode: 'out', x: '17' } } }],
    [{ mode: 'in', x: null }, { ext: { d: { mode: 'in', $raw: { x: null } } } }],
  ])('%j is read only where it means the field', (more, want) => {
    expect(read(d, wire(more))).toMatchObject([want])
    expect(parsed(again(d, wire(more)))).toEqual([{ ...BASE, ...more }])
  })

  test('a field that would not be read back rides along', () => {
    expect(parsed(write(d, [fact({ dialled: '17' })]))).toEqual([{ ...BASE, x: '17', vars: { p_dialled: '17' } }])
    expect(read(d, wire({ x: '17', vars: { p_dialled: '17' } }))).toMatchObject([{ dialled: '17' }])
    expect(parsed(write(d, [fact({ dialled: '17', ext: { d: { mode: 'in' } } })]))).toEqual([
      { ...BASE, mode: 'in', x: '17' },
    ])
  })
})

describe('what is inferred', () => {
  const d = withFields(
    `      mode: ext.mode
      name: ext.name
      sn: serial`,
    `    infer:
      out: { wire: { mode: { any: [a, b] } }, model: { direction: outbound } }
      in: { wire: { mode: { starts: i } }, model: { direction: inbound } }
      loop: { wire: { name: { starts: Local/ } }, model: { flags.loopback: true } }
      number: { lookup: { terminal: { of: serial, table: numbers } } }
    carry: { at: vars, prefix: p_ }`,
    'tables:\n  numbers: { s1: "2001" }',
  )

  test.each([
    [{ mode: 'b' }, { direction: 'outbound' }],
    [
      { mode: 'in', name: 'Local/x' },
      { direction: 'inbound', flags: { loopback: true } },
    ],
    [{ sn: 's1' }, { terminal: '2001' }],
    [{ sn: 's1', vars: { p_terminal: '9' } }, { terminal: '9' }],
    [{ mode: 'a', vars: { p_direction: 'inbound' } }, { direction: 'inbound' }],
  ])('from %j is told, unless it was told otherwise', (more, want) => {
    expect(read(d, wire(more))).toMatchObject([want])
    expect(parsed(again(d, wire(more)))).toEqual([{ ...BASE, ...more }])
  })

  test.each([[{ mode: 'c' }], [{ name: 'PJSIP/x' }], [{ sn: 's2' }]])('nothing from %j', (more) => {
    const [found] = read(d, wire(more))
    expect([found!.direction, found!.flags, found!.terminal]).toEqual([undefined, undefined, undefined])
  })

  test('rides along where a reader would infer something else', () => {
    expect(
      parsed(write(d, [fact({ serial: 's1', terminal: '2001', ext: { d: { mode: 'a' } }, direction: 'inbound' })])),
    ).toEqual([{ ...BASE, mode: 'a', sn: 's1', vars: { p_direction: 'inbound' } }])
  })
})

describe('a time with an offset', () => {
  const d = withFields(`      when: { is: at, as: iso }
      made: { is: times.created, as: iso, or: [at], default: '1970-01-01T00:00:00.000+0000' }`)

  test('is the time of the fact, by the clock of its source', () => {
    const [found] = read(d, wire({ when: '2026-11-20T15:45:07.110+0000' }))
    expect(found).toMatchObject({ meta: { at: Date.UTC(2026, 10, 20, 15, 45, 7, 110), clock: 'source' } })
  })

  test.each([
    ['2026-11-20T15:45:07.110+0000'],
    ['2026-11-20T15:45:07.110+0530'],
    ['2024-02-29T23:59:59.999-1100'],
    ['2026-02-30T00:00:00.000+0000'],
    ['2026-11-20T15:45:07+0000'],
    ['2026-11-20T24:00:00.000+0000'],
    ['yesterday'],
  ])('%s comes back the same', (text) => {
    const body = { when: text, made: text }
    expect(parsed(again(d, wire(body)))).toEqual([{ ...BASE, ...body }])
  })

  test('stands in for another that is absent', () => {
    expect(parsed(write(d, [fact({ meta: { at: 0 } })]))).toMatchObject([{ made: '1970-01-01T00:00:00.000+0000' }])
    expect(parsed(write(d, [fact({ meta: { at: 1e12 } })]))).toMatchObject([{ made: '2001-09-09T01:46:40.000+0000' }])
  })

  test('any moment of four-digit years, at any offset, is read as it was written', () => {
    const moment = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
    const offset = fc
      .tuple(fc.constantFrom('+', '-'), fc.nat(14), fc.nat(59))
      .map(([sign, h, m]) => `${sign}${String(h).padStart(2, '0')}${String(m).padStart(2, '0')}`)
    fc.assert(
      fc.property(moment, offset, (ms, at) => {
        const text = writeIso(ms, at)
        if (text !== undefined) expect(readIso(text)).toEqual({ ms, offset: at })
        else expect(writeIso(ms)).toBeDefined()
      }),
      RUNS,
    )
  })
})

describe('a list', () => {
  const d = withFields(`      members: { is: bridge.members, as: list, default: [] }
      args: { is: ext.args, default: [] }`)

  test('may be empty, which is not the same as absent', () => {
    expect(read(d, wire({ members: [], args: [] }))).toMatchObject([{ bridge: { members: [] } }])
    expect(read(d, wire({}))[0]).not.toHaveProperty('bridge')
  })

  test('that is absent is written empty where the default says so', () => {
    expect(parsed(write(d, [fact({})]))).toEqual([{ ...BASE, members: [], args: [] }])
  })

  test.each([[{ members: ['a'], args: [1] }], [{ members: [], args: [] }], [{ members: [7] }], [{}]])(
    '%j comes back',
    (more) => {
      expect(parsed(again(d, wire(more)))).toEqual([{ ...BASE, ...more }])
    },
  )
})

describe('messages told apart', () => {
  const d = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  with:
    address: { node: '[{node}]' }
    match: { type: m, who: { present: true } }
    fact: custom
    set: { ext.as: with }
    fields: { who: channel, name: name }
  some:
    address: { node: '[{node}]' }
    match: { type: { any: [a, b] } }
    fact: custom
    set: { ext.as: null }
    fields: { type: name }
  rest:
    unknown: true
    address: { node: '[{node}]' }
    fact: custom
    fields: { type: name }
`)
  const rule = (body: object) => d.decode(undefined, Buffer.from(JSON.stringify(body))).rule

  test('by what is there, by one of several values, and the rest', () => {
    expect([{ type: 'm', who: 'x' }, { type: 'm' }, { type: 'a' }, { type: 'b' }, { type: 'c' }].map(rule)).toEqual([
      'with',
      'rest',
      'some',
      'some',
      'rest',
    ])
    expect(d.decode(undefined, Buffer.from('{"type":"c"}')).isUnknown).toBe(true)
    expect(d.decode(undefined, Buffer.from('{"type":"a"}')).isUnknown).toBeUndefined()
  })

  test('are written so, too: one of the values, and without what must be absent', () => {
    expect(write(d, [{ kind: 'custom', name: 'b' }])).toEqual(['{"type":"b"}'])
    expect(write(d, [{ kind: 'custom', name: 'z' }])).toEqual(['{"type":"z"}'])
    expect(
      d.encode({ facts: [{ kind: 'custom', name: 'b', ext: { d: { as: 'x' } } }] }).messages.map((each) => each.rule),
    ).toEqual(['rest'])
  })
})

describe('words that a table has not', () => {
  const d = withFields(
    '      why: { is: cause.name, table: whys }',
    '    carry: { at: vars, prefix: p_ }',
    'tables:\n  whys: { busy: BUSY }',
  )

  test('ride along', () => {
    expect(parsed(write(d, [fact({ cause: { name: 'ODD' } })]))).toEqual([{ ...BASE, vars: { 'p_cause.name': 'ODD' } }])
    expect(read(d, wire({ vars: { 'p_cause.name': 'ODD' } }))).toMatchObject([{ cause: { name: 'ODD' } }])
    expect(parsed(write(d, [fact({ cause: { name: 'BUSY' } })]))).toEqual([{ ...BASE, why: 'busy' }])
  })
})

test('the time at which something happened rides along, the time at which it was heard of does not', () => {
  const d = withFields('', '    carry: { at: vars, prefix: p_ }')
  const told = (clock: string) => parsed(write(d, [fact({ meta: { at: 7, clock } })]))
  expect(told('source')).toEqual([{ ...BASE, vars: { p_at: '!7' } }])
  expect(told('receipt')).toEqual([BASE])
  expect(read(d, wire({ vars: { p_at: '!7' } }))).toMatchObject([{ meta: { at: 7, clock: 'source' } }])
})

test('a case within a map that is carried in is named where its words are those of another', () => {
  const d = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '[{node}]' }
    match: { type: m }
    fact: channel
    fields: { leg.id: id }
    cases:
      new: { wire: { leg.state: ring }, model: { state: new } }
      ringing: { wire: { leg.state: ring }, model: { state: ringing }, lossy: both are the same there }
      untold: { only: out, wire: {}, also: { leg.state: up }, model: { state: null }, lossy: it is always in some state }
    carry: { at: leg.vars, prefix: p_ }
`)
  const ringing = { type: 'm', leg: { id: 'c', state: 'ring', vars: { p_case: 'ringing' } } }
  expect(parsed(write(d, [{ kind: 'channel', id: 'c', state: 'ringing' }]))).toEqual([ringing])
  expect(read(d, JSON.stringify(ringing))).toMatchObject([{ state: 'ringing' }])
  expect(parsed(write(d, [{ kind: 'channel', id: 'c' }]))).toEqual([{ type: 'm', leg: { id: 'c', state: 'up' } }])
  for (const leg of [{ id: 'c', state: 'busy' }, { id: 'c' }, { id: 'c', state: 7 }])
    expect(parsed(again(d, JSON.stringify({ type: 'm', leg })))).toEqual([{ type: 'm', leg }])
})
