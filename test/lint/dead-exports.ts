/**
 * Finds exports that nothing uses: a value exported under `src` that no other file of the tree
 * mentions, a type that its own file does not mention either (an exported function's types are
 * best exported too). Names that the package gives to its users are in use. Found by words, so a
 * name that happens to stand elsewhere counts as used.
 */
import { posix } from 'node:path'
import type { SourceTree } from './source-tree.js'

/** An unused export. `line` counts from 1. */
export interface DeadExport {
  readonly file: string
  readonly line: number
  readonly name: string
}

const EXPORT = /^export\s+(?:async\s+)?(const|let|function\*?|class|interface|type)\s+([A-Za-z_$][\w$]*)/gm
const REEXPORT = /^export\s+(?:type\s+)?(?:\{[^}]*\}|\*)\s+from\s+['"][^'"\n]+['"]/gm
const STAR = /^export\s+(?:type\s+)?\*\s+from\s+['"]([^'"\n]+)['"]/gm
const WORD = /[A-Za-z_$][\w$]*/g

/** `entries`: the files that users of the package import. */
export function findDeadExports(tree: SourceTree, entries: readonly string[]): DeadExport[] {
  const counts = new Map([...tree].map(([file, source]) => [file, wordCounts(source)]))
  const given = publicFiles(tree, entries)
  const passedOn = new Set(entries.flatMap((entry) => reexportedWords(tree.get(entry) ?? '')))
  return [...tree].flatMap(([file, source]) => {
    if (!file.startsWith('src/') || given.has(file)) return []
    return [...source.matchAll(EXPORT)].flatMap((match) => {
      const [, kind, name = ''] = match
      const isType = kind === 'interface' || kind === 'type'
      const usedBy = ([user, words]: [string, ReadonlyMap<string, number>]) =>
        user === file ? isType && words.get(name)! > 1 : words.has(name)
      return passedOn.has(name) || [...counts].some(usedBy)
        ? []
        : [{ file, line: source.slice(0, match.index).split('\n').length, name }]
    })
  })
}

/** How often each word stands in a source; passing a name on is no use of it. */
function wordCounts(source: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [word] of source.replace(REEXPORT, '').matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** The entries and the files they pass on whole. */
function publicFiles(tree: SourceTree, entries: readonly string[]): ReadonlySet<string> {
  const found = new Set(entries)
  for (const file of found) {
    for (const [, target = ''] of (tree.get(file) ?? '').matchAll(STAR)) {
      found.add(posix.join(posix.dirname(file), target).replace(/\.js$/, '.ts'))
    }
  }
  return found
}

function reexportedWords(source: string): string[] {
  return [...source.matchAll(REEXPORT)].flatMap(([text]) => [...text.matchAll(WORD)].map(([word]) => word))
}
