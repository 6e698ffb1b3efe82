/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object; any key is data, `__proto__` too. */
export interface JsonObject {
  readonly [key: string]: Json
}

/**
 * Whether the value is an object that JSON writes member by member: made by a literal, by
 * `JSON.parse` or without prototype. A Date or a Map is not, for its JSON would be something else.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
