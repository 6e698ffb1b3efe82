/** Engines make no cut of a shorter text, but copy it. UTF-16 units. */
const SHORTEST_CUT = 13

/**
 * The same text in memory of its own. A text that was cut out of a message keeps the whole message in memory,
 * for as long as it is remembered itself.
 */
export function ownText(text: string): string {
  return text.length < SHORTEST_CUT ? text : ` ${text}`.slice(1)
}

const isLong = (value: unknown): value is string => typeof value === 'string' && value.length >= SHORTEST_CUT

/** A value with texts of its own: a text, a list of texts, a record with texts. Any other value is the very same. */
export function ownTexts(value: unknown): unknown {
  if (typeof value === 'string') return ownText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return value.some(isLong) ? value.map((each) => (isLong(each) ? ownText(each) : each)) : value
  return ownRecord(value as Record<string, unknown>) // read by name
}

/** The very same record where no text in it is long enough to be a cut. */
export function ownRecord<T extends Readonly<Record<string, unknown>>>(record: T): T {
  let out: Record<string, unknown> | undefined
  for (const key in record) {
    const value = record[key]
    if (!isLong(value)) continue
    out ??= { ...record }
    out[key] = ownText(value)
  }
  return (out as T | undefined) ?? record // a copy of it
}
