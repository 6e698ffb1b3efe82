import type { FactKind } from '../../model/index.js'
import { covers, exactValue } from '../conditions.js'
import { formFields } from '../forms.js'
import type { CaseRule, FieldRule, Scalar, SubstituteRule, Test } from '../schema.js'
import { FIRST, isAside, isList, OTHERS, shapeAt, type Telling } from './tellings.js'

/** Stands for any value that no rule asks for. */
export const OTHER = Symbol('another value')

/** What a field may hold. Without `values` it may be any. */
export interface Possible {
  readonly absent: boolean
  readonly values: readonly unknown[] | undefined
}

/** What the fields of a fact may hold, by path; a path that is not there is absent. */
export type Possibilities = ReadonlyMap<string, Possible>

const ANY: Possible = { absent: true, values: undefined }
const ABSENT: Possible = { absent: true, values: [] }

/** What facts look like that are read by one telling, for each of its cases and for none of them. */
export function readings(kind: FactKind, telling: Telling): Possibilities[] {
  const read = telling.cases.flatMap(({ rule }) => (rule.only === 'out' ? [] : [rule]))
  // Where one before it takes all, a case is known only by the name that rides along.
  const cases = read.filter((rule, at) => !read.slice(0, at).some((each) => covers(each.wire, rule.wire, false)))
  return [...cases, undefined].map((chosen) => reading(kind, telling, chosen))
}

function reading(kind: FactKind, telling: Telling, chosen: CaseRule | undefined): Possibilities {
  const known = new Map<string, Possible>()
  const tell = (path: string, possible: Possible) => {
    // When a fact was told is no field of it; the gateway keeps it.
    if (path === 'at') return
    known.set(path, possible)
    if (!isList(kind, path)) return
    known.set(path + FIRST, possible)
    known.set(path + OTHERS, { ...possible, absent: true })
  }
  for (const path of telling.inAddress.keys()) tell(path, ANY)
  if (telling.rest !== undefined) tell(telling.rest, ANY)
  for (const { path, values } of telling.inferred) tell(path, alsoInferred(known.get(path), values))
  for (const { says, rule, values } of telling.fields) {
    for (const path of says)
      tell(path, { absent: rule.required !== true, values: values ?? finiteValues(kind, path, rule.default) })
    if (rule.else !== undefined) tell(rule.else, ANY)
  }
  if (telling.word !== undefined) {
    tell(telling.word.is, { absent: false, values: telling.word.values })
    for (const path of telling.word.args) tell(path, ANY)
  }
  const fixed = { ...telling.set, ...chosen?.implies }
  for (const [path, value] of Object.entries(fixed)) tell(path, { absent: false, values: [value] })
  for (const [path, test] of Object.entries(chosen?.model ?? {})) {
    const value = exactValue(test)
    if (value !== undefined && value !== null) tell(path, { absent: false, values: [value] })
  }
  return known
}

function alsoInferred(before: Possible | undefined, values: readonly Scalar[] | undefined): Possible {
  if (before === undefined || before.values === undefined || values === undefined) return { absent: true, values }
  return { absent: true, values: [...new Set([...before.values, ...values])] }
}

/** A wire value that stands for "not told" tells nothing. */
function finiteValues(kind: FactKind, path: string, blank: unknown): readonly Scalar[] | undefined {
  const shape = shapeAt(kind, path)
  const all: readonly Scalar[] | undefined = shape?.type === 'boolean' ? [true, false] : shape?.values
  return all?.filter((value) => value !== blank)
}

/** What a fact holds at the paths that rules ask for; undefined is absent. */
export type Assignment = ReadonlyMap<string, unknown>

/** Every combination of what the fields may hold, as far as the rules asking tell values apart. */
export function assignmentsOf(known: Possibilities, asked: ReadonlyMap<string, ReadonlySet<unknown>>): Assignment[] {
  let all: ReadonlyMap<string, unknown>[] = [new Map()]
  for (const [path, values] of asked) {
    const { absent, values: finite } = isAside(path) ? ABSENT : (known.get(path) ?? ABSENT)
    const options = finite ?? [...[...values].filter((each) => typeof each !== 'boolean'), OTHER]
    const each = absent ? [...options, undefined] : options
    all = all.flatMap((before) => each.map((value) => new Map([...before, [path, value]])))
  }
  return all
}

/** The paths that tellings ask for when a fact is written, with the values they name. */
export function askedBy(tellings: readonly Telling[]): Map<string, Set<unknown>> {
  const asked = new Map<string, Set<unknown>>()
  const ask = (path: string, ...values: unknown[]) => {
    const before = asked.get(path) ?? new Set()
    for (const value of values) if (value !== null) before.add(value)
    asked.set(path, before)
  }
  const askAll = (tests: Readonly<Record<string, Test>> | undefined) => {
    for (const [path, test] of Object.entries(tests ?? {})) ask(path, ...valuesIn(test))
  }
  for (const { set, fields, cases, word, inAddress, choices } of tellings) {
    askAll(set)
    if (word !== undefined) ask(word.is, ...word.values)
    for (const [path, { mandatory }] of inAddress) if (mandatory) ask(path)
    const tested = new Set([...choices, ...cases.flatMap(({ rule }) => Object.keys(rule.wire))])
    for (const { wire, says, rule, values } of fields) {
      if (rule.required) for (const path of says) ask(path)
      if (tested.has(wire)) for (const path of says) ask(path, ...(values ?? []))
      askAll(rule.when)
    }
    for (const { rule } of cases) if (rule.only !== 'in') askAll(rule.model)
  }
  return asked
}

/**
 * The paths that decide how one field is read, besides those that decide how a fact is written: what is
 * written at the wire fields that it is told from.
 */
export function askedFor(path: string, tellings: readonly Telling[]): Map<string, Set<unknown>> {
  const asked = new Map<string, Set<unknown>>()
  const ask = (name: string, test: Test) =>
    asked.set(name, new Set([...(asked.get(name) ?? []), ...valuesIn(test).filter((each) => each !== null)]))
  for (const { fields, inferred } of tellings) {
    const conditional = fields.flatMap(({ says, rule }) => (says.includes(path) ? Object.keys(rule.if ?? {}) : []))
    const wires = new Set([...conditional, ...inferred.flatMap((each) => (each.path === path ? each.wires : []))])
    for (const { wire, says, rule } of fields) {
      if (!wires.has(wire)) continue
      for (const name of says) ask(name, { present: true })
      for (const [name, test] of (rule.or ?? []).flatMap(askedInstead)) ask(name, test)
    }
  }
  asked.delete(path)
  return asked
}

/** What is asked for where something else is written in place of a field. */
function askedInstead(rule: SubstituteRule): [path: string, test: Test][] {
  if (typeof rule === 'string') return [[rule, { present: true }]]
  const paths = [rule.is ?? [], rule.form === undefined ? [] : formFields(rule.form).map(({ path }) => path)].flat()
  return [...paths.map((path): [string, Test] => [path, { present: true }]), ...Object.entries(rule.when ?? {})]
}

function valuesIn(test: Test): readonly unknown[] {
  if (typeof test !== 'object' || test === null) return [test]
  if ('not' in test) return [test.not].flat()
  if ('starts' in test) return [`${test.starts}1`]
  return 'any' in test ? test.any : []
}

/** Values of a field that fare alike, and one of them. */
export interface Alike {
  readonly test: Test
  readonly value: unknown
  has(value: unknown): boolean
}

/** The values that a field may hold, as far as rules that do not ask for them tell them apart. */
export function alikesOf(kind: FactKind, path: string, { values }: Possible, tellings: readonly Telling[]): Alike[] {
  const only = (value: unknown): Alike => ({ test: value as Scalar, value, has: (each) => each === value }) // of a closed set
  if (values !== undefined) return values.map(only)
  const rules = tellings.flatMap(({ fields }) => fields.filter(({ says }) => says.includes(path)))
  const words = [...new Set(rules.flatMap((field) => field.values ?? []))]
  const blanks = [
    ...new Set(rules.flatMap(({ rule, isSetting }) => (isSetting ? [] : blankOf(rule, shapeAt(kind, path)?.type)))),
  ]
  if (words.length + blanks.length === 0) return []
  const named = [...words, ...blanks]
  const others: Alike = {
    test: { not: named },
    value: otherThan(named, kind, path),
    has: (each) => !named.includes(each as Scalar),
  }
  const known: Alike = { test: { any: words }, value: words[0], has: (each) => words.includes(each as Scalar) }
  return [...(words.length === 0 ? [] : [known]), ...blanks.map(only), others]
}

function otherThan(named: readonly Scalar[], kind: FactKind, path: string): unknown {
  const type = shapeAt(kind, path)?.type
  if (type !== 'string') return 1 + Math.max(0, ...named.filter((each) => typeof each === 'number'))
  return 'none of them'
}

/** The model value of what stands for "not told". Empty texts and lists tell nothing anywhere; that is said once for all. */
function blankOf({ default: blank, table }: FieldRule, type: string | undefined): Scalar[] {
  if (table !== undefined || blank === undefined || blank === null || blank === '' || typeof blank === 'object')
    return []
  if (type === 'string' || type === 'boolean') return typeof blank === type ? [blank] : []
  const count = Number(blank)
  return Number.isNaN(count) ? [] : [count]
}
