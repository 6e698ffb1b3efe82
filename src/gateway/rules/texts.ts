import { createHash } from 'node:crypto'
import { dirname, relative, sep } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type Config, mappingPath, type RouteConfig, shippedMapping } from '../../config/index.js'
import type { ReadText } from '../dialects.js'

/**
 * Everything that rules are compiled from. Names of files are the same on every machine: `patchbay/NAME` for a
 * shipped file, any other relative to the configuration.
 */
export interface RuleTexts {
  readonly routes: readonly RouteConfig[]
  readonly settings: Config['settings']
  /** Mapping files, in the order of the configuration. */
  readonly mappings: readonly string[]
  /** Files of steering tables by the links that name them. */
  readonly steering: Readonly<Record<string, string>>
  /** Text of each of these files, and of those that they extend, by name. */
  readonly files: Readonly<Record<string, string>>
}

/** Characters of a revision. */
const REVISION_LENGTH = 12

/** Names the content: equal on all replicas whose files are equal. */
export function revisionOf({ files, ...rest }: RuleTexts): string {
  const sorted = Object.entries(files).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const text = JSON.stringify([rest.routes, rest.settings, rest.mappings, rest.steering, sorted])
  return createHash('sha256').update(text).digest('hex').slice(0, REVISION_LENGTH)
}

/** What is in a store. */
interface Packed {
  /** Version of the program that made the texts: another may read them as other rules, or not at all. */
  readonly version: string
  readonly texts: RuleTexts
}

/** The texts as one compressed text, for a store. `version` is that of the program. */
export function packTexts(texts: RuleTexts, version: string): string {
  const packed: Packed = { version, texts }
  return deflateRawSync(JSON.stringify(packed)).toString('base64')
}

/** The reverse of {@link packTexts}. @throws Error for texts of another version. */
export function unpackTexts(packed: string, ours: string): RuleTexts {
  const { version, texts } = JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString('utf8')) as Packed // as packed above
  if (version !== ours) throw new Error(`they are of version ${version}, and this is ${ours}`)
  return texts
}

/** A configuration with the routes, mappings, settings and steering tables that texts name. */
export function configOf({ routes, mappings, settings, steering }: RuleTexts, config: Config, folder: string): Config {
  const links = Object.entries(config.links).map(([name, link]) => {
    const tables = steering[name]
    if (link.type !== 'ari' || link.steer === undefined || tables === undefined) return [name, link] as const
    return [name, { ...link, steer: { ...link.steer, tables: mappingPath(tables, folder) } }] as const
  })
  return {
    ...config,
    links: Object.fromEntries(links),
    routes,
    mappings: mappings.map((name) => mappingPath(name, folder)),
    settings,
  }
}

const SHIPPED_FOLDER = `${dirname(shippedMapping('x'))}${sep}`

/** Name of a file by its absolute path. */
export function nameOf(path: string, folder: string): string {
  const isShipped = path.startsWith(SHIPPED_FOLDER)
  return isShipped ? `patchbay/${path.slice(SHIPPED_FOLDER.length)}` : `./${relative(folder, path)}`
}

/** Reads files from texts that are named relative to a folder. */
export function readerOf({ files }: RuleTexts, folder: string): ReadText {
  const byPath = new Map(Object.entries(files).map(([name, text]) => [mappingPath(name, folder), text]))
  return (path) => {
    const text = byPath.get(path)
    if (text === undefined) throw new Error(`${path} is not among the texts`)
    return text
  }
}
