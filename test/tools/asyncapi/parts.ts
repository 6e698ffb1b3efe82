import type { MessageRule } from '../../../src/mapping/schema.js'

/** A JSON Schema, or any other object of the document. */
export interface Node {
  readonly [key: string]: unknown
}

/** Channels, messages, operations and schemas of one bus, by their ids. */
export interface Bus {
  readonly channels: Readonly<Record<string, Node>>
  readonly messages: Readonly<Record<string, Node>>
  readonly operations: Readonly<Record<string, Node>>
  readonly schemas?: Readonly<Record<string, Node>>
}

/** Which way messages of a channel go, seen from Patchbay. */
export type Direction = 'receive' | 'send'

export const ref = (...path: readonly string[]): Node => ({ $ref: `#/${path.join('/')}` })

/** What a channel is made of, beside its messages. */
export interface ChannelParts {
  readonly id: string
  readonly address: string | null
  readonly servers: readonly string[]
  readonly description: string
  /** Ids of messages. */
  readonly messages: readonly string[]
  readonly more?: Node
}

export function channel({ id, address, servers, description, messages, more }: ChannelParts): Record<string, Node> {
  const body = {
    address,
    servers: servers.map((name) => ref('servers', name)),
    description,
    messages: Object.fromEntries(messages.map((name) => [name, ref('components', 'messages', name)])),
    ...more,
  }
  return { [id]: body }
}

/** What Patchbay does with messages of a channel. */
export function operation(action: Direction, channelId: string, summary: string, more: Node = {}) {
  const id = `${action}.${channelId}`
  return { [id]: { action, channel: ref('channels', channelId), summary, ...more } }
}

/** The form of an object whose members are named by paths, each with its schema. */
export function objectOf(members: ReadonlyArray<readonly [path: readonly string[], schema: Node]>): Node {
  const names = [...new Set(members.map(([[first]]) => first!))]
  const properties = names.map((name) => {
    const here = members.filter(([path]) => path[0] === name)
    const own = here.find(([path]) => path.length === 1)?.[1]
    const below = here.filter(([path]) => path.length > 1).map(([path, schema]) => [path.slice(1), schema] as const)
    return [name, below.length === 0 ? (own ?? {}) : { ...own, ...objectOf(below) }]
  })
  return { type: 'object', properties: Object.fromEntries(properties) }
}

/** What a field means to the model, in words. */
export function meaning(field: unknown): string {
  if (typeof field === 'string') return field === 'cases' ? '' : `\`${field}\` of the model`
  if (typeof field !== 'object' || field === null) return ''
  if ('is' in field && typeof field.is === 'string') return `\`${field.is}\` of the model`
  return ''
}

/** Texts that the cases of a rule write into a field. */
export function wordsOf(cases: MessageRule['cases'], field: string): string[] {
  const values = Object.values(cases ?? {}).map((each) => each?.wire?.[field])
  return [...new Set(values.filter((value): value is string => typeof value === 'string' && value !== ''))]
}

/** A field as a schema: what it means, and words that it may be. */
export function fieldSchema(name: string, field: unknown, cases: MessageRule['cases']): Node {
  const about = meaning(field)
  const words = wordsOf(cases, name)
  return { ...(about !== '' && { description: about }), ...(words.length > 0 && { examples: words }) }
}

/** An address as written in a mapping, once without and once with the part that may be left out. */
export function addressesOf(template: string): string[] {
  const optional = /\[([^\]]*)\]/
  if (!optional.test(template)) return [template]
  return [template.replace(optional, ''), template.replace(optional, '$1')]
}
