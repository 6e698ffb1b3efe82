import { execFileSync } from 'node:child_process'
import { configJsonSchema } from '../../src/config/index.js'
import { mappingJsonSchema } from '../../src/mapping/schema.js'
import { testFileJsonSchema } from '../../src/mapping/testing/test-file.js'
import { generateFields, generateModel } from './generate-model.js'

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

/** Files that are made from other files, by path from the repository's root: each with its maker. */
const MAKERS: Readonly<Record<string, () => string>> = {
  'src/model/generated.ts': generateModel,
  'src/model/fields.ts': generateFields,
  'mappings/schema/mapping.schema.json': () => json(mappingJsonSchema()),
  'mappings/schema/mapping-test.schema.json': () => json(testFileJsonSchema()),
  'mappings/schema/config.schema.json': () => json(configJsonSchema()),
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
