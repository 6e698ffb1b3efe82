import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Fault, formatFault } from '../../src/config/index.js'
import { loadMapping, type SettingValues } from '../../src/mapping/load.js'

const SOUND = readFileSync('test/fixtures/mappings/sound.yaml', 'utf8')

/** Faults of a text, as `code: what; right`, or with their places. */
function faultsOf(text: string, settings: SettingValues = {}): readonly Fault[] {
  const result = loadMapping('shop.yaml', { shop: settings }, (path) => {
    if (path === 'shop.yaml') return text
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  })
  return 'faults' in result ? result.faults : []
}

/** The sound mapping with one text replaced; the text must be there. */
function edited(from: string, to: string): string {
  expect(SOUND).toContain(from)
  return SOUND.replace(from, to)
}

test('the mapping that the mistakes are made in is sound itself', () => {
  expect(faultsOf(SOUND)).toEqual([])
})

/** A mistake: its name, what is replaced by what, and every fault that must come of it, as `line code fragment`. */
const MISTAKES: readonly (readonly [string, string, string, readonly string[]])[] = [
  // The text.
  [
    'a bracket that is never closed',
    '{ name: ruby-yaml, classes: [Calls, Phone] }',
    '{ name: ruby-yaml, classes: [Calls, Phone }',
    ['3 yaml.syntax'],
  ],
  [
    'a quote that is never closed',
    "default: '' }\n        to",
    "default: ' }\n        to",
    ['23 yaml.syntax never closed'],
  ],
  ['a key given twice', '  exchange: shop', '  exchange: shop\n  exchange: shop2', ['7 yaml.duplicate-key `exchange`']],
  ['a tab in the indentation', '    fact: sync', '\tfact: sync', ['54 yaml.syntax a tab']],
  [
    'a line indented too little',
    '    fact: sync',
    '  fact: sync',
    ['52 mapping.missing `messages.ask.fact`', '54 mapping.type `messages.fact`', '55 yaml.syntax align the line'],
  ],
  ['a line without a colon', '    full: channels', '    full channels', ['15 yaml.syntax `full channels`']],
  [
    'a mapping key without a value',
    '      sn: serial',
    '      sn:',
    ['44 mapping.unmapped serial', '50 mapping.dead-rule sn has no value'],
  ],

  // The form.
  ['a version nobody knows', 'mapping: v1', 'mapping: v3', ['1 mapping.value want v1']],
  ['a missing dialect', 'dialect: shop\n', '', ['1 mapping.missing `dialect` is missing']],
  [
    'a missing codec',
    'codec: { name: ruby-yaml, classes: [Calls, Phone] }\n',
    '',
    ['1 mapping.missing `codec` is missing'],
  ],
  ['an unknown codec', 'name: ruby-yaml', 'name: yaml', ['3 mapping.value `codec.name`']],
  ['a dialect named like the neutral model', 'dialect: shop', 'dialect: facts', ['2 mapping.value neutral model']],
  ['a misspelt key of a field', 'required: true', 'requird: true', ['21 mapping.unknown-key did you mean `required`?']],
  [
    'misspelt `fields`',
    '    fields:\n      sn',
    '    feilds:\n      sn',
    ['49 mapping.unknown-key did you mean `fields`?'],
  ],
  ['misspelt `wire`', '{ wire: { state: E }', '{ wires: { state: E }', ['32 mapping.unknown-key did you mean `wire`?']],
  [
    'misspelt `model`',
    'model: { state: ended',
    'modle: { state: ended',
    ['32 mapping.unknown-key did you mean `model`?'],
  ],
  [
    'a case without model',
    ', model: { state: ended, change: state } }',
    ' }',
    ['32 mapping.missing `messages.calls.item.cases.ended.model`'],
  ],
  ['a word where true or false is wanted', 'required: true', 'required: yes', ['21 mapping.type want true or false']],
  [
    'a list where a mapping is wanted',
    '    set: { change: number }',
    '    set: [change, number]',
    ['48 mapping.type want a mapping'],
  ],
  ['an unknown kind of fact', 'fact: sync', 'fact: synk', ['54 mapping.value did you mean `sync`?']],
  ['a kind of fact that resembles nothing', 'fact: sync', 'fact: zebra', ['54 mapping.value want channel']],
  ['an unknown conversion', 'as: epoch-ms', 'as: integer', ['25 mapping.value want str']],

  // Names.
  ['an unknown model field', 'is: caller.number', 'is: caller.numbr', ['23 mapping.field did you mean caller.number?']],
  [
    'an essential model field mistyped',
    '      sn: serial',
    '      sn: serail',
    ['50 mapping.field did you mean serial?'],
  ],
  [
    'a model field without its group',
    'from: { is: caller.number',
    'from: { is: number',
    ['23 mapping.field did you mean caller.number?'],
  ],
  ['an entry of a mistyped map', 'is: caller.number', 'is: var.dept', ['23 mapping.field did you mean vars.dept?']],
  [
    'an entry of a mistyped extension',
    'is: caller.number',
    'is: etx.dept',
    ['23 mapping.field did you mean ext.dept?'],
  ],
  [
    'a model field of another kind',
    '      ip: address',
    '      ip: caller.number',
    ['51 mapping.field a terminal fact has no field caller.number'],
  ],
  [
    'an unknown model field in `set`',
    'set: { change: number }',
    'set: { chnage: number }',
    ['48 mapping.field did you mean change?'],
  ],
  [
    'an unknown model field in a case',
    'flags.held: true } }',
    'flags.hold: true } }',
    ['30 mapping.field did you mean flags.held?'],
  ],
  ['an extension without a name', 'is: caller.number', 'is: ext.', ['23 mapping.field want ext.NAME']],
  ['an extension of the engine', 'is: caller.number', 'is: ext.$raw', ['23 mapping.field want ext.NAME']],
  ['a value the model does not know', 'state: ended', 'state: endet', ['32 mapping.value did you mean ended?']],
  [
    'such a value in `set`',
    'set: { state: offline }',
    'set: { state: off }',
    ['42 mapping.value want one of online, offline'],
  ],
  [
    'such a value in a test of several',
    'flags.held: true } }',
    'flags.held: { any: [true, 1] } } }',
    ['30 mapping.value flags.held cannot be 1'],
  ],
  ['an unknown class', 'class: Phone', 'class: Phon', ['46 mapping.class did you mean Phone?']],
  ['an unknown table', 'table: direction', 'table: directions', ['22 mapping.table did you mean direction?']],
  [
    'an unknown table of words',
    '{ table: words',
    '{ table: greetings',
    ['9 mapping.dead-rule words', '55 mapping.table add it under tables'],
  ],
  ['an unknown setting', 'key: calls', "key: '{settings.kee}'", ['12 mapping.setting there is no setting kee']],
  [
    'a setting where none is filled in',
    'exchange: shop',
    "exchange: '{settings.profile}'",
    ['6 mapping.setting not filled in here'],
  ],

  // Addresses.
  ['a brace that is never closed', "'phone[.{number}]'", "'phone[.{number]'", ['45 mapping.template never closed']],
  [
    'an optional part that is never closed',
    "'phone[.{number}]'",
    "'phone[.{number}'",
    ['45 mapping.template never closes it'],
  ],
  [
    'an unknown field in an address',
    "'phone[.{number}]'",
    "'phone[.{numbre}]'",
    ['45 mapping.field did you mean number?'],
  ],
  ['a misspelt part of an address', 'key: ask }', 'kee: ask }', ['53 mapping.template did you mean key?']],
  ['an address that fits no link', ', key: ask }', ' }', ['53 mapping.template an address of exchange fits no link']],
  ['an address of two links at once', 'key: ask }', 'key: ask, subject: a.b }', ['53 mapping.template fits no link']],

  // Conversions and expressions.
  [
    'a conversion that does not give the field',
    'as: epoch-ms',
    'as: bool',
    ['25 mapping.conversion bool does not give a int64'],
  ],
  [
    'a word as the default of a moment',
    'as: epoch-ms',
    'as: epoch-ms, default: never',
    ['25 mapping.value "never" is a word'],
  ],
  [
    'a word as the default of a truth value',
    "from: { is: caller.number, default: ''",
    "from: { is: flags.loopback, default: 'no'",
    ['23 mapping.value "no" is a word'],
  ],
  ['a number for a text', 'is: caller.number', 'is: caller.number, as: int', ['23 mapping.conversion want str']],
  ['a conversion of a list', 'is: caller.number', 'is: peers, as: str', ['23 mapping.conversion peers.0']],
  ['a map as a field', 'is: caller.number', 'is: vars', ['23 mapping.conversion vars.NAME']],
  ['an expression that is none', 'fact.callee.number', 'fact.callee.', ['24 mapping.expression want CEL']],
  ['an expression over something else', 'fact.callee.number', 'message.callee', ['24 mapping.expression']],
  [
    'an expression with an unknown field',
    'fact.callee.number',
    'fact.calee.number',
    ['24 mapping.field did you mean callee.number?'],
  ],
  [
    'an expression with a pattern of another kind',
    'fact.callee.number',
    '\'fact.callee.number.matches("a") ? "a" : "b"\'',
    ['24 mapping.expression text.fits(pattern)'],
  ],
  [
    'an expression with a pattern that is none',
    'fact.callee.number',
    '\'fact.callee.number.fits("a(") ? "a" : "b"\'',
    ['24 mapping.expression is no pattern'],
  ],
  [
    'a loop in a loop',
    'fact.callee.number',
    '\'fact.peers.all(a, fact.peers.all(b, a == b)) ? "a" : "b"\'',
    ['24 mapping.expression a loop inside a loop'],
  ],

  // Contradictions.
  [
    'required with a default',
    'required: true',
    "required: true, default: ''",
    ['21 mapping.contradiction a required field cannot have a default'],
  ],
  [
    'a fixed value with a model side',
    'required: true',
    'const: 3',
    ['21 mapping.contradiction a fixed value cannot have a model side'],
  ],
  [
    'a table with a conversion',
    'table: direction,',
    'table: direction, as: str,',
    ['22 mapping.contradiction a table says by itself'],
  ],
  [
    'a field without anything',
    '{ is: caller.number, default',
    '{ default',
    ['23 mapping.contradiction neither a model side'],
  ],
  [
    'a model field said twice',
    'is: caller.number',
    'is: dialled',
    ['24 mapping.contradiction dialled is already said by from'],
  ],
  [
    'a field that `set` fixes already',
    '      ip: address',
    '      ip: change',
    ['51 mapping.contradiction already said by `set`'],
  ],
  [
    'a field that is a value and a map',
    '      ip: address',
    '      ip: address\n      ip.port: node',
    ['51 mapping.contradiction ip is a value here'],
  ],
  [
    'a field for cases that are not there',
    '      ip: address',
    '      ip: cases',
    ['51 mapping.contradiction there are none'],
  ],
  ['an element without a list', '    each: list\n', '', ['18 mapping.contradiction there is no each']],
  [
    'a list and columns',
    '    each: list\n',
    '    each: list\n    columns: { c: { fields: { x: node } } }\n',
    ['19 mapping.contradiction exclude each other'],
  ],
  [
    'a list that is a field too',
    '      all: full',
    '      all: full\n      list: node',
    ['18 mapping.contradiction list is the list of elements and a field'],
  ],
  [
    'one list in two columns',
    'fields: { down: serial }',
    'fields: { up: serial }',
    ['43 mapping.contradiction up stands in up too'],
  ],
  [
    'words with fields',
    '    words: {',
    '    fields: { a: of }\n    words: {',
    ['55 mapping.contradiction a message of words has no fields'],
  ],
  [
    'what carry leaves, without carry',
    '    set: { change: number }',
    '    set: { change: number }\n    rest: serial',
    ['49 mapping.contradiction no carry', '49 mapping.conversion holds no values by name'],
  ],
  [
    'mustSay without cases',
    '    set: { change: number }',
    '    set: { change: number }\n    mustSay: true',
    ['49 mapping.contradiction no cases'],
  ],
  [
    'a case that implies what it says',
    'model: { state: ended, change: state } }',
    'model: { state: ended, change: state }, implies: { state: ended } }',
    ['32 mapping.contradiction said under model already'],
  ],
  [
    'a case that writes what it tests',
    '{ state: E }, model',
    '{ state: E }, also: { state: F }, model',
    ['32 mapping.contradiction stands under wire already'],
  ],
  ['a case that takes everything', 'wire: { state: E }', 'wire: {}', ['32 mapping.contradiction takes every message']],
  [
    'classes of a codec that has none',
    'name: ruby-yaml',
    'name: json-rpc',
    [
      '3 mapping.class json-rpc has no classes',
      '5 mapping.dead-rule nothing uses the setting profile',
      '11 mapping.missing method',
      '11 mapping.missing root: params',
      '13 mapping.class json-rpc has no classes',
      '33 mapping.missing method',
      '33 mapping.missing root: params',
      '44 mapping.missing method',
      '44 mapping.missing root: params',
      '46 mapping.class json-rpc has no classes',
      '52 mapping.missing method',
      '52 mapping.missing root: params',
    ],
  ],

  // What nothing ever comes to.
  [
    'an unused table',
    'tables:\n',
    'tables:\n  spare: { a: b }\n',
    ['8 mapping.dead-rule no rule uses the table spare'],
  ],
  [
    'an unused setting',
    '  exchange: shop',
    '  exchange: shop\n  spare: 1',
    ['7 mapping.dead-rule nothing uses the setting spare'],
  ],
  [
    'a case like one before',
    'answered: { wire: { state: A }',
    'answered: { wire: { state: R }',
    ['31 mapping.dead-rule reading never comes to answered: ringing'],
  ],
  [
    'a case that is another one again',
    'ended: { wire: { state: E }, model: { state: ended,',
    'ended: { wire: { state: A }, model: { state: answered,',
    ['32 mapping.dead-rule nothing ever comes to ended: answered'],
  ],
  [
    'a case that is never written',
    'ended: { wire: { state: E }, model: { state: ended,',
    'ended: { wire: { state: E }, model: { state: answered,',
    ['32 mapping.dead-rule writing never comes to ended: answered'],
  ],
  [
    'a row whose wire value has a row',
    '{ in: inbound, out: outbound }',
    '[[in, inbound], [in, outbound]]',
    ['8 mapping.table "in" has a row already'],
  ],
  [
    'a row whose model value has a row',
    '{ in: inbound, out: outbound }',
    '{ in: inbound, out: inbound }',
    ['8 mapping.table "in" already stands for "inbound"'],
  ],
  ['a table without rows', '{ in: inbound, out: outbound }', '{}', ['8 mapping.table no rows']],
  [
    'a value in a table that the model does not know',
    'out: outbound',
    'out: outside',
    ['8 mapping.value direction cannot be "outside"'],
  ],
  [
    'two messages that nobody can tell apart',
    '  ask:\n',
    "  ring:\n    address: { exchange: '{settings.exchange}', key: 'phone[.{number}]' }\n    class: Phone\n    fact: terminal\n    fields: { s: serial }\n  ask:\n",
    ['52 mapping.dead-rule nothing ever comes to ring: every message it would read is read by phone'],
  ],

  // What must be there.
  ['an essential field that is not mapped', '      sn: serial\n', '', ['44 mapping.unmapped nothing maps serial']],
  ['a full picture of what is not said', '    full: channels\n', '', ['11 mapping.unmapped full: channels']],
  [
    'a full picture that nothing tells',
    '      all: full',
    '      all: ext.all',
    ['15 mapping.unmapped map a wire field to `full`'],
  ],
  ['a key of cases whose place is not known', '        held: cases\n', '', ['27 mapping.field add `held: cases`']],

  [
    'a misspelt key of a case',
    '{ wire: { state: E }',
    '{ wire: { stat: E }',
    ['32 mapping.field did you mean `state`? Otherwise add `stat: cases`'],
  ],
  [
    'a misspelt key beside a case',
    '{ wire: { state: E }',
    '{ wire: { state: E }, also: { hled: true }',
    ['32 mapping.field did you mean `held`?'],
  ],

  // Laws that the form alone shows to be broken.
  ['seconds for milliseconds', 'as: epoch-ms', 'as: epoch-s', ['25 mapping.law whole seconds']],
  [
    'a case that is only written',
    'ended: { wire',
    'ended: { only: out, wire',
    ['32 mapping.law read back as another case'],
  ],

  // Settings.
  [
    'a profile that the codec does not know',
    'profile: compatible',
    'profile: psych-5',
    ['5 mapping.value did you mean psych-4?'],
  ],

  // Other files.
  [
    'a file to extend that is not there',
    'mapping: v1',
    'mapping: v1\nextends: gone.yaml',
    ['2 mapping.file cannot be read'],
  ],
]

test.each(MISTAKES)('%s is reported, and nothing that only follows from it', (_name, from, to, expected) => {
  const faults = faultsOf(edited(from, to))
  const lines = faults.map(formatFault)
  expect(lines, lines.join('\n')).toHaveLength(expected.length)
  for (const [i, line] of expected.entries()) {
    const [number, code, ...fragment] = line.split(' ')
    expect(lines[i]).toContain(`shop.yaml:${number}:`)
    expect(lines[i]).toContain(` ${code}: `)
    expect(lines[i]).toContain(fragment.join(' '))
  }
})

test.each([
  ["''", []],
  ["'0'", []],
  ["'false'", []],
  ["'{settings.exchange}'", []],
  ['unknown', ['"unknown" is a word, and the other values of this field are none']],
])('of a table of truth values the default %s has faults as it deserves', (value, expected) => {
  const text = edited('{ in: inbound, out: outbound }', '[[true, inbound], [false, outbound]]')
  const faults = faultsOf(text.replace("table: direction, default: ''", `table: direction, default: ${value}`))
  expect(faults.map(({ what }) => what)).toEqual(expected)
})

test('ten mistakes in one file are all reported, each at its line with a hint', () => {
  const file = 'test/fixtures/mappings/ten-mistakes.yaml'
  const result = loadMapping(file)
  const lines = 'faults' in result ? result.faults.map(formatFault) : []
  expect(lines).toMatchInlineSnapshot(`
    [
      "test/fixtures/mappings/ten-mistakes.yaml:6:12: mapping.value: the ruby-yaml codec has no profile "psych-5"; did you mean psych-4? want psych-4, psych-2.0, compatible",
      "test/fixtures/mappings/ten-mistakes.yaml:9:34: mapping.value: direction cannot be "outbond"; did you mean outbound? want one of inbound, outbound",
      "test/fixtures/mappings/ten-mistakes.yaml:12:26: mapping.setting: there is no setting exchang; did you mean exchange?",
      "test/fixtures/mappings/ten-mistakes.yaml:13:12: mapping.class: the codec does not let in the class Call; did you mean Calls? Otherwise add it to codec.classes",
      "test/fixtures/mappings/ten-mistakes.yaml:18:35: mapping.type: \`messages.calls.item.fields.uuid.required\` is the text "yes"; want true or false",
      "test/fixtures/mappings/ten-mistakes.yaml:19:49: mapping.unknown-key: nobody reads the key \`defualt\` here; did you mean \`default\`?",
      "test/fixtures/mappings/ten-mistakes.yaml:20:15: mapping.field: a channel fact has no field caller.numbr; did you mean caller.number? To keep a value the model has no word for: ext.numbr",
      "test/fixtures/mappings/ten-mistakes.yaml:21:41: mapping.conversion: bool does not give a int64, which times.created is; want int, int-text, samples or one of the times",
      "test/fixtures/mappings/ten-mistakes.yaml:22:36: mapping.expression: Expected IDENTIFIER, got EOF; want CEL over \`fact\`, such as fact.caller.number",
      "test/fixtures/mappings/ten-mistakes.yaml:27:9: mapping.dead-rule: reading never comes to ended: answered takes all it would take; put it first, make it \`only: out\`, or say \`lossy\`",
    ]
  `)
})

/** Mistakes that are none in the company of another: two messages differ once one of them is mistyped, for example. */
const MENDED_BY: Readonly<Record<string, readonly string[]>> = {
  'two messages that nobody can tell apart': [
    'an unknown class',
    'a brace that is never closed',
    'an optional part that is never closed',
    'an unknown field in an address',
  ],
  'an unknown class': ['a missing codec'],
  'a file to extend that is not there': ['a missing codec'],
  'a field that `set` fixes already': ['a list where a mapping is wanted', 'an unknown model field in `set`'],
  'a full picture that nothing tells': ['a full picture of what is not said'],
}

test('two mistakes together are reported as well as each alone', () => {
  const apart = MISTAKES.filter(([, , , expected]) => expected.length === 1 && !expected[0]!.includes('yaml.'))
  const partners = [1, 2, 3, 5, 8, 13, 21, 34]
  const pairs = apart.flatMap((first, i) =>
    partners.flatMap((step) => (apart[i + step] === undefined ? [] : [[first, apart[i + step]!] as const])),
  )
  const masked: string[] = []
  for (const [first, second] of pairs) {
    if (overlap(first[1], second[1]) || (MENDED_BY[second[0]] ?? []).includes(first[0])) continue
    const text = SOUND.replace(first[1], first[2]).replace(second[1], second[2])
    const codes = faultsOf(text).map(({ code }) => code)
    for (const [name, , , expected] of [first, second]) {
      if (!codes.includes(expected[0]!.split(' ')[1] as Fault['code']))
        masked.push(`${first[0]} + ${second[0]}: ${name}`)
    }
  }
  expect(masked).toEqual([])
})

/** Whether two edits touch the same line. */
function overlap(a: string, b: string): boolean {
  const [from, to] = [SOUND.indexOf(a), SOUND.indexOf(a) + a.length]
  const [start, end] = [SOUND.indexOf(b), SOUND.indexOf(b) + b.length]
  const lineOf = (at: number) => SOUND.slice(0, at).split('\n').length
  return lineOf(from) <= lineOf(end) && lineOf(start) <= lineOf(to)
}

test.each([
  ['an unknown one', { profil: 'psych-4' }, 'mapping.setting: shop has no setting profil; did you mean profile?'],
  ['a value that the codec does not know', { profile: 'psych4' }, 'mapping.value: the ruby-yaml codec has no profile'],
  [
    'a value of another type',
    { exchange: 5 },
    'mapping.setting: the value of the setting exchange is 5; want a string',
  ],
])('of settings given from outside %s is a fault', (_name, settings: SettingValues, expected) => {
  expect(faultsOf(SOUND, settings).map(formatFault).join()).toContain(expected)
})

test('settings that command lines give as text become what the file declares', () => {
  const text = SOUND.replace('  exchange: shop', '  exchange: shop\n  rooms: 3').replace(
    'key: ask',
    "key: 'ask{settings.rooms}'",
  )
  expect(faultsOf(text, { rooms: '4' })).toEqual([])
  expect(faultsOf(text, { rooms: 'many' }).map(({ code }) => code)).toEqual(['mapping.setting'])
})
