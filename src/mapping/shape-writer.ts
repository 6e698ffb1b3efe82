import type { Trees } from '../codecs/codec.js'
import type { Fact } from '../model/index.js'
import type { Case, Cases } from './cases.js'
import { type LeanEntry, leanEntries } from './lean.js'
import type { Entry, Level } from './level.js'
import type { Bag } from './paths.js'
import { type Residue, section } from './residue.js'
import { type Slot, writeTyped } from './slots.js'

/** The writing half of a shape. */
export interface ShapeWriter {
  /** Builds the wire map of a fact from the model and what was kept aside. */
  write(fact: Fact, kept: Bag | undefined, className: string | undefined): unknown
  /** Whether one of the cases says the fact, or it was read from such a map without one, or there are no cases. */
  canSay(fact: Fact, kept: Bag | undefined): boolean
  /** Remembers the keys of a map that was read, where `write` would choose others. */
  noteOrder(map: unknown, fact: Fact, residue: Residue): void
  /** The same where order means nothing: of the keys that were not there, those that `write` would add. */
  noteAbsent(missing: Missing, fact: Fact, residue: Residue): void
}

/** Places of maps at which nothing was found, in parallel lists; the first `count` count. */
export interface Missing {
  count: number
  readonly levels: Level[]
  readonly places: number[]
}

/** What one map is written from. */
interface Source {
  readonly fact: Fact
  readonly kept: Bag | undefined
  readonly raw: Bag | undefined
  readonly types: Bag | undefined
  readonly chosen: Case | undefined
  /** The fact has something of this dialect that the model has no word for. */
  readonly hasAside: boolean
}

/** What is prepared for a level when its shape is compiled. */
interface Prepared {
  readonly writer: unknown
  /** Its keys as the writer takes them. */
  readonly keys: readonly unknown[]
  readonly lean: readonly LeanEntry[]
}

function applies(entry: Entry, fact: Fact): boolean {
  return entry.kind !== 'slot' || entry.slot.applies === undefined || entry.slot.applies(fact)
}

/** Where in which messages a shape's map stands. */
export interface WirePlace {
  readonly dialect: string
  readonly root: readonly string[]
  readonly match: Readonly<Record<string, unknown>>
}

/** What a writer is made for: the shape's root map, its cases, and how many wire keys are numbered. */
export interface ShapeToWrite {
  readonly root: Level
  readonly cases: Cases | undefined
  readonly keyCount: number
  /** The carrier asks what was written at the numbered keys. */
  readonly notesValues: boolean
}

/** The writer of a shape. */
export function shapeWriter(
  { root, cases, keyCount, notesValues }: ShapeToWrite,
  trees: Trees,
  place: WirePlace,
): ShapeWriter {
  // Writing is synchronous and never re-enters the same shape, so one scratch list serves every message.
  const values: unknown[] = new Array(keyCount)
  const simple =
    trees.ordered &&
    root.entries.every(
      (entry) => entry.kind !== 'level' && !(entry.kind === 'slot' && entry.slot.applies !== undefined),
    )
  const writers = new Map<Level, Prepared>()
  prepare(root)

  function prepare(level: Level): void {
    const below = level.path === '' ? [] : level.path.split('.')
    const writer = trees.writer(place.match, [...place.root, ...below])
    const keys = level.keys.map((key) => trees.ready(key, writer))
    writers.set(level, { writer, keys, lean: leanEntries(level) })
    for (const entry of level.entries) if (entry.kind === 'level') prepare(entry.level)
  }

  const keptAt = (kept: Bag | undefined, name: string, path: string) => (kept?.[name] as Bag | undefined)?.[path]

  function writeLevel(level: Level, source: Source, className: string | undefined): unknown {
    const { kept } = source
    const order = keptAt(kept, '$keys', level.path) as readonly unknown[] | undefined
    const more = keptAt(kept, '$more', level.path)
    if (order !== undefined) return writeInOrder(level, source, className, order, more)
    const absent = keptAt(kept, '$absent', level.path) as readonly unknown[] | undefined
    const prepared = writers.get(level)!
    const map = trees.start(className, prepared.writer)
    const isLean = !source.hasAside && source.raw === undefined && source.types === undefined && absent === undefined
    const isAny = isLean ? putLean(level, prepared, source, map) : putEntries(level, prepared, source, map, absent)
    let isEmpty = !isAny
    if (level.carrier?.write(source.fact, source.chosen, map, values)) isEmpty = false
    if (more !== undefined) {
      const values = trees.values(more)
      for (const [i, key] of trees.keys(more).entries()) trees.put(map, key, values[i])
      isEmpty = false
    }
    return isEmpty && level !== root ? undefined : map
  }

  /** Puts what a fact says of which nothing was kept aside; tells whether that was anything. */
  function putLean(level: Level, { keys, lean }: Prepared, source: Source, map: unknown): boolean {
    const { fact } = source
    let isAny = false
    for (let n = 0; n < lean.length; n++) {
      const { at, slot, group, next } = lean[n]!
      if (group !== undefined && (fact as unknown as Bag)[group] === undefined) {
        n = next - 1
        continue
      }
      let value: unknown
      if (slot === undefined) {
        const entry = level.entries[at]!
        value = writtenIfApplies(entry, source)
      } else {
        value = slot.write(fact)
        if (value === undefined && slot.fallback !== undefined) value = slot.fallback(fact)
      }
      if (value === undefined) continue
      isAny = true
      trees.putReady(map, keys[at], value)
    }
    return isAny
  }

  /** Puts what a fact says, and what was kept aside where it says nothing; tells whether that was anything. */
  function putEntries(
    level: Level,
    { keys }: Prepared,
    source: Source,
    map: unknown,
    absent: readonly unknown[] | undefined,
  ): boolean {
    let isAny = false
    for (let at = 0; at < level.entries.length; at++) {
      const entry = level.entries[at]!
      const slot = absent === undefined ? level.plain[at] : undefined
      let value: unknown
      if (slot !== undefined) value = slotValue(slot, source)
      else if (absent?.includes(entry.key)) value = told(entry, level, source, (key) => !absent.includes(key))
      else value = writtenIfApplies(entry, source)
      if (value === undefined) continue
      isAny = true
      trees.putReady(map, keys[at], value)
    }
    return isAny
  }

  /** Writes the keys a message had, in its order, then what the model says since. */
  function writeInOrder(
    level: Level,
    source: Source,
    className: string | undefined,
    order: readonly unknown[],
    more: unknown,
  ): unknown {
    const map = trees.start(className, writers.get(level)!.writer)
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
      const value = told(entry, level, source, (key) => order.includes(key))
      if (value !== undefined) trees.put(map, entry.key, value)
    }
    return map
  }

  /** What was kept aside is put back whatever the fact is like. */
  function writtenIfApplies(entry: Entry, source: Source): unknown {
    if (applies(entry, source.fact)) return written(entry, source)
    return entry.kind === 'slot' ? source.raw?.[entry.slot.path] : undefined
  }

  function written(entry: Entry, source: Source): unknown {
    if (entry.kind === 'level') return writtenLevel(entry.level, source)
    const value = writtenValue(entry, source)
    if (notesValues && entry.caseAt >= 0) values[entry.caseAt] = value
    return value
  }

  /** A map for which another value was kept aside is written where the model says something of it. */
  function writtenLevel(level: Level, source: Source): unknown {
    const aside = source.raw?.[level.path]
    return aside === undefined || saysAny(level, source) ? writeLevel(level, source, undefined) : aside
  }

  function saysAny(level: Level, source: Source): boolean {
    return level.entries.some((entry) => {
      if (entry.kind === 'level') return saysAny(entry.level, source)
      if (entry.kind === 'case' || !applies(entry, source.fact)) return false
      return entry.slot.write(source.fact) !== undefined
    })
  }

  function writtenValue(entry: Exclude<Entry, { readonly kind: 'level' }>, source: Source): unknown {
    const { raw, chosen } = source
    if (entry.caseAt >= 0 && chosen !== undefined) {
      const firm = chosen.firm.get(entry.caseAt)
      if (firm !== undefined) return firm
    }
    if (entry.kind === 'case') {
      const aside = raw?.[entry.path]
      return aside !== undefined ? aside : chosen?.also.get(entry.caseAt)
    }
    return slotValue(entry.slot, source)
  }

  /** What the model says, else what was kept aside, else what stands there for want of both. */
  function slotValue(slot: Slot, { fact, raw, types, hasAside }: Source): unknown {
    if (hasAside || !slot.fromAside) {
      const value = types === undefined ? slot.write(fact) : writeTyped(slot, fact, types)
      if (value !== undefined) return value
    }
    if (raw !== undefined) {
      const aside = raw[slot.path]
      if (aside !== undefined) return aside
    }
    return slot.fallback === undefined ? undefined : slot.fallback(fact)
  }

  /**
   * What the model itself says, for a key the message did not have: neither a default nor what
   * another key that was there says already must bring it back.
   */
  function told(entry: Entry, level: Level, source: Source, wasThere: (key: string) => boolean): unknown {
    if (!applies(entry, source.fact)) return undefined
    if (entry.kind === 'slot') {
      const { slot } = entry
      const isTwin = (other: Entry) =>
        other.kind === 'slot' && other !== entry && wasThere(other.key) && saysAll(other.slot, slot, source.fact)
      return level.entries.some(isTwin) ? undefined : slot.write(source.fact)
    }
    return entry.kind === 'level' && saysAny(entry.level, source)
      ? writeLevel(entry.level, source, undefined)
      : undefined
  }

  function sourceOf(fact: Fact, kept: Bag | undefined): Source {
    const hasAside = fact.ext !== undefined && fact.ext[place.dialect] !== undefined
    const raw = kept?.$raw as Bag | undefined
    return { fact, kept, raw, types: kept?.$types as Bag | undefined, chosen: cases?.writing(fact), hasAside }
  }

  function noteLevel(level: Level, map: unknown, source: Source, residue: Residue): void {
    const keys = trees.keys(map)
    const usual = usualKeys(level, source, keys)
    if (!sameOrder(keys, usual, level)) section(residue, '$keys')[level.path] = keys.slice()
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
        if (!applies(entry, source.fact)) return false
        return found.includes(entry.key) || (entry.kind !== 'level' && written(entry, source) !== undefined)
      })
      .map((entry) => entry.key)
  }

  return {
    write(fact, kept, className) {
      if (notesValues) values.fill(undefined)
      return writeLevel(root, sourceOf(fact, kept), className)
    },
    canSay(fact, kept) {
      if (cases === undefined || cases.writing(fact) !== undefined) return true
      if (kept === undefined) return false
      const raw = kept.$raw as Bag | undefined
      return kept.$silent === true || (raw !== undefined && cases.keys.some((key) => raw[key] !== undefined))
    },
    noteOrder(map, fact, residue) {
      if (simple && isComplete(root, trees.keys(map))) return
      // What was kept aside stood in the map, and the keys in question are those that did not.
      noteLevel(root, map, sourceOf(fact, undefined), residue)
    },
    noteAbsent({ count, levels, places }, fact, residue) {
      const source = sourceOf(fact, undefined)
      for (let i = 0; i < count; i++) {
        const level = levels[i]!
        const entry = level.entries[places[i]!]!
        if (!applies(entry, fact) || written(entry, source) === undefined) continue
        const absent = section(residue, '$absent')
        absent[level.path] = [...((absent[level.path] as string[] | undefined) ?? []), entry.key]
      }
    },
  }
}

/** Whether a slot says all that another would: the same model field, or a list and its only element. */
function saysAll({ field: said }: Slot, { field: asked }: Slot, fact: Fact): boolean {
  if (said === undefined || asked === undefined) return false
  if (said.path === asked.path || asked.path.startsWith(`${said.path}.`)) return true
  if (!said.path.startsWith(`${asked.path}.`)) return false
  const list = asked.get(fact)
  return Array.isArray(list) && list.length <= 1
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
