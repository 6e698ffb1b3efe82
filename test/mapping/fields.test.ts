import { describe, expect, test } from 'vitest'
import { again, openText, read, write } from './open.js'

/** A dialect of one YAML message with these fields. */
function withFields(fields: string, more = ''): ReturnType<typeof openText> {
  return openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
${more}
messages:
  m:
    address: { exchange: x, key: k }
    fact: channel
    fields:
      id: { is: id, required: true }
      state: { is: state }
${fields}
`)
}

const BASE = '---\nid: c\nstate: ended\n'

/** A field rule, a wire value and what the fact has at its path; writing gives the wire value back. */
const CONVERSIONS: readonly (readonly [string, string, string, unknown])[] = [
  ['a text', 'x: caller.number', "x: '0008'", { caller: { number: '0008' } }],
  [
    'an integer for a text',
    'x: caller.number',
    'x: 1004',
    { caller: { number: '1004' }, ext: { d: { $types: { x: 'int' } } } },
  ],
  [
    'a large integer for a text',
    'x: dialled',
    'x: 8613800138000861380013',
    { dialled: '8613800138000861380013', ext: { d: { $types: { x: 'int' } } } },
  ],
  ['an integer for an element', 'x: peers.0', 'x: 7', { peers: ['7'], ext: { d: { $types: { x: 'int' } } } }],
  [
    'an integer for a text in a map',
    'x.w: caller.name',
    'x:\n  w: -1',
    { caller: { name: '-1' }, ext: { d: { $types: { 'x.w': 'int' } } } },
  ],
  ['a whole number', 'x: session', 'x: 599067108406308', { session: 599_067_108_406_308 }],
  ['a truth value', 'x: flags.held', 'x: true', { flags: { held: true } }],
  ['a word of a closed set', 'x: direction', 'x: inbound', { direction: 'inbound' }],
  ['a number as text', 'x: { is: session, as: int-text }', "x: '42'", { session: 42 }],
  ['a truth value as text', 'x: { is: flags.held, as: bool-text }', "x: 'true'", { flags: { held: true } }],
  [
    'seconds since 1970',
    'x: { is: times.created, as: epoch-s, lossy: whole }',
    'x: 1767225600',
    { times: { created: 1_767_225_600_000 } },
  ],
  [
    'milliseconds since 1970',
    'x: { is: times.created, as: epoch-ms }',
    'x: 1767225600123',
    { times: { created: 1_767_225_600_123 } },
  ],
  [
    'a stamp',
    'x: { is: times.created, as: stamp, lossy: whole }',
    "x: '2026-01-01 00:00:00'",
    { times: { created: 1_767_225_600_000 } },
  ],
  ['seconds', 'x: { is: durations.total, as: seconds, lossy: whole }', 'x: 60', { durations: { total: 60_000 } }],
  [
    'seconds as text',
    'x: { is: durations.total, as: seconds-text, lossy: whole }',
    "x: '60'",
    { durations: { total: 60_000 } },
  ],
  ['milliseconds as text', 'x: { is: durations.total, as: ms-text }', "x: '60012'", { durations: { total: 60_012 } }],
  ['the first of a list', 'x: peers.0', 'x: p', { peers: ['p'] }],
  ['a whole list', 'x: peers', 'x:\n- p\n- q', { peers: ['p', 'q'] }],
  ['a variable', 'x: vars.dept', 'x: sales', { vars: { dept: 'sales' } }],
  ['a variable named like a prototype', 'x: vars.__proto__', 'x: sales', JSON.parse('{"vars":{"__proto__":"sales"}}')],
  ['a value for the dialect alone', 'x: ext.colour', 'x: :red', { ext: { d: { colour: { name: 'red' } } } }],
  ['a value in a map', 'x.w: caller.name', 'x:\n  w: Ann', { caller: { name: 'Ann' } }],
]

describe.each(CONVERSIONS)('%s', (_name, rule, wire, fact) => {
  const dialect = withFields(`      ${rule}`)

  test('is read into the fact', () => {
    expect(read(dialect, `${BASE}${wire}\n`)).toEqual([
      { kind: 'channel', id: 'c', state: 'ended', ...(fact as object) },
    ])
  })

  test('is written as it was', () => {
    expect(again(dialect, `${BASE}${wire}\n`)).toEqual([`${BASE}${wire}\n`])
  })
})

/** Values that a rule cannot use: the fact does not have them, and they come back. */
const UNUSABLE: readonly (readonly [string, string, string])[] = [
  ['an integer too long to dial', 'x: caller.number', `x: ${'9'.repeat(33)}`],
  ['a float where a text is wanted', 'x: caller.number', 'x: 8.0'],
  ['an integer that would be the default', "x: { is: caller.number, default: '0' }", 'x: 0'],
  ['an empty text for an element', 'x: peers.0', "x: ''"],
  ['a text where a number is wanted', 'x: session', "x: '8'"],
  ['a number beyond 2^53', 'x: session', 'x: 9007199254740993'],
  ['a float', 'x: session', 'x: 1.5'],
  ['a word of no closed set', 'x: direction', 'x: sideways'],
  ['nil', 'x: caller.number', 'x:'],
  ['a list', 'x: caller.number', 'x:\n- a'],
  ['an empty map', 'x.y: caller.number', 'x: {}'],
  ['a text where a map is wanted', 'x.y: caller.number', 'x: a'],
  ['a number with a leading zero as text', 'x: { is: session, as: int-text }', "x: '08'"],
  ['the zero of 1970', 'x: { is: times.created, as: epoch-s, lossy: whole }', 'x: 0'],
  ['a stamp of no day', 'x: { is: times.created, as: stamp, lossy: whole }', "x: '2026-02-30 00:00:00'"],
  ['a list that holds more than texts', 'x: peers', 'x:\n- p\n- 1'],
  ['a value no row of the table has', 'x: { is: direction, table: t }', 'x: both'],
  ['another value than the fixed one', 'x: { const: 1 }', 'x: 2'],
]

test.each(UNUSABLE)('%s is not in the fact, and is written as it was', (_name, rule, wire) => {
  const dialect = withFields(`      ${rule}`, rule.includes('table') ? 'tables: { t: { in: inbound } }' : '')
  const [fact] = read(dialect, `${BASE}${wire}\n`)
  const { ext: _, ...said } = fact!
  expect(said).toEqual({ kind: 'channel', id: 'c', state: 'ended' })
  expect(again(dialect, `${BASE}${wire}\n`)).toEqual([`${BASE}${wire}\n`])
})

describe('a field that the message does not have', () => {
  const dialect = withFields(
    "      x: { is: caller.number, default: '' }\n      w: { is: dialled, derive: fact.caller.number }\n      z: { const: 3 }",
  )

  test('has its default, what is derived, or its fixed value in a message made of a fact', () => {
    const fact = { kind: 'channel', id: 'c', state: 'ended' }
    expect(write(dialect, [fact])).toEqual([`${BASE}x: ''\nz: 3\n`])
    expect(write(dialect, [{ ...fact, caller: { number: '7' } }])).toEqual([`${BASE}x: '7'\nw: '7'\nz: 3\n`])
  })

  test('stays away from a message that had none', () => {
    expect(again(dialect, BASE)).toEqual([BASE])
  })

  test('comes once the model says it', () => {
    const { facts } = dialect.decode(undefined, Buffer.from(BASE))
    Object.assign(facts[0]!, { dialled: '9' })
    expect(Buffer.from(dialect.encode({ facts }).messages[0]!.body).toString()).toBe(`${BASE}w: '9'\n`)
  })
})

test('an integer kept by its type alone travels as no copy, and a change goes out', () => {
  const dialect = withFields('      x: caller.number')
  const { facts } = dialect.decode(undefined, Buffer.from(`${BASE}x: 1004\n`))
  expect(facts[0]!.ext).toEqual({ d: { $types: { x: 'int' } } })
  Object.assign(facts[0]!, { caller: { number: 'Ann' } })
  expect(Buffer.from(dialect.encode({ facts }).messages[0]!.body).toString()).toBe(`${BASE}x: Ann\n`)
})

test('an empty text for the first of a list leaves the list alone', () => {
  const dialect = withFields('      all: peers\n      x: peers.0')
  expect(read(dialect, `${BASE}all:\n- p\n- q\nx: ''\n`)).toMatchObject([{ peers: ['p', 'q'] }])
})

test.each([-1000, 2 ** 32 * 1000, Number.MAX_SAFE_INTEGER])(
  '%d is no moment in seconds of 32 bits: it is left out',
  (created) => {
    const dialect = withFields('      x: { is: times.created, as: epoch-s, lossy: whole }')
    expect(write(dialect, [{ kind: 'channel', id: 'c', state: 'ended', times: { created } }])).toEqual([BASE])
  },
)

test('a default is read as absent', () => {
  const dialect = withFields("      x: { is: caller.number, default: '' }")
  expect(read(dialect, `${BASE}x: ''\n`)).toEqual([{ kind: 'channel', id: 'c', state: 'ended' }])
})

test('a required field that is missing or unusable makes the message a dead letter', () => {
  const dialect = withFields('')
  for (const body of ['---\nstate: ended\n', '---\nid: 7.5\nstate: ended\n', '---\nid:\nstate: ended\n'])
    expect(() => read(dialect, body)).toThrow(expect.objectContaining({ code: 'mapping.required', fate: 'reject' }))
})

test('a fact without what a message requires is not said by it', () => {
  const { messages, unsaid } = withFields('').encode({ facts: [{ kind: 'channel', state: 'ended' }] })
  expect([messages, unsaid.length]).toEqual([[], 1])
})

test('a field with `when` is written only for facts that pass', () => {
  const dialect = withFields('      x: { is: dialled, when: { flags.held: true } }\n      h: flags.held')
  const fact = { kind: 'channel', id: 'c', state: 'ended', dialled: '9' }
  expect(write(dialect, [fact])).toEqual([BASE])
  expect(write(dialect, [{ ...fact, flags: { held: true } }])).toEqual([`${BASE}x: '9'\nh: true\n`])
})

describe('what no rule knows', () => {
  const dialect = withFields('      x: dialled')

  test.each([
    ['keys after the known ones', `${BASE}x: '9'\nnew: 1\n`],
    ['keys between them', "---\nid: c\nnew: 1\nstate: ended\nx: '9'\n"],
    ['keys before them', '---\nnew:\n- 1\nid: c\nstate: ended\n'],
    ['keys in another order', "---\nx: '9'\nstate: ended\nid: c\n"],
    ['keys that are no texts', `${BASE}:x: 1\n7: 2\n`],
    ['keys like a prototype', `${BASE}__proto__: 1\nconstructor: 2\n`],
  ])('comes back: %s', (_name, body) => {
    expect(again(dialect, body)).toEqual([body])
  })

  test('keeps its place when a known value changes', () => {
    const { facts } = dialect.decode(undefined, Buffer.from("---\nx: '9'\nnew: 1\nid: c\nstate: ended\n"))
    Object.assign(facts[0]!, { dialled: '10' })
    const { messages } = dialect.encode({ facts })
    expect(Buffer.from(messages[0]!.body).toString()).toBe("---\nx: '10'\nnew: 1\nid: c\nstate: ended\n")
  })
})

/** A dialect of JSON events with these fields, whose facts are channels or terminals. */
function events(fields: string, fact = 'channel', more = ''): ReturnType<typeof openText> {
  return openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '' }
    match: { type: m }
    fact: ${fact}
    set: { ${fact === 'channel' ? 'state: new' : 'state: online'} }
${more}
    fields:
${fields}
`)
}

const BLANK_TIME = '1970-01-01T00:00:00.000+0000'

describe('a value that was not taken on purpose', () => {
  const times = events(`      id: { is: id, required: true }
      made: { is: times.created, as: iso, or: [at], default: '${BLANK_TIME}' }
      at: { is: at, as: iso }
      answered: { is: times.answered, as: iso, if: { talks: true }, default: '${BLANK_TIME}' }`)

  test.each([
    [
      'a time that says "not told" beside one that would stand for it',
      { made: BLANK_TIME, at: '2026-01-01T00:00:00.000+0000' },
    ],
    ['a time that says "not told" in another zone', { made: '1970-01-01T01:00:00.000+0100' }],
    ['a time of another zone under a condition that fails', { answered: '2026-01-01T00:00:00.000+0100', talks: false }],
  ])('does not get there in another form: %s', (_, members) => {
    const body = JSON.stringify({ type: 'm', id: 'c', ...members })
    const [fact] = read(times, body)
    expect(fact).not.toHaveProperty('times')
    expect(again(times, body).map((each) => JSON.parse(each) as unknown)).toEqual([JSON.parse(body)])
  })

  test('another form of what was meant is taken all the same', () => {
    const body = JSON.stringify({
      type: 'm',
      id: 'c',
      made: '2026-01-01T00:00:00.000+0100',
      answered: '2026-01-01T00:00:01.000+0100',
      talks: true,
    })
    const created = Date.parse('2026-01-01T00:00:00.000+01:00')
    expect(read(times, body)).toMatchObject([{ times: { created, answered: created + 1000 } }])
    expect(again(times, body).map((each) => JSON.parse(each) as unknown)).toEqual([JSON.parse(body)])
  })
})

describe('an integer where a text is meant under a condition', () => {
  const dialect = withFields('      talks: flags.held\n      x: { is: dialled, if: { talks: true } }')

  test.each([
    [true, '17'],
    [false, undefined],
  ])('is its digits only where the condition holds: %s', (talks, dialled) => {
    const body = `${BASE}talks: ${talks}\nx: 17\n`
    expect((read(dialect, body)[0] as { dialled?: string }).dialled).toBe(dialled)
    expect(again(dialect, body)).toEqual([body])
  })
})

describe('a text that is required', () => {
  const one = events("      sn: { form: '{serial}', required: true }", 'terminal')
  const two = events(
    "      sn: { form: '{serial}/{number}', required: true }\n      at: { is: address }",
    'terminal',
    '    carry: { at: more, prefix: p_ }',
  )
  const terminal = { kind: 'terminal', state: 'online' }

  test('is not said where nothing would stand there', () => {
    expect(write(one, [{ ...terminal, serial: 's' }])).toEqual(['{"type":"m","sn":"s"}'])
    expect(write(one, [{ ...terminal, serial: '' }])).toEqual([])
  })

  test('may be made of several fields', () => {
    expect(read(two, '{"type":"m","sn":"s/7"}')).toEqual([{ ...terminal, serial: 's', number: '7' }])
    expect(write(two, [{ ...terminal, serial: 's', number: '7' }])).toEqual(['{"type":"m","sn":"s/7"}'])
    expect(write(two, [{ ...terminal, serial: 's' }])).toEqual([])
    expect(() => read(two, '{"type":"m","sn":"s"}')).toThrow(
      expect.objectContaining({
        code: 'mapping.required',
        message: expect.stringContaining('field sn is missing') as unknown,
      }),
    )
  })
})

test('a field that says no more than what it loses goes no further', () => {
  const dialect = events('      id: { is: id, required: true }\n      key.secret: { lossy: it is a secret }')
  const body = '{"type":"m","id":"c","key":{"secret":{"a":1},"shape":"round"}}'
  expect(JSON.stringify(dialect.decode(undefined, Buffer.from(body)).facts)).not.toContain('secret')
  expect(again(dialect, body)).toEqual(['{"type":"m","id":"c","key":{"shape":"round"}}'])
})

test('a number that is not finite is kept aside like any other that is none', () => {
  const dialect = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '' }
    match: { type: m }
    fact: speech
    fields: { id: channel, sure: confidence }
`)
  const [fact] = dialect.decode(undefined, Buffer.from('{"type":"m","id":"c","sure":1e400}')).facts
  expect(fact).not.toHaveProperty('confidence', expect.anything())
  expect(fact!.ext).toMatchObject({ d: { $raw: { sure: Number.POSITIVE_INFINITY } } })
})
