import type { Fact } from '../model/index.js'
import { type Check, compileTest, exactValue } from './conditions.js'
import type { ModelPath } from './paths.js'
import type { CaseRule, Scalar } from './schema.js'

/** One compiled case. */
export interface Case {
  readonly name: string
  readonly reads: boolean
  readonly writes: boolean
  readonly lossy: string | undefined
  readonly wire: readonly { readonly index: number; readonly check: Check }[]
  readonly model: readonly { readonly field: ModelPath; readonly check: Check; readonly value: Scalar | undefined }[]
  readonly implied: readonly { readonly field: ModelPath; readonly value: Scalar }[]
  /** The values it sets, by model path. */
  readonly sets: ReadonlyMap<string, Scalar>
  /** What it writes, by key index: `firm` values also override fields. */
  readonly firm: ReadonlyMap<number, Scalar>
  readonly also: ReadonlyMap<number, Scalar>
}

/** The cases of one map: which wire keys they look at, and which case fits. */
export interface Cases {
  /** Wire keys they test or write, in order of first mention. */
  readonly keys: readonly string[]
  readonly all: readonly Case[]
  /** Model fields they are about. */
  readonly fields: readonly ModelPath[]
  /** The case that reads these wire values (by key index); a hint is taken first when it fits. */
  reading(values: readonly unknown[], hint: string | undefined): Case | undefined
  /** The case that writes this fact. */
  writing(fact: Fact): Case | undefined
  /** The name a reader needs because the case's own wire form would be read as another case. */
  hintFor(chosen: Case): string | undefined
}

/** Numbers wire keys in the order in which they are asked for. */
export function numbered(keys: string[]): (key: string) => number {
  return (key) => {
    const found = keys.indexOf(key)
    return found >= 0 ? found : keys.push(key) - 1
  }
}

/** Compiles cases in order. `resolve` turns a model path into a field; unknown ones were refused before. */
export function compileCases(
  rules: Readonly<Record<string, CaseRule | null>>,
  resolve: (path: string) => ModelPath,
): Cases {
  const keys: string[] = []
  const indexOf = numbered(keys)
  const all = Object.entries(rules).flatMap(([name, rule]) =>
    rule === null ? [] : [compileCase(name, rule, indexOf, resolve)],
  )
  const readers = all.filter((each) => each.reads)
  const writers = all.filter((each) => each.writes)
  const firstReader = firstReading(readers, keys.length)
  const byName = new Map(readers.map((each) => [each.name, each]))
  const reading = (values: readonly unknown[], hint: string | undefined) => {
    const hinted = hint === undefined ? undefined : byName.get(hint)
    if (hinted !== undefined && fitsWire(hinted, values)) return hinted
    return firstReader(values)
  }
  const hints = new Map<Case, string | undefined>()
  for (const each of writers) {
    const back = reading(writtenValues(each, keys.length), undefined)
    hints.set(each, back === each || !each.reads ? undefined : each.name)
  }
  const fields = new Map(all.flatMap((each) => each.model.map(({ field }) => [field.path, field] as const)))
  return {
    keys,
    all,
    fields: [...fields.values()],
    reading,
    writing: firstWriting(writers),
    hintFor: (chosen) => hints.get(chosen),
  }
}

function compileCase(
  name: string,
  rule: CaseRule,
  indexOf: (key: string) => number,
  resolve: (path: string) => ModelPath,
): Case {
  const firm = new Map<number, Scalar>()
  const wire = Object.entries(rule.wire).map(([key, test]) => {
    const index = indexOf(key)
    const value = exactValue(test)
    if (value !== undefined) firm.set(index, value)
    return { index, check: compileTest(test, false) }
  })
  const model = Object.entries(rule.model).map(([path, test]) => ({
    field: resolve(path),
    check: compileTest(test, true),
    value: exactValue(test),
  }))
  const implied = Object.entries(rule.implies ?? {}).map(([path, value]) => ({ field: resolve(path), value }))
  const sets = new Map(
    model.flatMap(({ field, value }) => (value === undefined || value === null ? [] : [[field.path, value]])),
  )
  return {
    name,
    reads: rule.only !== 'out',
    writes: rule.only !== 'in',
    lossy: rule.lossy,
    wire,
    model,
    implied,
    sets,
    firm,
    also: new Map(Object.entries(rule.also ?? {}).map(([key, value]) => [indexOf(key), value])),
  }
}

/** Cases that a value at one place leaves in question, so that most of the others need no test. */
interface Sieve {
  readonly byValue: ReadonlyMap<unknown, readonly Case[]>
  readonly others: readonly Case[]
}

/** Sorts cases by what they ask for at one place; `exact` and `check` tell that of a case, undefined where it asks for nothing. */
function sieve(
  cases: readonly Case[],
  testOf: (each: Case) => { readonly check: Check; readonly value: Scalar | undefined } | undefined,
): Sieve {
  const values = new Set(cases.map((each) => testOf(each)?.value).filter((value) => value !== undefined))
  const byValue = new Map<unknown, Case[]>()
  for (const value of values)
    byValue.set(
      value,
      cases.filter((each) => testOf(each)?.check(value) ?? true),
    )
  return { byValue, others: cases.filter((each) => testOf(each)?.value === undefined) }
}

/** The place at which most cases ask for one certain value. */
function mostAsked<K>(places: Iterable<K>): K | undefined {
  const counts = new Map<K, number>()
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}

function firstReading(readers: readonly Case[], keyCount: number): (values: readonly unknown[]) => Case | undefined {
  const pivot = keyCount === 0 ? undefined : mostAsked(readers.flatMap((each) => [...each.firm.keys()]))
  if (pivot === undefined) return (values) => readers.find((each) => fitsWire(each, values))
  const sorted = sieve(readers, (each) => {
    const test = each.wire.find(({ index }) => index === pivot)
    return test && { check: test.check, value: each.firm.get(pivot) }
  })
  return (values) => {
    const left = sorted.byValue.get(values[pivot]) ?? sorted.others
    for (let i = 0; i < left.length; i++) if (fitsWire(left[i]!, values)) return left[i]
    return undefined
  }
}

function firstWriting(writers: readonly Case[]): (fact: Fact) => Case | undefined {
  const path = mostAsked(writers.flatMap((each) => [...each.sets.keys()]))
  const pivot = writers.flatMap((each) => each.model).find(({ field }) => field.path === path)?.field
  if (pivot === undefined) return (fact) => writers.find((each) => fitsModel(each, fact))
  const sorted = sieve(writers, (each) => {
    const test = each.model.find(({ field }) => field.path === path)
    return test && { check: test.check, value: each.sets.get(pivot.path) }
  })
  return (fact) => {
    const left = sorted.byValue.get(pivot.get(fact)) ?? sorted.others
    for (let i = 0; i < left.length; i++) if (fitsModel(left[i]!, fact)) return left[i]
    return undefined
  }
}

function fitsWire(each: Case, values: readonly unknown[]): boolean {
  for (const { index, check } of each.wire) if (!check(values[index])) return false
  return true
}

function fitsModel(each: Case, fact: Fact): boolean {
  for (const { field, check } of each.model) if (!check(field.get(fact))) return false
  return true
}

/** The wire values a case writes, as its reader would find them. */
function writtenValues(each: Case, count: number): unknown[] {
  const values = new Array<unknown>(count).fill(undefined)
  for (const [index, value] of each.also) values[index] = value
  for (const [index, value] of each.firm) values[index] = value
  return values
}

/** Sets the model fields a case fixes. */
export function applyCase(chosen: Case, fact: Fact): void {
  for (const { field, value } of chosen.implied) field.set(fact, value)
  for (const { field, value } of chosen.model) {
    if (value !== undefined && value !== null) field.set(fact, value)
  }
}
