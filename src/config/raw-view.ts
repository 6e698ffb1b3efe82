import type { YamlPath } from './yaml-source.js'

/** A link as written, as far as it is well-formed; defaults not applied. */
export interface RawLink {
  readonly name: string
  readonly path: YamlPath
  readonly type: string | undefined
  readonly urls: readonly string[]
  readonly servers: readonly string[]
  readonly queue: string | undefined
  readonly shardExchange: string | undefined
  readonly shardBy: string | undefined
  readonly dialect: string | undefined
  readonly namesMessages: boolean
  readonly nodeUuid: string | undefined
  readonly deliver: string | undefined
  readonly streamName: string | undefined
  readonly streamSubjects: readonly string[] | undefined
  readonly observe: readonly string[] | undefined
  readonly observePrefix: string | undefined
  readonly captures: boolean
  readonly captureStream: string | undefined
  readonly captureSubjects: readonly string[] | undefined
  readonly node: string | undefined
  readonly isSteered: boolean
  readonly qualifiesIds: boolean
  readonly app: string | undefined
  readonly userEvents: string | undefined
  readonly deadLetters: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  /** Where it waits for its peer, instead of going there. */
  readonly listen: RawListen | undefined
}

/** Where a link waits for its peer, and for whom. */
export interface RawListen {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: string | undefined
  /** The value, or what says where it comes from. */
  readonly username: unknown
  readonly tls: unknown
}

/** A route as written, as far as it is well-formed. */
export interface RawRoute {
  readonly path: YamlPath
  readonly name: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly facts: readonly string[] | undefined
  readonly asks: boolean
}

/** What checks across sections need of a file that may have faults of its own. */
export interface RawConfig {
  readonly group: string | undefined
  readonly state: string | undefined
  readonly storeLink: string | undefined
  readonly links: readonly RawLink[]
  readonly routes: readonly RawRoute[]
}

/** Takes from plain data whatever has the right form. */
export function viewRaw(value: unknown): RawConfig {
  const links = Object.entries(map(get(value, 'links'))).map(([name, link]) => viewLink(name, link))
  const written = get(value, 'routes')
  const routes = Array.isArray(written) ? written.map(viewRoute) : []
  return {
    group: text(get(value, 'group')),
    state: text(get(value, 'state')),
    storeLink: text(get(get(value, 'store'), 'link')),
    links,
    routes,
  }
}

function viewLink(name: string, link: unknown): RawLink {
  return {
    name,
    path: ['links', name],
    type: text(get(link, 'type')),
    urls: texts([get(link, 'url')].flat()) ?? [],
    servers: texts(get(link, 'servers')) ?? [],
    queue: text(get(get(link, 'queue'), 'name')),
    shardExchange: text(get(get(link, 'shard'), 'exchange')),
    shardBy: text(get(get(link, 'shard'), 'by')),
    dialect: text(get(link, 'dialect')),
    namesMessages: get(link, 'messages') !== undefined,
    nodeUuid: text(get(get(link, 'node'), 'uuid')),
    deliver: text(get(link, 'deliver')),
    streamName: text(get(get(link, 'stream'), 'name')),
    streamSubjects: texts(get(get(link, 'stream'), 'subjects')),
    observe: texts(get(link, 'observe')),
    observePrefix: text(get(link, 'observePrefix')),
    captures: get(link, 'capture') !== undefined,
    captureStream: text(get(get(link, 'capture'), 'stream')),
    captureSubjects: texts(get(get(link, 'capture'), 'subjects')),
    node: text(get(link, 'node')),
    isSteered: get(link, 'steer') !== undefined,
    qualifiesIds: get(link, 'qualifyIds') === true,
    app: text(get(link, 'app')),
    userEvents: text(get(get(link, 'userEvents'), 'application')),
    deadLetters: text(get(link, 'deadLetters')),
    host: text(get(link, 'host')),
    port: whole(get(link, 'port')),
    listen: viewListen(get(link, 'listen')),
  }
}

function viewListen(listen: unknown): RawListen | undefined {
  if (listen === undefined) return undefined
  return {
    host: text(get(listen, 'host')),
    port: whole(get(listen, 'port')),
    path: text(get(listen, 'path')),
    username: get(listen, 'username'),
    tls: get(listen, 'tls'),
  }
}

function viewRoute(route: unknown, index: number): RawRoute {
  return {
    path: ['routes', index],
    name: text(get(route, 'name')),
    from: text(get(route, 'from')),
    to: text(get(route, 'to')),
    facts: texts(get(route, 'facts')),
    asks: get(get(route, 'sync'), 'ask') === true,
  }
}

function map(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function get(value: unknown, key: string): unknown {
  const found = map(value)
  return Object.hasOwn(found, key) ? found[key] : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function whole(value: unknown): number | undefined {
  return Number.isInteger(value) ? (value as number) : undefined // only numbers are integers
}

/** Items that are no text keep their place as empty text, so that indices stay right. */
function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map((item) => text(item) ?? '') : undefined
}
