/**
 * Holds the sources to the layout: who may import whom, folders only through their index, no
 * cycles. Type imports count like others.
 */
import { posix } from 'node:path'
import { findCycles } from './cycles.js'
import { allowedUnits, isSideDoor, mayImport, unitOf } from './layers.js'
import { readImports } from './read-imports.js'
import type { SourceTree } from './source-tree.js'

/** A wrong import. `line` counts from 1. */
export interface ArrowFault {
  readonly file: string
  readonly line: number
  readonly what: string
  readonly right: string
}

/** An import, resolved; `to` is undefined for packages and for files outside the tree. */
interface Arrow {
  readonly from: string
  readonly line: number
  readonly target: string
  readonly to: string | undefined
}

/** Every fault of the tree, in order of file and line. */
export function checkArrows(tree: SourceTree): ArrowFault[] {
  const arrows = [...tree].flatMap(([from, source]) =>
    readImports(source).map(({ target, line }): Arrow => ({ from, line, target, to: resolve(from, target, tree) })),
  )
  const faults = arrows.flatMap((arrow) =>
    [layerFault(arrow), doorFault(arrow, tree)].filter((fault) => fault !== undefined),
  )
  return [...faults, ...cycleFaults(arrows)].sort((a, b) =>
    a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
  )
}

/** A fault as one line, `file:line: what; right`. */
export function formatArrowFault({ file, line, what, right }: ArrowFault): string {
  return `${file}:${line}: ${what}; ${right}`
}

function resolve(from: string, target: string, tree: SourceTree): string | undefined {
  if (!target.startsWith('.')) return undefined
  const path = posix.join(posix.dirname(from), target).replace(/\.(m?)js$/, '.$1ts')
  return tree.has(path) ? path : undefined
}

function layerFault({ from, line, target, to }: Arrow): ArrowFault | undefined {
  if (!from.startsWith('src/')) return undefined
  const unit = unitOf(from)
  const fault = (what: string, right: string) => ({ file: from, line, what, right })
  const allowed = allowedUnits(unit)
  if (allowed === undefined) return fault(`\`${unit}\` is no unit of the layout`, 'name it in test/lint/layers.ts')
  const outside = posix.join(posix.dirname(from), target)
  if (target.startsWith('.') && !outside.startsWith('src/')) {
    return fault(`\`${unit}\` imports ${outside}`, 'sources import nothing outside src')
  }
  if (unit === 'model' && !target.startsWith('.')) return fault(`\`model\` imports ${target}`, 'it depends on nothing')
  if (to === undefined || mayImport(unit, unitOf(to))) return undefined
  const right = allowed.length === 0 ? 'it imports nothing outside itself' : `it may import ${allowed.join(', ')}`
  return fault(`\`${unit}\` imports \`${unitOf(to)}\``, right)
}

/** Finds an import that goes round the index of a folder which the importing file is not in. */
function doorFault({ from, line, to }: Arrow, tree: SourceTree): ArrowFault | undefined {
  if (!from.startsWith('src/') || to === undefined || isSideDoor(to)) return undefined
  for (let folder = posix.dirname(to); folder !== 'src' && folder !== '.'; folder = posix.dirname(folder)) {
    const index = `${folder}/index.ts`
    if (from.startsWith(`${folder}/`) || !tree.has(index) || to === index) continue
    return { file: from, line, what: `${to} is inside ${folder}`, right: `import ${index}` }
  }
  return undefined
}

function cycleFaults(arrows: readonly Arrow[]): ArrowFault[] {
  const graph = new Map<string, string[]>()
  for (const { from, to } of arrows) if (to !== undefined) graph.set(from, [...(graph.get(from) ?? []), to])
  return findCycles(graph).map((cycle) => {
    const [file = '', next = file] = cycle
    const line = arrows.find((arrow) => arrow.from === file && arrow.to === next)?.line ?? 1
    return {
      file,
      line,
      what: `import cycle ${[...cycle, file].join(' → ')}`,
      right: 'move what they share into a file that imports none of them',
    }
  })
}
