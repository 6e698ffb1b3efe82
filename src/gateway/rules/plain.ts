/** A mapping of a YAML text. */
export type Plain = Readonly<Record<string, unknown>>

export function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
