import type { Test } from '../schema.js'
import { type Condition, conditionsFor, mergedConditions } from './conditions.js'
import type { Fate, Verdict } from './fates.js'
import type { Assignment } from './situations.js'

/** What becomes of a field, where, and why. */
export interface Claim {
  readonly fate: Fate
  readonly why?: string
  /** The facts it is about pass one of these; absent: all facts. */
  readonly where?: readonly Condition[]
}

/** A verdict on a field of one fact. */
export interface Judged {
  readonly fact: Assignment
  readonly verdict: Verdict
  /** The field's own value, where the verdict depends on it. */
  readonly value?: Test
}

const RANK: readonly Fate[] = ['survives', 'approximately', 'rides along', 'lost']

interface Group {
  readonly verdict: Verdict
  readonly value: Test | undefined
  readonly facts: Set<Assignment>
  readonly places: Set<string>
}

/** Verdicts that agree, put together. */
export function claimsOf(path: string, judged: readonly Judged[]): Claim[] {
  const groups = new Map<string, Group>()
  for (const { fact, verdict, value } of judged) {
    // Where it rides is not why it does.
    const isRiding = verdict.fate === 'rides along'
    const key = JSON.stringify([verdict.fate, isRiding ? null : (verdict.why ?? null), value ?? null])
    const group = groups.get(key) ?? { verdict, value, facts: new Set(), places: new Set() }
    group.facts.add(fact)
    if (isRiding) group.places.add(verdict.why!)
    groups.set(key, group)
  }
  const all = [...new Set(judged.map(({ fact }) => fact))]
  const claims = [...groups.values()].map(({ verdict, value, facts, places }): Claim => {
    const where = withValue(path, value, conditionsFor(facts, all))
    return { ...verdict, ...(places.size > 0 && { why: [...places].join(' or ') }), ...(where && { where }) }
  })
  return mergedByReason(claims).toSorted((a, b) => RANK.indexOf(a.fate) - RANK.indexOf(b.fate))
}

function withValue(path: string, value: Test | undefined, where: readonly Condition[] | undefined) {
  if (value === undefined) return where
  return (where ?? [{}]).map((condition) => ({ ...condition, [path]: value }))
}

/** Claims that differ in their conditions only, as one. */
function mergedByReason(claims: readonly Claim[]): Claim[] {
  const out: Claim[] = []
  for (const claim of claims) {
    const at = out.findIndex((each) => each.fate === claim.fate && each.why === claim.why)
    if (at < 0) out.push(claim)
    else {
      const { where: before, ...rest } = out[at]!
      const where = before && claim.where && mergedConditions([...before, ...claim.where])
      out[at] = { ...rest, ...(where && { where }) }
    }
  }
  return out
}
