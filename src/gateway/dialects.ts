import { readFileSync } from 'node:fs'
import type { Codec, DescribeMember, Trees } from '../codecs/codec.js'
import { jsonRpcCodec, jsonRpcTrees } from '../codecs/json-rpc/codec.js'
import { describeMember } from '../codecs/json-rpc/index.js'
import { jsonTrees } from '../codecs/json-trees.js'
import { rubyTrees, rubyYamlCodec } from '../codecs/ruby-yaml/codec.js'
import type { WriterProfile } from '../codecs/ruby-yaml/index.js'
import { stasisCodec } from '../codecs/stasis/codec.js'
import { describeMember as describeEventMember } from '../codecs/stasis/index.js'
import type { Fault } from '../config/index.js'
import { compileDialect, type Dialect } from '../mapping/dialect.js'
import { type LoadedMapping, loadMapping, type SettingValues } from '../mapping/load.js'

/** Bounds of a body, for every codec. Bytes; levels; values; YAML aliases. */
export interface BodyLimits {
  readonly bytes: number
  readonly depth: number
  readonly nodes: number
  readonly aliases: number
}

/** The dialects of a gateway by name. */
export type Dialects = ReadonlyMap<string, Dialect>

const TREES: Readonly<Record<string, Trees>> = { 'ruby-yaml': rubyTrees, 'json-rpc': jsonRpcTrees, stasis: jsonTrees }

const MEMBERS: Readonly<Record<string, DescribeMember>> = {
  'json-rpc': describeMember,
  stasis: describeEventMember,
}

/** Reads a file, as `readFileSync` does: it throws where there is none. */
export type ReadText = (path: string) => string

/** Loads and checks a mapping file against the types of its codec's messages, too. */
export function openMapping(path: string, settings: Readonly<Record<string, SettingValues>> = {}, read?: ReadText) {
  return loadMapping(path, settings, read, MEMBERS)
}

/** Opens a mapping file. */
export type OpenMapping = typeof openMapping

/** Mappings remembered at most: several times those of a configuration. */
const MAX_REMEMBERED = 64

/** Opens mapping files, and one that was without faults again only once it or a file that it extends has changed. */
export function rememberMappings(): OpenMapping {
  const known = new Map<string, { readonly mapping: LoadedMapping; readonly texts: readonly string[] }>()
  return (path, settings, read = (file) => readFileSync(file, 'utf8')) => {
    const key = JSON.stringify([path, settings])
    const before = known.get(key)
    if (before?.mapping.files.every((file, at) => textOf(file, read) === before.texts[at]))
      return { mapping: before.mapping }
    const result = openMapping(path, settings, read)
    if ('mapping' in result) {
      known.delete(key)
      known.set(key, { ...result, texts: result.mapping.files.map(read) })
      const [oldest] = known.keys()
      if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest)
    }
    return result
  }
}

function textOf(file: string, read: ReadText): string | undefined {
  try {
    return read(file)
  } catch {
    return undefined // whoever opens it says why
  }
}

/** Codec of a mapping, with its settings and the gateway's limits. */
function codecOf({ codec, settings }: LoadedMapping['file'], limits: BodyLimits | undefined): Codec {
  if (codec.name === 'json-rpc') return jsonRpcCodec(limits)
  if (codec.name === 'stasis') return stasisCodec(limits)
  const bounds = limits && {
    maxBytes: limits.bytes,
    maxDepth: limits.depth,
    maxNodes: limits.nodes,
    maxAliases: limits.aliases,
  }
  return rubyYamlCodec({
    classes: new Set(codec.classes),
    profile: settings?.profile as WriterProfile,
    ...(bounds && { limits: bounds }),
  })
}

/** Opens mapping files for one command after another, each once as long as it does not change. */
export const openOnce = rememberMappings()

/** Loads, checks and compiles mapping files. Either all of them or every fault of all of them. */
export function openDialects(
  paths: readonly string[],
  settings: Readonly<Record<string, SettingValues>> = {},
  limits?: BodyLimits,
  read?: ReadText,
  open: OpenMapping = openOnce,
): { readonly dialects: Dialects } | { readonly faults: readonly Fault[] } {
  const loaded: LoadedMapping[] = []
  const faults: Fault[] = []
  for (const path of paths) {
    const result = open(path, settings, read)
    if ('faults' in result) faults.push(...result.faults)
    else loaded.push(result.mapping)
  }
  return faults.length > 0 ? { faults } : { dialects: compileMappings(loaded, limits) }
}

function compileMappings(loaded: readonly LoadedMapping[], limits: BodyLimits | undefined): Dialects {
  const treesOf = (name: string) => {
    const found = loaded.find((each) => each.file.dialect === name)
    return found === undefined ? undefined : TREES[found.file.codec.name]
  }
  return new Map(
    loaded.map(({ file, revision }) => [file.dialect, compileDialect(file, codecOf(file, limits), treesOf, revision)]),
  )
}
