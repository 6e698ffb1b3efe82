import { GatewayError } from '../../errors.js'

/** What one document may cost. Every limit is inclusive. */
export interface ParseLimits {
  /** Length of the body in bytes of UTF-8. Default 4 MiB. */
  readonly maxBytes: number
  /** Collections inside one another. Default 1000, about where Ruby's own stack gives out. */
  readonly maxDepth: number
  /** Scalars and collections, and the pairs that merge keys copy. Default 300,000. */
  readonly maxNodes: number
  /** Aliases. Default 10,000. They share, they do not copy. */
  readonly maxAliases: number
}

export const DEFAULT_LIMITS: ParseLimits = Object.freeze({
  maxBytes: 4 * 1024 * 1024,
  maxDepth: 1000,
  maxNodes: 300_000,
  maxAliases: 10_000,
})

/** Digits of one integer. Converting more costs more than reading the rest of a document. */
export const MAX_INTEGER_DIGITS = 100_000

/** Integers with more digits than this are charged to {@link MAX_LONG_DIGITS}. */
export const LONG_INTEGER_DIGITS = 1000

/** Digits of all the long integers of one document. */
export const MAX_LONG_DIGITS = 1_000_000

/** Depth at which writing, comparing and converting values stop; as deep as reading goes by default. */
export const MAX_VALUE_DEPTH = 1000

export function tooDeep(doing: string): GatewayError {
  return new GatewayError(
    'codec.limit',
    `${doing}: the value is nested deeper than ${MAX_VALUE_DEPTH} levels or than the stack allows`,
  )
}

/** Runs a walk over a value; where the caller left too little of the stack for it, the value counts as too deep. */
export function onStack<Result>(doing: string, walk: () => Result): Result {
  try {
    return walk()
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(doing)
    throw error
  }
}
