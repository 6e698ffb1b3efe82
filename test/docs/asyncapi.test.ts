import { readFileSync } from 'node:fs'
import specs from '@asyncapi/specs'
import { Ajv, type AnySchema } from 'ajv'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { EVENTS } from '../../src/codecs/stasis/index.js'
import { SHIPPED_MAPPINGS, shippedMapping } from '../../src/config/index.js'

interface Reference {
  readonly $ref: string
}

interface Channel {
  readonly address: string | null
  readonly servers: readonly Reference[]
  readonly messages: Readonly<Record<string, Reference>>
  readonly bindings?: { readonly amqp?: { readonly exchange: { readonly name: string; readonly type: string } } }
}

interface Message {
  readonly title: string
  readonly payload: unknown
  readonly examples?: readonly { readonly payload: unknown }[]
}

interface AsyncApi {
  readonly asyncapi: string
  readonly info: { readonly version: string }
  readonly channels: Readonly<Record<string, Channel>>
  readonly operations: Readonly<Record<string, { readonly action: string; readonly channel: Reference }>>
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>
    readonly schemas: Readonly<Record<string, unknown>>
  }
}

const document = load(readFileSync('docs/asyncapi.yaml', 'utf8')) as AsyncApi // its form is what the last test is about
const channels = Object.values(document.channels)

interface Rule {
  readonly address: Readonly<Record<string, string>>
  readonly match?: { readonly type?: string | { readonly any: readonly string[] } }
}

interface Mapping {
  readonly dialect: string
  readonly settings?: Readonly<Record<string, string>>
  readonly messages: Readonly<Record<string, Rule>>
}

// Read apart from the program, so that a mistake of the generator shows.
const shipped = SHIPPED_MAPPINGS.map((name) => load(readFileSync(shippedMapping(name), 'utf8')) as Mapping)
const rulesOf = (dialect: string) => {
  const { messages, settings = {} } = shipped.find((each) => each.dialect === dialect)!
  const replaced = (text: string) => text.replaceAll(/\{settings\.([a-z-]+)\}/g, (_, name: string) => settings[name]!)
  return Object.values(messages).map(({ address, match }) => ({
    match,
    address: Object.fromEntries(Object.entries(address).map(([part, text]) => [part, replaced(text)])),
  }))
}

const sorted = (texts: Iterable<string>) => [...new Set(texts)].sort()
const on = (server: string) =>
  channels.filter(({ servers }) => servers.some(({ $ref }) => $ref === `#/servers/${server}`))

test('every exchange and key of the shipped mapping has a channel, and nothing else but dead letters', () => {
  const told = on('legacy').map(({ address, bindings }) => `${bindings?.amqp?.exchange.name} ${address ?? ''}`)
  const mapped = rulesOf('voice-events').map(({ address }) => `${address.exchange} ${address.key}`)
  expect(sorted(told)).toEqual(sorted([...mapped, 'patchbay.dead-letters ']))
})

test('every subject of the shipped mapping has a channel, and nothing else but requests, replies and dead letters', () => {
  const told = on('bus').map(({ address }) => address ?? '(reply)')
  const mapped = rulesOf('xcc').flatMap(({ address: { subject = '' } }) => {
    const [before, optional] = subject.split(/[[\]]/)
    return optional === undefined ? [subject] : [before!, before + optional]
  })
  const beside = ['cn.xswitch.node', 'cn.xswitch.node.{node}', '(reply)', 'patchbay.dead-letters']
  expect(sorted(told)).toEqual(sorted([...mapped, ...beside]))
})

test('every event that the shipped mapping names is a message of the events of ARI, and nothing else', () => {
  const [events] = on('asterisk')
  const told = Object.values(events!.messages).map(
    ({ $ref }) => document.components.messages[$ref.split('/').at(-1)!]!.title,
  )
  const mapped = rulesOf('stasis').flatMap(({ match }) => {
    const type = match?.type
    return type === undefined ? [] : typeof type === 'string' ? [type] : type.any
  })
  expect(sorted(told)).toEqual(sorted(mapped))
  expect(told.filter((type) => !Object.hasOwn(EVENTS, type))).toEqual([])
})

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('$ref' in value && typeof value.$ref === 'string') return [value.$ref]
  return Object.values(value).flatMap(referencesIn)
}

test('every reference leads somewhere', () => {
  const all = referencesIn(document)
  expect(all.length).toBeGreaterThan(200)
  const lost = all.filter((reference) => {
    const path = reference.replace('#/', '').split('/')
    const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
    return found === undefined
  })
  expect(lost).toEqual([])
})

test('every channel is used, and both ways where events travel', () => {
  const actions = new Map<string, string[]>()
  for (const { action, channel } of Object.values(document.operations))
    actions.set(channel.$ref, [...(actions.get(channel.$ref) ?? []), action])
  const without = Object.keys(document.channels).filter((id) => !actions.has(`#/channels/${id}`))
  expect(without).toEqual(['bus.reply'])
  const oneWay = [...actions].filter(([, ways]) => ways.length === 1).map(([id]) => id.replace('#/channels/', ''))
  expect(oneWay.sort()).toEqual([
    'bus.cn.xswitch.node',
    'bus.cn.xswitch.node.node',
    'bus.patchbay.dead-letters',
    'legacy.patchbay.dead-letters',
  ])
})

const FREELY = { strict: false, validateFormats: false, allErrors: true } as const
// The schema brings draft 7 with it, under the name that ajv has its own by; and the types of the two packages differ in
// what may be undefined.
const check = new Ajv({ ...FREELY, meta: false, validateSchema: false }).compile(specs.schemas['3.0.0'] as AnySchema)

test('the document is one of AsyncAPI 3', () => {
  check(document)
  expect((check.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)).toEqual([])
})

type Tree = Record<string, unknown>

const PLANTED: readonly { readonly what: string; readonly spoil: (document: Tree) => void }[] = [
  { what: 'no version', spoil: (tree) => delete tree.asyncapi },
  { what: 'a key that is not known', spoil: (tree) => Object.assign(tree, { chanels: {} }) },
  {
    what: 'an operation that neither sends nor receives',
    spoil: (tree) => Object.assign(first(tree, 'operations'), { action: 'publish' }),
  },
  { what: 'an operation without a channel', spoil: (tree) => delete first(tree, 'operations').channel },
  { what: 'a server without a protocol', spoil: (tree) => delete first(tree, 'servers').protocol },
  { what: 'an address that is no text', spoil: (tree) => Object.assign(first(tree, 'channels'), { address: 7 }) },
  {
    what: 'an exchange of no such type',
    spoil(tree) {
      const { amqp } = first(tree, 'channels').bindings as { amqp: { exchange: Tree } } // the first one is of AMQP
      amqp.exchange.type = 'broadcast'
    },
  },
  {
    what: 'a message with a payload that is no schema',
    spoil(tree) {
      const { messages } = tree.components as { messages: Record<string, Tree> } // every document has some
      Object.assign(Object.values(messages)[0]!, { payload: { type: 'objekt' } })
    },
  },
]

const first = (tree: Tree, part: string) => Object.values(tree[part] as Record<string, Tree>)[0]! // every part is a map

test.each(PLANTED)('a document with $what is refused', ({ spoil }) => {
  const tree = structuredClone(document) as unknown as Tree // to be spoiled
  spoil(tree)
  expect(check(tree)).toBe(false)
})

const messages = Object.entries(document.components.messages).map(([id, message]) => ({ id, ...message }))
const withExamples = messages.filter(({ examples = [] }) => examples.length > 0)

test('messages have examples from every bus', () => {
  const counts = ['legacy', 'bus', 'ari'].map((bus) => withExamples.filter(({ id }) => id.startsWith(`${bus}.`)).length)
  expect(counts[0]).toBe(3)
  expect(counts[1]).toBeGreaterThan(10)
  expect(counts[2]).toBeGreaterThan(5)
})

test.each(withExamples)('the examples of $id are what its payload says', ({ payload, examples = [] }) => {
  const whole = { ...(payload as Tree), components: { schemas: document.components.schemas } }
  const ajv = new Ajv(FREELY)
  const isRight = ajv.compile(whole)
  for (const each of examples) {
    isRight(each.payload)
    expect((isRight.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)).toEqual([])
  }
})
