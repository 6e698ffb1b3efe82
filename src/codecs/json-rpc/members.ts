/**
 * The members of an object that is only going to be written: names and values side by side, in
 * order, each name once. Filling it is cheaper than growing an object key by key.
 */
export class Members {
  readonly keys: string[] = []
  readonly values: unknown[] = []

  get(key: string): unknown {
    const at = this.keys.indexOf(key)
    return at < 0 ? undefined : this.values[at]
  }

  set(key: string, value: unknown): void {
    const at = this.keys.indexOf(key)
    if (at >= 0) this.values[at] = value
    else {
      this.keys.push(key)
      this.values.push(value)
    }
  }
}

/** The same value with plain objects in place of members. */
export function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf)
  if (!(value instanceof Members)) return value
  return Object.fromEntries(value.keys.map((key, i) => [key, plainOf(value.values[i])]))
}

/** What a JSON string cannot hold as it is, and surrogates, which only come in pairs. */
const SPECIAL = /[\u0000-\u001f"\\\ud800-\udfff]/

/** The JSON of a text. */
export function quote(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`
}
