import type { Codec, Trees } from '../codecs/codec.js'
import { GatewayError } from '../errors.js'
import type { Fact, FactKind, Scope } from '../model/index.js'
import { askedValues, fitsMatch } from './match.js'
import {
  type Address,
  compileMessage,
  type DecodedMessage,
  type Message,
  type TreesOf,
  type Utterance,
} from './message.js'
import type { Bag } from './paths.js'
import type { MappingFile } from './schema.js'

/** A message as it goes to a transport, with the facts it tells. */
export interface EncodedMessage {
  readonly rule: string
  readonly address: Address
  readonly body: Uint8Array
  readonly facts: readonly Fact[]
}

/** What became of facts that were to be said. */
export interface Encoding {
  readonly messages: EncodedMessage[]
  /** Facts for which the dialect has no word. */
  readonly unsaid: Fact[]
}

/** One dialect, ready to run: its codec and its compiled mapping. */
export interface Dialect {
  readonly name: string
  /** Names the mapping's content. */
  readonly revision: string
  /** The mapping's settings, with those given from outside. */
  readonly settings: Readonly<Record<string, string | number | boolean>>
  readonly messages: readonly Message[]
  /** Its wire format. */
  readonly codec: Codec
  /**
   * Takes a message apart. Without an address it is recognised by its content alone.
   * @throws GatewayError codec.* or mapping.*, fate reject
   */
  decode(address: Address | undefined, body: Uint8Array): DecodedMessage
  /**
   * Says facts. Facts of one call that may share a message do, in order. `ext` is what the wire
   * message they came in said beside them.
   */
  encode(utterance: Utterance): Encoding
  /** The full picture of something of which there is none: an empty list. Undefined where the dialect has no such message. */
  encodeEmpty(scope: Scope): EncodedMessage | undefined
}

const encoder = new TextEncoder()
/** A document of the wire format begins so; a bare word does not. */
const DASH = 0x2d

/** Compiles a mapping that check has accepted. `treesOf` knows the value types of all dialects. */
export function compileDialect(file: MappingFile, codec: Codec, treesOf: TreesOf, revision: string): Dialect {
  const messages = Object.entries(file.messages).flatMap(([name, rule]) =>
    rule === null ? [] : [compileMessage(name, rule, file, codec.trees, treesOf)],
  )
  const byName = new Map(messages.map((message) => [message.name, message]))
  const byKind = new Map<FactKind, readonly Message[]>(
    messages.map(({ rule }) => [rule.fact, messages.filter((each) => each.rule.fact === rule.fact)]),
  )
  const candidates = candidatesOf(messages, codec.trees)

  function decode(address: Address | undefined, body: Uint8Array): DecodedMessage {
    const document = codec.decode(body)
    for (const message of candidates(document.root)) {
      if (!message.rule.anywhere && address !== undefined && !message.fitsAddress(address)) continue
      if (!message.fitsContent(document.root)) continue
      try {
        return message.decode(document, address, body[0] !== DASH)
      } catch (error) {
        throw blamed(message, error)
      }
    }
    throw unknownMessage(address)
  }

  function unknownMessage(address: Address | undefined): GatewayError {
    if (address === undefined)
      return new GatewayError('mapping.message', `${file.dialect}: the content fits none of the dialect's messages`)
    const told = Object.entries(address).map(([key, value]) => `${key} "${value}"`)
    const known = messages.filter((message) => message.fitsAddress(address)).map((message) => message.name)
    const there = known.length === 0 ? 'no rule is for that address' : `its content fits none of ${known.join(', ')}`
    return new GatewayError('mapping.message', `${file.dialect}: a message at ${told.join(', ')}: ${there}`)
  }

  function encode({ facts, ext }: Utterance): Encoding {
    const out: Encoding = { messages: [], unsaid: [] }
    if (facts.length === 0) {
      const empty = byName.get(String(ext?.$name))
      if (empty !== undefined) out.messages.push(write(empty, { facts, ext }))
      return out
    }
    if (facts.length === 1) return encodeOne(facts[0]!, facts, ext)
    let open: { message: Message; facts: Fact[] } | undefined
    // The residue of a whole message belongs to the first message made of its facts.
    let rest: Bag | undefined = ext
    const close = () => {
      if (open !== undefined) out.messages.push(write(open.message, { facts: open.facts, ext: rest }))
      if (open !== undefined) rest = undefined
      open = undefined
    }
    for (const fact of facts) {
      const message = messageFor(fact)
      if (message === undefined) {
        out.unsaid.push(fact)
        continue
      }
      if (!message.many) {
        close()
        out.messages.push(write(message, { facts: [fact], ext: rest }))
        rest = undefined
      } else if (open?.message === message && message.together(open.facts[0]!, fact)) open.facts.push(fact)
      else {
        close()
        open = { message, facts: [fact] }
      }
    }
    close()
    return out
  }

  function encodeOne(fact: Fact, facts: readonly Fact[], ext: Bag | undefined): Encoding {
    const message = messageFor(fact)
    if (message === undefined) return { messages: [], unsaid: [fact] }
    return { messages: [write(message, { facts, ext })], unsaid: [] }
  }

  /** The first message that can say it. */
  function messageFor(fact: Fact): Message | undefined {
    const able = byKind.get(fact.kind) ?? []
    for (let i = 0; i < able.length; i++) if (able[i]!.canSay(fact)) return able[i]
    return undefined
  }

  function write(message: Message, utterance: Utterance): EncodedMessage {
    try {
      const { address, root, bareText } = message.encode(utterance)
      const body = bareText === undefined ? codec.encode(root) : encoder.encode(bareText)
      return { rule: message.name, address, body, facts: utterance.facts }
    } catch (error) {
      throw blamed(message, error)
    }
  }

  function blamed({ name }: Message, error: unknown): unknown {
    if (error instanceof GatewayError) error.rule ??= `${file.dialect}/${name}`
    return error
  }

  function encodeEmpty(scope: Scope): EncodedMessage | undefined {
    const message = messages.find((each) => each.rule.full === scope && each.many)
    if (message === undefined) return undefined
    return write(message, { facts: [], ext: { $set: { full: true } } })
  }

  return {
    name: file.dialect,
    revision,
    settings: file.settings ?? {},
    messages,
    codec,
    decode,
    encode,
    encodeEmpty,
  }
}

/**
 * The messages that a document may be, in order: by the wire value that most of them are told by, all are
 * sorted beforehand.
 */
function candidatesOf(messages: readonly Message[], trees: Trees): (root: unknown) => readonly Message[] {
  const paths = messages.flatMap(({ rule }) => Object.keys(rule.match ?? {}))
  const count = (path: string) => paths.filter((each) => each === path).length
  const [pivot] = [...new Set(paths)].sort((a, b) => count(b) - count(a))
  if (pivot === undefined) return () => messages
  const steps = pivot.split('.')
  const asked = messages.flatMap(({ rule }) =>
    rule.match?.[pivot] === undefined ? [] : askedValues(rule.match[pivot]),
  )
  // One that asks for no certain value may take any.
  const others = messages.filter(({ rule }) => askedValues(rule.match?.[pivot] ?? { present: true }).length === 0)
  const byValue = new Map<unknown, readonly Message[]>(
    asked.map((value) => [
      value,
      messages.filter((each) => others.includes(each) || fitsMatch(each.rule.match![pivot]!, value)),
    ]),
  )
  return (root) => {
    let value = root
    for (let i = 0; i < steps.length; i++) value = trees.isMap(value) ? trees.get(value, steps[i]!) : undefined
    return byValue.get(value) ?? others
  }
}
