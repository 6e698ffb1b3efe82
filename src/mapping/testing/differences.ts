type Plain = Readonly<Record<string, unknown>>

/** Differences of one comparison that are told; the rest is counted. */
const MAX_TOLD = 12

/** Where two JSON values differ, a line each: `facts[0].state: want "ringing", got "answered"`. */
export function differences(want: unknown, got: unknown, path = ''): string[] {
  const all = compare(want, got, path)
  return all.length <= MAX_TOLD ? all : [...all.slice(0, MAX_TOLD), `and ${all.length - MAX_TOLD} more differences`]
}

function compare(want: unknown, got: unknown, path: string): string[] {
  if (Array.isArray(want) && Array.isArray(got)) {
    const count = Math.max(want.length, got.length)
    return Array.from({ length: count }, (_, i) => compare(want[i], got[i], `${path}[${i}]`)).flat()
  }
  if (isPlain(want) && isPlain(got)) {
    const keys = [...new Set([...Object.keys(want), ...Object.keys(got)])]
    return keys.flatMap((key) => compare(own(want, key), own(got, key), path === '' ? key : `${path}.${key}`))
  }
  if (Object.is(want, got)) return []
  return [`${path === '' ? 'value' : path}: want ${show(want)}, got ${show(got)}`]
}

/** The first lines in which two texts differ, with their number. */
export function textDifferences(want: string, got: string): string[] {
  if (want === got) return []
  const wanted = want.split('\n')
  const came = got.split('\n')
  const at = wanted.findIndex((line, i) => line !== came[i])
  if (at < 0) return [`line ${wanted.length + 1}: want the end, got ${show(came[wanted.length])}`]
  return [`line ${at + 1}: want ${show(wanted[at])}, got ${at < came.length ? show(came[at]) : 'the end'}`]
}

function own(value: Plain, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
