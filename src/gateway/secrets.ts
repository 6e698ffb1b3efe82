import { isDeepStrictEqual } from 'node:util'
import {
  type Config,
  type Fault,
  formatFault,
  type LinkConfig,
  parseConfig,
  placeOf,
  secretValues,
  type YamlSource,
} from '../config/index.js'
import type { Log } from '../telemetry/index.js'
import { credentialsMistake } from '../transports/nats/index.js'
import { certificateEnd, pairMistake, type TlsConfig, tlsMistake } from '../transports/tls.js'
import { type ConfigFile, type FileWatcher, readThrough, recordReads, watchFiles } from './rules/index.js'

/** Certificates, keys and passwords of links, as their files are now. */
export interface Secrets {
  /** A link with its secrets as they are now; all else of it never changes. */
  link(name: string): LinkConfig
  /** Begins to follow the files. @param renewed is called with each link whose secrets are others now. */
  start(renewed: (link: string) => void): void
  /** Looks at the files at once. */
  look(): Promise<void>
  stop(): void
}

/** What it is made of. */
export interface SecretsParts {
  readonly config: Config
  /** Where the configuration is; absent where it is in no file: then nothing is followed. */
  readonly file: ConfigFile | undefined
  /** Told of every secret that is read, before anything is said of it. */
  hide(secrets: readonly string[]): void
  readonly log: Log
}

/** Keys of links that hold secrets or parts made of them. */
const KEYS = ['credentials', 'tls', 'listen', 'users'] as const

const partsOf = (link: LinkConfig) => KEYS.map((key) => (key in link ? Reflect.get(link, key) : undefined))

/** All material of a link: what it connects with, and what it shows to whoever comes. */
function materialOf(link: LinkConfig): TlsConfig[] {
  const listen = link.type === 'ari' ? link.listen?.tls : undefined
  return [link.tls, listen].filter((tls) => tls !== undefined)
}

/** When the first of our own certificates of a link ends, UTC milliseconds; undefined where it has none. */
export function ownCertificateEnd(link: LinkConfig): number | undefined {
  const ends = materialOf(link).flatMap((tls) => certificateEnd(tls) ?? [])
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** Why nobody can log in by what a link has now; undefined where that can be tried. */
function loginMistake(link: LinkConfig): string | undefined {
  return link.type === 'nats' && link.credentials !== undefined ? credentialsMistake(link.credentials) : undefined
}

/** A fault for each server of ours whose certificate and key are no pair: it could not even begin to listen. */
export function serverFaults({ links }: Config, source: YamlSource): Fault[] {
  return Object.entries(links).flatMap(([name, link]) => {
    const ofServer = link.type === 'ari-server'
    const tls = ofServer ? link.tls : link.type === 'ari' ? link.listen?.tls : undefined
    const mistake = tls && pairMistake(tls)
    if (mistake === undefined) return []
    const path = ofServer ? ['links', name, 'tls'] : ['links', name, 'listen', 'tls']
    return [source.fault(path, 'config.value', mistake, 'give a certificate with its own key')]
  })
}

/** A fault in words that hold no secret: what a file of one is refused for, of all else only the place. */
const shown = (fault: Fault) => (fault.code === 'config.file' ? formatFault(fault) : placeOf(fault))

/**
 * Follows the files that the configuration names by `{ file: … }`, as mapping files are followed: by their content, behind
 * whatever links lead to them, and only when two looks found the same. What cannot be used, such as a certificate whose key
 * is not there yet, is refused: the secrets before stay.
 */
export function followSecrets({ config, file, hide, log }: SecretsParts): Secrets {
  let links = config.links
  let tell: (link: string) => void = () => undefined
  const watcher = file && watch(file)

  function watch({ file: path, text, env }: ConfigFile): FileWatcher | undefined {
    const parse = (read: (path: string) => string) => parseConfig(text, path, env, read)
    const first = recordReads(readThrough)
    const { config: now } = parse(first.read)
    if (first.seen.size === 0) return undefined
    if (now !== undefined) takeAll(now) // what changed since the configuration was read
    return watchFiles({
      everyMs: config.reload.everyMs,
      known: first.seen,
      judge(read) {
        const recorder = recordReads(read)
        const { config: found, faults } = parse(recorder.read)
        return {
          seen: recorder.seen,
          async carryOut() {
            if (faults === undefined) takeAll(found)
            else log.error('secrets refused: the ones before stay', { faults: faults.map(shown) })
            return recorder.seen
          },
        }
      },
    })
  }

  function takeAll(found: Config): void {
    hide(secretValues(found))
    for (const [name, link] of Object.entries(found.links)) {
      const before = links[name]
      if (before !== undefined && !isDeepStrictEqual(partsOf(before), partsOf(link))) take(name, link)
    }
  }

  function take(name: string, link: LinkConfig): void {
    const before = materialOf(links[name]!)
    // A certificate that has ended keeps nobody from renewing a password.
    const changed = materialOf(link).filter((tls, at) => !isDeepStrictEqual(tls, before[at]))
    const mistake = changed.flatMap((tls) => tlsMistake(tls) ?? [])[0] ?? loginMistake(link)
    if (mistake !== undefined) {
      log.error('secrets refused: the ones before stay', { link: name, reason: mistake })
      return
    }
    links = { ...links, [name]: link }
    const ends = ownCertificateEnd(link)
    log.info('secrets renewed', { link: name, ...(ends !== undefined && { certificateEnds: new Date(ends) }) })
    tell(name)
  }

  return {
    link: (name) => links[name]!,
    start(renewed) {
      tell = renewed
      watcher?.start()
    },
    look: async () => watcher?.look(),
    stop: () => watcher?.stop(),
  }
}
