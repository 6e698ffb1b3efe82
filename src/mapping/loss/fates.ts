import { isDeepStrictEqual } from 'node:util'
import type { Fact } from '../../model/index.js'
import type { CaseRule, Scalar, Test } from '../schema.js'
import { passes } from './outcomes.js'
import { otherParties, valueIn, withParties } from './probe.js'
import type { Assignment } from './situations.js'
import { FIRST, listOf, OTHERS, type Telling, type TellingField } from './tellings.js'

/**
 * What becomes of a field on its way to another dialect: it is said in that dialect's own words and read
 * back the same; it is said, with something lost that a rule admits; it rides along, unseen by receivers,
 * and comes back when the fact returns; it is lost.
 */
export type Fate = 'survives' | 'approximately' | 'rides along' | 'lost'

/** A fate with its reason. */
export interface Verdict {
  readonly fate: Fate
  readonly why?: string
}

/** A fact that was written, by what it was written, and what came back. */
export interface Trial {
  readonly went: Fact
  readonly back: Fact
  readonly seen: Fact
  readonly telling: Telling
  readonly chosen: CaseRule | undefined
  readonly assigned: Assignment
}

/** What became of one field, which the fact has. */
export function verdictOn(path: string, trial: Trial): Verdict {
  const { went, back, seen, telling, chosen } = trial
  const value = valueIn(went, path)
  const came = valueIn(back, path)
  const about = rulesAbout(path, telling)
  const lossy = about.map(({ rule }) => rule.lossy)
  const others = otherParties(went.kind, path)
  if (others !== undefined && isDeepStrictEqual(valueIn(withParties(seen, went), path), value))
    return isDeepStrictEqual(valueIn(seen, path), value)
      ? { fate: 'survives' }
      : { fate: 'survives', why: `as ${others}` }
  if (isDeepStrictEqual(came, value)) {
    if (!isDeepStrictEqual(valueIn(seen, path), value)) return { fate: 'rides along', why: telling.carriedAt ?? '' }
    // What a rule loses may depend on the value.
    return about.length > 0 && !lossy.includes(undefined) ? approximately(lossy) : { fate: 'survives' }
  }
  if (came === undefined) return { fate: 'lost', why: whyAbsent(path, trial, about) }
  const reasons = lossy.filter((each) => each !== undefined)
  const admitted = reasons.length > 0 ? reasons : chosen?.lossy === undefined ? [] : [chosen.lossy]
  return admitted.length > 0 ? approximately(admitted) : { fate: 'lost', why: `it comes back as ${shown(came)}` }
}

function approximately(reasons: readonly (string | undefined)[]): Verdict {
  return { fate: 'approximately', why: [...new Set(reasons)].join('; ') }
}

function rulesAbout(path: string, { fields }: Telling): TellingField[] {
  return fields.filter(({ says }) => says.includes(path) || says.includes(listOf(path) ?? path))
}

function whyAbsent(path: string, { telling, chosen, assigned }: Trial, about: readonly TellingField[]): string {
  if (about.length === 0) {
    if (path.endsWith(OTHERS) && rulesAbout(listOf(path) + FIRST, telling).length > 0)
      return 'a field for the first of them only'
    if (!telling.cases.some(({ rule }) => path in rule.model)) return 'no field for it'
    return (chosen !== undefined && path in chosen.model ? chosen.lossy : undefined) ?? 'no case says it'
  }
  const written = about.filter(({ rule }) => passes(rule.when ?? {}, assigned))
  if (written.length === 0)
    return `written only where ${unique(about.map(({ rule }) => conditionText(rule.when ?? {})))}`
  if (written.some(({ wire }) => chosen !== undefined && (wire in chosen.wire || wire in (chosen.also ?? {}))))
    return chosen?.lossy ?? 'the case that fits writes something else there'
  if (written.some(({ values }) => values !== undefined)) return 'no word for it'
  if (written.some(({ rule }) => rule.form !== undefined))
    return `told only together with ${unique(written.flatMap(({ says }) => says.filter((each) => each !== path)))}`
  return 'it stands for "not told"'
}

const unique = (texts: readonly string[]) => [...new Set(texts)].join('; ')

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Tests that hold together, as people say them. */
export function conditionText(tests: Readonly<Record<string, Test>>): string {
  return Object.entries(tests)
    .map(([path, test]) => inWords(path, test))
    .join(' and ')
}

function inWords(path: string, test: Test): string {
  if (test === null) return `${path} is absent`
  if (typeof test !== 'object') return `${path} is ${word(test)}`
  if ('any' in test) return `${path} is ${anyOf(test.any)}`
  if ('not' in test) return `${path} is not ${anyOf([test.not].flat())}`
  if ('starts' in test) return `${path} begins with ${test.starts}`
  return test.present ? `there is ${path}` : `${path} is absent`
}

const word = (value: Scalar) => (value === null ? 'absent' : value === '' ? 'empty' : String(value))

/** Of longer lists only the length is told. */
const MAX_WORDS = 8

function anyOf(values: readonly Scalar[]): string {
  if (values.length > MAX_WORDS) return `one of ${values.length} words`
  const words = values.map(word)
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
