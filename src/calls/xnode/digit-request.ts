import { RE2JS } from 're2js'
import type { DigitRules } from './digits.js'
import { type Programme, programmeOf } from './media.js'
import type { Params } from './method.js'
import { bad, type Result } from './result.js'
import type { SteeringTables } from './tables.js'

/** What ReadDTMF and ReadDigits ask for. */
export interface DigitRequest {
  readonly rules: DigitRules
  readonly tries: number
  readonly prompt: Programme | undefined
  /** Played after an input that is not as asked. */
  readonly invalid: Programme | undefined
  /** Whether it is played after the last try, too. */
  readonly invalidAtLast: boolean
  fits(digits: string): boolean
}

const MAX_DIGITS = 128
const MAX_WAIT_MS = 600_000
const MAX_TRIES = 50
/** Characters of a pattern. */
const MAX_PATTERN = 500

/** Reads the params, held to the types of their message before; what is left out is what the vendor says it is. */
export function digitRequestOf(
  tables: SteeringTables,
  params: Params,
): { readonly value: DigitRequest } | { readonly refused: Result } {
  const refuse = (message: string) => ({ refused: bad(message) })
  const count = (name: string, otherwise: number) => Number(params[name] ?? 0) || otherwise
  const [min, max] = [count('min_digits', 1), count('max_digits', Math.max(1, count('min_digits', 1)))]
  if (max > MAX_DIGITS) return refuse(`max_digits: want at most ${MAX_DIGITS}`)
  if (min > max) return refuse('min_digits: want no more than max_digits')
  const [firstMs, nextMs] = [count('timeout', 5000), count('digit_timeout', 2000)]
  if (firstMs > MAX_WAIT_MS) return refuse(`timeout: want at most ${MAX_WAIT_MS} ms`)
  if (nextMs > MAX_WAIT_MS) return refuse(`digit_timeout: want at most ${MAX_WAIT_MS} ms`)
  const tries = count('max_tries', 1)
  if (tries > MAX_TRIES) return refuse(`max_tries: want at most ${MAX_TRIES}`)
  const terminators = terminatorsOf(params.terminators)
  if (terminators === undefined) return refuse('terminators: want keys: 0 to 9, *, #, A to D')
  const fits = fitterOf(params.regex)
  if (fits === undefined) return refuse('regex: want a pattern of RE2, without look-arounds and references')
  const prompt = programmeIn(tables, params, 'media')
  if (prompt !== undefined && 'refused' in prompt) return prompt
  const invalid = programmeIn(tables, params, 'media_invalid')
  if (invalid !== undefined && 'refused' in invalid) return invalid
  return {
    value: {
      rules: { min, max, firstMs, nextMs, terminators },
      tries,
      prompt: prompt?.value,
      invalid: invalid?.value,
      invalidAtLast: params.play_last_invalid_prompt === true,
      fits,
    },
  }
}

/** Keys that end something; `none` and nothing are no keys. Undefined where something else stands among them. */
export function terminatorsOf(given: unknown): ReadonlySet<string> | undefined {
  const text = String(given ?? '').toUpperCase()
  if (text === 'NONE') return new Set()
  if (text === 'ANY') return new Set('0123456789*#ABCD')
  return /^[\dA-D*#, ]*$/.test(text) ? new Set(text.replace(/[, ]/g, '')) : undefined
}

/** RE2 matches in linear time: the pattern comes from the network. */
function fitterOf(given: unknown): ((digits: string) => boolean) | undefined {
  const pattern = String(given ?? '')
  if (pattern === '') return () => true
  if (pattern.length > MAX_PATTERN) return undefined
  try {
    const compiled = RE2JS.compile(pattern)
    return (digits) => compiled.matcher(digits).find()
  } catch {
    return undefined
  }
}

function programmeIn(tables: SteeringTables, params: Params, field: string) {
  const given = params[field] as { readonly data?: unknown } | null | undefined // held to its type: an object
  // A medium without data is one that was left out.
  if (given === undefined || given === null || given.data === undefined || given.data === '') return undefined
  return programmeOf(tables, given, field)
}
