import { createHash } from 'node:crypto'
import { GatewayError } from '../../errors.js'
import type { Dialects } from '../../gateway/dialects.js'
import { HEADERS, headersOf, partOf, pathOf } from '../../gateway/headers.js'
import { type Batch, batchOf, gather, spread } from '../../gateway/parts.js'
import type { Dialect } from '../../mapping/dialect.js'
import { factsBodyFromJson, factsBodyToJson } from '../../mapping/facts-json.js'
import type { Part } from '../../model/index.js'
import type { Frame, ParsedLine } from './frames.js'
import { type Gathered, reassembly } from './reassembly.js'

/** Name that stands for the neutral model in place of a dialect. */
export const FACTS = 'facts'

/** What a translation goes between. */
export interface TranslationOptions {
  readonly dialects: Dialects
  /** A dialect's name, or `facts`. */
  readonly from: string
  readonly to: string
  /** Stands for the time of receipt, milliseconds since 1970. Without it facts carry no time. */
  readonly at?: number | undefined
  /** Also announce loopback channels; a matter of the rules. */
  readonly loopback?: boolean
}

/** What came out: a frame of a dialect, or the facts of a wire message. */
export type Translated =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | {
      readonly kind: 'facts'
      readonly address: Frame['address']
      readonly headers: Frame['headers']
      readonly body: unknown
    }

/** What a translation could not do, counted. */
export interface Shortfalls {
  /** Facts the target has no word for, by kind. */
  readonly unsaid: ReadonlyMap<string, number>
  /** Messages that told no event, so that nothing was written. */
  readonly empty: number
  /** Messages written although some of their facts never came. */
  readonly incomplete: number
}

/** Translates messages one after another. */
export interface Translator {
  /** Rejects with a GatewayError for a message that cannot be translated; the next one can. */
  take(line: ParsedLine): Translated[] | Promise<Translated[]>
  /** What was still waiting for other parts. */
  finish(): Translated[]
  shortfalls(): Shortfalls
}

/** A translator that answers at once. */
export interface PlainTranslator extends Translator {
  take(line: ParsedLine): Translated[]
}

/** A decoded message on its way. */
interface Decoded {
  readonly batch: Batch
  readonly line: ParsedLine
  readonly id: string
}

/** Makes a translator between two dialects of `dialects`, or a dialect and `facts`. */
export function translator({ dialects, from, to, at }: TranslationOptions): PlainTranslator {
  const treesOf = (name: string) => dialects.get(name)?.codec.trees
  const source = dialects.get(from)
  const target = dialects.get(to)
  const waiting = reassembly()
  const unsaid = new Map<string, number>()
  let position = 0
  let empty = 0
  let incomplete = 0

  function decode(line: ParsedLine): Decoded {
    const id = line.headers[HEADERS.id] ?? derivedId(line, position)
    position += 1
    if (source === undefined) {
      const json = 'json' in line.body ? line.body.json : parseBody(line.body)
      const { facts, ext } = factsBodyFromJson(json, treesOf)
      return { batch: { facts: [...facts], ext }, line, id }
    }
    const body = 'json' in line.body ? Buffer.from(JSON.stringify(line.body.json)) : line.body
    const batch = batchOf(from, source.decode(line.address, body))
    for (const fact of batch.facts) fact.meta ??= at === undefined ? {} : { at, clock: 'receipt' }
    return { batch, line, id }
  }

  /** Gives the facts of a message their ids and, where it came as a part of another, their place. */
  function name({ batch, line, id }: Decoded): Batch {
    const part = partOf(line.headers)
    const { facts } = batch
    if (part !== undefined && facts.length === 1) facts[0]!.meta = { ...facts[0]!.meta, id, part }
    else
      for (const [i, fact] of facts.entries()) fact.meta = { ...fact.meta, id: facts.length === 1 ? id : `${id}/${i}` }
    return batch
  }

  function toFacts(decoded: Decoded): Translated {
    const { address, headers } = decoded.line
    return { kind: 'facts', address, headers, body: factsBodyToJson(name(decoded), treesOf) }
  }

  function toDialect(into: Dialect, decoded: Decoded): Translated[] {
    const path = pathOf(decoded.line.headers)
    const [first, ...others] = decoded.batch.facts
    const part = partOf(decoded.line.headers) ?? wholePart(first?.meta?.part)
    if (part === undefined || first === undefined || others.length > 0) {
      const { facts, ext } = decoded.batch
      const gathered = gather(facts)
      return say(into, { facts, ext: { ...gathered.ext, ...ext } }, decoded.id, path)
    }
    first.meta = { ...first.meta, path }
    return waiting.take(first, part).flatMap((gathered) => sayGathered(into, gathered))
  }

  function sayGathered(into: Dialect, { message, batch, missing }: Gathered): Translated[] {
    if (missing > 0) incomplete += 1
    return say(into, batch, message, batch.facts[0]?.meta?.path ?? [])
  }

  function say(into: Dialect, batch: Batch, id: string, path: readonly string[]): Translated[] {
    const { [into.name]: own, ...others } = batch.ext
    const facts = spread({ facts: batch.facts, ext: others }, id)
    const { messages, unsaid: left } = into.encode({ facts, ext: own })
    for (const { kind } of left) unsaid.set(kind, (unsaid.get(kind) ?? 0) + 1)
    if (facts.length === 0 && messages.length === 0) empty += 1
    return messages.map(({ address, body, facts: told }) => {
      const headers = headersOf(told, path)
      if (told.length !== 1) headers[HEADERS.id] = id
      return { kind: 'frame', frame: { address, headers, body } }
    })
  }

  return {
    take(line) {
      const decoded = decode(line)
      return target === undefined ? [toFacts(decoded)] : toDialect(target, decoded)
    },
    finish: () => (target === undefined ? [] : waiting.finish().flatMap((gathered) => sayGathered(target, gathered))),
    shortfalls: () => ({ unsaid, empty, incomplete }),
  }
}

/** A name that the same input always gives: from what was read and its place in the input. */
export function derivedId({ address, body }: ParsedLine, position: number): string {
  const hash = createHash('sha256').update(JSON.stringify([position, address ?? {}]))
  hash.update('json' in body ? JSON.stringify(body.json) : body)
  return hash.digest('hex').slice(0, 24)
}

/** A place that a fact itself tells, if it tells all of it. */
function wholePart({ message, index, count }: Part = {}): Required<Part> | undefined {
  if (message === undefined || index === undefined || count === undefined || index >= count) return undefined
  return { message, index, count }
}

function parseBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    throw new GatewayError('codec.malformed', 'body: want JSON with `facts` and `ext`', { cause })
  }
}
