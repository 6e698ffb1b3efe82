import { RubyMap, RubyTime, type RubyValue } from './values.js'

/** The set for values in which nothing is shared. */
export const NOTHING_SHARED: ReadonlySet<object> = new Set()

/** The arrays, maps and times that are reached by more than one path. Each is walked once, so cycles are fine. */
export function findShared(root: RubyValue): ReadonlySet<object> {
  const seen = new Set<object>()
  const shared = new Set<object>()
  const todo: RubyValue[] = [root]
  while (todo.length > 0) {
    const value = todo.pop()!
    if (!isTracked(value)) continue
    if (seen.has(value)) {
      shared.add(value)
      continue
    }
    seen.add(value)
    if (Array.isArray(value)) for (const item of value) todo.push(item)
    else if (value instanceof RubyMap) {
      for (const key of value.keys) todo.push(key)
      for (const item of value.values) todo.push(item)
    }
  }
  return shared.size === 0 ? NOTHING_SHARED : shared
}

/** The values whose identity Psych keeps. */
export function isTracked(value: RubyValue): value is RubyValue[] | RubyMap | RubyTime {
  return Array.isArray(value) || value instanceof RubyMap || value instanceof RubyTime
}
