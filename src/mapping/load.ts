import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkYaml, type Fault, readYaml, sortFaults, type YamlPath, type YamlSource } from '../config/index.js'
import { checkMapping } from './check.js'
import { mergedSource, mergeOver } from './merge.js'
import { type MappingFile, mappingSchema } from './schema.js'

/** A mapping that may run. */
export interface LoadedMapping {
  readonly path: string
  readonly file: MappingFile
  /** Changes whenever anything in the file or a file it extends changes. */
  readonly revision: string
}

/** Values of `settings:` given from outside, by name. */
export type SettingValues = Readonly<Record<string, string | number | boolean>>

const MAX_BASES = 8

/**
 * Reads, merges and checks a mapping file. Every fault of it and of the files it extends comes at
 * once. `settings`, by dialect, replace those of the file.
 */
export function loadMapping(
  path: string,
  settings: Readonly<Record<string, SettingValues>> = {},
  read: (path: string) => string = (file) => readFileSync(file, 'utf8'),
): { readonly mapping: LoadedMapping } | { readonly faults: readonly Fault[] } {
  const sources: YamlSource[] = []
  const faults = readSources(path, read, sources)
  if (sources.length === 0) return { faults }
  const merged = sources.map((source) => source.value).reduceRight((base, site) => mergeOver(base, site))
  const source = mergedSource(withoutExtends(merged), sources)
  const { data, faults: wrong } = parseLeniently(source)
  const all = [...faults, ...wrong]
  const given = settings[data?.dialect ?? ''] ?? {}
  if (data !== undefined) all.push(...checkMapping(data, source, given))
  if (all.length > 0 || data === undefined) return { faults: sortFaults(all) }
  const file = withSettings(data, given)
  const revision = createHash('sha256').update(JSON.stringify(file)).digest('hex').slice(0, 12)
  return { mapping: { path, file, revision } }
}

/** The dialect a mapping file is for, as far as that can be read; the file may have faults. */
export function dialectOf(path: string): string | undefined {
  const sources: YamlSource[] = []
  readSources(path, (file) => readFileSync(file, 'utf8'), sources)
  for (const { value } of sources) {
    const dialect = (value as { dialect?: unknown } | null | undefined)?.dialect
    if (typeof dialect === 'string') return dialect
  }
  return undefined
}

function readSources(path: string, read: (path: string) => string, into: YamlSource[]): Fault[] {
  let next: string | undefined = path
  let from: YamlSource | undefined
  while (next !== undefined) {
    let text: string
    try {
      text = read(next)
    } catch (cause) {
      const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
      const where = from?.locate(['extends']) ?? { line: 1, column: 1 }
      const what = `${next} cannot be read (${why})`
      return [
        { file: from?.file ?? next, ...where, code: 'mapping.file', what, right: 'name a mapping file that exists' },
      ]
    }
    const source = readYaml(text, next)
    into.push(source)
    const base = (source.value as { extends?: unknown } | null | undefined)?.extends
    if (typeof base !== 'string') return []
    if (into.length > MAX_BASES)
      return [
        source.fault(
          ['extends'],
          'mapping.file',
          'the files extend each other too deep or in a circle',
          'end the chain',
        ),
      ]
    from = source
    next = resolve(dirname(next), base)
  }
  return []
}

function withoutExtends(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { extends: _, ...rest } = value as Record<string, unknown>
  return rest
}

/**
 * Parses what can be parsed: places with faults are left out, so that the checks that need a
 * whole file still find everything else that is wrong.
 */
function parseLeniently(source: YamlSource): { data: MappingFile | undefined; faults: Fault[] } {
  const first = checkYaml(source, mappingSchema, 'mapping')
  if ('data' in first) return { data: first.data, faults: [] }
  const value = structuredClone(source.value)
  for (let tries = 0; tries < 200; tries++) {
    const result = mappingSchema.safeParse(value)
    if (result.success) return { data: result.data, faults: first.faults }
    const issue = result.error.issues[0]!
    const path = issue.path as YamlPath
    const done =
      issue.code === 'unrecognized_keys' ? issue.keys.every((key) => prune(value, [...path, key])) : prune(value, path)
    if (!done) break
  }
  return { data: undefined, faults: first.faults }
}

/** Removes the node at a path, or the nearest thing above it that exists. False when that is the whole file. */
function prune(root: unknown, path: YamlPath): boolean {
  for (let length = path.length; length > 0; length--) {
    const parent = path
      .slice(0, length - 1)
      .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], root)
    const key = path[length - 1]!
    if (typeof parent !== 'object' || parent === null || !(key in parent)) continue
    if (Array.isArray(parent)) parent.splice(Number(key), 1)
    else delete (parent as Record<string, unknown>)[key]
    return true
  }
  return false
}

const SETTING = /\{settings\.([\w-]+)\}/g

/** Puts settings where texts name them. */
function withSettings(file: MappingFile, given: SettingValues): MappingFile {
  const settings: Record<string, string | number | boolean> = { ...file.settings, ...given }
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(SETTING, (_, name: string) => String(settings[name]))
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]))
  }
  return { ...file, settings, messages: fill(file.messages) as MappingFile['messages'] }
}
