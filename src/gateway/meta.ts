import type { Fact, Meta } from '../model/index.js'

/**
 * Says of the facts of one message where they come from. A time that a fact brought along from its body goes
 * before that of the message; one of several facts is named by its place.
 */
export function assignMeta(facts: readonly Fact[], meta: Meta): void {
  for (const [index, fact] of facts.entries()) {
    const told = fact.meta?.at
    const own = facts.length === 1 ? meta : { ...meta, id: `${meta.id}/${index}` }
    fact.meta = told === undefined ? own : { ...own, at: told, clock: 'source' }
  }
}
