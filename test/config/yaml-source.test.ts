import fc from 'fast-check'
import { dump, load } from 'js-yaml'
import { expect, test } from 'vitest'
import { formatFault } from '../../src/config/fault.js'
import { readYaml, type YamlPath } from '../../src/config/yaml-source.js'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const faultsOf = (text: string) => readYaml(text, 'f.yaml').faults.map(formatFault)

const sample = `# heading
group: a
links:
  bus: &bus
    type: nats
    servers: [one, "two"]
  copy: *bus
routes:
  - name: r1
    from: bus
  -
    name: 'r2'
table: { 16: late, 2: early }
text: |
  line
empty:
`

const places: { name: string; path: YamlPath; what?: 'key' | 'value'; want: [number, number] }[] = [
  { name: 'the root is its first node', path: [], want: [2, 1] },
  { name: 'a scalar value', path: ['group'], want: [2, 8] },
  { name: 'a key', path: ['group'], what: 'key', want: [2, 1] },
  { name: 'a mapping begins at its first key', path: ['links', 'copy', 'type'], want: [5, 11] },
  { name: 'an alias stands where it is written', path: ['links', 'copy'], want: [7, 9] },
  { name: 'an item of a flow sequence, at its quote', path: ['links', 'bus', 'servers', 1], want: [6, 20] },
  { name: 'a mapping in a list begins after the dash', path: ['routes', 0], want: [9, 5] },
  { name: 'a mapping below a lone dash', path: ['routes', 1, 'name'], want: [12, 11] },
  { name: 'a key that looks like a number', path: ['table', '2'], what: 'key', want: [13, 20] },
  { name: 'a block scalar, at its bar', path: ['text'], want: [14, 7] },
  { name: 'a key without a value', path: ['empty'], want: [16, 1] },
  { name: 'a missing key: its mapping, by that key', path: ['links', 'bus', 'url'], want: [4, 3] },
  { name: 'a missing key of the root', path: ['nothing', 'at', 'all'], want: [2, 1] },
  { name: 'a missing key of a list item: the item', path: ['routes', 0, 'to'], want: [9, 5] },
]
for (const { name, path, what, want } of places) {
  test(`positions: ${name}`, () => {
    const { line, column } = readYaml(sample, 'f.yaml').locate(path, what)
    expect([line, column]).toEqual(want)
  })
}

test('keys keep the order of the text, also those that look like numbers', () => {
  const source = readYaml(sample, 'f.yaml')
  expect(source.keysInOrder(['table'])).toEqual(['16', '2'])
  expect(source.keysInOrder(['group'])).toEqual([])
  expect(source.faults).toEqual([])
})

const values: { name: string; text: string; want: unknown }[] = [
  {
    name: 'YAML 1.2 core scalars',
    text: '[yes, true, ~, 012, 0x10, 1.5, 2026-01-01]',
    want: ['yes', true, null, 12, 16, 1.5, '2026-01-01'],
  },
  { name: 'quotes and tags make text', text: 'a: "1"\nb: !!str 2\nc: ! 3\n', want: { a: '1', b: '2', c: '3' } },
  { name: 'an empty text is null', text: '# nothing\n', want: null },
  { name: 'a byte order mark and CRLF', text: '\uFEFFa: 1\r\nb: 2\r\n', want: { a: 1, b: 2 } },
  { name: 'an alias as a key', text: 'a: &k x\n*k : 1\n', want: { a: 'x', x: 1 } },
]
for (const { name, text, want } of values) {
  test(`values: ${name}`, () => {
    const source = readYaml(text, 'f.yaml')
    expect([source.value, source.faults]).toEqual([want, []])
  })
}

test('__proto__ is an ordinary key', () => {
  const value = readYaml('__proto__: { polluted: 1 }\n', 'f.yaml').value as Record<string, unknown>
  expect(Object.keys(value)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('an alias is the very value of its anchor', () => {
  const value = readYaml('a: &k { x: 1 }\nb: *k\n', 'f.yaml').value as Record<string, unknown>
  expect(value.a).toBe(value.b)
})

const faulty: { name: string; text: string; want: string[] }[] = [
  {
    name: 'duplicate keys, at the second',
    text: 'a: 1\nb: 2\na: 3\n',
    want: ['f.yaml:3:1: yaml.duplicate-key: `a` stands twice here; keep one of the two'],
  },
  {
    name: 'tabs, and goes on behind them',
    text: 'a:\n\tb: 1\n\tc: 2\na: 3\n',
    want: [
      'f.yaml:2:1: yaml.syntax: a tab stands in the indentation; indent with spaces',
      'f.yaml:3:1: yaml.syntax: a tab stands in the indentation; indent with spaces',
      'f.yaml:4:1: yaml.duplicate-key: `a` stands twice here; keep one of the two',
    ],
  },
  {
    name: 'a value with a colon',
    text: 'a: b: c\nd: 1\nd: 2\n',
    want: [
      'f.yaml:1:5: yaml.syntax: a plain value holds a colon and a space; put the value in quotes',
      'f.yaml:3:1: yaml.duplicate-key: `d` stands twice here; keep one of the two',
    ],
  },
  {
    name: 'a quote that is never closed, where it was opened',
    text: 'x: 1\na: "foo\nb: 1\nb: 2\n',
    want: [
      'f.yaml:2:1: yaml.syntax: a quote or bracket is opened here and never closed; close it before the next key',
      'f.yaml:4:1: yaml.duplicate-key: `b` stands twice here; keep one of the two',
    ],
  },
  {
    name: 'a bracket that is never closed at the end of the file',
    text: 'x: 1\na: [1,\n  2\n',
    want: ['f.yaml:2:1: yaml.syntax: a quote or bracket is opened here and never closed; close it before the next key'],
  },
  {
    name: 'a key without its colon, once, although its children do not fit either',
    text: 'a:\n  foo\n    x: 1\n    y: 2\n  b: 2\nc: @x\n',
    want: [
      'f.yaml:2:3: yaml.syntax: `foo` is neither `key: value` nor a list item; write `key: value` with a space after the colon, or `- value`',
      'f.yaml:6:4: yaml.syntax: a plain value cannot begin with `@`; put the value in quotes',
    ],
  },
  {
    name: 'a colon without its space',
    text: 'a:b\nc: 1\n',
    want: [
      'f.yaml:1:1: yaml.syntax: `a:b` is neither `key: value` nor a list item; write `key: value` with a space after the colon, or `- value`',
    ],
  },
  {
    name: 'wrong indentation',
    text: 'a:\n  b: 1\n   c: 2\n d: 3\n',
    want: [
      'f.yaml:3:5: yaml.syntax: the indentation does not fit the lines above; align the line with its siblings',
      'f.yaml:4:2: yaml.syntax: the indentation does not fit the lines above; align the line with its siblings',
    ],
  },
  {
    name: 'many mistakes in neighbouring lines, each on its own',
    text: `a:
  wire: { x: 1
  key without colon
  des: one: two
  flag: 'it's'
  list: [a, b
  star: *
  percent: %foo
  open: "abc
  good: d
b:
  - x
  -{ y: 1 }
 - z
c: >
  text of two words
 tail: 1
`,
    want: [
      'f.yaml:2:3: yaml.syntax: a quote or bracket is opened here and never closed; close it before the next key',
      'f.yaml:3:3: yaml.syntax: `key without colon` is neither `key: value` nor a list item; write `key: value` with a space after the colon, or `- value`',
      'f.yaml:4:6: yaml.syntax: a plain value holds a colon and a space; put the value in quotes',
      'f.yaml:5:7: yaml.syntax: text follows the closing quote; double a single quote inside quotes, or use the other kind',
      'f.yaml:6:3: yaml.syntax: a quote or bracket is opened here and never closed; close it before the next key',
      'f.yaml:7:10: yaml.syntax: `*` and `&` begin an alias and an anchor; put the value in quotes',
      'f.yaml:8:12: yaml.syntax: a plain value cannot begin with `%`; put the value in quotes',
      'f.yaml:9:3: yaml.syntax: a quote or bracket is opened here and never closed; close it before the next key',
      'f.yaml:13:3: yaml.syntax: no space follows the dash; write `- ` before the item',
      'f.yaml:14:2: yaml.syntax: the indentation does not fit the lines above; align the line with its siblings',
      'f.yaml:17:2: yaml.syntax: the indentation does not fit the lines above; align the line with its siblings',
    ],
  },
  {
    name: 'unknown tags, aliases without anchor, aliases in their own anchor, merge keys, keys that are no text',
    text: 'a: !ruby/object x\nb: *gone\nc: &c [*c]\n<<: { d: 1 }\n[e]: 1\n',
    want: [
      'f.yaml:1:4: yaml.tag: the tag !ruby/object is not read here; leave it out',
      'f.yaml:2:4: yaml.alias: no anchor `&gone` stands before this; put `&gone` before the value it should repeat, or quote the text if it only begins with a star',
      'f.yaml:3:8: yaml.alias: `*c` stands inside its own anchor; write the value out',
      'f.yaml:4:1: yaml.key: merge keys are not read; write the entries out',
      'f.yaml:5:1: yaml.key: a key must be text; write a word, or put the key in quotes',
    ],
  },
  {
    name: 'a second document',
    text: 'a: 1\n---\nb: 2\n',
    want: ['f.yaml:3:1: yaml.documents: a second document begins here; keep one document in a file'],
  },
  {
    name: 'a number that would lose digits, a value that is not of its tag',
    text: 'a: 12345678901234567890\nb: !!int x\n',
    want: [
      'f.yaml:1:4: yaml.number: 12345678901234567890 has more digits than a number keeps; put it in quotes',
      'f.yaml:2:4: yaml.tag: `x` is not a value of the tag !!int; leave the tag out',
    ],
  },
]
for (const { name, text, want } of faulty) {
  test(`faults: ${name}`, () => expect(faultsOf(text)).toEqual(want))
}

test('a file with syntax faults says that it is not complete, and keeps the rest', () => {
  const source = readYaml('a: "x\nb: 1\n', 'f.yaml')
  expect([source.complete, source.value]).toEqual([false, { b: 1 }])
})

test('aliases of aliases end in a fault, not in memory', () => {
  const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`)
  expect(faultsOf(`l0: &l0 x\n${levels.join('\n')}\n`)).toEqual([expect.stringContaining('yaml.limit')])
})

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
    tie('value'),
    { maxKeys: 4 },
  ),
}))
const seed = process.env.FC_SEED === undefined ? {} : { seed: Number(process.env.FC_SEED) }

test('reads what js-yaml writes as js-yaml reads it', () => {
  const check = (value: unknown) => {
    const text = dump(value)
    expect(plain(readYaml(text, 'f.yaml').value)).toEqual(plain(load(text)))
  }
  fc.assert(fc.property(json.map, check), { ...seed, numRuns: 300 })
})

test('never throws, and every fault lies inside the text', () => {
  const word = fc.constantFrom(
    'a: ',
    'b',
    '\n',
    '  ',
    '\t',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '&x ',
    '*x',
    '!t ',
    '|',
    '#',
    '? ',
    ',',
    '---\n',
    '\u0001',
  )
  const text = fc.array(word, { maxLength: 25 }).map((words) => words.join(''))
  const check = (body: string) => {
    const source = readYaml(body, 'f.yaml')
    const lines = body.split(/\r\n?|\n/).length
    for (const fault of source.faults) expect(fault.line >= 1 && fault.line <= lines && fault.column >= 1).toBe(true)
    if (!source.complete) expect(source.faults.length).toBeGreaterThan(0)
  }
  fc.assert(fc.property(text, check), { ...seed, numRuns: 1000 })
})
