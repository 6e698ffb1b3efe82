import type { SubstituteRule } from '../schema.js'
import { type Claim, claimsOf, type Judged } from './claims.js'
import { type Verdict, verdictOn } from './fates.js'
import { otherParties, valueIn } from './probe.js'
import { fieldsOf, type Said, type Subjects, tryOut, withSources } from './samples.js'
import { alikesOf, askedFor, assignmentsOf } from './situations.js'
import { isAside, type Telling } from './tellings.js'

/** What becomes of one field of what was said. */
export function fieldClaims(path: string, said: readonly Said[], subjects: Subjects): Claim[] {
  const asked = withSources(askedFor(path, subjects.target))
  if (otherParties(subjects.kind, path) !== undefined) asked.set('direction', new Set())
  return claimsOf(
    path,
    said.flatMap((sample) => refined(sample, asked, subjects).flatMap((each) => judged(path, each, subjects))),
  )
}

/** The sample in each of the variants that other rules tell apart. */
function refined(sample: Said, asked: ReadonlyMap<string, ReadonlySet<unknown>>, subjects: Subjects): Said[] {
  const { fact, known } = sample
  const more = new Map([...asked].filter(([path]) => !fact.has(path) && known.has(path)))
  if (more.size === 0) return [sample]
  return assignmentsOf(known, more).flatMap((variant) => {
    const assigned = new Map([...fact, ...variant])
    const trial = tryOut(assigned, known, subjects)
    return trial === undefined ? [] : [{ ...sample, fact: assigned, went: trial.went, trial }]
  })
}

/** Judges a field of a sample, also with other values of it where rules tell those apart. */
function judged(path: string, { fact, known, went, trial }: Said, subjects: Subjects): Judged[] {
  const value = valueIn(went, path)
  if (value === undefined) return []
  const plain = { fact, verdict: verdictOn(path, trial) }
  const alikes =
    fact.has(path) || !known.has(path) ? [] : alikesOf(subjects.kind, path, known.get(path)!, subjects.target)
  const own = alikes.find((each) => each.has(value))
  const varied = alikes.flatMap((each) => {
    const other = each === own ? undefined : tryOut(new Map([...fact, [path, each.value]]), known, subjects)
    return other === undefined ? [] : [{ fact, verdict: verdictOn(path, other), value: each.test }]
  })
  if (own === undefined || varied.every(({ verdict }) => isSame(verdict, plain.verdict))) return [plain]
  return [{ ...plain, value: own.test }, ...varied]
}

const isSame = (one: Verdict, other: Verdict) => one.fate === other.fate && one.why === other.why

/** What becomes of all that the source keeps aside. */
export function asideClaims(said: readonly Said[], from: string): Claim[] {
  const all = said.map(({ fact, trial }): Judged => {
    const at = trial.telling.carriedAt
    return {
      fact,
      verdict: at === undefined ? { fate: 'lost', why: 'no place for it' } : { fate: 'rides along', why: at },
    }
  })
  return claimsOf(from, all)
}

/** Fields that come back though nobody told them: tried with those that rules may make something up for. */
export function madeUp(said: readonly Said[], subjects: Subjects): { field: string; of: string }[] {
  const found = new Map<string, string>()
  for (const { trial, fact, known } of said) {
    const note = (path: string, of: string) => {
      // Parties by another name are told, not made up.
      if (!found.has(path) && otherParties(subjects.kind, path) === undefined) found.set(path, of)
    }
    for (const { path, of, sources } of makersOf(trial.telling)) {
      // Something else may be made up where not even what it is made of was told.
      for (const untold of [[path], [path, ...sources]]) {
        if (isAside(path) || found.has(path) || untold.some((each) => known.get(each)?.absent === false)) continue
        const less = tryOut(new Map([...fact, ...untold.map((each) => [each, undefined] as const)]), known, subjects)
        if (less !== undefined && valueIn(less.went, path) === undefined && valueIn(less.back, path) !== undefined)
          note(path, of)
      }
    }
    for (const path of fieldsOf(trial.back)) {
      const value = valueIn(trial.went, path) === undefined ? valueIn(trial.back, path) : undefined
      if (value !== undefined) note(path, String(value))
    }
  }
  return [...found].map(([field, of]) => ({ field, of }))
}

interface Maker {
  readonly path: string
  /** What it is made of, for people. */
  readonly of: string
  /** Model fields that it is made of. */
  readonly sources: readonly string[]
}

/** Fields that a telling may make up, and what they are made of. */
function makersOf({ fields, inferred }: Telling): Maker[] {
  const made = fields.flatMap(({ says, rule }) => {
    const of = rule.or?.map(substituteText).join(' or ') ?? rule.derive
    const sources = (rule.or ?? []).flatMap((each) => (typeof each === 'string' ? each : (each.is ?? [])))
    return of === undefined ? [] : says.map((path) => ({ path, of, sources }))
  })
  const told = inferred.map(({ path, values }) => ({ path, of: values?.join(' or ') ?? 'looked up', sources: [] }))
  return [...made, ...told]
}

function substituteText(rule: SubstituteRule): string {
  if (typeof rule === 'string') return rule
  return rule.is ?? rule.form ?? String(rule.value)
}
