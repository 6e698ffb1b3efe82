import { readFileSync } from 'node:fs'
import { ENVELOPE, EVENTS, type Members, OBJECTS } from '../../../src/codecs/stasis/events.js'
import type { MappingFile, MessageRule } from '../../../src/mapping/schema.js'
import { type Bus, channel, type Node, operation, ref } from './parts.js'

/** The channel of ARI's events, on either side. */
export const ARI_EVENTS = 'ari.events'

const SCALARS: Readonly<Record<string, Node>> = {
  text: { type: 'string' },
  int: { type: 'integer' },
  bool: { type: 'boolean' },
  time: { type: 'string', description: 'such as 2026-01-01T08:00:00.000+0000' },
  object: { type: 'object' },
}

function typeSchema(written: string): Node {
  const name = written.replace('?', '')
  if (name.endsWith('[]')) return { type: 'array', items: typeSchema(name.slice(0, -2)) }
  return SCALARS[name] ?? ref('components', 'schemas', `ari.${name}`)
}

function membersSchema(members: Members): Node {
  const required = Object.entries(members).filter(([, type]) => !type.includes('?'))
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(members).map(([name, type]) => [name, typeSchema(type)])),
    ...(required.length > 0 && { required: required.map(([name]) => name) }),
  }
}

type Event = Readonly<Record<string, unknown>>

const recorded: readonly Event[] = readFileSync('test/fixtures/ari-call/call.jsonl', 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Event) // a fixture of objects

function typesOf({ match }: MessageRule): readonly string[] {
  const type = match?.type
  if (typeof type === 'string') return [type]
  return typeof type === 'object' && type !== null && 'any' in type ? type.any.map(String) : []
}

function eventMessage(type: string, rules: readonly string[]): Node {
  const { properties, ...form } = membersSchema({ ...ENVELOPE, ...EVENTS[type] })
  const example = recorded.find((event) => event.type === type)
  return {
    title: type,
    summary: `Rules of the mapping: ${rules.map((rule) => `\`${rule}\``).join(', ')}.`,
    contentType: 'application/json',
    payload: { ...form, properties: { ...(properties as Node), type: { const: type } } }, // a map of schemas
    ...(example !== undefined && { examples: [{ payload: example }] }),
  }
}

/** Asterisk's side, and that of applications: events by WebSocket. */
export function stasisBus({ messages }: MappingFile): Bus {
  const rules = Object.entries(messages).filter((entry): entry is [string, MessageRule] => entry[1] !== null)
  const types = [...new Set(rules.flatMap(([, rule]) => typesOf(rule)))].sort()
  const contents = types.map((type) => {
    const takers = rules.filter(([, rule]) => typesOf(rule).includes(type)).map(([name]) => name)
    return [`ari.${type}`, eventMessage(type, takers)] as const
  })
  const query = {
    type: 'object',
    properties: {
      app: { type: 'string', description: 'Names of applications, separated by commas.' },
      subscribeAll: { type: 'boolean' },
      api_key: { type: 'string', description: 'user:password, where there is no Basic authentication.' },
    },
  }
  return {
    channels: channel({
      id: ARI_EVENTS,
      address: '/ari/events',
      servers: ['asterisk', 'applications'],
      description:
        'Events of ARI, one JSON object a frame. A type that stands in no rule is taken by the rule `unknown`, and counted. With `listen` Asterisk opens the socket to Patchbay instead.',
      messages: contents.map(([id]) => id),
      more: { bindings: { ws: { method: 'GET', query, bindingVersion: '0.1.0' } } },
    }),
    messages: Object.fromEntries(contents),
    operations: {
      ...operation('receive', ARI_EVENTS, 'Patchbay hears an Asterisk, on a link of type `ari`.'),
      ...operation('send', ARI_EVENTS, 'Patchbay tells applications, on a link of type `ari-server`.'),
    },
    schemas: Object.fromEntries(Object.entries(OBJECTS).map(([name, each]) => [`ari.${name}`, membersSchema(each)])),
  }
}
