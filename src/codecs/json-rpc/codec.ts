import type { Codec, Trees } from '../codec.js'
import type { JsonLimits } from '../json-body.js'
import { jsonTrees, setMember } from '../json-trees.js'
import { encodeMessage, encodeWrittenEvent, type MessageTree } from './encode.js'
import { decodeEnvelope } from './envelope.js'
import { checkEvent, eventObjectWriter } from './events.js'
import { type MemberWriter, ObjectText, type ObjectWriter } from './object-text.js'

const PARAMS = 'params'
const EVENT = 'Event.'
const NONE: ReadonlySet<object> = new Set()

/** JSON values as a mapping sees them; the objects of events are written as text at once. */
export const jsonRpcTrees: Trees = {
  ...jsonTrees,
  writer(match, path) {
    const method = String(match.method)
    return path[0] === PARAMS && method.startsWith(EVENT) ? eventObjectWriter(method, path.slice(1)) : undefined
  },
  start: (_class, writer) => (writer === undefined ? {} : new ObjectText(writer as ObjectWriter)),
  put(map, key, value) {
    if (map instanceof ObjectText) map.put(key as string, value)
    else setMember(map, key, value)
  },
  ready: (key, writer) => (writer as ObjectWriter | undefined)?.find(key) ?? key,
  putReady(map, ready, value) {
    if (!(map instanceof ObjectText)) setMember(map, ready, value)
    else if (typeof ready === 'string') map.put(ready, value)
    else map.putMember(ready as MemberWriter, value)
  },
}

/** JSON-RPC bodies for the mapping engine. Events that go out are held to their types. */
export function jsonRpcCodec(limits?: JsonLimits): Codec {
  return {
    name: 'json-rpc',
    trees: jsonRpcTrees,
    decode: (body) => ({ root: decodeEnvelope(body, limits), shared: NONE }),
    encode(root) {
      const message = root as MessageTree
      const { method, params } = message
      if (params instanceof ObjectText) return encodeWrittenEvent(String(method), params.finished())
      if (method?.startsWith(EVENT)) checkEvent(method, params)
      return encodeMessage(message)
    },
  }
}
