import { describe, expect, test } from 'vitest'
import type { Fact } from '../../src/model/index.js'
import { again, openText, read, write } from './open.js'

describe('a list of elements', () => {
  const dialect = openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml, classes: [Box, Item] }
messages:
  box:
    address: { exchange: x, key: k }
    anywhere: true
    class: Box
    fact: terminal
    set: { change: number }
    full: numbers
    fields: { all: { is: full, default: false } }
    each: items
    item:
      class: Item
      fields: { sn: { is: serial, required: true }, nr: { is: number, default: '' } }
`)
  const box = (text: string) => `--- !ruby/object:Box\n${text}`
  const one = "items:\n- !ruby/object:Item\n  sn: a\n  nr: ''\n"

  test('is a fact for each element, with what the message says of all', () => {
    expect(read(dialect, box(`all: true\n${one}- !ruby/object:Item\n  sn: b\n  nr: '7'\n`))).toEqual([
      { kind: 'terminal', change: 'number', full: true, serial: 'a' },
      { kind: 'terminal', change: 'number', full: true, serial: 'b', number: '7' },
    ])
  })

  test('tells whether it is a full picture, also without elements', () => {
    const fullOf = (body: string) => dialect.decode(undefined, Buffer.from(box(body))).full
    expect([fullOf(`all: true\n${one}`), fullOf(`all: false\n${one}`), fullOf('all: true\nitems: []\n')]).toEqual([
      'numbers',
      undefined,
      'numbers',
    ])
  })

  test.each([
    ['elements', `all: false\n${one}`],
    ['no elements', 'all: false\nitems: []\n'],
    ['nil in place of the list', 'all: true\nitems:\n'],
    ['an element of another class', 'all: false\nitems:\n- sn: a\n  nr: b\n'],
    [
      'a Hash and an object of one class mixed',
      "all: false\nitems:\n- sn: a\n  nr: ''\n- !ruby/object:Item\n  sn: b\n  nr: ''\n",
    ],
    ['one object twice', 'all: false\nitems:\n- &1 !ruby/object:Item\n  sn: a\n  nr: b\n- *1\n'],
    [
      'one list in two elements',
      'all: false\nitems:\n- sn: a\n  nr: b\n  more: &1\n  - 1\n- sn: b\n  nr: c\n  more: *1\n',
    ],
    ['the list first', `${one}all: true\n`],
    ['keys nobody knows', `all: false\n${one}more: 1\n`],
    ['a value nobody can use', `all: maybe\n${one}`],
  ])('comes back as it was: %s', (_name, body) => {
    expect(again(dialect, box(body))).toEqual([box(body)])
  })

  test('facts that agree on what the message says of all share a message', () => {
    const fact = (serial: string, full?: boolean) => ({
      kind: 'terminal',
      change: 'number',
      serial,
      ...(full && { full }),
    })
    expect(write(dialect, [fact('a'), fact('b'), fact('c', true)])).toHaveLength(2)
  })

  test('an integer for a text that the message says of all comes back', () => {
    const rule = openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
messages:
  m:
    address: { exchange: x, key: k }
    fact: terminal
    fields: { node: node }
    each: items
    item: { fields: { sn: serial } }
`)
    const body = '---\nnode: 7\nitems:\n- sn: a\n- sn: b\n'
    expect(read(rule, body)).toMatchObject([
      { serial: 'a', node: '7' },
      { serial: 'b', node: '7' },
    ])
    expect(again(rule, body)).toEqual([body])
  })

  test('an unusual address is kept, also when there are no elements', () => {
    for (const body of [box('all: true\nitems: []\n'), box(`all: true\n${one}`)]) {
      const { facts, ext } = dialect.decode({ exchange: 'x', key: 'other' }, Buffer.from(body))
      expect(dialect.encode({ facts, ext }).messages.map(({ address }) => address)).toEqual([
        { exchange: 'x', key: 'other' },
      ])
    }
  })

  test.each([
    ['5', 'number 5'],
    ['garbage', 'the text "garbage"'],
    ['true', 'boolean true'],
    ['{sn: a}', 'a mapping'],
    ['!ruby/object:Item {sn: a}', 'a mapping'],
  ])('another value in place of the list makes it a dead letter: %s', (value, what) => {
    const code = 'mapping.message'
    expect(() => read(dialect, box(`items: ${value}\n`))).toThrow(
      expect.objectContaining({
        code,
        fate: 'reject',
        message: expect.stringContaining(`d: items is ${what}`) as unknown,
      }),
    )
  })

  test.each(['items:\n- 5\n', 'items:\n- a\n- b\n'])('an element that is no map makes it a dead letter: %j', (body) => {
    expect(() => read(dialect, box(body))).toThrow(expect.objectContaining({ code: 'mapping.message' }))
  })

  test('the sharing of what changed ends', () => {
    const body = box('all: false\nitems:\n- &1 !ruby/object:Item\n  sn: a\n  nr: b\n- *1\n')
    const { facts, ext } = dialect.decode(undefined, Buffer.from(body))
    Object.assign(facts[1]!, { number: 'c' })
    expect(Buffer.from(dialect.encode({ facts, ext }).messages[0]!.body).toString()).toBe(
      box('all: false\nitems:\n- !ruby/object:Item\n  sn: a\n  nr: b\n- !ruby/object:Item\n  sn: a\n  nr: c\n'),
    )
  })
})

describe('parallel lists', () => {
  const dialect = openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
messages:
  m:
    address: { exchange: x, key: k }
    fact: terminal
    columns:
      up: { set: { state: online }, fields: { up: serial, up_no: { is: number, default: '' } } }
      down: { set: { state: offline }, fields: { down: serial } }
`)

  test('are a fact for each row', () => {
    expect(read(dialect, "---\nup:\n- a\n- b\nup_no:\n- ''\n- '7'\ndown:\n- c\n")).toEqual([
      { kind: 'terminal', state: 'online', serial: 'a' },
      { kind: 'terminal', state: 'online', serial: 'b', number: '7' },
      { kind: 'terminal', state: 'offline', serial: 'c' },
    ])
  })

  test.each([
    ['rows in each', "up:\n- a\nup_no:\n- '7'\ndown:\n- c\n"],
    ['rows in one', 'up: []\nup_no: []\ndown:\n- c\n'],
    ['no rows', 'up: []\nup_no: []\ndown: []\n'],
    ['a list left out', 'up:\n- a\ndown: []\n'],
    ['lists of unequal length', 'up:\n- a\n- b\nup_no:\n- c\ndown: []\n'],
    ['the dependent list first', "up_no:\n- '7'\nup:\n- a\ndown: []\n"],
    ['values of other types', 'up:\n- 1\n-\n- :a\nup_no:\n- b\n- 5\n-\ndown:\n- true\n'],
    ['nil in place of a list', 'up:\nup_no:\ndown:\n- c\n'],
    ['integers', "up:\n- 1\n- '1'\n- 0\nup_no:\n- 7\n- '7'\n- 9007199254740993\ndown: []\n"],
    ['nil in place of a dependent list', 'up:\n- a\nup_no:\ndown: []\n'],
  ])('come back as they were: %s', (_name, body) => {
    expect(again(dialect, `---\n${body}`)).toEqual([`---\n${body}`])
  })

  test.each([
    ['up: a\nup_no: []\ndown: []\n', 'up is the text "a"'],
    ['up: []\ndown: {a: b}\n', 'down is a mapping'],
    ['up:\n- a\nup_no: 5\n', 'up_no is number 5'],
  ])('another value in place of a list makes it a dead letter: %j', (body, what) => {
    const code = 'mapping.message'
    expect(() => read(dialect, `---\n${body}`)).toThrow(
      expect.objectContaining({ code, fate: 'reject', message: expect.stringContaining(`d: ${what}`) as unknown }),
    )
  })

  test('have integers as their decimal text', () => {
    expect(read(dialect, '---\nup:\n- 1\nup_no:\n- 1003\n')).toMatchObject([{ serial: '1', number: '1003' }])
  })

  test('are made of facts in order, with blanks where a fact has nothing', () => {
    const facts = [
      { kind: 'terminal', state: 'online', serial: 'a' },
      { kind: 'terminal', state: 'offline', serial: 'c' },
      { kind: 'terminal', state: 'online', serial: 'b', number: '7' },
    ]
    expect(write(dialect, facts)).toEqual(["---\nup:\n- a\n- b\nup_no:\n- ''\n- '7'\ndown:\n- c\n"])
  })
})

describe('words', () => {
  const withForms = (forms: string) =>
    openText(`mapping: v1
dialect: d
codec: { name: ruby-yaml }
tables: { w: { crash: voice-crash, master: cluster-master } }
messages:
  m:
    address: { exchange: x, key: '' }
    fact: lifecycle
    words: { table: w, is: event, args: [number]${forms} }
`)
  const dialect = withForms('')

  test.each([
    ['a bare word', 'master', { event: 'cluster-master' }],
    ['a word in quotes', "--- 'master'\n", { event: 'cluster-master' }],
    ['a YAML text', '--- master\n', { event: 'cluster-master' }],
    ['a sequence of one', '---\n- master\n', { event: 'cluster-master' }],
    ['a sequence with an argument', "---\n- crash\n- '7'\n", { event: 'voice-crash', number: '7' }],
    ['a mapping', '---\nmsg: master\n', { event: 'cluster-master' }],
    ['a mapping with arguments', "---\nmsg: crash\nargs:\n- '7'\n", { event: 'voice-crash', number: '7' }],
    ['a mapping with empty arguments', '---\nmsg: crash\nargs: []\n', { event: 'voice-crash' }],
    ['an argument that is an integer', '---\n- crash\n- 1003\n', { event: 'voice-crash', number: '1003' }],
    ['an argument that is no text', '---\n- crash\n- :a\n', { event: 'voice-crash' }],
    ['a mapping with one argument', "---\nmsg: crash\nargs: '7'\n", { event: 'voice-crash', number: '7' }],
    ['a mapping with one integer', '---\nmsg: crash\nargs: 7\n', { event: 'voice-crash', number: '7' }],
  ])('%s is read', (_name, body, expected) => {
    const [{ ext: _, ...fact }] = read(dialect, body) as [Record<string, unknown>]
    expect(fact).toEqual({ kind: 'lifecycle', ...expected })
  })

  test.each([
    'master',
    '--- master\n',
    '---\n- master\n',
    "---\n- crash\n- '7'\n",
    '---\nmsg: master\n',
    "---\nmsg: crash\nargs:\n- '7'\n",
    '---\n- crash\n- 7\n',
    '---\n- crash\n- :a\n',
    '---\n- crash\n-\n',
    "---\nmsg: crash\nargs: '7'\n",
    '---\nmsg: crash\nargs: 7\n',
    '---\nmsg: crash\nargs:\n- 7\n',
  ])('goes back in the form it came in: %j', (body) => {
    expect(again(dialect, body)).toEqual([body])
  })

  test.each([
    'other',
    '--- 5\n',
    '---\n- crash\n- a\n- b\n',
    '---\nmsg: crash\nmore: 1\n',
    '---\nmsg: crash\nargs: {a: b}\n',
    '---\nargs: []\n',
  ])('is not taken: %j', (body) => {
    expect(() => read(dialect, body)).toThrow(expect.objectContaining({ code: 'mapping.message' }))
  })

  test.each([
    ['', 'master', "---\n- crash\n- '7'\n"],
    [', bare: scalar, withArgs: map', '--- master\n', "---\nmsg: crash\nargs:\n- '7'\n"],
    [', bare: list', '---\n- master\n', "---\n- crash\n- '7'\n"],
    [', bare: map', '---\nmsg: master\n', "---\n- crash\n- '7'\n"],
  ])('is written in the form of choice (%j)', (forms, bare, withArgs) => {
    const chosen = withForms(forms)
    expect(write(chosen, [{ kind: 'lifecycle', event: 'cluster-master' }])).toEqual([bare])
    expect(write(chosen, [{ kind: 'lifecycle', event: 'voice-crash', number: '7' }])).toEqual([withArgs])
  })

  test('an integer that was changed is an integer again while it can be', () => {
    for (const [number, line] of [
      ['1005', '1005'],
      ['0008', "'0008'"],
      ['*98', '"*98"'],
    ]) {
      const { facts } = dialect.decode(undefined, Buffer.from('---\n- crash\n- 1003\n'))
      Object.assign(facts[0]!, { number })
      expect(Buffer.from(dialect.encode({ facts }).messages[0]!.body).toString()).toBe(`---\n- crash\n- ${line}\n`)
    }
  })

  test('a fact without a word is not said', () => {
    expect(write(dialect, [{ kind: 'lifecycle', event: 'reboot' }])).toEqual([])
  })
})

describe('facts for one message', () => {
  const pictures = openText(`mapping: v1
dialect: d
codec: { name: stasis }
messages:
  all:
    address: { node: '[{node}]' }
    match: { type: all }
    fact: channel
    set: { full: true }
    full: channels
    fields: { at: { is: at, as: iso } }
    each: legs
    item: { fields: { id: { is: id, required: true }, state: state } }
`)
  const leg = (id: string, node: string, at: number) =>
    ({ kind: 'channel', id, node, full: true, state: 'new', meta: { at, clock: 'source' } }) as const
  const told = (...facts: Fact[]) =>
    pictures
      .encode({ facts })
      .messages.map(({ address, facts: said }) => [address.node, ...said.map((fact) => (fact as { id?: string }).id)])

  test('go by what the address says of them', () => {
    expect(told(leg('a', 'x', 1), leg('b', 'x', 1), leg('c', 'y', 1))).toEqual([
      ['x', 'a', 'b'],
      ['y', 'c'],
    ])
  })

  test('may have been told at different times', () => {
    expect(told(leg('a', 'x', 1), leg('b', 'x', 2))).toEqual([['x', 'a', 'b']])
  })
})
