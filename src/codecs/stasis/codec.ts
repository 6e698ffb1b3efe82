import { GatewayError } from '../../errors.js'
import { bodyBytes } from '../body-bytes.js'
import type { Codec } from '../codec.js'
import { describeValue } from '../fault.js'
import { type JsonLimits, readJson } from '../json-body.js'
import { jsonTrees } from '../json-trees.js'
import { isPlainObject } from '../json-value.js'

const NONE: ReadonlySet<object> = new Set()
const NULL = 'null'

/**
 * Events of Asterisk for the mapping engine: one JSON object a body, with a `type`. Types that nobody knows
 * yet are read like the others.
 *
 * Errors: those of {@link readJson}; `codec.malformed` where the body is no object, `codec.method` where it
 * has no type; `codec.value` for what JSON cannot write, such as a number that is not finite. Numbers are read as
 * {@link readJson} tells.
 */
export function stasisCodec(limits: JsonLimits = {}): Codec {
  return {
    name: 'stasis',
    trees: jsonTrees,
    decode: (body) => ({ root: eventOf(readJson(body, limits)), shared: NONE }),
    encode(root) {
      let text: string
      try {
        text = JSON.stringify(eventOf(root))
        // JSON has null for a number that is not finite, and the receiver would take it for that.
        if (text.includes(NULL) && !isExact(root)) throw new TypeError('a number is not finite')
      } catch (cause) {
        if (cause instanceof GatewayError) throw cause
        throw new GatewayError('codec.value', 'the event cannot be written as JSON', { cause })
      }
      return bodyBytes(text)
    },
  }
}

/** Whether each number in a value, which has no cycles, is finite. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value !== 'object' || value === null || Object.values(value).every(isExact)
}

function eventOf(root: unknown): unknown {
  if (!isPlainObject(root)) throw new GatewayError('codec.malformed', `body: want an event, got ${describeValue(root)}`)
  const { type } = root
  if (typeof type === 'string' && type !== '') return root
  throw new GatewayError('codec.method', `type: want the type of an event, got ${describeValue(type)}`)
}
