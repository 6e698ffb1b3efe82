import { readFileSync } from 'node:fs'
import type { MemberDescription } from '../../../src/codecs/codec.js'
import { describeMember, xnodeMethods } from '../../../src/codecs/json-rpc/index.js'
import type { MappingFile, MessageRule } from '../../../src/mapping/schema.js'
import { addressesOf, type Bus, channel, fieldSchema, type Node, objectOf, operation, ref } from './parts.js'

const SERVER = 'bus'
const RESULT = `${SERVER}.result`
const REQUEST = `${SERVER}.request`

type Sample = Readonly<Record<string, unknown>>

const samples: readonly Sample[] = readFileSync('test/fixtures/xcc/samples.jsonl', 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Sample) // a fixture of objects

/** One value of each type of JSON, to ask what a member takes. */
const PROBES: ReadonlyArray<readonly [type: string, values: readonly unknown[]]> = [
  ['string', ['', 'a', '1']],
  ['integer', [1]],
  ['number', [1.5]],
  ['boolean', [true]],
  ['object', [{}]],
  ['array', [[], ['a']]],
]

function typesOf(member: MemberDescription | undefined): Node {
  if (member === undefined || !member.exists) return {}
  const found = PROBES.filter(([, values]) => values.some((value) => member.accepts(value))).map(([type]) => type)
  const types = found.includes('number') ? found.filter((type) => type !== 'integer') : found
  if (types.length === 0 || types.length === PROBES.length - 1) return {}
  return { type: types.length === 1 ? types[0] : types }
}

/** What a rule asks of a member, as a schema. */
function asked(test: NonNullable<MessageRule['match']>[string]): Node {
  if (typeof test !== 'object' || test === null) return { const: test }
  return 'any' in test ? { enum: test.any } : {}
}

function payloadOf(rule: MessageRule): Node {
  const { match = {}, root = '', fields = {}, cases } = rule
  const members = Object.entries(fields).map(([name, field]) => {
    const path = [...root.split('.'), ...name.split('.')]
    return [path, { ...typesOf(describeMember(match, path)), ...fieldSchema(name, field, cases) }] as const
  })
  const told = Object.entries(match).map(([path, test]) => [path.split('.'), asked(test)] as const)
  const envelope = [[['jsonrpc'], { const: '2.0' }] as const]
  const names = new Set(told.map(([path]) => path.join('.')))
  const others = members.filter(([path]) => !names.has(path.join('.')))
  return { ...objectOf([...envelope, ...told, ...others]), required: ['jsonrpc', 'method', 'params'] }
}

function valueAt(root: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => {
    return typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined
  }, root)
}

/** The first sample that each rule takes; a rule takes nothing that one above it takes. */
function samplesOf(rules: ReadonlyArray<readonly [string, MessageRule]>): ReadonlyMap<string, Sample> {
  const found = new Map<string, Sample>()
  for (const sample of samples) {
    const taker = rules.find(([, { match = {} }]) =>
      Object.entries(match).every(([path, test]) => valueAt(sample, path) === test),
    )
    if (taker !== undefined && !found.has(taker[0])) found.set(taker[0], sample)
  }
  return found
}

interface Placed {
  readonly address: string
  readonly messages: string[]
}

function placesOf(rules: ReadonlyArray<readonly [string, MessageRule]>): readonly Placed[] {
  const places = new Map<string, Placed>()
  for (const [name, { address }] of rules) {
    for (const subject of addressesOf(address.subject ?? '')) {
      const place = places.get(subject) ?? { address: subject, messages: [] }
      place.messages.push(`${SERVER}.${name}`)
      places.set(subject, place)
    }
  }
  return [...places.values()]
}

const idOf = (address: string) => `${SERVER}.${address.replaceAll(/[{}]/g, '')}`

function parameters(address: string): Node {
  const names = [...address.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name!)
  if (names.length === 0) return {}
  const about: Readonly<Record<string, string>> = {
    controller: 'The controller that owns the call, by its `ctrl_uuid`.',
    node: 'The `node_uuid` of a node that Patchbay announces.',
  }
  return { parameters: Object.fromEntries(names.map((name) => [name, { description: about[name] ?? name }])) }
}

/** The XSwitch side: subjects of the mapping, and requests to nodes that Patchbay announces. */
export function xccBus({ messages }: MappingFile): Bus {
  const rules = Object.entries(messages).filter((entry): entry is [string, MessageRule] => entry[1] !== null)
  const found = samplesOf(rules)
  const contents = rules.map(([name, rule]) => {
    const sample = found.get(name)
    const message: Node = {
      title: name,
      summary: rule.description ?? `Tells facts of kind \`${rule.fact}\`.`,
      contentType: 'application/json',
      headers: ref('components', 'schemas', 'headers'),
      payload: payloadOf(rule),
      ...(sample !== undefined && { examples: [{ payload: sample }] }),
    }
    return [`${SERVER}.${name}`, message] as const
  })
  const places = placesOf(rules)
  const made = places.map(({ address, messages: names }) => {
    const own = address.endsWith('{controller}') ? [...names, RESULT] : names
    const description = `Events on \`${address}\`.`
    const more = parameters(address)
    return channel({ id: idOf(address), address, servers: [SERVER], description, messages: own, more })
  })
  const operations = places.flatMap(({ address }) => [
    operation('receive', idOf(address), `Patchbay observes \`${address}\`, where a route leads from this link.`),
    operation('send', idOf(address), `Patchbay publishes to \`${address}\`, where a route leads to this link.`),
  ])
  const requests = requestChannels()
  return {
    channels: Object.assign({}, ...made, requests.channels) as Bus['channels'], // of objects of that type
    operations: Object.assign({}, ...operations, requests.operations) as Bus['operations'], // likewise
    messages: { ...Object.fromEntries(contents), ...requests.messages },
  }
}

/** Subjects on which controllers ask nodes that Patchbay announces. */
export const REQUEST_SUBJECTS = {
  'cn.xswitch.node.{node}': 'Requests to one node.',
  'cn.xswitch.node': 'Requests to any node, with `node.shared`, in its queue group.',
} as const

const REPLY = `${SERVER}.reply`

function requestChannels(): Bus {
  const made = Object.entries(REQUEST_SUBJECTS).map(([address, description]) => {
    const more = parameters(address)
    return channel({ id: idOf(address), address, servers: [SERVER], description, messages: [REQUEST], more })
  })
  const answered = { reply: { channel: ref('channels', REPLY) } }
  const operations = Object.keys(REQUEST_SUBJECTS).map((address) =>
    operation('receive', idOf(address), `Patchbay answers what is asked on \`${address}\`.`, answered),
  )
  const reply = channel({
    id: REPLY,
    address: null,
    servers: [SERVER],
    description:
      'The reply subject of the request. A result that comes later goes to the subject of the controller that asked.',
    messages: [RESULT],
  })
  return {
    channels: Object.assign({}, ...made, reply) as Bus['channels'], // of objects of that type
    operations: Object.assign({}, ...operations) as Bus['operations'], // likewise
    messages: { [REQUEST]: requestMessage(), [RESULT]: resultMessage() },
  }
}

function exampleOf(isRight: (sample: Sample) => boolean): Node {
  const found = samples.find(isRight)
  return found === undefined ? {} : { examples: [{ payload: found }] }
}

function requestMessage(): Node {
  const members = {
    jsonrpc: { const: '2.0' },
    id: { description: 'Comes back with the result.', type: ['string', 'number', 'null'] },
    method: { enum: [...xnodeMethods().keys()] },
    params: { type: 'object', description: '`ctrl_uuid` names the controller, `uuid` the channel.' },
  }
  return {
    title: 'request',
    summary: 'A request of a controller. mappings/README.md has what becomes of each method.',
    contentType: 'application/json',
    payload: { type: 'object', properties: members, required: ['jsonrpc', 'method'] },
    ...exampleOf(({ method }) => method === 'XNode.Dial'),
  }
}

function resultMessage(): Node {
  const result = {
    type: 'object',
    properties: {
      code: { type: 'integer', description: '200 done, 202 begun, 4xx and 5xx refused or failed, as of HTTP and SIP.' },
      message: { type: 'string' },
      node_uuid: { type: 'string' },
      uuid: { type: 'string' },
    },
  }
  const error = { type: 'object', properties: { code: { type: 'integer' }, message: { type: 'string' } } }
  const members = { jsonrpc: { const: '2.0' }, id: {}, result, error }
  return {
    title: 'result',
    summary:
      'What became of a request. With `node.results: Event.Result` a later one has `method` and `params` instead.',
    contentType: 'application/json',
    payload: { type: 'object', properties: members, required: ['jsonrpc', 'id'] },
    ...exampleOf(({ id, result: given }) => id === '7' && given !== undefined),
  }
}
