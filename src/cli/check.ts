import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { loadSteering } from '../calls/xnode/index.js'
import {
  DEFAULT_STEERING,
  type Fault,
  formatFault,
  loadConfig,
  mappingPath,
  nearest,
  readYaml,
  SHIPPED_MAPPINGS,
  shippedMapping,
  sortFaults,
  type YamlSource,
} from '../config/index.js'
import { openMapping } from '../gateway/dialects.js'
import { settingMistakes } from '../mapping/check-settings.js'
import type { LoadedMapping, SettingValues } from '../mapping/load.js'
import type { CliCommand, CommandContext } from './command.js'
import { EXIT, type ExitCode, type Io, WrongUse } from './io.js'
import { shippedPaths } from './shipped.js'

const HELP = `
Every fault comes at once, a line each:
  file:line:column: code: what is wrong; what would be right
With neither FILE nor MAPPING the shipped mappings are checked.

Examples:
  patchbay check
  patchbay check -c patchbay.yaml
  patchbay check site/voice-events.yaml`

/** `patchbay check`: every fault of a configuration or of mapping files. */
export const checkCommand: CliCommand = {
  name: 'check',
  register(command: Command, { io, exit }: CommandContext) {
    command
      .description('Checks mapping files, or a configuration with the mapping files it names.')
      .argument('[MAPPING...]', 'mapping files')
      .option('-c, --config <FILE>', 'a configuration file, checked together with its mappings')
      .addHelpText('after', HELP)
      .action(async (mappings: string[], { config }: { config?: string }) => exit(await check(mappings, config, io)))
  },
}

/** What was looked at and what was found. */
interface Report {
  readonly files: readonly string[]
  readonly faults: readonly Fault[]
}

async function check(mappings: readonly string[], config: string | undefined, io: Io): Promise<ExitCode> {
  if (config !== undefined && mappings.length > 0)
    throw new WrongUse('want either -c FILE or mapping files; the configuration names its own')
  const paths = mappings.length > 0 ? mappings : shippedPaths()
  const { files, faults } = config === undefined ? checkMappings(paths) : checkConfig(config, io)
  for (const fault of faults) await io.out(`${formatFault(fault)}\n`)
  const checked = `${files.length} ${files.length === 1 ? 'file' : 'files'}`
  if (faults.length === 0) {
    await io.out(`${checked} checked, no faults\n`)
    return EXIT.fine
  }
  await io.out(`${checked} checked, ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}\n`)
  return EXIT.faults
}

function checkMappings(paths: readonly string[]): Report {
  const faults = paths.flatMap((path) => {
    const result = openMapping(path)
    return 'faults' in result ? result.faults : []
  })
  return { files: paths, faults: sortFaults(faults) }
}

function checkConfig(file: string, { env }: Io): Report {
  const { faults: own = [] } = loadConfig(file, env)
  const source = readSource(file)
  if (source === undefined) return { files: [file], faults: own }
  const paths = mappingPaths(source.value, file)
  const loaded: LoadedMapping[] = []
  const faults = [...own]
  for (const [i, path] of paths.entries()) {
    const result = openMapping(path)
    if ('faults' in result) {
      faults.push(...result.faults)
      continue
    }
    const { dialect } = result.mapping.file
    const twin = loaded.find((each) => each.file.dialect === dialect)
    if (twin === undefined) loaded.push(result.mapping)
    else {
      const what = `${twin.path} is for the dialect ${dialect} already`
      faults.push(source.fault(['mappings', i], 'config.value', what, 'name one mapping file for each dialect'))
    }
  }
  const steering = steeringPaths(source.value, file)
  for (const path of steering) {
    const result = loadSteering(path)
    if ('faults' in result) faults.push(...result.faults)
  }
  const isSure = loaded.length === paths.length
  faults.push(...checkDialects(source, loaded, isSure), ...checkSettings(source, loaded, isSure))
  return { files: [file, ...paths, ...steering], faults: sortFaults(faults) }
}

function readSource(file: string): YamlSource | undefined {
  try {
    return readYaml(readFileSync(file, 'utf8'), file)
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
