/** A JSON object as it came off a wire. */
export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field that is a text; anything else counts as empty. */
export function textOf(object: JsonObject | undefined, key: string): string {
  const value = object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined
  return typeof value === 'string' ? value : ''
}

/** A field that is an object; undefined when it is anything else. */
export function objectOf(object: JsonObject, key: string): JsonObject | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  return isObject(value) ? value : undefined
}

/** The texts of a field that is a list. */
export function textsOf(object: JsonObject | undefined, key: string): string[] {
  const value = object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

/** What a text says in JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
