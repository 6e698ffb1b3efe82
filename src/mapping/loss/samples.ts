import { FACT_SHAPES, type Fact, type FactKind } from '../../model/index.js'
import type { Trial } from './fates.js'
import { outcomeOf } from './outcomes.js'
import { factFor, type Probe, type Probed } from './probe.js'
import { type Assignment, askedBy, assignmentsOf, type Possibilities } from './situations.js'
import { FIRST, isList, OTHERS, type Telling } from './tellings.js'

/** How facts of one kind are told by the source and by the target. */
export interface Subjects {
  readonly kind: FactKind
  readonly source: readonly Telling[]
  readonly target: readonly Telling[]
  readonly probe: Probe
  readonly from: string
}

/** A fact as far as rules tell facts apart, with what its other fields may hold, and what became of it. */
export interface Sample {
  readonly fact: Assignment
  readonly known: Possibilities
  readonly went: Fact
  readonly result: Probed
}

/** A sample that was said, with the judgement of what came back. */
export interface Said extends Sample {
  readonly trial: Trial
}

/** Facts of everything that one dialect tells, for all that the rules of the other tell apart. */
export function samplesOf(plain: readonly Possibilities[], { kind, target, probe, from }: Subjects): Sample[] {
  const asked = withSources(askedBy(target))
  const found = new Map<string, Sample>()
  for (const known of plain) {
    for (const fact of assignmentsOf(known, asked)) {
      const went = factFor(kind, known, fact, from)
      if (went === undefined) continue
      const key = JSON.stringify(went)
      if (!found.has(key)) found.set(key, { fact, known, went, result: probe(went) })
    }
  }
  return [...found.values()]
}

/** Where a completed field is asked for, what it is made of matters, too. */
export function withSources(asked: Map<string, Set<unknown>>): Map<string, Set<unknown>> {
  for (const path of asked.keys()) {
    const part = /^(?:own|far|caller|callee)\.(name|number)$/.exec(path)?.[1]
    const sources =
      part !== undefined
        ? ['direction', ...['own', 'far', 'caller', 'callee'].map((party) => `${party}.${part}`)]
        : path === 'cause.code' || path === 'cause.name'
          ? ['cause.code', 'cause.name']
          : []
    for (const each of sources) if (!asked.has(each)) asked.set(each, new Set())
  }
  return asked
}

/** What a fact was written by and came back as; undefined where it was not said. */
export function trialOf(
  went: Fact,
  assigned: Assignment,
  result: Probed,
  target: readonly Telling[],
): Trial | undefined {
  if ('refused' in result) return undefined
  const tellings = target.filter(({ message }) => message === result.message)
  const outcome = outcomeOf(tellings, assigned)
  const told = 'unsaid' in outcome ? { telling: tellings[0]!, chosen: undefined } : outcome
  return { went, back: result.back, seen: result.seen, telling: told.telling, chosen: told.chosen?.rule, assigned }
}

/** Writes a fact that holds what is assigned; undefined where that cannot be, or is not said. */
export function tryOut(
  assigned: Assignment,
  known: Possibilities,
  { kind, from, probe, target }: Subjects,
): Trial | undefined {
  const went = factFor(kind, known, assigned, from)
  return went && trialOf(went, assigned, probe(went), target)
}

/** Every field there is, lists by their first element and the others. */
export function fieldsOf({ kind }: Fact): string[] {
  return [...Object.keys(FACT_SHAPES[kind]), 'full'].flatMap((path) =>
    isList(kind, path) ? [path + FIRST, path + OTHERS] : [path],
  )
}
