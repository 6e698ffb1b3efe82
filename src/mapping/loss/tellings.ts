import { FACT_SHAPES, type FactKind, type FieldShape } from '../../model/index.js'
import { tableRows } from '../converters.js'
import { longForm, pathsOf, sourcesOf } from '../fact-generator.js'
import { modelPath } from '../paths.js'
import type { CaseRule, FieldRule, InferRules, MappingFile, MessageRule, Scalar } from '../schema.js'

/** A field rule with its place on the wire. */
export interface TellingField {
  readonly wire: string
  readonly rule: FieldRule
  /** Model fields it says. */
  readonly says: readonly string[]
  /** Model values its table has words for; undefined without a table. */
  readonly values: readonly Scalar[] | undefined
  /** Whether what stands for "not told" is a setting, which a site chooses. */
  readonly isSetting: boolean
}

/** What readers tell from a message without being told. */
export interface Inferred {
  readonly path: string
  /** Values it may get; undefined for any. */
  readonly values: readonly Scalar[] | undefined
  /** Wire fields that it is told from. */
  readonly wires: readonly string[]
}

/** One way in which a dialect tells facts of a kind: a message, or one of its sets of columns. */
export interface Telling {
  readonly message: string
  readonly fields: readonly TellingField[]
  readonly cases: readonly { readonly name: string; readonly rule: CaseRule }[]
  readonly inferred: readonly Inferred[]
  /** Model values that all its facts have. */
  readonly set: Readonly<Record<string, Scalar>>
  readonly word:
    | { readonly is: string; readonly values: readonly Scalar[]; readonly args: readonly string[] }
    | undefined
  /** Wire fields of which several values tell the message. */
  readonly choices: readonly string[]
  /** Model fields that stand in its address; without a mandatory one it goes nowhere. */
  readonly inAddress: ReadonlyMap<string, { readonly mandatory: boolean }>
  /** Map field of the model that has a place for any name. */
  readonly rest: string | undefined
  /** Where everything rides that it has no field for. */
  readonly carriedAt: string | undefined
  readonly mustSay: boolean
}

/** The first element of a list, which a rule may name by itself, and all others. */
export const FIRST = '.0'
export const OTHERS = '.1…'

/** How a dialect tells facts of a kind, in the order in which its messages are tried. */
export function tellingsOf(file: MappingFile, kind: FactKind): Telling[] {
  return Object.entries(file.messages).flatMap(([message, rule]) =>
    rule === null || rule.fact !== kind ? [] : tellingsOfMessage(file, message, rule),
  )
}

function tellingsOfMessage(file: MappingFile, message: string, rule: MessageRule): Telling[] {
  const tableOf = (name: string | undefined) =>
    name === undefined ? undefined : tableRows(file.tables?.[name] ?? {}).map(([, model]) => model)
  const word = rule.words && { is: rule.words.is, values: tableOf(rule.words.table)!, args: rule.words.args ?? [] }
  const isMany = rule.each !== undefined || rule.columns !== undefined
  const part = rule.each === undefined ? rule : (rule.item ?? {})
  const base = [rule.root, rule.each]
  return sourcesOf(rule).map((source) => ({
    message,
    fields: Object.entries(isMany ? { ...rule.fields, ...source.fields } : source.fields).flatMap(([wire, field]) => {
      const long = longForm(field)
      const says = pathsOf(long)
      if (long === undefined || says.length === 0) return []
      const isSetting = Object.values(file.settings ?? {}).includes(long.default as never)
      return [{ wire, rule: long, says, values: tableOf(long.table), isSetting }]
    }),
    cases: Object.entries(source.cases).flatMap(([name, each]) => (each === null ? [] : [{ name, rule: each }])),
    inferred: [rule.infer, rule.item?.infer].flatMap((all) => inferredBy(all, tableOf)),
    set: source.set,
    word,
    choices: Object.entries(rule.match ?? {}).flatMap(([path, asked]) =>
      typeof asked === 'object' && asked !== null ? [withoutRoot(path, rule.root)] : [],
    ),
    inAddress: addressFields(rule),
    rest: part.rest,
    carriedAt: part.carry && [...base, part.carry.at].filter(Boolean).join('.'),
    mustSay: part.mustSay ?? false,
  }))
}

function withoutRoot(path: string, root: string | undefined): string {
  return root !== undefined && path.startsWith(`${root}.`) ? path.slice(root.length + 1) : path
}

type TableOf = (name: string | undefined) => readonly Scalar[] | undefined

function inferredBy(rules: InferRules | undefined, tableOf: TableOf): Telling['inferred'] {
  return Object.values(rules ?? {}).flatMap((rule) => {
    const wires = Object.keys(rule?.wire ?? {})
    return [
      ...Object.entries(rule?.model ?? {}).map(([path, value]) => ({ path, values: [value], wires })),
      ...Object.entries(rule?.lookup ?? {}).map(([path, { table }]) => ({ path, values: tableOf(table), wires })),
    ]
  })
}

function addressFields({ address }: MessageRule): Telling['inAddress'] {
  const found = new Map<string, { mandatory: boolean }>()
  for (const text of Object.values(address)) {
    const optional = new Set([...text.matchAll(/\[([^\]]*)\]/g)].flatMap(([, part]) => namesIn(part!)))
    for (const name of namesIn(text)) found.set(name, { mandatory: !optional.has(name) })
  }
  return found
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/\{([\w.]+)\}/g)].map(([, name]) => name!)
}

/** Whether a path is kept aside by a dialect for itself. */
export function isAside(path: string): boolean {
  return path.startsWith('ext.')
}

/** The list that a path names a part of. */
export function listOf(path: string): string | undefined {
  const end = [FIRST, OTHERS].find((each) => path.endsWith(each))
  return end && path.slice(0, -end.length)
}

/** Shape of what stands at a path of a fact. */
export function shapeAt(kind: FactKind, path: string): FieldShape | undefined {
  const list = listOf(path)
  if (list === undefined || !isList(kind, list)) return modelPath(kind, path, '')?.shape
  return { type: (FACT_SHAPES[kind] as Readonly<Record<string, FieldShape>>)[list]!.type }
}

/** Whether a path names a list as a whole. */
export function isList(kind: FactKind, path: string): boolean {
  return (FACT_SHAPES[kind] as Readonly<Record<string, FieldShape>>)[path]?.list === true
}
