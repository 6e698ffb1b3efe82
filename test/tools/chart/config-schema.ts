import { configJsonSchema } from '../../../src/config/index.js'

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Secrets that may stand in a ConfigMap as they are, for they are none. */
const PUBLIC: ReadonlySet<string> = new Set(['username', 'ca', 'cert'])

/** A text with a variable of the environment in it: what comes of it is known only where the gateway runs. */
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{' }

/** A text that is nothing but a variable without a default, as a secret may be given. */
const SECRET_VARIABLE: JsonSchema = { type: 'string', pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$' }

const isMap = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isList = (value: unknown): value is readonly JsonSchema[] => Array.isArray(value) && value.every(isMap)

/**
 * The schema of `patchbay.yaml` for values of a chart: in draft 7, which is what helm 3 reads; any text may hold variables;
 * secrets and addresses with credentials do not stand in the text itself, for it becomes a ConfigMap.
 */
export function chartConfigSchema(): JsonSchema {
  const { $schema, title, ...schema } = configJsonSchema()
  return adapt(schema, '')
}

function adapt(schema: JsonSchema, key: string): JsonSchema {
  const { description, default: standard, writeOnly, ...rest } = schema
  const about = {
    ...(description !== undefined && { description }),
    ...(standard !== undefined && { default: standard }),
  }
  if (writeOnly === true && isList(rest.anyOf)) return { ...about, anyOf: secretForms(rest.anyOf, key) }
  if (isList(rest.oneOf)) return { ...about, ...byType(rest.oneOf) }
  if (isList(rest.anyOf)) return { ...about, ...rest, anyOf: rest.anyOf.map((each) => adapt(each, key)) }
  if (rest.type === 'object') return { ...about, ...rest, ...members(rest) }
  if (rest.type === 'array' && isMap(rest.items)) return { ...about, ...rest, items: adapt(rest.items, key) }
  if (rest.const !== undefined) return { ...about, ...rest }
  if (typeof rest.pattern === 'string' && rest.pattern.startsWith('^amqps?:')) {
    return { ...about, anyOf: [{ ...rest, pattern: '^amqps?://[^\\s/@]+(/[^\\s/]*)?$' }, VARIABLE] }
  }
  const isOpenText = rest.type === 'string' && rest.pattern === undefined && rest.enum === undefined
  return isOpenText ? { ...about, ...rest } : { ...about, anyOf: [rest, VARIABLE] }
}

function members({ properties, additionalProperties }: JsonSchema): JsonSchema {
  return {
    ...(isMap(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, each]) => [name, isMap(each) ? adapt(each, name) : each]),
      ),
    }),
    ...(isMap(additionalProperties) && { additionalProperties: adapt(additionalProperties, '') }),
  }
}

function secretForms(forms: readonly JsonSchema[], key: string): readonly JsonSchema[] {
  return PUBLIC.has(key) ? forms : forms.map((form) => (form.type === 'string' ? SECRET_VARIABLE : form))
}

/** Alternatives that `type` tells apart: helm names the key that is wrong only where it is known which one is meant. */
function byType(alternatives: readonly JsonSchema[]): JsonSchema {
  const typed = alternatives.map((each) => {
    const type = isMap(each.properties) && isMap(each.properties.type) ? each.properties.type.const : undefined
    if (typeof type !== 'string') throw new Error('an alternative has no `type` of its own')
    return { type, schema: adapt(each, '') }
  })
  return {
    type: 'object',
    required: ['type'],
    properties: { type: { enum: typed.map(({ type }) => type) } },
    allOf: typed.map(({ type, schema }) => ({
      if: { required: ['type'], properties: { type: { const: type } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: schema,
    })),
  }
}
