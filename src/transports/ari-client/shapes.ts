/** Plain data that came as JSON; the few things a link reads in it. */
export type Json = Readonly<Record<string, unknown>>

/** The value where it is an object, and neither null nor a list. */
export function objectOf(value: unknown): Json | undefined {
  // Plain data from a parser; every key it lacks reads as undefined.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

/** The objects of a list; empty where it is none. */
export function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(objectOf).filter((item) => item !== undefined) : []
}

/** The texts of a list; empty where it is none. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** The value where it is a text, else an empty one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** An object of a JSON text; undefined for anything else. */
export function parseObject(body: Uint8Array): Json | undefined {
  try {
    return objectOf(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')))
  } catch {
    return undefined
  }
}
