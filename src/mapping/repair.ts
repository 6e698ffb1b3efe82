import type { Fault } from '../config/index.js'
import { knownKeys, nearest, plainIssues, type YamlPath, type YamlSource, zodFaults } from '../config/index.js'
import { type MappingFile, mappingSchema } from './schema.js'

/** A mapping as far as its form allows, and what is wrong with its form. */
export interface Repaired {
  /** Undefined only when the file is no mapping at all. */
  readonly data: MappingFile | undefined
  readonly faults: Fault[]
  /** The source, whose places also follow keys that were read under the name they were meant to have. */
  readonly source: YamlSource
  /** Whether something at or below the path could not be read, so that what is missing there may only seem so. */
  isCut(path: YamlPath): boolean
  /** Whether what was left out at or below the path mentions a name. */
  isCutMention(path: YamlPath, name: string): boolean
  /** Messages of which not even the kind of fact is known. */
  readonly kindless: ReadonlySet<string>
}

type Issue = Parameters<typeof plainIssues>[0][number]
/** Something left out: where, and its text as JSON. */
interface Cut {
  readonly path: YamlPath
  readonly text: string
}

type Plain = Record<string, unknown>

const MAX_STEPS = 400
/** Stand in for what every mapping must have, so that the rest can be checked. */
const STAND_INS: Plain = { mapping: 'v1', dialect: 'nameless', messages: {} }
const STAND_IN_KIND = 'custom'

/**
 * Parses what can be parsed: a mistyped key or word is read as the one it was meant for, anything
 * else that does not fit is left out, so that the checks that need a whole file still find
 * everything else that is wrong.
 */
export function repair(source: YamlSource): Repaired {
  const first = mappingSchema.safeParse(source.value)
  const kindless = new Set<string>()
  const cuts: Cut[] = []
  const renames = new Map<string, string>()
  const isUnder = ({ path: cut }: Cut, path: YamlPath) => path.every((step, i) => cut[i] === step)
  const made = {
    source: followRenames(source, renames),
    isCut: (path: YamlPath) => cuts.some((cut) => isUnder(cut, path)),
    isCutMention: (path: YamlPath, name: string) =>
      cuts.some((cut) => isUnder(cut, path) && cut.text.includes(JSON.stringify(name))),
    kindless,
  }
  if (first.success) return { ...made, data: first.data, faults: [...source.faults] }
  const faults = [...source.faults, ...zodFaults(source, mappingSchema, first.error.issues, 'mapping')]
  if (!isPlain(source.value)) return { ...made, data: undefined, faults }
  const value = structuredClone(source.value)
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const result = mappingSchema.safeParse(value)
    if (result.success) return { ...made, data: result.data, faults }
    for (const issue of plainIssues(result.error.issues, value)) mend(issue)
  }
  return { ...made, data: undefined, faults }

  function mend(issue: Issue): void {
    const path = issue.path as YamlPath // YAML data has no symbol keys
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) mendKey(path, key)
    else if (!mendValue(issue, path)) cut(path)
  }

  function mendKey(path: YamlPath, key: string): void {
    const parent = nodeAt(value, path)
    if (!isPlain(parent) || !(key in parent)) return
    const meant = nearest(key, knownKeys(mappingSchema, value, path))
    if (meant === undefined || meant in parent) {
      cut([...path, key])
      return
    }
    parent[meant] = parent[key]
    delete parent[key]
    renames.set(JSON.stringify([...path, meant]), key)
  }

  /** Whether a value could be put there that the schema takes. */
  function mendValue(issue: Issue, path: YamlPath): boolean {
    const [top, message, key] = path
    const parent = nodeAt(value, path.slice(0, -1))
    const last = path.at(-1)
    if (!isPlain(parent) || last === undefined) return false
    const came = parent[last]
    const meant =
      issue.code === 'invalid_value' && typeof came === 'string' ? nearest(came, issue.values.map(String)) : undefined
    if (meant !== undefined && meant !== came) {
      parent[last] = meant
      return true
    }
    if (path.length === 3 && top === 'messages' && key === 'fact') {
      kindless.add(String(message))
      parent.fact = STAND_IN_KIND
      return true
    }
    if (path.length === 3 && top === 'messages' && key === 'address' && came === undefined) {
      cuts.push({ path, text: '' })
      parent.address = {}
      return true
    }
    const isCodec = path.length === 2 && top === 'codec' && last === 'name'
    const standIn = isCodec
      ? likelyCodec(value)
      : last === 'codec' && path.length === 1
        ? { name: likelyCodec(value) }
        : STAND_INS[path.length === 1 ? last : '']
    if (standIn === undefined) return false
    cuts.push({ path, text: JSON.stringify(came) ?? '' })
    parent[last] = structuredClone(standIn)
    return true
  }

  function cut(path: YamlPath): void {
    cuts.push({ path, text: prune(value, path) })
  }
}

/** Removes the node at a path, or the nearest thing above it that exists; answers what that was, as JSON. */
function prune(root: unknown, path: YamlPath): string {
  for (let length = path.length; length > 0; length--) {
    const parent = nodeAt(root, path.slice(0, length - 1))
    const key = path[length - 1]!
    if (typeof parent !== 'object' || parent === null || !(key in parent)) continue
    const removed = JSON.stringify({ [key]: (parent as Plain)[key] })
    if (Array.isArray(parent)) parent.splice(Number(key), 1)
    else delete (parent as Plain)[key]
    return removed
  }
  return ''
}

function nodeAt(root: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Plain)[step] : undefined),
    root,
  )
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The codec that a file without one is written for: classes are Ruby's, methods JSON-RPC's. */
function likelyCodec(value: unknown): string {
  return /"method":/.test(JSON.stringify(value)) ? 'json-rpc' : 'ruby-yaml'
}

/** A source whose paths also lead to keys by the names they were meant to have: `renames`, by the path as JSON. */
export function followRenames(source: YamlSource, renames: ReadonlyMap<string, string>): YamlSource {
  const written = (path: YamlPath): YamlPath =>
    renames.size === 0 ? path : path.map((step, i) => renames.get(JSON.stringify(path.slice(0, i + 1))) ?? step)
  return {
    ...source,
    locate: (path, what) => source.locate(written(path), what),
    isWhole: (path) => source.isWhole(written(path)),
    keysInOrder: (path) => source.keysInOrder(written(path)),
    fault: (path, code, what, right, at) => source.fault(written(path), code, what, right, at),
  }
}
