import { isDeepStrictEqual } from 'node:util'
import type { Codec, Trees } from '../codec.js'
import { encodeMessage, encodeWrittenEvent, type MessageTree } from './encode.js'
import { decodeEnvelope, type EnvelopeLimits } from './envelope.js'
import { checkEvent, eventObjectWriter } from './events.js'
import { type MemberWriter, ObjectText, type ObjectWriter } from './object-text.js'

type Plain = Record<string, unknown>

const PARAMS = 'params'
const EVENT = 'Event.'
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
  keys: (map) => Object.keys(map as Plain),
  values: (map) => Object.values(map as Plain),
  get: (map, key) => (Object.hasOwn(map as Plain, key) ? (map as Plain)[key] : undefined),
  set: (map, key, value) => setOwn(map as Plain, key, value),
  writer(match, path) {
    const method = String(match.method)
    return path[0] === PARAMS && method.startsWith(EVENT) ? eventObjectWriter(method, path.slice(1)) : undefined
  },
  start: (_class, writer) => (writer === undefined ? {} : new ObjectText(writer as ObjectWriter)),
  put(map, key, value) {
    if (map instanceof ObjectText) map.put(key as string, value)
    else setOwn(map as Plain, key as string, value)
  },
  ready: (key, writer) => (writer as ObjectWriter | undefined)?.find(key) ?? key,
  putReady(map, ready, value) {
    if (!(map instanceof ObjectText)) setOwn(map as Plain, ready as string, value)
    else if (typeof ready === 'string') map.put(ready, value)
    else map.putMember(ready as MemberWriter, value)
  },
  map(_class, keys, values) {
    const map: Plain = {}
    for (let i = 0; i < keys.length; i++) setOwn(map, keys[i] as string, values[i])
    return map
  },
  integer: (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined),
  decimalOf: () => undefined,
  fromDecimal: () => undefined,
  equal: isDeepStrictEqual,
  toTyped: (value) => value,
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
      if (params instanceof ObjectText) return encodeWrittenEvent(String(method), params.text())
      if (method?.startsWith(EVENT)) checkEvent(method, params)
      return encodeMessage(message)
    },
  }
}
