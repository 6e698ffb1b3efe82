import type { Log } from '../../telemetry/index.js'
import type { CallView } from '../state.js'
import type { RouteTable, Ruleset } from './ruleset.js'

/** The rules that hold now, and those that calls began with. Read at each message, never kept. */
export interface RuleSource<T extends RouteTable = RouteTable> {
  current(): T
  /** The rules of a call; the current ones for one that is not known yet. */
  ofCall(view: CallView | undefined): T
}

/** All rulesets that are in use. */
export interface Rules extends RuleSource<Ruleset> {
  /** Those beside the current one that calls go on with. */
  others(): readonly Ruleset[]
  has(revision: string): boolean
  /** Makes a ruleset the current one: what is taken from now on goes by it. */
  swap(next: Ruleset): void
  /** Adds one that calls of another replica began with. */
  keep(ruleset: Ruleset): void
  /** Drops those that no call goes by any more. */
  drop(isUsed: (revision: string) => boolean): void
}

/** Revisions remembered at most, so that each is logged once. */
const MAX_MISSING = 100

/** @param calls whose rules a running call goes by after a swap */
export function makeRules(first: Ruleset, calls: 'keep' | 'current', log: Log): Rules {
  let now = first
  let others: readonly Ruleset[] = []
  /** Revisions of which it was said that they are not known. */
  const missing = new Set<string>()

  function known(revision: string): Ruleset | undefined {
    return revision === now.revision ? now : others.find((each) => each.revision === revision)
  }

  function orCurrent(began: string): Ruleset {
    if (missing.has(began)) return now
    if (missing.size >= MAX_MISSING) missing.clear()
    missing.add(began)
    log.warn('calls go on with the current rules: those that they began with are not known here', {
      began,
      revision: now.revision,
    })
    return now
  }

  return {
    current: () => now,
    ofCall(view) {
      const began = view?.revision
      if (began === undefined || began === now.revision || calls === 'current') return now
      return known(began) ?? orCurrent(began)
    },
    others: () => others,
    has: (revision) => known(revision) !== undefined,
    swap(next) {
      const before = now
      const rest = others.filter(({ revision }) => revision !== next.revision)
      missing.delete(next.revision)
      others = calls === 'current' ? [] : [...rest, before]
      now = next
    },
    keep(ruleset) {
      missing.delete(ruleset.revision)
      if (known(ruleset.revision) === undefined) others = [...others, ruleset]
    },
    drop(isUsed) {
      if (others.length > 0) others = others.filter(({ revision }) => isUsed(revision))
    },
  }
}

/** Rules that never change, for a gateway of one ruleset. */
export function fixedRules<T extends RouteTable>(table: T): RuleSource<T> {
  return { current: () => table, ofCall: () => table }
}
