import type { Level } from './level.js'
import type { Slot } from './slots.js'

/** An entry that can have a value although nothing of its dialect was kept aside. */
export interface LeanEntry {
  /** Its place among the level's entries. */
  readonly at: number
  /** Set where nothing but the slot decides. */
  readonly slot: Slot | undefined
  /** Field of the fact without which this entry and all before `next` have nothing to say. */
  readonly group: string | undefined
  readonly next: number
}

/**
 * The entries of a level that are to be asked for a fact of which nothing was kept aside, as for
 * most that come from another dialect; those of one group side by side are passed over together.
 */
export function leanEntries(level: Level): LeanEntry[] {
  const asked = level.entries.flatMap((_, at) => {
    const slot = level.plain[at]
    return slot?.fromAside === true && slot.fallback === undefined ? [] : [{ at, slot, group: groupOf(slot) }]
  })
  return asked.map(({ at, slot, group }, n) => {
    let next = n + 1
    while (group !== undefined && asked[next]?.group === group) next++
    return { at, slot, group, next }
  })
}

function groupOf(slot: Slot | undefined): string | undefined {
  if (slot?.field === undefined || slot.fallback !== undefined) return undefined
  const dot = slot.field.path.indexOf('.')
  return dot < 0 ? undefined : slot.field.path.slice(0, dot)
}
