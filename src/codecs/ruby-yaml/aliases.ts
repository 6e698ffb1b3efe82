import { MAX_VALUE_DEPTH, tooDeep } from './limits.js'
import { RubyMap, RubyTime, type RubyValue } from './values.js'

/** Objects up to this many are compared one by one. */
const FEW = 24

interface Walk {
  readonly tracksTimes: boolean
  few: object[]
  seen: Set<object> | undefined
  names: Map<object, number> | undefined
}

/**
 * The anchors a value needs, named in the order in which the first alias to each is met;
 * undefined when no collection or Time is met twice.
 */
export function anchorNames(value: RubyValue, tracksTimes: boolean): Map<object, number> | undefined {
  const walk: Walk = { tracksTimes, few: [], seen: undefined, names: undefined }
  visit(walk, value, 0)
  return walk.names
}

function visit(walk: Walk, value: RubyValue, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (!enter(walk, value, depth)) return
    for (let i = 0; i < value.length; i++) visit(walk, value[i]!, depth + 1)
  } else if (value instanceof RubyMap) {
    if (!enter(walk, value, depth)) return
    const { keys, values } = value
    for (let i = 0; i < keys.length; i++) {
      if (typeof keys[i] === 'object') visit(walk, keys[i]!, depth + 1)
      if (typeof values[i] === 'object') visit(walk, values[i]!, depth + 1)
    }
  } else if (walk.tracksTimes && value instanceof RubyTime) enter(walk, value, depth)
}

/** Notes an object; false when it has been met before, and then it has a name. */
function enter(walk: Walk, object: object, depth: number): boolean {
  if (depth > MAX_VALUE_DEPTH) throw tooDeep('writing YAML')
  if (!wasSeen(walk, object)) return true
  walk.names ??= new Map()
  if (!walk.names.has(object)) walk.names.set(object, walk.names.size + 1)
  return false
}

function wasSeen(walk: Walk, object: object): boolean {
  if (walk.seen !== undefined) {
    if (walk.seen.has(object)) return true
    walk.seen.add(object)
    return false
  }
  if (walk.few.includes(object)) return true
  walk.few.push(object)
  if (walk.few.length > FEW) walk.seen = new Set(walk.few)
  return false
}
