import { type Fault, type FaultCode, type Position, sortFaults } from './fault.js'
import { parseTolerant } from './yaml-repair.js'
import { buildTree, type YamlNode } from './yaml-tree.js'

/** Keys and indices from the root to a node. */
export type YamlPath = ReadonlyArray<string | number>

/** A YAML text as plain data, with the place of every node. */
export interface YamlSource {
  readonly file: string
  /**
   * Plain data of YAML 1.2 core: mappings are objects without prototype (so `__proto__` is an
   * ordinary key) keyed by the keys' text, sequences arrays; an alias is the very value of its
   * anchor. An empty text is null. Undefined when nothing could be read.
   */
  readonly value: unknown
  /** False when lines had to be left out because of syntax faults: keys may be missing that are in the file. */
  readonly complete: boolean
  /** The same for the node at a path: false when lines had to be left out between its beginning and its end. */
  isWhole(path: YamlPath): boolean
  /** What is wrong with the text itself, in the order of lines. */
  readonly faults: readonly Fault[]
  /**
   * Where the value (or the key, with `what: 'key'`) at a path stands. Without a node there: the
   * nearest ancestor that exists, by its key where it has one. The root is 1:1 or its first node.
   */
  locate(path: YamlPath, what?: 'key' | 'value'): Position
  /** Keys of the mapping at a path in the order of the text, `[]` where there is none. Objects put keys like `16` first. */
  keysInOrder(path: YamlPath): readonly string[]
  /** A fault of this file at a path. */
  fault(path: YamlPath, code: FaultCode, what: string, right: string, at?: 'key' | 'value'): Fault
}

/** Bounds of a file written by hand: text in UTF-16 units, nesting, nodes after aliases are followed. */
const LIMITS = { textUnits: 4_000_000, depth: 100, nodes: 200_000 }

/**
 * Reads a YAML file written by a human: YAML 1.2 core, one document, anchors and aliases, no
 * merge keys, no tags but those of the core. Never throws; everything wrong is in `faults`.
 */
export function readYaml(text: string, file: string): YamlSource {
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (body.length > LIMITS.textUnits) return tooLarge(file)
  const parsed = parseTolerant(body, LIMITS.depth)
  const starts = lineStarts(parsed.text)
  const faults: Fault[] = parsed.mistakes.map((mistake) => ({ file, code: 'yaml.syntax' as const, ...mistake }))
  const root = buildTree(parsed.text, parsed.events, LIMITS.nodes, (offset, code, what, right) => {
    faults.push({ file, ...positionOf(starts, offset), code, what, right })
  })
  const locate = (path: YamlPath, what: 'key' | 'value' = 'value') => positionOf(starts, offsetOf(root, path, what))
  return {
    file,
    value: root === undefined ? (faults.length > 0 ? undefined : null) : root.value,
    complete: parsed.leftOut?.length === 0,
    isWhole(path) {
      if (parsed.leftOut === undefined) return false
      const { from, to } = extentOf(root, path)
      const first = positionOf(starts, from).line - 1
      const end = to === undefined ? starts.length : positionOf(starts, to).line - 1
      return !parsed.leftOut.some((line) => line >= first && line < end)
    },
    faults: sortFaults(faults),
    locate,
    keysInOrder: (path) => [...(nodeAt(root, path)?.entries?.keys() ?? [])],
    fault: (path, code, what, right, at) => ({ file, ...locate(path, at), code, what, right }),
  }
}

function tooLarge(file: string): YamlSource {
  const start = { line: 1, column: 1 }
  const what = `the file is longer than ${LIMITS.textUnits} characters`
  return {
    file,
    value: undefined,
    complete: false,
    isWhole: () => false,
    faults: [{ file, ...start, code: 'yaml.limit', what, right: 'split it' }],
    locate: () => start,
    keysInOrder: () => [],
    fault: (_path, code, what, right) => ({ file, ...start, code, what, right }),
  }
}

function offsetOf(root: YamlNode | undefined, path: YamlPath, what: 'key' | 'value'): number {
  if (root === undefined) return 0
  let node = root
  let offset = root.offset
  for (const [depth, step] of path.entries()) {
    const isLast = depth === path.length - 1
    const entry = node.entries?.get(String(step))
    if (entry !== undefined) {
      offset = isLast && what === 'value' ? entry.node.offset : entry.keyOffset
      node = entry.node
      continue
    }
    const item = typeof step === 'number' ? node.items?.[step] : undefined
    if (item === undefined) return offset
    offset = item.offset
    node = item
  }
  return offset
}

/** Where the entry at a path begins, and where what follows it begins (undefined: the end of the text). */
function extentOf(root: YamlNode | undefined, path: YamlPath): { from: number; to: number | undefined } {
  let node = root
  let from = 0
  let to: number | undefined
  for (const step of path) {
    const places = node?.entries
      ? [...node.entries].map(([key, entry]) => [key, entry.keyOffset, entry.node] as const)
      : []
    const items = (node?.items ?? []).map((item, i) => [String(i), item.offset, item] as const)
    const all = [...places, ...items]
    const at = all.findIndex(([key]) => key === String(step))
    if (at < 0) break
    from = all[at]![1]
    to = all[at + 1]?.[1] ?? to
    node = all[at]![2]
  }
  return { from, to }
}

function nodeAt(root: YamlNode | undefined, path: YamlPath): YamlNode | undefined {
  let node = root
  for (const step of path) {
    node = node?.entries?.get(String(step))?.node ?? (typeof step === 'number' ? node?.items?.[step] : undefined)
  }
  return node
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

function positionOf(starts: readonly number[], offset: number): Position {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] as number) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] as number) + 1 }
}
