import { dirname, resolve } from 'node:path'
import { loadSteering } from '../../calls/xnode/index.js'
import {
  type Config,
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
import { isMap, type Plain } from './plain.js'
import { steeredLinks } from './ruleset.js'
import { dialectsOf, unknownDialects, unknownMessages } from './unknown-dialects.js'

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
  // What variables stand for is known only of a configuration without faults.
  const { config } = loaded
  const named = config?.mappings ?? mappingPaths(source.value, file)
  const mappings: LoadedMapping[] = []
  const faults = [...own]
  for (const [i, path] of named.entries()) {
    if (path === undefined) continue
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
  const steering = config === undefined ? steeringPaths(source.value, file) : steeringOf(config)
  for (const path of steering) {
    const result = loadSteering(path, read)
    if ('faults' in result) faults.push(...result.faults)
  }
  const isSure = mappings.length === named.length
  if (isSure) {
    const known = mappings.map(({ file: { dialect } }) => dialect)
    const dialects = config === undefined ? literalDialects(source.value) : dialectsOf(config.links)
    faults.push(...unknownDialects(dialects, known, source))
  }
  const messagesOf = new Map(mappings.map(({ file: { dialect, messages } }) => [dialect, namesOf(messages)]))
  if (config !== undefined) faults.push(...unknownMessages(config.links, messagesOf, source))
  faults.push(...checkSettings(source, config?.settings ?? literalSettings(source.value), mappings, isSure))
  const paths = named.filter((path) => path !== undefined)
  return { files: [file, ...paths, ...steering], faults: sortFaults(faults), loaded }
}

/** What a site's file sets to null is gone. */
const namesOf = (messages: Readonly<Record<string, unknown>>) =>
  Object.keys(messages).filter((name) => messages[name] !== null)

function readSource(file: string, read: ReadText): YamlSource | undefined {
  try {
    return readYaml(read(file), file)
  } catch {
    // That the file cannot be read is a fault of the configuration already.
    return undefined
  }
}

function mapAt(value: unknown, key: string): Plain {
  const found = isMap(value) ? value[key] : undefined
  return isMap(found) ? found : {}
}

/** A text that says itself what it stands for; one with a variable in it is known only when the gateway runs. */
function isLiteral(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('${')
}

/** Undefined for what cannot be known. */
function mappingPaths(value: unknown, file: string): (string | undefined)[] {
  const named = isMap(value) ? value.mappings : undefined
  if (!Array.isArray(named) || named.length === 0) return SHIPPED_MAPPINGS.map(shippedMapping)
  return named.map((path) => (isLiteral(path) ? mappingPath(path, dirname(resolve(file))) : undefined))
}

/** Files of steering tables that the links name. */
function steeringPaths(value: unknown, file: string): string[] {
  const links = mapAt(value, 'links')
  const named = Object.keys(links).flatMap((name) => {
    if (mapAt(links, name).type !== 'ari' || mapAt(links, name).steer === undefined) return []
    const { tables = DEFAULT_STEERING } = mapAt(mapAt(links, name), 'steer')
    return isLiteral(tables) ? [mappingPath(tables, dirname(resolve(file)))] : []
  })
  return [...new Set(named)]
}

function steeringOf(config: Config): string[] {
  return [...new Set(steeredLinks(config).map(([, path]) => path))]
}

function literalDialects(value: unknown): Record<string, string> {
  const links = mapAt(value, 'links')
  const named = Object.keys(links).map((name) => [name, mapAt(links, name).dialect] as const)
  return Object.fromEntries(named.filter((entry): entry is readonly [string, string] => isLiteral(entry[1])))
}

/** Values of the right form without variables; the others have faults of their own. */
function literalSettings(value: unknown): Readonly<Record<string, SettingValues>> {
  const all = mapAt(value, 'settings')
  return Object.fromEntries(Object.keys(all).map((dialect) => [dialect, literal(mapAt(all, dialect))]))
}

function checkSettings(
  source: YamlSource,
  settings: Readonly<Record<string, SettingValues>>,
  loaded: readonly LoadedMapping[],
  isSure: boolean,
): Fault[] {
  return Object.entries(settings).flatMap(([dialect, values]): Fault[] => {
    const mapping = loaded.find(({ file }) => file.dialect === dialect)
    if (mapping !== undefined) {
      return settingMistakes(mapping.file, values).map(({ name, code, what, right }) =>
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

function literal(values: Plain): SettingValues {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | number | boolean] =>
        ['string', 'number', 'boolean'].includes(typeof entry[1]) && !String(entry[1]).includes('${'),
    ),
  )
}
