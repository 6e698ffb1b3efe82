import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { configJsonSchema } from '../../src/config/index.js'
import { mappingJsonSchema } from '../../src/mapping/schema.js'
import { testFileJsonSchema } from '../../src/mapping/testing/test-file.js'
import { asyncApiFile } from './asyncapi/document.js'
import { CHART_MAKERS } from './chart/files.js'
import { generateFields, generateModel } from './generate-model.js'
import { keywordTables } from './keyword-table.js'
import { lossTable } from './loss-table.js'
import { cliPage } from './reference/cli-page.js'
import { errorsPage } from './reference/errors-page.js'
import { metricsPage } from './reference/metrics-page.js'
import { settingsPage } from './reference/settings-page.js'
import { supportTable } from './support.js'

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

/** The integrator's manual with what is computed of it: its tables of keywords, what survives between dialects, and XCC's methods. */
function manual(): string {
  const text = readFileSync('mappings/README.md', 'utf8')
  const withKeywords = between(text, 'keywords', `\n${keywordTables()}`)
  const withLoss = between(withKeywords, 'loss', `\n${lossTable()}`)
  return between(withLoss, 'methods', `\n${supportTable()}`)
}

function between(text: string, name: string, inner: string): string {
  const mark = `<!-- ${name} -->`
  const begin = text.indexOf(mark)
  const end = text.indexOf(`<!-- end of ${name} -->`)
  if (begin < 0 || end < begin) throw new Error(`mappings/README.md has lost the marks of ${name}`)
  return `${text.slice(0, begin)}${mark}\n${inner}\n${text.slice(end)}`
}

/** Files that are made from other files, by path from the repository's root: each with its maker. */
const MAKERS: Readonly<Record<string, () => string>> = {
  'src/model/generated.ts': generateModel,
  'src/model/fields.ts': generateFields,
  'mappings/README.md': manual,
  'mappings/schema/mapping.schema.json': () => json(mappingJsonSchema()),
  'mappings/schema/mapping-test.schema.json': () => json(testFileJsonSchema()),
  'mappings/schema/config.schema.json': () => json(configJsonSchema()),
  ...CHART_MAKERS,
  'docs/reference/settings.md': settingsPage,
  'docs/reference/error-codes.md': errorsPage,
  'docs/reference/cli.md': cliPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/asyncapi.yaml': asyncApiFile,
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
