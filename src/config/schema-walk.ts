import { z } from 'zod'
import type { YamlPath } from './yaml-source.js'

type AnySchema = z.core.$ZodTypes

/** The schema without what wraps it: optional, default, readonly, lazy, the output side of a pipe. */
function unwrap(schema: z.core.$ZodType): AnySchema {
  const known = schema as AnySchema // zod's own union of all its schemas; the base type has no usable `def`
  const def = known._zod.def
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return unwrap(def.innerType)
    case 'pipe':
      return unwrap(def.in)
    case 'lazy':
      return unwrap(def.getter())
    default:
      return known
  }
}

/** The schemas a value may have to meet: union members that fit its discriminating keys, both sides of an intersection. */
function alternatives(schema: z.core.$ZodType, value: unknown): AnySchema[] {
  const plain = unwrap(schema)
  const def = plain._zod.def
  if (def.type === 'intersection') return [...alternatives(def.left, value), ...alternatives(def.right, value)]
  if (def.type !== 'union') return [plain]
  const all = def.options.flatMap((option) => alternatives(option, value))
  const fitting = all.filter((option) => fitsKind(option, value) && fitsConstants(option, value))
  return fitting.length > 0 ? fitting : all
}

function fitsKind(schema: AnySchema, value: unknown): boolean {
  const { type } = schema._zod.def
  if (Array.isArray(value)) return type === 'array' || type === 'tuple'
  if (typeof value === 'object' && value !== null) return type === 'object' || type === 'record'
  return type === 'enum' || type === 'literal' || type === typeof value
}

function fitsConstants(schema: AnySchema, value: unknown): boolean {
  const def = schema._zod.def
  if (def.type !== 'object' || typeof value !== 'object' || value === null) return true
  return Object.entries(def.shape).every(([key, field]) => {
    const constant = unwrap(field)._zod.def
    if (constant.type !== 'literal') return true
    return constant.values.includes((value as Record<string, never>)[key] as never)
  })
}

/** Schemas that speak about the node at `path` of `value`; none where the schema knows nothing there. */
export function schemasAt(schema: z.core.$ZodType, value: unknown, path: YamlPath): AnySchema[] {
  let schemas = alternatives(schema, value)
  let node = value
  for (const step of path) {
    node = childOf(node, step)
    schemas = schemas.flatMap((each) => childSchemas(each, step)).flatMap((each) => alternatives(each, node))
  }
  return schemas
}

function childSchemas(schema: AnySchema, step: string | number): z.core.$ZodType[] {
  const def = schema._zod.def
  if (def.type === 'object') {
    const field = Object.hasOwn(def.shape, step) ? def.shape[step as string] : def.catchall
    return field === undefined || field._zod.def.type === 'never' ? [] : [field]
  }
  if (def.type === 'record') return [def.valueType]
  if (def.type === 'array') return [def.element]
  if (def.type !== 'tuple') return []
  const item = def.items[step as number] ?? def.rest
  return item === null || item === undefined ? [] : [item]
}

/** What stands at a path of plain data; undefined where nothing does. */
export function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(childOf, value)
}

function childOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined
}

/** Keys that the schema knows at a path. */
export function knownKeys(schema: z.core.$ZodType, value: unknown, path: YamlPath): string[] {
  const keys = schemasAt(schema, value, path).flatMap((each) => {
    const def = each._zod.def
    if (def.type === 'object') return Object.keys(def.shape)
    return def.type === 'record' ? enumKeys(def.keyType) : []
  })
  return [...new Set(keys)]
}

function enumKeys(schema: z.core.$ZodType): string[] {
  const def = unwrap(schema)._zod.def
  return def.type === 'enum' ? Object.values(def.entries).map(String) : []
}

/** First sentence of the description written nearest to a path's schema, without its full stop. */
export function describedAt(schema: z.core.$ZodType, value: unknown, path: YamlPath): string | undefined {
  const parent = path.slice(0, -1)
  const step = path.at(-1)
  if (step === undefined) return undefined
  for (const owner of schemasAt(schema, value, parent)) {
    for (const field of childSchemas(owner, step)) {
      const text = metaOf(field)?.description
      if (typeof text === 'string') return text.split(/\.(\s|$)/)[0]
    }
  }
  return undefined
}

/** True where a schema on the way to the path, or there, is marked `writeOnly`: its value must not be printed. */
export function isSecretAt(schema: z.core.$ZodType, value: unknown, path: YamlPath): boolean {
  return path.some((_, depth) =>
    schemasAt(schema, value, path.slice(0, depth)).some((owner) =>
      childSchemas(owner, path[depth] as string | number).some(
        (field) => metaOf(field)?.writeOnly === true || metaOf(unwrap(field))?.writeOnly === true,
      ),
    ),
  )
}

function metaOf(schema: z.core.$ZodType): z.core.GlobalMeta | undefined {
  return z.globalRegistry.get(schema)
}
