import type { Trees } from '../codecs/codec.js'
import type { Fact } from '../model/index.js'
import type { Case, Cases } from './cases.js'
import type { Entry, Level } from './level.js'
import type { Bag } from './paths.js'
import { type Residue, section } from './residue.js'

/** The writing half of a shape. */
export interface ShapeWriter {
  /** Builds the wire map of a fact from the model and what was kept aside. */
  write(fact: Fact, kept: Bag | undefined, className: string | undefined): unknown
  /** Whether one of the cases says the fact, or the raw words of one were kept, or there are no cases. */
  canSay(fact: Fact, kept: Bag | undefined): boolean
  /** Remembers the keys of a map that was read, where `write` would choose others. */
  noteOrder(map: unknown, fact: Fact, residue: Residue): void
}

/** What one map is written from. */
interface Source {
  readonly fact: Fact
  readonly kept: Bag | undefined
  readonly raw: Bag | undefined
  readonly chosen: Case | undefined
}

/** The writer of a shape whose root map is `root`. */
export function shapeWriter(root: Level, cases: Cases | undefined, trees: Trees): ShapeWriter {
  const simple =
    trees.ordered &&
    root.entries.every((entry) => entry.kind !== 'level' && !(entry.kind === 'slot' && entry.slot.conditional))
  const keptAt = (kept: Bag | undefined, name: string, path: string) => (kept?.[name] as Bag | undefined)?.[path]

  function writeLevel(level: Level, source: Source, className: string | undefined): unknown {
    const { kept } = source
    const order = keptAt(kept, '$keys', level.path) as readonly unknown[] | undefined
    const more = keptAt(kept, '$more', level.path)
    if (order !== undefined) return writeInOrder(level, source, className, order, more)
    const absent = keptAt(kept, '$absent', level.path) as readonly unknown[] | undefined
    const map = trees.start(className)
    let isEmpty = true
    const put = (key: unknown, value: unknown) => {
      isEmpty = false
      trees.put(map, key, value)
    }
    const { entries } = level
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!
      if (entry.kind === 'slot' && !entry.slot.applies(source.fact)) continue
      const value = absent?.includes(entry.key) ? told(entry, source) : written(entry, source)
      if (value !== undefined) put(entry.key, value)
    }
    level.carrier?.write(source.fact, source.chosen, put)
    if (more !== undefined) {
      const values = trees.values(more)
      for (const [i, key] of trees.keys(more).entries()) put(key, values[i])
    }
    return isEmpty && level !== root ? undefined : map
  }

  /** Writes the keys a message had, in its order, then what the model says since. */
  function writeInOrder(
    level: Level,
    source: Source,
    className: string | undefined,
    order: readonly unknown[],
    more: unknown,
  ): unknown {
    const map = trees.start(className)
    // The entries no rule knows were kept in the order in which they stood.
    const moreValues = more === undefined ? [] : trees.values(more)
    let nextMore = 0
    for (const key of order) {
      const at = level.index.get(key)
      const value = at === undefined ? moreValues[nextMore++] : written(level.entries[at]!, source)
      if (value !== undefined) trees.put(map, key, value)
    }
    for (const entry of level.entries) {
      if (order.includes(entry.key)) continue
      const value = told(entry, source)
      if (value !== undefined) trees.put(map, entry.key, value)
    }
    return map
  }

  function written(entry: Entry, source: Source): unknown {
    const { fact, raw, chosen } = source
    if (entry.kind === 'level') return writeLevel(entry.level, source, undefined) ?? raw?.[entry.level.path]
    if (entry.caseAt >= 0 && chosen !== undefined) {
      const firm = chosen.firm.get(entry.caseAt)
      if (firm !== undefined) return firm
    }
    if (entry.kind === 'case') {
      const aside = raw?.[entry.key]
      return aside !== undefined ? aside : chosen?.also.get(entry.caseAt)
    }
    const { slot } = entry
    const value = slot.write(fact)
    if (value !== undefined) return value
    const aside = raw?.[slot.path]
    return aside !== undefined ? aside : slot.fallback(fact)
  }

  /** What the model itself says, for a key the message did not have: a default must not bring it back. */
  function told(entry: Entry, source: Source): unknown {
    if (entry.kind === 'slot') return entry.slot.write(source.fact)
    return entry.kind === 'level' ? writeLevel(entry.level, source, undefined) : undefined
  }

  function sourceOf(fact: Fact, kept: Bag | undefined): Source {
    return { fact, kept, raw: kept?.$raw as Bag | undefined, chosen: cases?.writing(fact) }
  }

  function noteLevel(level: Level, map: unknown, source: Source, residue: Residue): void {
    const keys = trees.keys(map)
    const usual = usualKeys(level, source, keys)
    if (trees.ordered) {
      if (!sameOrder(keys, usual, level)) section(residue, '$keys')[level.path] = keys.slice()
    } else {
      const absent = usual.filter((key) => trees.get(map, key) === undefined)
      if (absent.length > 0) section(residue, '$absent')[level.path] = absent
    }
    for (const entry of level.entries) {
      if (entry.kind !== 'level') continue
      const inner = trees.get(map, entry.key)
      if (trees.isMap(inner) && trees.keys(inner).length > 0) noteLevel(entry.level, inner, source, residue)
    }
  }

  /** The keys the writer would choose; one that needs a value is counted only if the map has it. */
  function usualKeys(level: Level, source: Source, found: readonly unknown[]): string[] {
    return level.entries
      .filter((entry) => {
        if (entry.kind === 'slot' && !entry.slot.applies(source.fact)) return false
        return found.includes(entry.key) || (entry.kind !== 'level' && written(entry, source) !== undefined)
      })
      .map((entry) => entry.key)
  }

  return {
    write: (fact, kept, className) => writeLevel(root, sourceOf(fact, kept), className),
    canSay(fact, kept) {
      if (cases === undefined || cases.writing(fact) !== undefined) return true
      const raw = kept?.$raw as Bag | undefined
      return raw !== undefined && cases.keys.some((key) => raw[key] !== undefined)
    },
    noteOrder(map, fact, residue) {
      if (simple && isComplete(root, trees.keys(map))) return
      // What was kept aside stood in the map, and the keys in question are those that did not.
      noteLevel(root, map, sourceOf(fact, undefined), residue)
    },
  }
}

/** Every key of the rules, in their order, and no other: what nearly all messages look like. */
function isComplete(level: Level, keys: readonly unknown[]): boolean {
  if (keys.length !== level.keys.length) return false
  for (let i = 0; i < keys.length; i++) if (keys[i] !== level.keys[i]) return false
  return true
}

/** Whether the known keys stand in the writer's order, with the others after them. */
function sameOrder(keys: readonly unknown[], usual: readonly string[], level: Level): boolean {
  let at = 0
  for (; at < usual.length; at++) if (keys[at] !== usual[at]) return false
  for (; at < keys.length; at++) if (level.index.has(keys[at])) return false
  return true
}
