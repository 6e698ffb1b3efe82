import { isDeepStrictEqual } from 'node:util'
import type { Trees } from './codec.js'

type Plain = Record<string, unknown>

function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets a member whatever its key, `__proto__` too. */
export function setMember(map: unknown, key: unknown, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  else (map as Plain)[key as string] = value
}

/** JSON values as a mapping sees them: objects are maps whose order means nothing. */
export const jsonTrees: Trees = {
  ordered: false,
  isMap,
  classOf: () => undefined,
  keys: (map) => Object.keys(map as Plain),
  size(map) {
    let count = 0
    for (const _ in map as Plain) count += 1
    return count
  },
  values: (map) => Object.values(map as Plain),
  get(map, key) {
    const value = (map as Plain)[key]
    // What objects inherit are functions, which JSON has none of, and the accessor of their prototype.
    const isDoubtful = typeof value === 'function' || key === '__proto__'
    return isDoubtful && !Object.hasOwn(map as Plain, key) ? undefined : value
  },
  set: setMember,
  writer: () => undefined,
  start: () => ({}),
  put: setMember,
  ready: (key) => key,
  putReady: setMember,
  map(_class, keys, values) {
    const map: Plain = {}
    for (let i = 0; i < keys.length; i++) setMember(map, keys[i], values[i])
    return map
  },
  integer: (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined),
  decimalOf: () => undefined,
  fromDecimal: () => undefined,
  equal: isDeepStrictEqual,
  toTyped: (value) => value,
  fromTyped: (json) => json,
}
