import { isDeepStrictEqual } from 'node:util'
import { load } from 'js-yaml'
import type { KubernetesObject, Rendered } from './chart.js'

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whatever a text of a ConfigMap is made of counts by its parts. */
function opened(document: KubernetesObject): unknown {
  if (document.kind !== 'ConfigMap' || !isMap(document.data)) return document
  const data = Object.entries(document.data).map(([name, text]) => [
    name,
    name === 'patchbay.yaml' ? load(String(text)) : text,
  ])
  return { ...document, data: Object.fromEntries(data) }
}

const isNamed = (list: readonly unknown[]) => list.length > 0 && list.every((each) => isMap(each) && 'name' in each)

/** Members of a list or map; what has a name goes by it, so that an addition in front is one difference. */
function members(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (isMap(value)) return new Map(Object.entries(value))
  if (!Array.isArray(value)) return undefined
  const names = isNamed(value) ? value.map(({ name }) => String(name)) : value.map((_, at) => String(at))
  return new Map(names.map((name, at) => [name, value[at]]))
}

/** A value as a difference shows it: JSON with sorted keys, or `…` for a long text. */
export const told = (value: unknown): string =>
  typeof value === 'string' && value.length > 60 ? '…' : JSON.stringify(sorted(value))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isMap(value)) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]))
}

function differences(before: unknown, after: unknown, path: string): string[] {
  const [was, is] = [members(before), members(after)]
  if (was === undefined || is === undefined || Array.isArray(before) !== Array.isArray(after)) {
    return isDeepStrictEqual(before, after) ? [] : [`${path}: ${told(before)} → ${told(after)}`]
  }
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) => {
    const at = `${path} ${key}`
    if (!was.has(key)) return [`${at}: + ${told(is.get(key))}`]
    if (!is.has(key)) return [`${at}: - ${told(was.get(key))}`]
    return differences(was.get(key), is.get(key), at)
  })
}

/**
 * All differences, a line each: `+ Kind/name`, `- Kind/name`, and what changed within, by path with
 * `+ value`, `- value` or `value → value`; long texts are `…`.
 */
export function compare(before: Rendered, after: Rendered): string[] {
  const lines = [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)]
    if (was === undefined) return [`+ ${name}`]
    if (is === undefined) return [`- ${name}`]
    return differences(opened(was), opened(is), name)
  })
  return lines.sort()
}
