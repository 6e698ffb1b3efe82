const FIRST_FEW = 5

/** `WHAT: the first few of all of them`, as a list of one; nothing where there are none. */
export function firstOf(what: string, all: readonly string[]): string[] {
  if (all.length === 0) return []
  const more = all.length > FIRST_FEW ? ` and ${all.length - FIRST_FEW} more` : ''
  return [`${what}: ${all.slice(0, FIRST_FEW).join(', ')}${more}`]
}

/** Bytes, for people. */
export const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
