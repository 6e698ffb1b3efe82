import type { Scalar, Test } from '../schema.js'
import { type Assignment, OTHER } from './situations.js'

/** Tests on model fields that hold together. */
export type Condition = Readonly<Record<string, Test>>

interface Literal {
  readonly path: string
  readonly value: unknown
}

/** Fields that one condition names at most, unless nothing shorter tells facts apart. */
const MAX_LITERALS = 3

/**
 * Says which facts of `all` are meant: short conditions, of which each `some` passes one and no other fact
 * passes any. Undefined where all are meant.
 */
export function conditionsFor(some: ReadonlySet<Assignment>, all: readonly Assignment[]): Condition[] | undefined {
  if (all.every((each) => some.has(each))) return undefined
  const others = all.filter((each) => !some.has(each))
  const left = new Set(some)
  const out: Condition[] = []
  while (left.size > 0) {
    const best = bestFor(left, others) ?? withoutNeedless(literalsOf([...left][0]!), others)
    const taken = [...left].filter((each) => holds(best, each))
    for (const each of taken) left.delete(each)
    out.push(conditionOf(best, all))
  }
  return mergedConditions(out)
}

/** The condition less what it does not need to keep all others out. */
function withoutNeedless(literals: readonly Literal[], others: readonly Assignment[]): readonly Literal[] {
  let kept = literals
  for (const each of literals) {
    const fewer = kept.filter((literal) => literal !== each)
    if (!others.some((fact) => holds(fewer, fact))) kept = fewer
  }
  return kept
}

/** The shortest condition that keeps all others out, of several the one that takes most. */
function bestFor(some: ReadonlySet<Assignment>, others: readonly Assignment[]): readonly Literal[] | undefined {
  let open: (readonly Literal[])[] = [[]]
  for (let length = 1; length <= MAX_LITERALS; length++) {
    const longer = extended(open, [...some])
    const fits = longer.filter((literals) => !others.some((each) => holds(literals, each)))
    if (fits.length > 0) return most(fits, some)
    open = longer
  }
  return undefined
}

function extended(open: readonly (readonly Literal[])[], some: readonly Assignment[]): (readonly Literal[])[] {
  const out = new Map<string, readonly Literal[]>()
  const places = new Map<string, number>()
  const all = new Map(some.flatMap(literalsOf).map((each) => [keyOf([each]), each]))
  for (const { path } of all.values()) if (!places.has(path)) places.set(path, places.size)
  for (const before of open) {
    const last = before.length === 0 ? -1 : places.get(before.at(-1)!.path)!
    for (const each of all.values()) {
      if (places.get(each.path)! <= last) continue
      const literals = [...before, each]
      if (some.some((fact) => holds(literals, fact))) out.set(keyOf(literals), literals)
    }
  }
  return [...out.values()]
}

function most(fits: readonly (readonly Literal[])[], some: ReadonlySet<Assignment>): readonly Literal[] {
  const count = (literals: readonly Literal[]) => [...some].filter((each) => holds(literals, each)).length
  return fits.map((literals) => ({ literals, taken: count(literals) })).sort((a, b) => b.taken - a.taken)[0]!.literals
}

function literalsOf(fact: Assignment): Literal[] {
  return [...fact].map(([path, value]) => ({ path, value }))
}

function keyOf(literals: readonly Literal[]): string {
  return JSON.stringify(literals.map(({ path, value }) => [path, value === OTHER ? {} : (value ?? null)]))
}

function holds(literals: readonly Literal[], fact: Assignment): boolean {
  return literals.every(({ path, value }) => fact.get(path) === value)
}

function conditionOf(literals: readonly Literal[], all: readonly Assignment[]): Condition {
  return Object.fromEntries(literals.map(({ path, value }) => [path, testOf(path, value, all)]))
}

function testOf(path: string, value: unknown, all: readonly Assignment[]): Test {
  if (value === undefined) return null
  if (value !== OTHER) return value as string | number | boolean // assignments hold nothing else
  const named = new Set(all.map((fact) => fact.get(path)).filter((each) => each !== undefined && each !== OTHER))
  if (named.size === 0) return { present: true }
  return { not: [...named] as Scalar[] } // as above
}

/** Conditions that differ in the value of one field, as one with several values. */
export function mergedConditions(conditions: readonly Condition[]): Condition[] {
  const out: Condition[] = []
  for (const each of conditions) {
    const at = out.findIndex((before) => together(before, each) !== undefined)
    if (at < 0) out.push(each)
    else out[at] = together(out[at]!, each)!
  }
  return out.length < conditions.length ? mergedConditions(out) : out
}

function together(one: Condition, other: Condition): Condition | undefined {
  const paths = Object.keys(one)
  if (paths.length !== Object.keys(other).length || !paths.every((path) => path in other)) return undefined
  const different = paths.filter((path) => JSON.stringify(one[path]) !== JSON.stringify(other[path]))
  const [path] = different
  if (path === undefined || different.length > 1) return undefined
  const values = [one[path]!, other[path]!].map(valuesOf)
  return values.includes(undefined) ? undefined : { ...one, [path]: { any: values.flatMap((each) => each!) } }
}

function valuesOf(test: Test): readonly Scalar[] | undefined {
  if (typeof test !== 'object' || test === null) return [test]
  return 'any' in test ? test.any : undefined
}
