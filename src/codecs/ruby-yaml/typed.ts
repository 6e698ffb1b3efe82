import { Buffer } from 'node:buffer'
import { GatewayError } from '../../errors.js'
import { MAX_VALUE_DEPTH, onStack, tooDeep } from './limits.js'
import { floatText, narrow } from './numbers.js'
import { findShared, isTracked } from './sharing.js'
import { clockOf } from './time.js'
import { RubyDate, RubyFloat, RubyMap, RubySymbol, RubyTime, type RubyValue } from './values.js'

/** JSON in which every Ruby value has one form; see the README of the fixtures for psych. */
export type Typed = null | boolean | number | string | Typed[] | { [tag: string]: Typed }

/**
 * A value as typed JSON: `$int`, `$float`, `$sym`, `$map`, `$obj`, `$date`, `$time`, `$bin`; a
 * collection or Time met again is `$share` the first time and `$ref` after that, numbered from 1
 * in order of first appearance. `shared` is what `parseDocument` found; without it, it is looked for.
 */
export function toTyped(value: RubyValue, shared: ReadonlySet<object> = findShared(value)): Typed {
  return onStack('converting to typed JSON', () => encode(value, { shared, numbers: new Map() }, 0))
}

interface Encoding {
  readonly shared: ReadonlySet<object>
  readonly numbers: Map<object, number>
}

function encode(value: RubyValue, state: Encoding, depth: number): Typed {
  if (!isTracked(value)) return encodeLeaf(value)
  if (depth > MAX_VALUE_DEPTH) throw tooDeep('converting to typed JSON')
  const known = state.numbers.get(value)
  if (known !== undefined) return { $ref: known }
  if (!state.shared.has(value)) return encodeBody(value, state, depth + 1)
  const number = state.numbers.size + 1
  state.numbers.set(value, number)
  return { $share: number, value: encodeBody(value, state, depth + 1) }
}

function encodeBody(value: RubyValue[] | RubyMap | RubyTime, state: Encoding, depth: number): Typed {
  if (Array.isArray(value)) return value.map((item) => encode(item, state, depth))
  if (value instanceof RubyTime) {
    const { date, clock, zone } = clockOf(value)
    return { $time: `${date}T${clock}${zone}` }
  }
  const pairs = value.keys.map((key, i): Typed => [encode(key, state, depth), encode(value.values[i]!, state, depth)])
  return value.className === undefined ? { $map: pairs } : { $obj: value.className, ivars: pairs }
}

function encodeLeaf(value: Exclude<RubyValue, RubyValue[] | RubyMap | RubyTime>): Typed {
  if (typeof value === 'bigint') return { $int: value.toString() }
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value
    throw new GatewayError('codec.value', `${value} is no integer; a Float is a RubyFloat, a large integer a bigint`)
  }
  if (value === null || typeof value !== 'object') return value
  if (value instanceof RubyFloat) return { $float: floatText(value.value) }
  if (value instanceof RubySymbol) return { $sym: value.name }
  if (value instanceof RubyDate) return { $date: value.text, jd: value.jd }
  return { $bin: Buffer.from(value).toString('base64') }
}

/** The value of typed JSON, sharing included. Errors: codec.value for JSON that is none. */
export function fromTyped(json: unknown): RubyValue {
  return onStack('converting from typed JSON', () => decode(json, new Map(), 0))
}

/** The fields a typed value may have, none of them checked yet. */
interface TypedFields {
  readonly $share?: unknown
  readonly value?: unknown
  readonly $ref?: unknown
  readonly $map?: unknown
  readonly $obj?: unknown
  readonly ivars?: unknown
  readonly jd?: unknown
}

type Shares = Map<unknown, RubyValue>

function notTyped(json: unknown): GatewayError {
  const shown = JSON.stringify(json)?.slice(0, 80)
  return new GatewayError('codec.value', `${shown} is no typed value; see the forms $int, $float, $sym, $map and so on`)
}

function decode(json: unknown, shares: Shares, depth: number, share?: unknown): RubyValue {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json
    throw notTyped(json)
  }
  if (depth > MAX_VALUE_DEPTH) throw tooDeep('converting from typed JSON')
  if (Array.isArray(json)) {
    const list: RubyValue[] = []
    if (share !== undefined) shares.set(share, list)
    for (const item of json) list.push(decode(item, shares, depth + 1))
    return list
  }
  if (typeof json !== 'object') throw notTyped(json)
  return decodeTagged(json as TypedFields, shares, depth, share)
}

function decodeTagged(json: TypedFields, shares: Shares, depth: number, share?: unknown): RubyValue {
  if (Object.hasOwn(json, '$share')) return decode(json.value, shares, depth, json.$share)
  if (Object.hasOwn(json, '$ref')) {
    const known = shares.get(json.$ref)
    if (known === undefined) throw notTyped(json)
    return known
  }
  if (Object.hasOwn(json, '$map')) return decodePairs(new RubyMap(undefined), json.$map, shares, depth, share)
  if (Object.hasOwn(json, '$obj')) {
    if (typeof json.$obj !== 'string') throw notTyped(json)
    return decodePairs(new RubyMap(json.$obj), json.ivars, shares, depth, share)
  }
  const leaf = decodeLeaf(json)
  if (share !== undefined) shares.set(share, leaf)
  return leaf
}

function decodePairs(map: RubyMap, pairs: unknown, shares: Shares, depth: number, share: unknown): RubyMap {
  if (share !== undefined) shares.set(share, map)
  if (!Array.isArray(pairs)) throw notTyped(pairs)
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw notTyped(pair)
    map.keys.push(decode(pair[0], shares, depth + 1))
    map.values.push(decode(pair[1], shares, depth + 1))
  }
  return map
}

function decodeLeaf(json: TypedFields): RubyValue {
  const [tag, text] = Object.entries(json)[0] ?? []
  if (typeof text !== 'string') throw notTyped(json)
  switch (tag) {
    case '$int':
      if (!/^-?\d+$/.test(text)) throw notTyped(json)
      return narrow(BigInt(text))
    case '$float':
      return new RubyFloat(decodeFloat(text))
    case '$sym':
      return new RubySymbol(text)
    case '$date':
      if (typeof json.jd !== 'number') throw notTyped(json)
      return new RubyDate(text, json.jd)
    case '$time':
      return decodeTime(text)
    case '$bin':
      return new Uint8Array(Buffer.from(text, 'base64'))
    default:
      throw notTyped(json)
  }
}

function decodeFloat(text: string): number {
  if (text === 'NaN') return Number.NaN
  const value = Number(text)
  if (Number.isNaN(value) || text.trim() === '') throw notTyped({ $float: text })
  return value
}

const TIME = /^(-?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{9})(?:Z|([-+])(\d\d):(\d\d))$/

function decodeTime(text: string): RubyTime {
  const match = TIME.exec(text)
  if (match === null) throw notTyped({ $time: text })
  const [year, month, day, hour, minute, second, ns] = match.slice(1, 8).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const clock = new Date(0)
  clock.setUTCFullYear(year, month - 1, day)
  clock.setUTCHours(hour, minute, second)
  const sign = match[8] === '-' ? -1 : 1
  const offset = match[8] === undefined ? undefined : sign * (Number(match[9]) * 3600 + Number(match[10]) * 60)
  const seconds = BigInt(clock.getTime() / 1000 - (offset ?? 0))
  return new RubyTime(seconds * 1_000_000_000n + BigInt(ns), offset)
}
