import { execFileSync } from 'node:child_process'
import { generateFields, generateModel } from './generate-model.js'

/** Files that are made from other files, by path from the repository's root: each with its maker. */
const MAKERS: Readonly<Record<string, () => string>> = {
  'src/model/generated.ts': generateModel,
  'src/model/fields.ts': generateFields,
}

const BIOME = 'node_modules/@biomejs/biome/bin/biome'

function format(path: string, text: string): string {
  if (!path.endsWith('.ts')) return text
  return execFileSync(process.execPath, [BIOME, 'format', `--stdin-file-path=${path}`], {
    input: text,
    encoding: 'utf8',
  })
}

/** The generated files as they should be, by path. Run from the repository's root. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map(Object.entries(MAKERS).map(([path, make]) => [path, format(path, make())]))
}
