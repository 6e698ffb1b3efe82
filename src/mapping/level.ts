import type { Carrier } from './carry.js'
import type { Slot } from './slots.js'

/** One key of a wire map: a field, a key that only the cases write, or a nested map. */
export type Entry =
  | { readonly kind: 'slot'; readonly key: string; readonly slot: Slot; readonly caseAt: number }
  | { readonly kind: 'case'; readonly key: string; readonly path: string; readonly caseAt: number }
  | { readonly kind: 'level'; readonly key: string; readonly level: Level }

/** A wire map and the maps nested in it. */
export interface Level {
  /** Path from the shape's root; the root's own is empty. */
  readonly path: string
  readonly keys: readonly string[]
  readonly entries: readonly Entry[]
  readonly index: ReadonlyMap<unknown, number>
  /** By place: the slot of an entry that needs nothing but its slot, as nearly all do. */
  readonly plain: readonly (Slot | undefined)[]
  /** By place: whether the writer may put something there although nothing was read there. */
  readonly mayMiss: readonly boolean[]
  /** Takes and adds entries beyond those of the rules. */
  readonly carrier: Carrier | undefined
}

/** Where a carrier works. */
export interface CarryPlace {
  readonly at: string
  readonly carrier: Carrier
}

/** A wire path of a shape, in the order of the rules, and what stands there. */
export interface Place {
  readonly path: string
  /** Undefined: only the cases write there. */
  readonly slot: Slot | undefined
}

/** Arranges places, given by dotted paths, into nested maps. `keys` are those that tests are about, as they are numbered. */
export function buildLevel(
  places: readonly Place[],
  keys: readonly string[],
  carry: CarryPlace | undefined,
  prefix = '',
): Level {
  const groups = new Map<string, Place[]>()
  const groupOf = (path: string) => {
    const key = path.slice(prefix.length).split('.')[0]!
    const group = groups.get(key) ?? []
    groups.set(key, group)
    return group
  }
  for (const place of places) groupOf(place.path).push(place)
  const here = prefix.slice(0, -1)
  if (carry?.at.startsWith(prefix) && carry.at !== here) groupOf(carry.at)
  const entries = [...groups].map(([key, group]): Entry => {
    const first = group[0]
    if (first?.path !== prefix + key)
      return { kind: 'level', key, level: buildLevel(group, keys, carry, `${prefix}${key}.`) }
    const caseAt = keys.indexOf(first.path)
    return first.slot === undefined
      ? { kind: 'case', key, path: first.path, caseAt }
      : { kind: 'slot', key, slot: first.slot, caseAt }
  })
  const names = entries.map((entry) => entry.key)
  const plain = entries.map(plainSlot)
  const carrier = carry?.at === here ? carry.carrier : undefined
  return {
    path: here,
    keys: names,
    entries,
    index: new Map(names.map((key, at) => [key, at])),
    plain,
    mayMiss: entries.map(mayMiss),
    carrier,
  }
}

/** What only the dialect itself has told is not there unless it was read; nor is a map of nothing else. */
function mayMiss(entry: Entry): boolean {
  if (entry.kind === 'level') return entry.level.mayMiss.includes(true)
  return entry.kind === 'case' || !(entry.slot.fromAside && entry.slot.fallback === undefined)
}

function plainSlot(entry: Entry): Slot | undefined {
  if (entry.kind !== 'slot' || entry.caseAt >= 0) return undefined
  return entry.slot.settle === undefined && entry.slot.applies === undefined ? entry.slot : undefined
}
