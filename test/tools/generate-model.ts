import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'

const FILES = ['proto/patchbay/v1/facts.proto', 'proto/patchbay/v1/commands.proto']
const HEADER = `// Generated from proto/patchbay/v1 by \`npm run generate\`; a test holds the two equal.
`

/** TypeScript source of src/model/fields.ts: access to every field by code of its own, which engines make fast. */
export function generateFields(): string {
  const fact = readTypes().lookupType('Fact')
  const kinds = bodies(fact).map((f) => {
    const type = f.resolvedType as protobuf.Type
    const fields = type.fieldsArray.flatMap((field) => accessorSources(field))
    const made = `    blank: () => ${blankSource(f.name, type)},\n    body: (d) => ${bodySource(type)},\n    fact: (d) => ${wholeSource(f.name, type)},\n`
    return `  ${f.name}: {\n${made}    fields: {\n${fields.join('')}    },\n  },\n`
  })
  return `${HEADER}
import type { FactKind } from './generated.js'

/** A fact while it is put together: every field may hold anything, also undefined. */
export type Draft = Record<string, Record<string, unknown> | undefined>

/** Reads and sets one field; a group that is not there yet is made. */
export interface FieldAccess {
  get(draft: Draft): unknown
  set(draft: Draft, value: unknown): void
}

/**
 * Makes facts and reaches into them. What is made has every field, those that are absent undefined: objects
 * of one layout are what engines make fast.
 */
export interface KindAccess {
  blank(): Draft
  /** The fields of this kind alone, as another object has them. */
  body(from: Draft): Draft
  /** A fact with these fields, and without meta, ext and full. */
  fact(from: Draft): Draft
  readonly fields: Readonly<Record<string, FieldAccess>>
}

/** By kind and dotted path. */
export const FACT_ACCESS: Readonly<Record<FactKind, KindAccess>> = {
${kinds.join('')}}
`
}

function blankSource(kind: string, type: protobuf.Type): string {
  const names = ['meta', 'ext', 'full', ...type.fieldsArray.map((field) => field.name)]
  return `({ kind: '${kind}' as never, ${names.map((name) => `${name}: undefined`).join(', ')} })`
}

function bodySource(type: protobuf.Type): string {
  return `({ ${copies(type)} })`
}

function wholeSource(kind: string, type: protobuf.Type): string {
  return `({ kind: '${kind}' as never, meta: undefined, ext: undefined, full: undefined, ${copies(type)} })`
}

function copies(type: protobuf.Type): string {
  return type.fieldsArray.map(({ name }) => `${name}: d.${name}`).join(', ')
}

function accessorSources(field: protobuf.Field): string[] {
  const { name, resolvedType: inner } = field
  if (!(inner instanceof protobuf.Type)) {
    return [
      `      ${name}: {
        get: (d) => d.${name},
        set(d, v) {
          d.${name} = v as never
        },
      },\n`,
    ]
  }
  return inner.fieldsArray.map((each) => {
    const made = inner.fieldsArray.map((other) => `${other.name}: ${other === each ? 'v' : 'undefined'}`).join(', ')
    return `      '${name}.${each.name}': {
        get: (d) => d.${name}?.${each.name},
        set(d, v) {
          if (d.${name} === undefined) d.${name} = { ${made} }
          else d.${name}.${each.name} = v
        },
      },\n`
  })
}

/** TypeScript source of src/model/generated.ts, made from the proto files of the neutral model. */
export function generateModel(): string {
  const types = readTypes()
  const out: string[] = [HEADER]
  for (const item of types.nestedArray) {
    if (item instanceof protobuf.Enum) out.push(enumSource(item))
    else if (item instanceof protobuf.Type && item.name !== 'Fact') out.push(interfaceSource(item))
  }
  out.push(factSource(types.lookupType('Fact')), shapesSource(types.lookupType('Fact')))
  return `${out.join('\n')}`
}

function readTypes(): protobuf.Namespace {
  const root = new protobuf.Root()
  for (const file of FILES) {
    protobuf.parse(readFileSync(file, 'utf8'), root, { keepCase: false, alternateCommentMode: true })
  }
  root.resolveAll()
  return root.lookup('patchbay.v1') as protobuf.Namespace
}

function comment(text: string | null, indent = ''): string {
  if (!text) return ''
  const lines = text.split('\n')
  if (lines.length === 1) return `${indent}/** ${text} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}

function enumValues(item: protobuf.Enum): string[] {
  const prefix = `${item.name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`
  return Object.keys(item.values)
    .filter((name) => item.values[name] !== 0)
    .map((name) => name.slice(prefix.length).toLowerCase().replaceAll('_', '-'))
}

function enumSource(item: protobuf.Enum): string {
  const values = enumValues(item).map((value) => `'${value}'`)
  return `${comment(item.comment)}export type ${item.name} = ${values.join(' | ')}\n`
}

const SCALARS: Record<string, string> = {
  string: 'string',
  bool: 'boolean',
  double: 'number',
  int64: 'number',
  uint32: 'number',
}

function fieldType(field: protobuf.Field): string {
  const base = SCALARS[field.type] ?? field.resolvedType?.name
  if (base === undefined) throw new Error(`no TypeScript type for ${field.fullName}: ${field.type}`)
  if (field instanceof protobuf.MapField) return `Record<string, ${base}>`
  return field.repeated ? `${base}[]` : base
}

function interfaceSource(type: protobuf.Type): string {
  const fields = type.fieldsArray.map((f) => `${comment(f.comment, '  ')}  ${f.name}?: ${fieldType(f)}\n`)
  return `${comment(type.comment)}export interface ${type.name} {\n${fields.join('')}}\n`
}

function bodies(fact: protobuf.Type): protobuf.Field[] {
  return fact.oneofs.body!.fieldsArray
}

function factSource(fact: protobuf.Type): string {
  const kinds = bodies(fact).map((f) => `  ${f.name}: ${fieldType(f)}\n`)
  return `/** Body of each kind of fact. */
export interface FactBodies {
${kinds.join('')}}

/** The kinds of facts. */
export type FactKind = keyof FactBodies
`
}

function shapesSource(fact: protobuf.Type): string {
  const kinds = bodies(fact).map((f) => {
    const type = f.resolvedType as protobuf.Type
    return `  ${f.name}: {\n${leaves(type, '')
      .map(([path, shape]) => `    ${/^\w+$/.test(path) ? path : `'${path}'`}: ${shape},\n`)
      .join('')}  },\n`
  })
  return `/** Type of one field of a fact. \`values\` lists a closed set. */
export interface FieldShape {
  readonly type: 'string' | 'boolean' | 'number' | 'int64' | 'uint32' | 'double' | 'enum'
  readonly list?: true
  readonly map?: true
  readonly values?: readonly string[]
}

/** Every field of every kind of fact, by dotted path: what a mapping file may name. */
export const FACT_SHAPES = {
${kinds.join('')}} as const satisfies Record<FactKind, Record<string, FieldShape>>
`
}

function leaves(type: protobuf.Type, prefix: string): [string, string][] {
  return type.fieldsArray.flatMap((field): [string, string][] => {
    const path = prefix + field.name
    const inner = field.resolvedType
    if (inner instanceof protobuf.Type) return leaves(inner, `${path}.`)
    const parts = [`type: '${inner ? 'enum' : field.type === 'bool' ? 'boolean' : field.type}'`]
    if (field instanceof protobuf.MapField) parts.push('map: true')
    else if (field.repeated) parts.push('list: true')
    if (inner instanceof protobuf.Enum)
      parts.push(
        `values: [${enumValues(inner)
          .map((v) => `'${v}'`)
          .join(', ')}]`,
      )
    return [[path, `{ ${parts.join(', ')} }`]]
  })
}
