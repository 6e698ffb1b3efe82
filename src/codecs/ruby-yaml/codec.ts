import type { Codec, Trees } from '../codec.js'
import { equal, fromTyped, type ParseOptions, parseDocument, stringify, toTyped, type WriterProfile } from './index.js'
import { integerOf } from './numbers.js'
import { RubyMap, type RubyValue } from './values.js'

/** Dial numbers have fewer digits; converting a long integer costs more than it is worth. */
const DIALLED = /^(?:0|-?[1-9][0-9]{0,31})$/
const LONGEST = 10n ** 32n

/** Ruby values as a mapping sees them. The order of a map's keys is part of what Psych writes. */
export const rubyTrees: Trees = {
  ordered: true,
  isMap: (value) => value instanceof RubyMap,
  classOf: (map) => (map as RubyMap).className,
  keys: (map) => (map as RubyMap).keys,
  size: (map) => (map as RubyMap).keys.length,
  values: (map) => (map as RubyMap).values,
  get: (map, key) => (map as RubyMap).get(key),
  set(map, key, value) {
    const { keys, values } = map as RubyMap
    const at = keys.indexOf(key)
    if (at >= 0) values[at] = value as RubyValue
    else {
      keys.push(key)
      values.push(value as RubyValue)
    }
  },
  writer: () => undefined,
  start: (className) => new RubyMap(className),
  put(map, key, value) {
    const { keys, values } = map as RubyMap
    keys.push(key as RubyValue)
    values.push(value as RubyValue)
  },
  ready: (key) => key,
  putReady(map, ready, value) {
    const { keys, values } = map as RubyMap
    keys.push(ready as string)
    values.push(value as RubyValue)
  },
  map: (className, keys, values) => new RubyMap(className, keys as RubyValue[], values as RubyValue[]),
  integer: (value) => (typeof value === 'number' ? value : undefined),
  decimalOf(value) {
    if (typeof value === 'number') return String(value)
    return typeof value === 'bigint' && value < LONGEST && value > -LONGEST ? String(value) : undefined
  },
  fromDecimal: (text) => (DIALLED.test(text) ? integerOf(text) : undefined),
  equal: (a, b) => equal(a as RubyValue, b as RubyValue),
  toTyped: (value) => toTyped(value as RubyValue),
  fromTyped: (json) => fromTyped(json),
}

/** What may come in and how it goes out. */
export interface RubyYamlOptions extends ParseOptions {
  readonly profile?: WriterProfile
}

/** Psych's YAML for the mapping engine. */
export function rubyYamlCodec(options: RubyYamlOptions): Codec {
  const { profile = 'compatible', ...parsing } = options
  return {
    name: 'ruby-yaml',
    trees: rubyTrees,
    decode(body) {
      const { value, shared } = parseDocument(body, parsing)
      return { root: value, shared }
    },
    encode: (root) => Buffer.from(stringify(root as RubyValue, { profile })),
  }
}
