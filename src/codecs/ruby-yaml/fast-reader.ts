import type { ReadRules } from './compose.js'
import {
  codesOf,
  type Fast,
  type Found,
  NOT_MINE,
  readDouble,
  readLiteral,
  readPlain,
  readSingle,
} from './fast-scalars.js'
import { resolveWord } from './resolve.js'
import { RubyMap, type RubyValue } from './values.js'

export { NOT_MINE } from './fast-scalars.js'

/** Levels that this reader goes down; what is deeper is left to the complete one. */
const MAX_DEPTH = 60

/** Maps with more keys are left to the complete reader, whose search for repeated keys does not slow down with them. */
const MAX_KEYS = 64

/** Longer keys are left to the complete reader: one that is too long is no key. */
const MAX_KEY_LENGTH = 1000

/**
 * Reads the block style that Psych itself writes, in one pass over the text. Everything else gives
 * {@link NOT_MINE} and is for the complete reader: anchors, flow collections, comments, other tags,
 * keys that are not plain names, repeated keys, blank lines, errors of every kind. It never gives
 * another answer than the complete reader. `ascii` are the bytes of the text where it is ASCII.
 */
export function readFast(text: string, ascii: Uint8Array | undefined, rules: ReadRules): Found {
  const end = text.length
  if (end < 5 || text.charCodeAt(end - 1) !== 10 || !text.startsWith('---')) return NOT_MINE
  const f: Fast = { text, codes: ascii ?? codesOf(text), end, classes: rules.classes, pos: 4, nodes: 1, depth: 0 }
  const value = readRoot(f)
  if (f.pos !== end || f.nodes > rules.limits.maxNodes || rules.limits.maxDepth < MAX_DEPTH) return NOT_MINE
  return value
}

function readRoot(f: Fast): Found {
  const mark = f.codes[3]
  if (mark === 10) return readBelow(f, -1, rootNames)
  if (mark !== 32) return NOT_MINE
  return f.codes[4] === 33 ? readTagged(f, -1, rootNames) : readInline(f, f.end, rootNames)
}

/** Keys of longer texts are not remembered: a part of a string keeps the whole alive. */
const MAX_REMEMBERED = 65536

/**
 * The keys of the mapping that was read last in the same role. Messages repeat their keys, so
 * the next mapping is first compared with them; they are a guess and decide nothing.
 */
interface Names {
  keys: RubyValue[]
  /** The keys as they are written. */
  spelled: Uint8Array[]
}

const rootNames: Names = { keys: [], spelled: [] }
const itemNames: Names = { keys: [], spelled: [] }
const fieldNames: Names = { keys: [], spelled: [] }

/** Characters of keys that are taken here: 2 may begin a key, 1 may not. All such keys can name variables. */
const IN_KEY = new Uint8Array(256)
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_') IN_KEY[character.charCodeAt(0)] = 2
for (const character of '0123456789') IN_KEY[character.charCodeAt(0)] = 1

/** Position of the `:` behind the key that starts at `pos`, or -1 when this is no key of the usual kind. */
function endOfKey(codes: Uint8Array, pos: number): number {
  if (IN_KEY[codes[pos]!] !== 2) return -1
  let at = pos + 1
  let code = codes[at]!
  while (IN_KEY[code] !== 0) code = codes[++at]!
  if (code !== 58 || at - pos > MAX_KEY_LENGTH) return -1
  const next = codes[at + 1]
  return next === 32 || next === 10 ? at : -1
}

/** Position of the `:` when the expected key stands at `pos`, else -1. */
function endOfExpected(codes: Uint8Array, pos: number, key: Uint8Array): number {
  const { length } = key
  if (codes[pos + length] !== 58) return -1
  for (let i = 0; i < length; i++) if (codes[pos + i] !== key[i]) return -1
  return pos + length
}

/** Reads the pairs of a mapping whose first key stands at the current position, in `column`. */
function readPairs(f: Fast, column: number, map: RubyMap, names: Names): Found {
  if (++f.depth > MAX_DEPTH) return NOT_MINE
  const { codes, text } = f
  const { values } = map
  const { keys: expectedKeys, spelled: expected } = names // reading the values may change what is expected next
  let unexpected: RubyValue[] | undefined
  for (;;) {
    const at = values.length
    let colon = unexpected === undefined && at < expected.length ? endOfExpected(codes, f.pos, expected[at]!) : -1
    if (colon < 0) {
      colon = endOfKey(codes, f.pos)
      unexpected ??= expectedKeys.slice(0, at)
      if (colon < 0 || !addKey(unexpected, text.slice(f.pos, colon), map)) return NOT_MINE
    }
    const value = readField(f, colon + 1, column)
    if (value === NOT_MINE) return NOT_MINE
    values.push(value)
    const indent = indentHere(f)
    if (indent > column) return NOT_MINE
    if (indent < column) break
    f.pos += indent
  }
  f.depth--
  f.nodes += values.length * 2
  if (unexpected === undefined) map.keys = expectedKeys.slice(0, values.length)
  else {
    map.keys = unexpected
    if (f.end < MAX_REMEMBERED) expectNext(names, unexpected)
  }
  return map
}

function expectNext(names: Names, keys: RubyValue[]): void {
  const count = keys.findIndex((key) => typeof key !== 'string')
  names.keys = count < 0 ? keys.slice() : keys.slice(0, count)
  names.spelled = names.keys.map((key) => codesOf(String(key)))
}

/** Adds a key that is not among those expected; false when it is there already or can name no variable. */
function addKey(keys: RubyValue[], text: string, map: RubyMap): boolean {
  const key = text.length > 5 ? text : resolveWord(text)
  if ((map.className !== undefined && typeof key !== 'string') || keys.length === MAX_KEYS || keys.includes(key))
    return false
  keys.push(key)
  return true
}

/** The value behind a key's `:`, on the same line or below it. */
function readField(f: Fast, pos: number, column: number): Found {
  const code = f.codes[pos]
  f.pos = pos + 1
  if (code === 32) return readInline(f, column, fieldNames)
  return code === 10 ? readBelow(f, column, fieldNames) : NOT_MINE
}

/** Spaces at the beginning of the line; -1 at the end of the text, and more than any column before a comment or nothing. */
function indentHere(f: Fast): number {
  const { codes, pos: start } = f
  if (start === f.end) return -1
  let at = start
  let code = codes[at]
  while (code === 32) code = codes[++at]
  return code === 10 || code === 35 ? f.end : at - start
}

/** The value of a key, or of the document, when nothing stands beside it: on the next lines, or nil. */
function readBelow(f: Fast, parent: number, names: Names): Found {
  const indent = indentHere(f)
  if (indent < parent || indent < 0) return null
  const first = f.pos + indent
  if (isDash(f.codes, first)) {
    f.pos = first
    return readItems(f, indent)
  }
  if (indent === parent) return null
  f.pos = first
  return readPairs(f, indent, new RubyMap(undefined, NONE, []), names)
}

/** Stands in until the keys of a mapping are known. */
const NONE: RubyValue[] = []

function isDash(codes: Uint8Array, at: number): boolean {
  if (codes[at] !== 45) return false
  const next = codes[at + 1]
  return next === 32 || next === 10
}

/** Reads a list whose first dash stands at the current position, in `column`. */
function readItems(f: Fast, column: number): Found {
  if (++f.depth > MAX_DEPTH) return NOT_MINE
  const items: RubyValue[] = []
  for (;;) {
    const item = readItem(f, column)
    if (item === NOT_MINE) return NOT_MINE
    items.push(item)
    const indent = indentHere(f)
    if (indent > column) return NOT_MINE
    if (indent < column || !isDash(f.codes, f.pos + indent)) break
    f.pos += indent
  }
  f.depth--
  f.nodes += items.length
  return items
}

function readItem(f: Fast, column: number): Found {
  const { codes } = f
  const start = f.pos + 2
  if (codes[start - 1] === 10) {
    f.pos = start
    return indentHere(f) > column ? NOT_MINE : null
  }
  f.pos = start
  if (isDash(codes, start)) return readItems(f, column + 2)
  const [expected] = itemNames.spelled
  const isPair = (expected !== undefined && endOfExpected(codes, start, expected) > 0) || endOfKey(codes, start) > 0
  return isPair
    ? readPairs(f, column + 2, new RubyMap(undefined, NONE, []), itemNames)
    : readInline(f, column, itemNames)
}

/** What may begin on a line after `- ` or `key: `, by its first character: 1 plain text, 0 not taken. */
const BEGINS_PLAIN = Uint8Array.from({ length: 256 }, (_, code) =>
  code > 159 || (code > 32 && code < 127 && !'-?:,[]{}#&*!|>\'"%@`'.includes(String.fromCharCode(code))) ? 1 : 0,
)

/** A value on the line of its key or dash. `parent` is the column of that key or dash. */
function readInline(f: Fast, parent: number, names: Names): Found {
  const { codes, pos } = f
  const code = codes[pos]!
  if (BEGINS_PLAIN[code] === 1) return readPlain(f, parent)
  switch (code) {
    case 39: // '
      return readSingle(f)
    case 34: // "
      return readDouble(f)
    case 33: // !
      return readTagged(f, parent, names)
    case 91: // [
      return endsWith(f, 93) ? [] : NOT_MINE
    case 123: // {
      return endsWith(f, 125) ? new RubyMap(undefined) : NOT_MINE
    case 124: // |
      return readLiteral(f, parent)
    case 45: // -
    case 58: // :
    case 63: // ?
      return opensWithMark(codes, pos) ? readPlain(f, parent) : NOT_MINE
    default:
      return NOT_MINE
  }
}

/** `-`, `?` and `:` begin plain text before a character that is no blank; the document marks do not stand here. */
function opensWithMark(codes: Uint8Array, pos: number): boolean {
  const next = codes[pos + 1]!
  return next > 32 && next < 127
}

/** Takes an empty collection that ends its line. */
function endsWith(f: Fast, closing: number): boolean {
  if (f.codes[f.pos + 1] !== closing || f.codes[f.pos + 2] !== 10) return false
  f.pos += 3
  return true
}

const OBJECT_TAG = '!ruby/object:'

/** Classes for which Psych builds something else than an object with variables. */
const BUILT_IN: ReadonlySet<string> = new Set(['Complex', 'Hash', 'Rational'])

/** An object of a class that is let in: its mapping below, or `{}` on the same line. */
function readTagged(f: Fast, parent: number, names: Names): Found {
  const { codes, text } = f
  if (!text.startsWith(OBJECT_TAG, f.pos)) return NOT_MINE
  const start = f.pos + OBJECT_TAG.length
  let at = start
  let code = codes[at]!
  while (IN_KEY[code] !== 0 || code === 58) code = codes[++at]!
  const name = text.slice(start, at)
  if (name === '' || BUILT_IN.has(name) || (f.classes !== 'any' && !f.classes.has(name))) return NOT_MINE
  f.pos = at + 1
  if (code === 32) return codes[at + 1] === 123 && endsWith(f, 125) ? new RubyMap(name) : NOT_MINE
  const indent = code === 10 ? indentHere(f) : -1
  if (indent <= parent) return NOT_MINE
  f.pos += indent
  return readPairs(f, indent, new RubyMap(name, NONE, []), names)
}
