import { readFileSync } from 'node:fs'
import { parse, RubyMap, type RubyValue } from '../../../src/codecs/ruby-yaml/index.js'
import type { MappingFile, MessageRule, TableRule } from '../../../src/mapping/schema.js'
import { type Bus, channel, fieldSchema, type Node, objectOf, operation, ref } from './parts.js'

const SERVER = 'legacy'

/** Messages of the legacy system as they were found, by rule. */
const SAMPLES: Readonly<Record<string, string>> = {
  'channel-states': 'seed-channel-call-state.yaml',
  'terminal-states': 'seed-online-offline-change.yaml',
  'terminal-numbers': 'seed-terminal-dialno-change.yaml',
}

function sampleOf(rule: string, classes: readonly string[]): Node {
  const file = SAMPLES[rule]
  if (file === undefined) return {}
  const text = readFileSync(`test/fixtures/voice-events/${file}`)
  return { examples: [{ name: file, payload: plain(parse(text, { classes })) }] }
}

/** A Ruby value without its classes, as far as JSON has it. */
function plain(value: RubyValue): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof RubyMap)) return value
  return Object.fromEntries(value.keys.map((key, at) => [String(key), plain(value.values[at]!)]))
}

const membersOf = (fields: MessageRule['fields'], cases: MessageRule['cases']) =>
  Object.entries(fields ?? {}).map(([name, field]) => [name.split('.'), fieldSchema(name, field, cases)] as const)

const classed = (name: string | undefined): Node => (name === undefined ? {} : { 'x-ruby-class': name })

function payloadOf(rule: MessageRule, tables: MappingFile['tables']): Node {
  if (rule.words !== undefined) return wordsSchema(tables?.[rule.words.table], rule.words.args !== undefined)
  const lists = Object.values(rule.columns ?? {}).flatMap(({ fields }) => Object.entries(fields))
  const columns = lists.map(([name, field]) => {
    const list: Node = { type: 'array', items: fieldSchema(name, field, undefined) }
    return [[name], list] as const
  })
  const item: Node = { ...objectOf(membersOf(rule.item?.fields, rule.item?.cases)), ...classed(rule.item?.class) }
  const each = rule.each === undefined ? [] : [[rule.each.split('.'), { type: 'array', items: item }] as const]
  return { ...objectOf([...membersOf(rule.fields, rule.cases), ...columns, ...each]), ...classed(rule.class) }
}

function wordsSchema(table: TableRule | undefined, hasArguments: boolean): Node {
  const words = Array.isArray(table) ? table.map(([wire]) => String(wire)) : Object.keys(table ?? {})
  const bare: Node = { type: 'string', enum: words }
  if (!hasArguments) return bare
  const first: Node = { type: 'array', items: { type: 'string' }, description: 'The word, then its argument.' }
  return { anyOf: [bare, first] }
}

interface Placed {
  readonly name: string
  readonly rule: MessageRule
  readonly exchange: string
  readonly key: string
}

/** The legacy side: exchanges and keys of the mapping, and the dead letters. */
export function voiceEventsBus({ messages, codec, tables }: MappingFile): Bus {
  const rules = Object.entries(messages).flatMap(([name, rule]): Placed[] =>
    rule === null ? [] : [{ name, rule, exchange: rule.address.exchange ?? '', key: rule.address.key ?? '' }],
  )
  const fanouts = new Set(rules.map(({ exchange }) => exchange))
  for (const { exchange, key } of rules) if (key !== '') fanouts.delete(exchange)
  const ids = [...new Set(rules.map(({ exchange, key }) => idOf(exchange, key)))]
  const made = ids.map((id) => {
    const here = rules.filter(({ exchange, key }) => idOf(exchange, key) === id)
    return makeChannel(id, here, fanouts)
  })
  const contents = rules.map(({ name, rule }) => {
    const { classes = [] } = codec
    const message: Node = {
      title: name,
      summary: rule.description ?? `Tells facts of kind \`${rule.fact}\`.`,
      contentType: 'application/yaml',
      headers: ref('components', 'schemas', 'headers'),
      payload: payloadOf(rule, tables),
      ...sampleOf(name, classes),
    }
    return [`${SERVER}.${name}`, message] as const
  })
  return {
    channels: Object.assign({}, ...made.map(({ channels }) => channels)) as Bus['channels'], // of objects of that type
    operations: Object.assign({}, ...made.map(({ operations }) => operations)) as Bus['operations'], // likewise
    messages: Object.fromEntries(contents),
  }
}

const idOf = (exchange: string, key: string) => `${SERVER}.${exchange}${key === '' ? '' : `.${key}`}`

function makeChannel(id: string, rules: readonly Placed[], fanouts: ReadonlySet<string>) {
  const { exchange, key } = rules[0]!
  const isFanout = fanouts.has(exchange)
  const where = isFanout
    ? `the fanout exchange \`${exchange}\``
    : `the topic exchange \`${exchange}\` by the key \`${key}\``
  const channels = channel({
    id,
    address: isFanout ? null : key,
    servers: [SERVER],
    description: `Messages of ${where}.`,
    messages: rules.map(({ name }) => `${SERVER}.${name}`),
    more: { bindings: exchangeBinding(exchange, isFanout ? 'fanout' : 'topic') },
  })
  const ack = { amqp: { ack: true, bindingVersion: '0.3.0' } }
  const sent = { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: '0.3.0' } }
  const operations = {
    ...operation('receive', id, `Patchbay takes what is published to ${where}, where a route leads from this link.`, {
      bindings: ack,
    }),
    ...operation('send', id, `Patchbay publishes to ${where}, where a route leads to this link.`, { bindings: sent }),
  }
  return { channels, operations }
}

/** An exchange as Patchbay declares it. */
export function exchangeBinding(name: string, type: 'topic' | 'fanout'): Node {
  const exchange = { name, type, durable: true, autoDelete: false }
  return { amqp: { is: 'routingKey', exchange, bindingVersion: '0.3.0' } }
}
