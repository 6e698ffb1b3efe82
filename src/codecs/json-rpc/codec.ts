import { isDeepStrictEqual } from 'node:util'
import type { Codec, Trees } from '../codec.js'
import { encodeMessage, encodeWrittenEvent, type MessageTree } from './encode.js'
import { decodeEnvelope, type EnvelopeLimits } from './envelope.js'
import { writeEventParams } from './events.js'
import { Members, plainOf } from './members.js'

type Plain = Record<string, unknown>

const NONE: ReadonlySet<object> = new Set()

function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function setOwn(map: Plain, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  else map[key] = value
}

/** JSON values as a mapping sees them: objects are maps whose order means nothing. */
export const jsonTrees: Trees = {
  ordered: false,
  isMap,
  classOf: () => undefined,
  keys: (map) => (map instanceof Members ? map.keys : Object.keys(map as Plain)),
  values: (map) => (map instanceof Members ? map.values : Object.values(map as Plain)),
  get(map, key) {
    if (map instanceof Members) return map.get(key)
    return Object.hasOwn(map as Plain, key) ? (map as Plain)[key] : undefined
  },
  set(map, key, value) {
    if (map instanceof Members) map.set(key, value)
    else setOwn(map as Plain, key, value)
  },
  start: () => new Members(),
  put(map, key, value) {
    const { keys, values } = map as Members
    keys.push(key as string)
    values.push(value)
  },
  map(_class, keys, values) {
    const map: Plain = {}
    for (let i = 0; i < keys.length; i++) setOwn(map, keys[i] as string, values[i])
    return map
  },
  integer: (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined),
  equal: isDeepStrictEqual,
  toTyped: plainOf,
  fromTyped: (json) => json,
}

/** JSON-RPC bodies for the mapping engine. Events that go out are held to their types. */
export function jsonRpcCodec(limits?: EnvelopeLimits): Codec {
  return {
    name: 'json-rpc',
    trees: jsonTrees,
    decode: (body) => ({ root: decodeEnvelope(body, limits), shared: NONE }),
    encode(root) {
      const message = root as MessageTree
      const { method, params } = message
      if (method?.startsWith('Event.')) return encodeWrittenEvent(method, writeEventParams(method, params))
      return encodeMessage({ ...message, params: plainOf(params) })
    },
  }
}
