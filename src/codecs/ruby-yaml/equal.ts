import { MAX_VALUE_DEPTH, onStack, tooDeep } from './limits.js'
import { RubyDate, RubyFloat, RubyMap, RubySymbol, RubyTime, type RubyValue } from './values.js'

/**
 * Whether two values are the same Ruby value. Types are told apart (1 and 1.0 differ), NaN equals
 * NaN, 0.0 and -0.0 differ, and the order of pairs counts, since it is the order they are written
 * in. What is shared within a value does not count; cycles are followed once.
 */
export function equal(a: RubyValue, b: RubyValue): boolean {
  return onStack('comparing', () => same(a, b, new Map(), 0))
}

/** Pairs of collections that are being compared, or were, are taken as equal: a difference ends everything. */
type Met = Map<object, Set<object>>

function same(a: RubyValue, b: RubyValue, met: Met, depth: number): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof RubyFloat) return b instanceof RubyFloat && Object.is(a.value, b.value)
  if (a instanceof RubySymbol) return b instanceof RubySymbol && a.name === b.name
  if (a instanceof RubyDate) return b instanceof RubyDate && a.jd === b.jd && a.text === b.text
  if (a instanceof RubyTime) {
    return b instanceof RubyTime && a.epochNs === b.epochNs && a.offsetSeconds === b.offsetSeconds
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b)
  if (alreadyMet(met, a, b)) return true
  if (depth > MAX_VALUE_DEPTH) throw tooDeep('comparing')
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, met, depth + 1)
  if (!(b instanceof RubyMap) || a.className !== b.className) return false
  return sameItems(a.keys, b.keys, met, depth + 1) && sameItems(a.values, b.values, met, depth + 1)
}

function alreadyMet(met: Met, a: object, b: object): boolean {
  const others = met.get(a)
  if (others === undefined) {
    met.set(a, new Set([b]))
    return false
  }
  if (others.has(b)) return true
  others.add(b)
  return false
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function sameItems(a: RubyValue[], b: RubyValue[], met: Met, depth: number): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!same(a[i]!, b[i]!, met, depth)) return false
  return true
}
