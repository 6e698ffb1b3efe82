import { mappingJsonSchema } from '../../src/mapping/schema.js'

interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly default?: unknown
}

/** Parts of a mapping file in the order of the manual: a heading, and the way to the part in the schema. */
const PARTS: readonly (readonly [string, readonly string[]])[] = [
  ['The file', []],
  ['`codec`', ['codec']],
  ['A part', ['parts', '*']],
  ['A message', ['messages', '*']],
  ['A field, where it is more than a model path', ['messages', '*', 'fields', '*']],
  ['One of `or`, where it is more than a model path', ['messages', '*', 'fields', '*', 'or', '*']],
  ['A case', ['messages', '*', 'cases', '*']],
  ['One of `infer`', ['messages', '*', 'infer', '*']],
  ['One of its `lookup`', ['messages', '*', 'infer', '*', 'lookup', '*']],
  ['`item`', ['messages', '*', 'item']],
  ['A set of columns', ['messages', '*', 'columns', '*']],
  ['`words`', ['messages', '*', 'words']],
  ['`carry`', ['messages', '*', 'carry']],
]

/** Every keyword of mapping files with its meaning, in Markdown, made from the schema. */
export function keywordTables(): string {
  const root = mappingJsonSchema() as Schema // what zod makes of our own schema
  return PARTS.map(([title, path]) => {
    const { properties } = path.reduce(step, root)
    if (properties === undefined) throw new Error(`${title} has no keywords`)
    const rows = Object.entries(properties).map(([key, schema]) => `| \`${key}\` | ${meaning(schema)} |`)
    return `**${title}**\n\n| Keyword | Meaning |\n|---|---|\n${rows.join('\n')}\n`
  }).join('\n')
}

function step(schema: Schema, key: string): Schema {
  const next = key === '*' ? (schema.items ?? schema.additionalProperties) : schema.properties?.[key]
  if (typeof next !== 'object') throw new Error(`the schema has nothing at ${key}`)
  return objectOf(next)
}

/** The mapping among alternatives. */
function objectOf(schema: Schema): Schema {
  if (schema.anyOf === undefined || schema.properties !== undefined) return schema
  const found = schema.anyOf.map(objectOf).find((each) => each.properties !== undefined)
  return found ?? schema
}

function meaning(schema: Schema): string {
  const about = schema.description ?? objectOf(schema).description ?? ''
  const values = schema.enum ?? objectOf(schema).enum
  const choice = values === undefined ? '' : `one of ${values.map((value) => `\`${String(value)}\``).join(', ')}`
  const usual = schema.default === undefined ? '' : `default \`${String(schema.default)}\``
  return [about, choice, usual]
    .filter((part) => part !== '')
    .join('; ')
    .replaceAll('|', '\\|')
}
