import type { DecodedMessage } from '../mapping/message.js'
import { type Bag, extensionOf } from '../mapping/paths.js'
import type { Fact } from '../model/index.js'

/** Facts told together, and what their wire message said beside them, by dialect. */
export interface Batch {
  readonly facts: Fact[]
  readonly ext: Readonly<Record<string, Bag>>
}

/** Name under which the first fact of a message carries what the whole message said. */
const MESSAGE = '$message'

/** A message as it was read. */
export function batchOf(dialect: string, { facts, ext }: DecodedMessage): Batch {
  return { facts, ext: Object.keys(ext).length === 0 ? {} : { [dialect]: ext } }
}

/**
 * Makes the facts of a message able to travel one by one: each knows its place, and the first
 * carries what the message said beside them. `id` names the message.
 */
export function spread({ facts, ext }: Batch, id: string): Fact[] {
  const [first] = facts
  if (first === undefined) return []
  for (const [dialect, bag] of Object.entries(ext)) extensionOf(first, dialect)[MESSAGE] = bag
  for (const [index, fact] of facts.entries()) {
    fact.meta = {
      ...fact.meta,
      id: facts.length === 1 ? id : `${id}/${index}`,
      part: { message: id, index, count: facts.length },
    }
  }
  return facts
}

/** Puts facts that travelled one by one together again. */
export function gather(facts: readonly Fact[]): Batch {
  const ext: Record<string, Bag> = {}
  for (const fact of facts) {
    for (const dialect in fact.ext) {
      const bag = fact.ext[dialect]!
      if (bag[MESSAGE] === undefined) continue
      ext[dialect] = bag[MESSAGE] as Bag
      delete bag[MESSAGE]
    }
  }
  return { facts: [...facts], ext }
}
