import { configJsonSchema } from '../../../src/config/index.js'
import { code, page, table } from './page.js'

const ABOUT = `Every key of \`patchbay.yaml\`. Editors complete from [mappings/schema/config.schema.json](../../mappings/schema/config.schema.json);
\`patchbay check -c FILE\` tells every fault of a file at once. \`\${NAME}\` and \`\${NAME:-default}\` in any text stand for environment variables, \`$\${\` for
the characters themselves. A **secret** is the text itself, \`{ env: NAME }\` or \`{ file: path }\`, relative to the file's folder; one line break at the end of
such a file is not part of it. \`routes\`, \`mappings\` and \`settings\` may change [while the gateway runs](../operating.md#changing-it-while-it-runs).`

interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly description?: string
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
}

/** Limits that JSON Schema writes for numbers that have none. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER

function typeOf(schema: Schema): string {
  if (schema.writeOnly) return 'secret'
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((each) => code(String(each))).join(', ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.items !== undefined) return schema.items.properties ? 'list of maps' : `list of ${typeOf(schema.items)}`
  if (schema.properties !== undefined || typeof schema.additionalProperties === 'object') return 'map'
  if (schema.type === 'integer') return `whole number${range(schema)}`
  if (schema.type === 'boolean') return 'true or false'
  if (Array.isArray(schema.type)) return schema.type.join(' or ')
  return schema.type === 'string' ? 'text' : String(schema.type)
}

function range({ minimum, maximum }: Schema): string {
  const least = minimum === undefined || minimum === -NO_LIMIT ? undefined : String(minimum)
  const most = maximum === undefined || maximum === NO_LIMIT ? undefined : String(maximum)
  if (least === undefined) return most === undefined ? '' : `, at most ${most}`
  return most === undefined ? `, from ${least}` : `, ${least} to ${most}`
}

/** The part of a description that tells the default has a column of its own. */
const DEFAULT = /\s*Default:? (.*)\.$/s

function row(path: string, schema: Schema, isRequired: boolean): readonly string[] {
  const about = schema.description ?? ''
  const said = DEFAULT.exec(about)?.[1]
  const usual = isRequired ? '(required)' : (said ?? plainDefault(schema.default))
  return [code(path), typeOf(schema), usual, about.replace(DEFAULT, '')]
}

function plainDefault(value: unknown): string {
  return value === undefined || typeof value === 'object' ? '' : code(String(value))
}

/** Maps within a value: what stands below it has rows of its own. */
function inner(schema: Schema): { readonly at: string; readonly schema: Schema } | undefined {
  if (schema.writeOnly) return undefined
  if (schema.properties !== undefined) return { at: '', schema }
  if (schema.items?.properties !== undefined) return { at: '[]', schema: schema.items }
  const among = schema.anyOf?.find(({ properties }) => properties !== undefined)
  return among === undefined ? undefined : { at: '', schema: among }
}

function rows(schema: Schema, path: string): ReadonlyArray<readonly string[]> {
  return Object.entries(schema.properties ?? {}).flatMap(([key, each]) => {
    const here = path === '' ? key : `${path}.${key}`
    const below = inner(each)
    const own = row(here, each, schema.required?.includes(key) ?? false)
    return below === undefined ? [own] : [own, ...rows(below.schema, here + below.at)]
  })
}

const HEAD = ['Key', 'Type', 'Default', 'What']

function linkSections(links: Schema): readonly string[] {
  if (typeof links.additionalProperties !== 'object') throw new Error('the schema has no links')
  return (links.additionalProperties.oneOf ?? []).map((link) => {
    const type = String(link.properties?.type?.const)
    return `## A link of type \`${type}\`\n\n${table(HEAD, rows(link, 'links.NAME'))}`
  })
}

/** `docs/reference/settings.md`: every key of the configuration. */
export function settingsPage(): string {
  const root = configJsonSchema() as Schema // what zod makes of our own schema
  const { links, routes, ...others } = root.properties ?? {}
  if (links === undefined || routes === undefined) throw new Error('the schema has neither links nor routes')
  const { required = [] } = root
  const general = rows({ properties: others, required }, '')
  const ends = [row('links', links, true), row('routes', routes, true)]
  return page('Settings', ABOUT, [
    `## The file\n\n${table(HEAD, [...general, ...ends])}`,
    ...linkSections(links),
    `## A route\n\n${table(HEAD, rows(routes.items ?? {}, 'routes[]'))}`,
  ])
}
