import type { z } from 'zod'
import { type Fault, type FaultCode, sortFaults } from './fault.js'
import { nearest } from './nearest.js'
import { describedAt, isSecretAt, knownKeys, schemasAt, valueAt } from './schema-walk.js'
import { nameOf, oneOf, wanted } from './wording.js'
import type { YamlPath, YamlSource } from './yaml-source.js'

/** Which set of codes the faults carry. */
export type FaultFamily = 'config' | 'mapping'

/** What a custom issue may carry in `params` to say more than its message. */
export interface CustomParams {
  readonly code?: FaultCode
  readonly right?: string
  readonly at?: 'key' | 'value'
}

type Issue = z.core.$ZodIssue
type Suffix = 'unknown-key' | 'type' | 'missing' | 'value'

/**
 * Checks a YAML file against a schema. Either the parsed data or all faults, those of the text
 * included, in the order of lines. Where lines had to be left out of the text, missing keys are
 * not reported: they may stand in what was left out.
 */
export function checkYaml<S extends z.ZodType>(
  source: YamlSource,
  schema: S,
  family: FaultFamily,
): { readonly data: z.output<S> } | { readonly faults: Fault[] } {
  if (source.value === undefined) return { faults: [...source.faults] }
  const result = schema.safeParse(source.value)
  if (result.success) return source.faults.length > 0 ? { faults: [...source.faults] } : { data: result.data }
  return { faults: sortFaults([...source.faults, ...zodFaults(source, schema, result.error.issues, family)]) }
}

/** Turns the issues that a schema found in a file's value into faults with positions. */
export function zodFaults(
  source: YamlSource,
  schema: z.core.$ZodType,
  issues: readonly Issue[],
  family: FaultFamily,
): Fault[] {
  const all = plainIssues(issues, source.value)
  const context: Context = { source, schema, family }
  return sortFaults(all.flatMap((issue) => faultsOf(context, issue)))
}

/** The issues with those of unions replaced by what the most likely member has to say, without echoes. */
export function plainIssues(issues: readonly Issue[], value: unknown): Issue[] {
  return withoutEchoes(issues.flatMap((issue) => resolveUnions(issue, [], value)))
}

interface Context {
  readonly source: YamlSource
  readonly schema: z.core.$ZodType
  readonly family: FaultFamily
}

const pathOf = (issue: Issue) => issue.path as YamlPath // YAML data has no symbol keys

/** An issue of a union becomes the issues of the member that the value was most likely meant for. */
function resolveUnions(issue: Issue, prefix: YamlPath, root: unknown): Issue[] {
  const placed = { ...issue, path: [...prefix, ...issue.path] } as Issue
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [placed]
  const path = pathOf(placed)
  const value = valueAt(root, path)
  const branches = issue.errors.map((errors) => errors.flatMap((error) => resolveUnions(error, path, root)))
  const scored = branches.map((errors) => ({ errors, score: implausibility(errors, path.length) }))
  const best = scored.reduce((a, b) => (b.score < a.score ? b : a))
  return value === undefined || best.score >= WRONG_KIND ? [placed] : best.errors
}

const WRONG_KIND = 1000

function implausibility(errors: readonly Issue[], depth: number): number {
  return errors.reduce((sum, error) => {
    if (error.path.length === depth && error.code === 'invalid_type') return sum + WRONG_KIND
    if (error.code === 'invalid_value' && error.path.length <= depth + 1) return sum + 100
    return sum + (error.code === 'unrecognized_keys' ? error.keys.length : 1)
  }, 0)
}

/** A mistyped key makes two issues, an unknown and a missing one; the first says it all. */
function withoutEchoes(issues: readonly Issue[]): Issue[] {
  const unknown = issues.filter((issue) => issue.code === 'unrecognized_keys')
  return issues.filter((issue) => {
    const key = issue.path.at(-1)
    if (issue.code !== 'invalid_type' || typeof key !== 'string') return true
    const parent = JSON.stringify(issue.path.slice(0, -1))
    return !unknown.some((other) => JSON.stringify(other.path) === parent && other.keys.some((k) => nearest(k, [key])))
  })
}

function faultsOf(context: Context, issue: Issue): Fault[] {
  const path = pathOf(issue)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(context, path, key))
  if (issue.code === 'invalid_key') return [badKey(context, issue, path)]
  if (issue.code === 'custom') return [customFault(context, issue, path)]
  const value = valueAt(context.source.value, path)
  if (value === undefined && path.length > 0)
    return context.source.isWhole(path.slice(0, -1)) ? [missing(context, issue, path)] : []
  return [badValue(context, issue, path, value)]
}

function make(
  context: Context,
  suffix: Suffix,
  path: YamlPath,
  what: string,
  right: string,
  at: 'key' | 'value' = 'value',
): Fault {
  return context.source.fault(path, `${context.family}.${suffix}`, what, right, at)
}

function unknownKey(context: Context, path: YamlPath, key: string): Fault {
  const known = knownKeys(context.schema, context.source.value, path)
  const meant = nearest(key, known)
  const list = known.length > 0 ? `want ${oneOf(known)}` : 'leave it out'
  const right = meant === undefined ? list : `did you mean \`${meant}\`?`
  return make(context, 'unknown-key', [...path, key], `nobody reads the key \`${key}\` here`, right, 'key')
}

function badKey(context: Context, issue: z.core.$ZodIssueInvalidKey, path: YamlPath): Fault {
  const first = issue.issues[0]
  const key = String(path.at(-1))
  const right = first === undefined ? issue.message : rightFor(context, first, path, key, [])
  return make(context, 'value', path, `the key \`${key}\` is not allowed here`, right, 'key')
}

function customFault(context: Context, issue: z.core.$ZodIssueCustom, path: YamlPath): Fault {
  const { code, right, at } = (issue.params ?? {}) as CustomParams
  const what = right === undefined ? `${subject(path)} is not allowed here` : issue.message
  const value = valueAt(context.source.value, path)
  const place = at ?? (typeof value === 'object' && value !== null ? 'key' : 'value')
  return context.source.fault(path, code ?? `${context.family}.value`, what, right ?? issue.message, place)
}

function missing(context: Context, issue: Issue, path: YamlPath): Fault {
  const about = describedAt(context.schema, context.source.value, path)
  const schemas = schemasAt(context.schema, context.source.value, path)
  const want = about ?? rightFor(context, issue, path, undefined, schemas).replace(/^want /, '')
  return make(context, 'missing', path, `${subject(path)} is missing`, `add it: ${want}`)
}

function badValue(context: Context, issue: Issue, path: YamlPath, value: unknown): Fault {
  const isSecret = isSecretAt(context.schema, context.source.value, path)
  const what = `${subject(path)} ${value === null ? 'has no value' : `is ${nameOf(value, isSecret)}`}`
  const schemas = schemasAt(context.schema, context.source.value, path)
  const isWrongKind = issue.code === 'invalid_type' || (issue.code === 'invalid_union' && issue.errors.length > 0)
  const right = rightFor(context, issue, path, value, schemas)
  return make(context, isWrongKind ? 'type' : 'value', path, what, right)
}

function rightFor(
  context: Context,
  issue: Issue,
  path: YamlPath,
  value: unknown,
  schemas: readonly z.core.$ZodTypes[],
): string {
  if (issue.code === 'invalid_value') return withHint(issue.values.map(String), value)
  if (issue.code === 'invalid_union' && issue.errors.length === 0 && 'options' in issue) {
    return withHint((issue.options ?? []).map(String), value)
  }
  if (issue.code === 'invalid_format' || issue.code === 'custom') {
    if (!issue.message.startsWith('Invalid')) return issue.message
    const about = describedAt(context.schema, context.source.value, path)
    return `want ${about ?? `text that fits ${'pattern' in issue ? issue.pattern : issue.message}`}`
  }
  if (schemas.length > 0) return `want ${wanted(schemas)}`
  return issue.message
}

function withHint(options: readonly string[], value: unknown): string {
  const meant = typeof value === 'string' ? nearest(value, options) : undefined
  return `want ${oneOf(options)}${meant === undefined ? '' : `; did you mean \`${meant}\`?`}`
}

function subject(path: YamlPath): string {
  if (path.length === 0) return 'the file'
  const text = path.reduce<string>(
    (made, step) => (typeof step === 'number' ? `${made}[${step}]` : made === '' ? step : `${made}.${step}`),
    '',
  )
  return `\`${text}\``
}
