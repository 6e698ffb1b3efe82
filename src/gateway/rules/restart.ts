import { isDeepStrictEqual } from 'node:util'
import type { Config, Fault, YamlPath, YamlSource } from '../../config/index.js'
import { isMap } from './plain.js'

/** A configuration with the text that it was read from. */
export interface ReadConfig {
  readonly config: Config
  readonly source: YamlSource
}

/** Keys of the configuration that may change while the gateway runs. */
const RELOADABLE: ReadonlySet<string> = new Set(['routes', 'mappings', 'settings'])

const at = (value: unknown, key: string) => (isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined)
const keysOf = (...values: readonly unknown[]) => [
  ...new Set(values.flatMap((value) => (isMap(value) ? Object.keys(value) : []))),
]

/**
 * A fault for each key that differs from what the gateway runs with and takes effect only at a start. A default that
 * is written out is no change, nor is a secret that its file or variable has anew.
 */
export function restartFaults(running: ReadConfig, next: ReadConfig): Fault[] {
  const [before, after] = [running.source.value, next.source.value]
  const changed = keysOf(before, after)
    .filter((key) => !RELOADABLE.has(key))
    .flatMap((key): YamlPath[] => {
      const [was, is] = [at(running.config, key), at(next.config, key)]
      if (key !== 'links') return isDeepStrictEqual(was, is) ? [] : differing(at(before, key), at(after, key), [key])
      return keysOf(was, is)
        .filter((name) => !isDeepStrictEqual(at(was, name), at(is, name)))
        .flatMap((name) => differing(at(at(before, key), name), at(at(after, key), name), [key, name]))
    })
  return changed.map((path) =>
    next.source.fault(
      path,
      'config.restart',
      `\`${path.join('.')}\` is another than the gateway runs with`,
      'start the gateway anew, or take the change back',
      'key',
    ),
  )
}

/** The deepest keys that differ. */
function differing(before: unknown, after: unknown, path: YamlPath): YamlPath[] {
  if (isDeepStrictEqual(plain(before), plain(after))) return []
  if (!isMap(before) || !isMap(after)) return [path]
  return keysOf(before, after).flatMap((key) => differing(at(before, key), at(after, key), [...path, key]))
}

/** Mappings that were read have no prototype; only what they hold is compared. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
