import { posix } from 'node:path'
import { readImports } from './read-imports.js'
import type { SourceTree } from './source-tree.js'

const HARNESS = 'test/harness/'

/**
 * The test files that need real brokers or real Ruby: those that reach the harness by their
 * imports, or are handed a broker's address.
 */
export function liveTests(tree: SourceTree): string[] {
  return [...tree.keys()].filter((file) => file.endsWith('.test.ts') && isLive(file, tree)).sort()
}

function isLive(test: string, tree: SourceTree): boolean {
  const reached = new Set([test])
  for (const file of reached) {
    const source = tree.get(file)
    if (source === undefined) continue
    if (file.startsWith(HARNESS) || /\binject\(\s*'(?:amqpUrl|natsUrl|rabbitMqControl)'/.test(source)) return true
    for (const { target } of readImports(source)) {
      if (target.startsWith('.')) reached.add(posix.join(posix.dirname(file), target).replace(/\.js$/, '.ts'))
    }
  }
  return false
}
