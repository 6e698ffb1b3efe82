import type { FaultCode, Position, YamlPath, YamlSource } from '../config/index.js'

type Plain = Record<string, unknown>

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Lays a site file over the file it extends. Mappings merge key by key; null removes an inherited
 * key; anything else replaces. A field written as a bare model path is the same as `{is: path}`.
 * New cases come before the inherited ones, since the first case that fits wins; every other new
 * key comes after.
 */
export function mergeOver(base: unknown, site: unknown, path: YamlPath = []): unknown {
  if (!isPlain(site)) return site
  const under = isPlain(base) ? base : isFieldText(base, path) ? { is: base } : undefined
  if (under === undefined) return site
  const added: Plain = Object.create(null) as Plain
  const merged: Plain = Object.create(null) as Plain
  for (const key of Object.keys(under)) merged[key] = under[key]
  for (const key of Object.keys(site)) {
    if (site[key] === null && key in merged) delete merged[key]
    else if (key in merged) merged[key] = mergeOver(merged[key], site[key], [...path, key])
    else added[key] = site[key]
  }
  return path.at(-1) === 'cases' ? { ...added, ...merged } : { ...merged, ...added }
}

function isFieldText(value: unknown, path: YamlPath): boolean {
  return typeof value === 'string' && path.at(-2) === 'fields'
}

/**
 * The merged value as one source: a fault is reported in the file nearest to the site that has
 * the place, so that an integrator is pointed at a line of their own where there is one.
 * `sources` begin with the site's own file.
 */
export function mergedSource(value: unknown, sources: readonly YamlSource[]): YamlSource {
  const own = sources[0]!
  const owner = (path: YamlPath): YamlSource => sources.find((source) => hasPath(source.value, path)) ?? own
  return {
    file: own.file,
    value,
    complete: sources.every((source) => source.complete),
    isWhole: (path: YamlPath) => sources.every((source) => source.isWhole(path)),
    faults: sources.flatMap((source) => source.faults),
    locate: (path: YamlPath, what?: 'key' | 'value'): Position => owner(path).locate(path, what),
    keysInOrder: (path: YamlPath) => owner(path).keysInOrder(path),
    fault: (path: YamlPath, code: FaultCode, what: string, right: string, at?: 'key' | 'value') =>
      owner(path).fault(path, code, what, right, at),
  }
}

function hasPath(value: unknown, path: YamlPath): boolean {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !(step in at)) return false
    at = (at as Plain)[step]
  }
  return true
}
