import { expect, test } from 'vitest'
import { z } from 'zod'
import { formatFault } from '../../src/config/fault.js'
import { editDistance, nearest } from '../../src/config/nearest.js'
import { readYaml } from '../../src/config/yaml-source.js'
import { checkYaml } from '../../src/config/zod-faults.js'

const secret = z
  .union([z.string(), z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })])
  .meta({ writeOnly: true })
const link = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('amqp'),
    url: z.string().describe('Address of the broker. More text.'),
    prefetch: z.int().min(1).max(65535).default(64),
    password: secret.optional(),
  }),
  z.strictObject({
    type: z.literal('nats'),
    servers: z.array(z.string()).min(1),
    deliver: z.enum(['core', 'jetstream']).default('core'),
  }),
])
const schema = z.strictObject({
  group: z.string().regex(/^[a-z]+$/, 'want lower-case letters'),
  links: z.record(z.string().regex(/^\w+$/, 'want a name of letters'), link),
  tables: z
    .record(
      z.string(),
      z.union([z.string(), z.strictObject({ is: z.string(), as: z.enum(['int', 'str']).optional() })]),
    )
    .optional(),
})

const check = (text: string) => {
  const result = checkYaml(readYaml(text, 'f.yaml'), schema, 'config')
  return 'faults' in result ? result.faults.map(formatFault) : result.data
}

const cases: { name: string; text: string; want: string[] }[] = [
  {
    name: 'unknown keys with the key that was meant, which is then not missing as well',
    text: 'group: a\nlinks:\n  l: { type: amqp, ulr: x, prefech: 3 }\n',
    want: [
      'f.yaml:3:20: config.unknown-key: nobody reads the key `ulr` here; did you mean `url`?',
      'f.yaml:3:28: config.unknown-key: nobody reads the key `prefech` here; did you mean `prefetch`?',
    ],
  },
  {
    name: 'an unknown key far from all others lists them',
    text: 'group: a\nlinks: {}\ncolour: red\n',
    want: ['f.yaml:3:1: config.unknown-key: nobody reads the key `colour` here; want group, links or tables'],
  },
  {
    name: 'a URL without the password in it, however long it is',
    text: 'group: a\nlinks:\n  l:\n    type: amqp\n    url: x\n    prefetch: amqp://someone.with.a.long.name:hunter2@broker\n',
    want: ['f.yaml:6:15: config.type: `links.l.prefetch` is the text "amqp://***@broker"; want a whole number 1–65535'],
  },
  {
    name: 'wrong types and values out of range, in the order of lines',
    text: 'group: A1\nlinks:\n  a:\n    type: amqp\n    url: 3\n    prefetch: "x"\n  b:\n    type: amqp\n    url:\n    prefetch: 70000\n',
    want: [
      'f.yaml:1:8: config.value: `group` is the text "A1"; want lower-case letters',
      'f.yaml:5:10: config.type: `links.a.url` is the number 3; want text',
      'f.yaml:6:15: config.type: `links.a.prefetch` is the text "x"; want a whole number 1–65535',
      'f.yaml:9:5: config.type: `links.b.url` has no value; want text',
      'f.yaml:10:15: config.value: `links.b.prefetch` is the number 70000; want a whole number 1–65535',
    ],
  },
  {
    name: 'missing keys, with their description',
    text: 'links:\n  a: { type: amqp }\n  b: { type: nats }\n',
    want: [
      'f.yaml:1:1: config.missing: `group` is missing; add it: text',
      'f.yaml:2:3: config.missing: `links.a.url` is missing; add it: Address of the broker',
      'f.yaml:3:3: config.missing: `links.b.servers` is missing; add it: a list that is not empty',
    ],
  },
  {
    name: 'words that are not in the list',
    text: 'group: a\nlinks:\n  a: { type: nats, servers: [], deliver: jetsteam }\n  b: { type: ampq, url: x }\n  c: {}\n',
    want: [
      'f.yaml:3:29: config.value: `links.a.servers` is a list; want a list that is not empty',
      'f.yaml:3:42: config.value: `links.a.deliver` is the text "jetsteam"; want core or jetstream; did you mean `jetstream`?',
      'f.yaml:4:14: config.value: `links.b.type` is the text "ampq"; want amqp or nats; did you mean `amqp`?',
      'f.yaml:5:3: config.missing: `links.c.type` is missing; add it: amqp or nats',
    ],
  },
  {
    name: 'a key that is not allowed',
    text: 'group: a\nlinks:\n  "a b": { type: nats, servers: [x] }\n',
    want: ['f.yaml:3:3: config.value: the key `a b` is not allowed here; want a name of letters'],
  },
  {
    name: 'unions: the member that was most likely meant, or all kinds',
    text: 'group: a\nlinks: {}\ntables:\n  x: { is: y, as: in }\n  y: { iz: y }\n  z: 3\n',
    want: [
      'f.yaml:4:19: config.value: `tables.x.as` is the text "in"; want int or str; did you mean `int`?',
      'f.yaml:5:8: config.unknown-key: nobody reads the key `iz` here; did you mean `is`?',
      'f.yaml:6:6: config.type: `tables.z` is the number 3; want text or a mapping with `is`',
    ],
  },
  {
    name: 'a secret of the wrong kind without its value',
    text: 'group: a\nlinks:\n  a: { type: amqp, url: x, password: 4711 }\n  b: { type: amqp, url: x, password: { env: 4711 } }\n',
    want: [
      'f.yaml:3:38: config.type: `links.a.password` is a number; want text, a mapping with `env` or a mapping with `file`',
      'f.yaml:4:45: config.type: `links.b.password.env` is a number; want text',
    ],
  },
  {
    name: 'a file of another kind',
    text: '- a\n',
    want: ['f.yaml:1:1: config.type: the file is a list; want a mapping with `group`, `links`'],
  },
  {
    name: 'an empty file',
    text: '',
    want: ['f.yaml:1:1: config.type: the file has no value; want a mapping with `group`, `links`'],
  },
  {
    name: 'faults of the text among them, and then no missing keys',
    text: 'links:\n  a: { type: amqp, url: 3 }\ngroup: a: b\nlinks: 3\n',
    want: [
      'f.yaml:2:25: config.type: `links.a.url` is the number 3; want text',
      'f.yaml:3:9: yaml.syntax: a plain value holds a colon and a space; put the value in quotes',
      'f.yaml:4:1: yaml.duplicate-key: `links` stands twice here; keep one of the two',
    ],
  },
]
for (const { name, text, want } of cases) test(`faults: ${name}`, () => expect(check(text)).toEqual(want))

test('a sound file gives the parsed data, defaults included', () => {
  expect(check('group: a\nlinks:\n  a: { type: amqp, url: x }\n')).toEqual({
    group: 'a',
    links: { a: { type: 'amqp', url: 'x', prefetch: 64 } },
  })
})

const words: { word: string; among: string[]; want: string | undefined }[] = [
  { word: 'prefech', among: ['prefetch', 'persistent'], want: 'prefetch' },
  { word: 'pre_fetch', among: ['prefetch'], want: 'prefetch' },
  { word: 'Url', among: ['url'], want: 'url' },
  { word: 'ulr', among: ['url', 'tls'], want: 'url' },
  { word: 'x', among: ['url', 'to'], want: undefined },
]
for (const { word, among, want } of words) {
  test(`the nearest to ${word} is ${want}`, () => expect(nearest(word, among)).toBe(want))
}

test('the edit distance counts a swap of neighbours as one', () => expect(editDistance('ab', 'ba')).toBe(1))
