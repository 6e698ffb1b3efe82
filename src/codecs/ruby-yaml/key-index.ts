import { Buffer } from 'node:buffer'
import { RubyDate, RubyFloat, RubyMap, RubySymbol, RubyTime, type RubyValue } from './values.js'

/** Keys up to this many are compared one by one. */
const FEW = 10

/** Characters that the identities of arrays and hashes used as keys may take in one document. */
const MAX_IDENTITY_LENGTH = 2_000_000

/** Tells which keys Ruby takes for the same; one for each document, so that its work is bounded as a whole. */
export interface KeyIdentities {
  spent: number
  readonly objects: Map<RubyMap, number>
}

export function newKeyIdentities(): KeyIdentities {
  return { spent: 0, objects: new Map() }
}

/** Positions of the keys of one map. Primitive keys and identities of others are kept apart. */
export interface KeyIndex {
  readonly map: RubyMap
  readonly ids: KeyIdentities
  simple: Map<RubyValue, number> | undefined
  compound: Map<string, number> | undefined
}

export function newKeyIndex(map: RubyMap, ids: KeyIdentities): KeyIndex {
  return { map, ids, simple: undefined, compound: undefined }
}

/** Sets a pair: a key that is there keeps its place and takes the new value. False when the key costs too much. */
export function putPair(index: KeyIndex, key: RubyValue, value: RubyValue): boolean {
  const { map } = index
  const place = typeof key === 'object' && key !== null ? placeOfCompound(index, key) : placeOfSimple(index, key)
  if (place === undefined) return false
  if (place < map.keys.length) map.values[place] = value
  else {
    map.keys.push(key)
    map.values.push(value)
  }
  return true
}

/** Where a key stands, or the place behind the last when it is new. */
function placeOfSimple(index: KeyIndex, key: RubyValue): number {
  const { keys } = index.map
  if (index.simple === undefined) {
    if (keys.length < FEW) {
      const at = keys.indexOf(key)
      return at < 0 ? keys.length : at
    }
    index.simple = new Map()
    for (let i = 0; i < keys.length; i++) index.simple.set(keys[i]!, i)
  }
  const at = index.simple.get(key)
  if (at !== undefined) return at
  index.simple.set(key, keys.length)
  return keys.length
}

function placeOfCompound(index: KeyIndex, key: RubyValue): number | undefined {
  const parts: string[] = []
  if (!identify(index.ids, key, parts, 0)) return undefined
  index.compound ??= new Map()
  const identity = parts.join('')
  const at = index.compound.get(identity)
  if (at !== undefined) return at
  index.compound.set(identity, index.map.keys.length)
  return index.map.keys.length
}

/** Spells a key so that two are spelled alike when Ruby's `eql?` holds; false beyond the budget. */
function identify(ids: KeyIdentities, key: RubyValue, parts: string[], depth: number): boolean {
  if (depth > 100 || ids.spent > MAX_IDENTITY_LENGTH) return false
  if (Array.isArray(key)) {
    parts.push('[')
    for (const item of key) if (!identify(ids, item, parts, depth + 1)) return false
    parts.push(']')
    return charge(ids, 2)
  }
  if (key instanceof RubyMap) return identifyMap(ids, key, parts, depth)
  const spelled = identifyLeaf(key)
  parts.push(spelled)
  return depth === 0 || charge(ids, spelled.length)
}

function charge(ids: KeyIdentities, length: number): boolean {
  ids.spent += length
  return ids.spent <= MAX_IDENTITY_LENGTH
}

/** Objects are themselves; of two Hashes the order of their pairs does not count. */
function identifyMap(ids: KeyIdentities, map: RubyMap, parts: string[], depth: number): boolean {
  if (map.className !== undefined) {
    if (!ids.objects.has(map)) ids.objects.set(map, ids.objects.size)
    parts.push(`#${ids.objects.get(map)};`)
    return charge(ids, 4)
  }
  const pairs: string[] = []
  for (let i = 0; i < map.keys.length; i++) {
    const pair: string[] = []
    if (!identify(ids, map.keys[i]!, pair, depth + 1) || !identify(ids, map.values[i]!, pair, depth + 1)) return false
    pairs.push(pair.join(''))
  }
  parts.push('{', ...pairs.sort(), '}')
  return charge(ids, 2)
}

function identifyLeaf(key: RubyValue): string {
  if (typeof key === 'string') return `s${key.length}:${key}`
  if (key instanceof RubyFloat) return `f${key.value};`
  if (key instanceof RubySymbol) return `y${key.name.length}:${key.name}`
  if (key instanceof RubyDate) return `d${key.jd};`
  if (key instanceof RubyTime) return `t${key.epochNs};`
  if (key instanceof Uint8Array) return `b${Buffer.from(key).toString('base64')};`
  return typeof key === 'number' || typeof key === 'bigint' ? `i${key};` : `${String(key)};`
}
