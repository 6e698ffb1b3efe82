import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { checkYaml, type Fault, readYaml, type YamlSource } from '../../config/index.js'

const testCase = z
  .strictObject({
    wire: z
      .strictObject({
        address: z.record(z.string(), z.string()).optional().describe('where it travels; compared only when given'),
        body: z
          .union([z.string(), z.record(z.string(), z.unknown())])
          .describe('the body as text; for a JSON dialect it may be written as YAML'),
      })
      .describe('a message on the wire'),
    facts: z
      .array(z.record(z.string(), z.unknown()))
      .describe('what it says; `ext` is compared only where it is given, `meta` never'),
    ext: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .optional()
      .describe('what the message says beside its facts, by dialect; compared only when given'),
    only: z.enum(['read', 'write']).optional().describe('one direction only'),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe('settings of the mapping for this test'),
  })
  .describe('a message and the facts it says')

/** The form of `NAME.test.yaml` beside a mapping file `NAME.yaml`. */
const testFileSchema = z.strictObject({
  description: z.string().optional(),
  settings: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('settings of the mapping for every test'),
  tests: z.record(z.string().min(1), testCase).describe('tests by a name that says what is shown'),
})

/** One test of a mapping. */
export type TestCase = z.output<typeof testCase>

/** The tests of a mapping, with their places. */
export interface TestFile {
  readonly path: string
  readonly source: YamlSource
  readonly settings: NonNullable<TestCase['settings']>
  readonly tests: Readonly<Record<string, TestCase>>
}

/** Where the tests of a mapping stand: beside it. */
function testPathOf(mapping: string): string {
  return mapping.replace(/(\.ya?ml)?$/, '.test.yaml')
}

/** Reads the tests of a mapping file. */
export function loadTests(mapping: string): { readonly file: TestFile } | { readonly faults: readonly Fault[] } {
  const path = testPathOf(mapping)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const what = `the tests of ${mapping} cannot be read (${why})`
    return {
      faults: [{ file: path, line: 1, column: 1, code: 'mapping.test', what, right: 'put tests beside the mapping' }],
    }
  }
  const source = readYaml(text, path)
  const checked = checkYaml(source, testFileSchema, 'mapping')
  if ('faults' in checked) return checked
  return { file: { path, source, settings: checked.data.settings ?? {}, tests: checked.data.tests } }
}

/** JSON Schema (draft 2020-12) of the tests beside mapping files, for editors. */
export function testFileJsonSchema(): Record<string, unknown> {
  return { title: 'Patchbay mapping tests', ...z.toJSONSchema(testFileSchema, { io: 'input' }) }
}
