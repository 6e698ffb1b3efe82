/** One import, re-export or dynamic import with a literal target. `line` counts from 1. */
export interface ImportStatement {
  readonly target: string
  readonly line: number
}

/** Between the keyword and the target stands nothing but names: so no match runs on into other code. */
const STATIC = /^(?:import|export)\s+(?:type\s+)?(?:[\w$*{},\s]+?\s*from\s*)?['"]([^'"\n]+)['"]/gm
/** Also `import('x').Type` in types. */
const DYNAMIC = /\bimport\s*\(\s*['"]([^'"\n]+)['"]/g
const COMMENT_LINE = /^\s*(?:\*|\/\/|\/\*)/

/**
 * The imports of a TypeScript source. Statements are found where the formatter puts them: at the
 * start of a line.
 */
export function readImports(source: string): ImportStatement[] {
  const found = [...source.matchAll(STATIC), ...source.matchAll(DYNAMIC)].flatMap((match) => {
    const before = source.slice(0, match.index)
    const ownLine = source.slice(before.lastIndexOf('\n') + 1).split('\n', 1)[0]!
    if (COMMENT_LINE.test(ownLine)) return []
    return [{ target: match[1]!, line: before.split('\n').length }]
  })
  return found.sort((a, b) => a.line - b.line)
}
