import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkLinks } from './check-links.js'
import { checkRoutes } from './check-routes.js'
import { checkShards } from './check-shards.js'
import { checkStore } from './check-store.js'
import { type Environment, substitute } from './environment.js'
import { type Fault, sortFaults } from './fault.js'
import { viewRaw } from './raw-view.js'
import {
  type AmqpLinkConfig,
  type AriLinkConfig,
  type Config,
  configSchema,
  type LinkConfig,
  type NatsLinkConfig,
  type ParsedConfig,
} from './schema.js'
import { readYaml, type YamlSource } from './yaml-source.js'
import { checkYaml } from './zod-faults.js'

/** Either a configuration that can be used as it is, or everything that is wrong with it. */
export type LoadResult =
  | { readonly config: Config; readonly source: YamlSource; readonly text: string; readonly faults?: undefined }
  | { readonly config?: undefined; readonly faults: readonly Fault[] }

/** Absolute path of a mapping file that comes with the package, such as `xcc.yaml`. */
export function shippedMapping(name: string): string {
  return fileURLToPath(new URL(`../../mappings/${name}`, import.meta.url))
}

/** Begins the name of a mapping file that comes with the package, where any other file may be named too. */
const SHIPPED_PREFIX = 'patchbay/'

/** Absolute path of a mapping file named in a file of `folder`: `patchbay/xcc.yaml` is the shipped one. */
export function mappingPath(name: string, folder: string): string {
  return name.startsWith(SHIPPED_PREFIX) ? shippedMapping(name.slice(SHIPPED_PREFIX.length)) : resolve(folder, name)
}

/** Mapping files that come with the package, each named after its dialect. */
export const SHIPPED_MAPPINGS: readonly string[] = ['voice-events.yaml', 'xcc.yaml', 'stasis.yaml']

/**
 * Reads `patchbay.yaml`, the environment and the files of its secrets, once. Never throws for
 * what a user can mend: every fault is in the result, with its place, in the order of lines.
 * @param read reads the text of `file` and nothing else: files of secrets are read as they are now
 */
export function loadConfig(
  file: string,
  env: Environment,
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): LoadResult {
  let text: string
  try {
    text = read(file)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason' // file system calls throw nothing else
    const what = `the file cannot be read (${reason})`
    return { faults: [{ file, line: 1, column: 1, code: 'config.file', what, right: 'name a readable file' }] }
  }
  return parseConfig(text, file, env)
}

/**
 * Like {@link loadConfig} for a text at hand; `file` names it in faults and is where relative paths begin.
 * @param readSecret reads files of secrets. Default: from the file system.
 */
export function parseConfig(
  text: string,
  file: string,
  env: Environment,
  readSecret?: (path: string) => string,
): LoadResult {
  const folder = dirname(resolve(file))
  const schema = configSchema({ env, folder, read: readSecret })
  const { source, faults: unset } = substitute(readYaml(text, file), schema, env)
  const checked = checkYaml(source, schema, 'config')
  const raw = viewRaw(source.value)
  const checks = [checkLinks, checkShards, checkRoutes, checkStore]
  const across = checks.flatMap((check) => check(source, raw))
  const faults = [...unset, ...('faults' in checked ? checked.faults.filter(notBecauseOf(unset)) : []), ...across]
  if ('faults' in checked || faults.length > 0) return { faults: sortFaults(faults) }
  return { config: freeze(complete(checked.data, folder)), source, text }
}

/** A variable that is not set leaves a text that fits nowhere; that is no second fault. */
function notBecauseOf(unset: readonly Fault[]): (fault: Fault) => boolean {
  return ({ line, column }) => !unset.some((other) => other.line === line && other.column === column)
}

/** Fills in the names that follow from other keys, and makes paths absolute. */
function complete(parsed: ParsedConfig, folder: string): Config {
  const links = Object.entries(parsed.links).map(
    ([name, link]) => [name, completeLink(link, name, parsed, folder)] as const,
  )
  const { store, ...rest } = parsed
  const storeLink = store.link ?? firstNats(parsed.links)
  return {
    ...rest,
    ...(parsed.state === 'jetstream' && storeLink !== undefined && { store: { ...store, link: storeLink } }),
    mappings: parsed.mappings?.map((path) => mappingPath(path, folder)) ?? SHIPPED_MAPPINGS.map(shippedMapping),
    links: Object.fromEntries(links),
    routes: parsed.routes.map((route) => completeRoute(route, parsed.links)),
  }
}

/** A share of the messages is no full picture, so nothing is asked of who brings it. */
function completeRoute({ name, sync, ...route }: ParsedConfig['routes'][number], links: ParsedConfig['links']) {
  const source = links[route.from]
  const isShard = source?.type === 'amqp' && source.shard !== undefined
  return {
    ...route,
    name: name ?? `${route.from}-to-${route.to}`,
    sync: isShard ? { ...sync, ask: false } : sync,
  }
}

type ParsedLink = ParsedConfig['links'][string]

function completeLink(link: ParsedLink, name: string, { group, links }: ParsedConfig, folder: string): LinkConfig {
  if (link.type === 'ari') return completeAri(link, name, links, folder)
  if (link.type === 'ari-server') return link
  return link.type === 'amqp' ? completeAmqp(link, name, group) : completeNats(link, group)
}

function completeAri(
  { username, password, subscribe, steer, deadLetters: named, ...link }: Extract<ParsedLink, { type: 'ari' }>,
  name: string,
  links: ParsedConfig['links'],
  folder: string,
): AriLinkConfig {
  const deadLetters = named ?? firstKeeper(links)
  // Who steers calls is told of those that it was handed; who watches, of all.
  const all = subscribe.all ?? (steer === undefined && Object.keys(subscribe).length === 0)
  return {
    ...link,
    node: link.node ?? name,
    credentials: { username, password },
    subscribe: { ...subscribe, all },
    ...(steer !== undefined && { steer: { ...steer, tables: mappingPath(steer.tables, folder) } }),
    ...(deadLetters !== undefined && { deadLetters }),
  }
}

/** The first link that can keep dead letters, also those of others. */
function firstKeeper(links: ParsedConfig['links']): string | undefined {
  return Object.entries(links).find(([, { type }]) => type === 'amqp' || type === 'nats')?.[0]
}

function firstNats(links: ParsedConfig['links']): string | undefined {
  return Object.entries(links).find(([, { type }]) => type === 'nats')?.[0]
}

function completeNats(
  { username, password, token, nkeySeed, creds, stream, ...link }: Extract<ParsedLink, { type: 'nats' }>,
  group: string,
): NatsLinkConfig {
  const uuid = link.node.uuid ?? group
  return {
    ...link,
    node: { ...link.node, uuid, name: link.node.name ?? uuid },
    ...(link.deliver === 'jetstream' && { stream }),
    ...(username !== undefined && password !== undefined && { credentials: { username, password } }),
    ...(token !== undefined && { credentials: { token } }),
    ...(nkeySeed !== undefined && { credentials: { nkeySeed } }),
    ...(creds !== undefined && { credentials: { creds } }),
  }
}

function completeAmqp(
  { url, username, password, ...link }: Extract<ParsedLink, { type: 'amqp' }>,
  name: string,
  group: string,
): AmqpLinkConfig {
  const urls = [url].flat()
  const queue = { ...link.queue, name: link.queue.name ?? `patchbay.${group}.${name}` }
  if (username !== undefined && password !== undefined)
    return { ...link, urls, queue, credentials: { username, password } }
  const isInUrls = urls.every((each) => each.includes('@'))
  return isInUrls ? { ...link, urls, queue } : { ...link, urls, queue, credentials: 'external' }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const item of Object.values(value)) freeze(item)
  }
  return value
}
