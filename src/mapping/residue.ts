import type { Trees } from '../codecs/codec.js'
import { type Bag, setOwn } from './paths.js'

/**
 * What the model could not take of a wire message, kept so that the message can be written
 * again exactly. Nothing in it repeats a value that the model holds.
 *
 * - `$raw`    wire path → value found there that the rule could not turn into a model value
 * - `$more`   map path → map of the entries no rule knows
 * - `$keys`   map path → its keys in order, where they are not those the writer would choose
 * - `$absent` map path → keys the writer would add although the message had none
 * - `$types`  wire path → the form of a value that the model holds in another: `int` of an integer that was read as
 *   its decimal text, the offset of a time that was told in another zone
 * - `$class`  class of an element that is not the usual one (null: none)
 * - `$silent` true for an element that no case read, where only what a case says is written
 * - `$address` address that the rule's template does not give
 * - `$form`   form of a word message, where it is not the usual one
 * - `$message` residue of the whole message, carried by its first fact
 * - `$name`, `$set`, `$shared` of a whole message: its rule, model fields when it has no facts,
 *   and groups of places that hold one and the same value
 */
const STRUCTURED = new Set(['$raw', '$types', '$more', '$keys', '$absent', '$address', '$set', '$message'])

/** A residue that comes into being when something is put in it. */
export type Residue = () => Bag

/** The sub-bag of a residue, made when missing. */
export function section(residue: Residue, name: string): Bag {
  const bag = residue()
  let found = bag[name] as Bag | undefined
  if (found === undefined) {
    found = {}
    bag[name] = found
  }
  return found
}

/** JSON of a residue or extension that keeps the dialect's types. */
export function bagToTyped(bag: Bag, trees: Trees): Bag {
  const out: Bag = {}
  for (const [name, value] of Object.entries(bag)) setOwn(out, name, partToTyped(name, value, trees))
  return out
}

/** One entry of a bag as typed JSON. */
export function partToTyped(name: string, value: unknown, trees: Trees): unknown {
  return STRUCTURED.has(name) ? bagToTyped(value as Bag, trees) : trees.toTyped(value)
}

/** The reverse of {@link partToTyped}. @throws whatever the codec's `fromTyped` throws on JSON that is no value of its own. */
export function partFromTyped(name: string, json: unknown, trees: Trees): unknown {
  if (!STRUCTURED.has(name)) return trees.fromTyped(json)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new TypeError(`${name} is no map`)
  return bagFromTyped(json as Bag, trees)
}

/** The reverse of {@link bagToTyped}. */
export function bagFromTyped(json: Bag, trees: Trees): Bag {
  const out: Bag = {}
  for (const [name, value] of Object.entries(json)) setOwn(out, name, partFromTyped(name, value, trees))
  return out
}
