import type { MatchRule, Scalar } from './schema.js'

/** What is asked of one wire value that tells messages apart: a value, or one of several. */
export type Asked = MatchRule[string]

/** Whether several values are allowed, so that a field or the cases have to say which it is. */
export function isChoice(asked: Asked): asked is { any: Scalar[] } {
  return isCondition(asked) && 'any' in asked
}

/** Whether it is no one value, so that it cannot be written by itself. */
export function isCondition(asked: Asked): asked is Exclude<Asked, Scalar> {
  return typeof asked === 'object' && asked !== null
}

/** The values that are allowed; none where it is not about values. */
export function askedValues(asked: Asked): readonly Scalar[] {
  if (!isCondition(asked)) return [asked]
  return isChoice(asked) ? asked.any : []
}

/** Whether a wire value is what is asked for. */
export function fitsMatch(asked: Asked, found: unknown): boolean {
  if (!isCondition(asked)) return found === asked
  if (isChoice(asked)) return asked.any.includes(found as Scalar)
  return (found !== undefined && found !== null) === asked.present
}

/** Whether one asks for nothing that the other does not ask for, too. */
export function includesAsked(wide: Asked, narrow: Asked | undefined): boolean {
  if (narrow === undefined) return false
  if (isCondition(narrow) && !isChoice(narrow)) return JSON.stringify(wide) === JSON.stringify(narrow)
  return askedValues(narrow).every((value) => fitsMatch(wide, value))
}
