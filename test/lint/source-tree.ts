import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** Sources by path from the repository's root, with `/`. */
export type SourceTree = ReadonlyMap<string, string>

/** The TypeScript files of these folders of a repository; a folder that is not there has none. */
export function readSourceTree(root: string, folders: readonly string[] = ['src', 'test', 'bench']): SourceTree {
  const present = new Set(readdirSync(root))
  const files = folders
    .filter((folder) => present.has(folder))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `${folder}/${name.split(sep).join('/')}`),
    )
  return new Map(files.sort().map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}
