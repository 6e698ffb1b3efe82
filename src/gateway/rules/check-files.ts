import { dirname, resolve } from 'node:path'
import { loadSteering } from '../../calls/xnode/index.js'
import {
  DEFAULT_STEERING,
  type Environment,
  type Fault,
  type LoadResult,
  loadConfig,
  mappingPath,
  nearest,
  readYaml,
  SHIPPED_MAPPINGS,
  shippedMapping,
  sortFaults,
  type YamlSource,
} from '../../config/index.js'
import { settingMistakes } from '../../mapping/check-settings.js'
import type { LoadedMapping, SettingValues } from '../../mapping/load.js'
import { type OpenMapping, openMapping, type ReadText } from '../dialects.js'

/** What was looked at and what was found. */
export interface CheckedFiles {
  readonly files: readonly string[]
  /** All of them, in the order of files and lines. */
  readonly faults: readonly Fault[]
  readonly loaded: LoadResult
}

/** Checks a configuration together with the mapping files and steering tables that it names, also where it has faults. */
export function checkFiles(
  file: string,
  env: Environment,
  read: ReadText,
  open: OpenMapping = openMapping,
): CheckedFiles {
  const loaded = loadConfig(file, env, read)
  const { faults: own = [] } = loaded
  const source = readSource(file, read)
  if (source === undefined) return { files: [file], faults: own, loaded }
  const paths = mappingPaths(source.value, file)
  const mappings: LoadedMapping[] = []
  const faults = [...own]
  for (const [i, path] of paths.entries()) {
    const result = open(path, {}, read)
    if ('faults' in result) {
      faults.push(...result.faults)
      continue
    }
    const { dialect } = result.mapping.file
    const twin = mappings.find((each) => each.file.dialect === dialect)
    if (twin === undefined) mappings.push(result.mapping)
    else {
      const what = `${twin.path} is for the dialect ${dialect} already`
      faults.push(source.fault(['mappings', i], 'config.value', what, 'name one mapping file for each dialect'))
    }
  }
  const steering = steeringPaths(source.value, file)
  for (const path of steering) {
    const result = loadSteering(path, read)
    if ('faults' in result) faults.push(...result.faults)
  }
  const isSure = mappings.length === paths.length
  faults.push(...checkDialects(source, mappings, isSure), ...checkSettings(source, mappings, isSure))
  return { files: [file, ...paths, ...steering], faults: sortFaults(faults), loaded }
}

function readSource(file: string, read: ReadText): YamlSource | undefined {
  try {
    return readYaml(read(file), file)
  } catch {
    // That the file cannot be read is a fault of the configuration already.
    return undefined
  }
}

type Plain = Readonly<Record<string, unknown>>

function mapAt(value: unknown, key: string): Plain {
  const found = typeof value === 'object' && value !== null ? (value as Plain)[key] : undefined
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Plain) : {}
}

function mappingPaths(value: unknown, file: string): string[] {
  const named = typeof value === 'object' && value !== null ? (value as Plain).mappings : undefined
  if (!Array.isArray(named) || named.length === 0) return SHIPPED_MAPPINGS.map(shippedMapping)
  return named.filter((path) => typeof path === 'string').map((path) => mappingPath(path, dirname(resolve(file))))
}

/** Files of steering tables that the links name. */
function steeringPaths(value: unknown, file: string): string[] {
  const links = mapAt(value, 'links')
  const named = Object.keys(links).flatMap((name) => {
    if (mapAt(links, name).type !== 'ari' || mapAt(links, name).steer === undefined) return []
    const { tables = DEFAULT_STEERING } = mapAt(mapAt(links, name), 'steer')
    return typeof tables === 'string' && !tables.includes('${') ? [mappingPath(tables, dirname(resolve(file)))] : []
  })
  return [...new Set(named)]
}

/** Links whose dialect no mapping file is for. `isSure`: every mapping file could be read. */
function checkDialects(source: YamlSource, loaded: readonly LoadedMapping[], isSure: boolean): Fault[] {
  const known = loaded.map(({ file }) => file.dialect)
  return Object.keys(mapAt(source.value, 'links')).flatMap((name) => {
    const { dialect } = mapAt(mapAt(source.value, 'links'), name)
    // A text with a variable in it is known only when the gateway runs.
    if (typeof dialect !== 'string' || dialect.includes('${') || known.includes(dialect) || !isSure) return []
    const near = nearest(dialect, known)
    const right = near === undefined ? `want ${known.join(' or ')}` : `did you mean ${near}?`
    const what = `no mapping file is for the dialect ${dialect}`
    return [source.fault(['links', name, 'dialect'], 'config.link', what, right)]
  })
}

function checkSettings(source: YamlSource, loaded: readonly LoadedMapping[], isSure: boolean): Fault[] {
  const all = mapAt(source.value, 'settings')
  return Object.keys(all).flatMap((dialect): Fault[] => {
    const mapping = loaded.find(({ file }) => file.dialect === dialect)
    if (mapping !== undefined) {
      return settingMistakes(mapping.file, literal(mapAt(all, dialect))).map(({ name, code, what, right }) =>
        source.fault(['settings', dialect, name], code, what, right, code === 'mapping.setting' ? 'key' : 'value'),
      )
    }
    if (!isSure) return []
    const near = nearest(
      dialect,
      loaded.map(({ file }) => file.dialect),
    )
    const right = near === undefined ? 'want the name of a dialect in use' : `did you mean ${near}?`
    return [source.fault(['settings', dialect], 'config.value', `there is no dialect ${dialect}`, right, 'key')]
  })
}

/** Values of the right form without variables; the others have faults of their own or are known later. */
function literal(values: Plain): SettingValues {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | number | boolean] =>
        ['string', 'number', 'boolean'].includes(typeof entry[1]) && !String(entry[1]).includes('${'),
    ),
  )
}
