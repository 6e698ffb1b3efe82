import { FACT_SHAPES, type FactKind } from '../../model/index.js'
import type { Claim } from './claims.js'
import { type Condition, conditionsFor, mergedConditions } from './conditions.js'
import { asideClaims, fieldClaims, madeUp } from './judge.js'
import { outcomeOf, passes } from './outcomes.js'
import { probeOf, type Subject } from './probe.js'
import { type Said, type Sample, type Subjects, samplesOf, trialOf } from './samples.js'
import { readings } from './situations.js'
import { isAside, isList, type Telling, tellingsOf } from './tellings.js'

/** One field of a kind of fact. A claim holds for each fact in which the field is told. */
export interface FieldLoss {
  readonly field: string
  readonly claims: readonly Claim[]
}

/** What becomes of one kind of fact that the source tells. */
export interface KindLoss {
  readonly kind: FactKind
  readonly said: 'always' | 'sometimes' | 'never'
  /** Facts that the target does not say at all. */
  readonly unsaid: readonly Omit<Claim, 'fate'>[]
  /** What becomes of the fields of those it says. */
  readonly fields: readonly FieldLoss[]
  /** What the source keeps aside for itself: wire fields of its own, by name, and whatever its rules do not know. */
  readonly aside: { readonly names: readonly string[]; readonly claims: readonly Claim[] }
  /** Fields that the target has although nobody told them, and what they are made of. */
  readonly madeUp: readonly { readonly field: string; readonly of: string }[]
}

/** What survives between two dialects. */
export interface LossReport {
  readonly from: string
  readonly to: string
  /** Kinds of fact that the source tells. */
  readonly kinds: readonly KindLoss[]
}

/**
 * Computes from two mappings what becomes of everything one dialect can tell on its way to another: for every
 * situation that rules tell apart a fact is written and read again. Parties and causes are completed before
 * (`completeParties`, `completeCause`), as in the gateway. Empty texts count as not told.
 */
export function lossReport(from: Subject, to: Subject): LossReport {
  const probe = probeOf(to, from)
  const kinds = (Object.keys(FACT_SHAPES) as FactKind[]).flatMap((kind) => {
    const source = tellingsOf(from.file, kind)
    const target = tellingsOf(to.file, kind)
    return source.length === 0
      ? []
      : [kindLoss({ kind, source, target, probe, from: from.file.dialect }, to.file.dialect)]
  })
  return { from: from.file.dialect, to: to.file.dialect, kinds }
}

/** Reports for every ordered pair of the dialects. */
export function allLossReports(subjects: readonly Subject[]): LossReport[] {
  return subjects.flatMap((from) => subjects.filter((to) => to !== from).map((to) => lossReport(from, to)))
}

function kindLoss(subjects: Subjects, to: string): KindLoss {
  const { kind, source, target } = subjects
  const plain = source.flatMap((telling) => readings(kind, telling))
  const own = new Set(plain.flatMap((known) => [...known.keys()]))
  const names = [...own].filter(isAside).map((path) => path.slice('ext.'.length))
  const fields = inModelOrder(
    kind,
    [...own].filter((path) => !isAside(path) && !isList(kind, path)),
  )
  if (target.length === 0) {
    const nowhere = { why: `${to} has no word for it` }
    const claims: Claim[] = [{ fate: 'lost', ...nowhere }]
    const lost = fields.map((field) => ({ field, claims }))
    return { kind, said: 'never', unsaid: [nowhere], fields: lost, aside: { names, claims }, madeUp: [] }
  }
  const samples = samplesOf(plain, subjects)
  const said = samples.flatMap((sample): Said[] => {
    const trial = trialOf(sample.went, sample.fact, sample.result, target)
    return trial === undefined ? [] : [{ ...sample, trial }]
  })
  const unsaid = samples.filter(({ result }) => 'refused' in result)
  return {
    kind,
    said: unsaid.length === 0 ? 'always' : said.length === 0 ? 'never' : 'sometimes',
    unsaid: unsaidClaims(unsaid, samples, target),
    fields: fields.flatMap((path) => {
      const claims = fieldClaims(path, said, subjects)
      return claims.length === 0 ? [] : [{ field: path, claims }]
    }),
    aside: { names, claims: asideClaims(said, subjects.from) },
    madeUp: madeUp(said, subjects),
  }
}

function inModelOrder(kind: FactKind, paths: readonly string[]): string[] {
  const order = Object.keys(FACT_SHAPES[kind])
  const rank = (path: string) => {
    const at = order.findIndex((each) => path === each || path.startsWith(`${each}.`))
    return at < 0 ? order.length : at
  }
  return paths.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

function unsaidClaims(
  unsaid: readonly Sample[],
  all: readonly Sample[],
  target: readonly Telling[],
): KindLoss['unsaid'] {
  if (unsaid.length === 0) return []
  const conditions = conditionsFor(new Set(unsaid.map(({ fact }) => fact)), factsOf(all)) ?? [undefined]
  const groups = new Map<string, Condition[]>()
  for (const condition of conditions) {
    const meant = unsaid.filter(({ fact }) => condition === undefined || passes(condition, fact))
    const reasons = [...new Set(meant.map((sample) => whyRefused(sample, target)))]
    const why = reasons.length === 1 ? reasons[0]! : 'no rule takes it'
    groups.set(why, [...(groups.get(why) ?? []), ...(condition === undefined ? [] : [condition])])
  }
  return [...groups].map(([why, where]) => ({ why, ...(where.length > 0 && { where: mergedConditions(where) }) }))
}

function whyRefused({ fact, result }: Sample, target: readonly Telling[]): string {
  if ('refused' in result && result.refused !== undefined) return result.refused
  const outcome = outcomeOf(target, fact)
  return 'unsaid' in outcome ? outcome.unsaid : 'no rule takes it'
}

const factsOf = (samples: readonly Sample[]) => samples.map(({ fact }) => fact)
