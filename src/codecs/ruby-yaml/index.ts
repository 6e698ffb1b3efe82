import { composeDocument, type ReadRules } from './compose.js'
import { NOT_MINE, readFast } from './fast-reader.js'
import { decodeBody } from './input.js'
import { DEFAULT_LIMITS, type ParseLimits } from './limits.js'
import { findShared, NOTHING_SHARED } from './sharing.js'
import type { RubyValue } from './values.js'

export { equal } from './equal.js'
export type { ParseLimits } from './limits.js'
export { DEFAULT_LIMITS } from './limits.js'
export { fromTyped, toTyped } from './typed.js'
export * from './values.js'
export { type StringifyOptions, stringify, type WriterProfile } from './writer.js'

/** What a reader lets in. */
export interface ParseOptions {
  /** Classes that `!ruby/object:NAME` may name. Default none: naming one is an error (codec.tag). */
  readonly classes?: 'any' | Iterable<string>
  /** What the document may cost; see {@link ParseLimits} for units and defaults. */
  readonly limits?: Partial<ParseLimits>
  /** What a stream without a document reads as: nil as `load` has it (default) or false as `unsafe_load`. */
  readonly emptyStream?: null | false
}

/** A value with the arrays, maps and times in it that are reached by more than one path. */
export interface RubyDocument {
  readonly value: RubyValue
  readonly shared: ReadonlySet<object>
}

const NO_CLASSES: ReadonlySet<string> = new Set()
const DEFAULT_RULES: ReadRules = { classes: NO_CLASSES, limits: DEFAULT_LIMITS }

function classSet(classes: 'any' | Iterable<string>): 'any' | ReadonlySet<string> {
  if (classes === 'any') return 'any'
  return classes instanceof Set ? (classes as ReadonlySet<string>) : new Set(classes) // instanceof forgets the element type
}

function rulesOf(options: ParseOptions | undefined): ReadRules {
  if (options === undefined) return DEFAULT_RULES
  return {
    classes: options.classes === undefined ? NO_CLASSES : classSet(options.classes),
    limits: options.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...options.limits },
  }
}

/**
 * Reads the first document of a body as Psych 4 does.
 *
 * Body    UTF-8 bytes, or text.
 * Errors  codec.malformed (no YAML), codec.encoding (not UTF-8, control characters), codec.tag (a class
 *         or tag that is not let in), codec.limit, codec.value (what Ruby itself cannot read); each
 *         names line and column from 1 and what would be right.
 */
export function parse(body: Uint8Array | string, options?: ParseOptions): RubyValue {
  return parseDocument(body, options).value
}

/** The same as {@link parse}, with what is shared. */
export function parseDocument(body: Uint8Array | string, options?: ParseOptions): RubyDocument {
  const rules = rulesOf(options)
  const { text, ascii } = decodeBody(body, rules.limits.maxBytes)
  const fast = readFast(text, ascii, rules)
  if (fast !== NOT_MINE) return { value: fast, shared: NOTHING_SHARED }
  const composed = composeDocument(text, rules)
  if (composed === undefined) return { value: options?.emptyStream ?? null, shared: NOTHING_SHARED }
  return { value: composed.value, shared: composed.aliased ? findShared(composed.value) : NOTHING_SHARED }
}
