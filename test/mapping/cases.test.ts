import { describe, expect, test } from 'vitest'
import { again, openText, read, write } from './open.js'

function withCases(cases: string, fields = ''): ReturnType<typeof openText> {
  return openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
messages:
  m:
    address: { exchange: x, key: k }
    fact: channel
    fields:
      id: { is: id, required: true }
      s: cases
      h: cases
${fields}
    cases:
${cases}
`)
}

const dialect = withCases(`
      held: { wire: { s: A, h: true }, model: { state: answered, change: hold, flags.held: true } }
      plain: { wire: { s: A }, also: { h: false }, model: { state: answered, change: state }, implies: { flags.bridged: false } }
      old: { only: in, wire: { s: { any: [UP, ACTIVE] } }, model: { state: answered, change: state } }
      new: { only: out, wire: { s: R }, model: { state: new, change: state }, lossy: told like ringing }
      rings: { wire: { s: R }, model: { state: ringing, change: state } }
      gone: { wire: { s: { not: E }, h: null }, model: { state: ended, change: state, cause.name: null } }
`)

const channel = { kind: 'channel', id: 'c' }

test.each([
  ['the first case that fits', 's: A\nh: true', { state: 'answered', change: 'hold', flags: { held: true } }],
  [
    'a later one, with what it implies',
    's: A\nh: false',
    { state: 'answered', change: 'state', flags: { bridged: false } },
  ],
  ['one of several values', 's: UP', { state: 'answered', change: 'state' }],
  ['never a case that only writes', 's: R', { state: 'ringing', change: 'state' }],
  ['a value other than one, and nil', 's: B\nh:', { state: 'ended', change: 'state' }],
  ['none, where none fits', 's: E\nh: 5', {}],
])('reading takes %s', (_name, body, expected) => {
  const [{ ext: _, ...fact }] = read(dialect, `---\nid: c\n${body}\n`) as [Record<string, unknown>]
  expect(fact).toEqual({ ...channel, ...expected })
})

test.each([
  ['the first case that fits', { state: 'answered', change: 'hold', flags: { held: true } }, 's: A\nh: true\n'],
  ['what a case writes without testing it', { state: 'answered', change: 'state' }, 's: A\nh: false\n'],
  ['a case that only writes', { state: 'new', change: 'state' }, 's: R\n'],
  ['nothing, where none fits', { state: 'early', change: 'state' }, ''],
  ['nil, but nothing for conditions that are no values', { state: 'ended', change: 'state' }, 'h:\n'],
])('writing takes %s', (_name, fact, expected) => {
  expect(write(dialect, [{ ...channel, ...fact }])).toEqual([`---\nid: c\n${expected}`])
})

test.each(['s: A\nh: 7', 's: ACTIVE', 's: X\nh: 1', 's: E\nh:', 'h: true', 's:', 's: A\nh: true\nz: 1'])(
  'what was read comes back, whichever case it was: %j',
  (body) => {
    expect(again(dialect, `---\nid: c\n${body}\n`)).toEqual(
      body === 's: ACTIVE' ? ['---\nid: c\ns: A\n'] : [`---\nid: c\n${body}\n`],
    )
  },
)

test('a value kept aside gives way once the model says another', () => {
  const { facts } = dialect.decode(undefined, Buffer.from('---\nid: c\ns: PARKED\n'))
  Object.assign(facts[0]!, { state: 'ringing', change: 'state' })
  expect(Buffer.from(dialect.encode({ facts }).messages[0]!.body).toString()).toBe('---\nid: c\ns: R\n')
})

describe('with mustSay', () => {
  const strict = openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
messages:
  m:
    address: { exchange: x, key: k }
    fact: channel
    mustSay: true
    fields: { id: { is: id, required: true }, s: cases }
    cases: { rings: { wire: { s: R }, model: { state: ringing } } }
`)

  test('a value kept aside for a field that the cases are not about says nothing', () => {
    const guessing = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  m:
    address: { node: '' }
    match: { type: m }
    fact: channel
    mustSay: true
    fields: { id: { is: id, required: true }, s: cases, n: dialled }
    cases: { rings: { wire: { s: R }, model: { state: ringing } } }
    infer: { far: { wire: { n: '9' }, model: { direction: outbound } } }
`)
    const { facts } = guessing.decode(undefined, Buffer.from('{"type":"m","id":"c","s":"R","n":{}}'))
    expect(guessing.encode({ facts }).messages).toHaveLength(1)
    Object.assign(facts[0]!, { state: 'ended' })
    expect(guessing.encode({ facts }).messages).toEqual([])
  })

  test('a fact that no case says is not written', () => {
    expect(write(strict, [{ ...channel, state: 'ringing' }])).toEqual(['---\nid: c\ns: R\n'])
    expect(write(strict, [{ ...channel, state: 'ended' }])).toEqual([])
  })

  test.each(['s: X', 'more: 1', 's:'])('but one that was read from such a message is: %j', (body) => {
    expect(again(strict, `---\nid: c\n${body}\n`)).toEqual([`---\nid: c\n${body}\n`])
  })
})

test('a field of its own and a case may write one key: the case has the last word', () => {
  const both = withCases(
    `      up: { wire: { p: '', s: A }, model: { state: answered } }
      down: { wire: { s: E }, model: { state: ended } }`,
    "      p: { is: peers.0, default: '' }",
  )
  expect(write(both, [{ ...channel, state: 'answered', peers: ['q'] }])).toEqual(["---\nid: c\ns: A\np: ''\n"])
  expect(write(both, [{ ...channel, state: 'ended', peers: ['q'] }])).toEqual(['---\nid: c\ns: E\np: q\n'])
})
