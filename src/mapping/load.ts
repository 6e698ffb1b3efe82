import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DescribeMember } from '../codecs/codec.js'
import {
  type Fault,
  type FaultCode,
  mappingPath,
  readYaml,
  sortFaults,
  type YamlPath,
  type YamlSource,
} from '../config/index.js'
import { checkMapping } from './check.js'
import { mergedSource, mergeOver } from './merge.js'
import { underMeantNames } from './misnamed.js'
import { expandParts } from './parts.js'
import { repair } from './repair.js'
import type { MappingFile, SettingValues } from './schema.js'

/** A mapping that may run. */
export interface LoadedMapping {
  readonly path: string
  /** The file itself and those that it extends. */
  readonly files: readonly string[]
  readonly file: MappingFile
  /** Changes whenever anything in the file or a file it extends changes. */
  readonly revision: string
  /** The file's text, merged over the files it extends, for places of rules. */
  readonly source: YamlSource
  /** Where in the file a rule of a message stands: it may come from a part. */
  readonly origin: (path: YamlPath) => YamlPath
  /** Data of the file itself, without what it extends. */
  readonly own: unknown
}

export type { SettingValues } from './schema.js'

const MAX_BASES = 8

/**
 * Reads, merges and checks a mapping file. Every fault of it and of the files it extends comes at
 * once. `settings`, by dialect, replace those of the file. `members` tells, by codec, what is known of
 * messages; where a codec has none, nothing is said of their members.
 */
export function loadMapping(
  path: string,
  settings: Readonly<Record<string, SettingValues>> = {},
  read: (path: string) => string = (file) => readFileSync(file, 'utf8'),
  members: Readonly<Record<string, DescribeMember>> = {},
): { readonly mapping: LoadedMapping } | { readonly faults: readonly Fault[] } {
  const sources: YamlSource[] = []
  const faults = readSources(path, read, sources)
  if (sources.length === 0) return { faults }
  const { merged, named, misnamed } = mergeAll(sources)
  const source = mergedSource(withoutExtends(merged), named)
  const repaired = repair(source)
  const { data } = repaired
  const all = [...faults, ...misnamed, ...repaired.faults]
  const given = typed(settings[data?.dialect ?? ''] ?? {}, data?.settings)
  if (data !== undefined) all.push(...checkMapping({ ...repaired, data }, given, members[data.codec.name]))
  if (faults.length > 0 && !standsAlone(merged))
    return { faults: sortFaults(all.filter((fault) => !mayBeInherited(fault))) }
  if (all.length > 0 || data === undefined) return { faults: sortFaults(all) }
  const expanded = expandParts(data, source)
  const file = withSettings(expanded.file, given)
  const revision = createHash('sha256').update(JSON.stringify(file)).digest('hex').slice(0, 12)
  const { origin } = expanded
  const files = sources.map((each) => each.file)
  return { mapping: { path, files, file, revision, source: expanded.source, origin, own: sources[0]?.value } }
}

/** Lays each file over those it extends. `named`: the files with mistyped names of inherited entries put right. */
function mergeAll(sources: readonly YamlSource[]) {
  const named: YamlSource[] = []
  const misnamed: Fault[] = []
  let merged: unknown
  for (const site of sources.toReversed()) {
    const { source, faults } = named.length === 0 ? { source: site, faults: [] } : underMeantNames(site, merged)
    merged = named.length === 0 ? source.value : mergeOver(merged, source.value)
    named.unshift(source)
    misnamed.push(...faults)
  }
  return { merged, named, misnamed }
}

/** Faults that may come only of a base that could not be read. */
const INHERITABLE: ReadonlySet<FaultCode> = new Set([
  'mapping.missing',
  'mapping.unmapped',
  'mapping.dead-rule',
  'mapping.table',
  'mapping.setting',
  'mapping.class',
  'mapping.contradiction',
])

/** A file that has all that a mapping needs is judged by itself, though it names a base. */
function standsAlone(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'codec' in value && 'messages' in value
}

function mayBeInherited({ code }: Fault): boolean {
  return INHERITABLE.has(code)
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
    next = mappingPath(base, dirname(next))
  }
  return []
}

function withoutExtends(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { extends: _, ...rest } = value as Record<string, unknown>
  return rest
}

const SETTING = /\{settings\.([\w-]+)\}/g

/** Texts that stand for numbers and truth values where the file declares such: a command line has only texts. */
function typed(given: SettingValues, declared: SettingValues = {}): SettingValues {
  const meant = (value: string | number | boolean, as: unknown) => {
    if (typeof as === 'number' && /^-?\d+(\.\d+)?$/.test(String(value))) return Number(value)
    if (typeof as === 'boolean' && /^(true|false)$/.test(String(value))) return value === true || value === 'true'
    return value
  }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, meant(value, declared[name])]))
}

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
