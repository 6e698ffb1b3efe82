/** Links that one replica has to hold together, by the name of the lease for them. */
export type Duties = ReadonlyMap<string, readonly string[]>

/**
 * Joins links into duties: each by itself, unless a pair says that two belong together.
 * @param links those that something is done for by one replica alone
 */
export function makeDuties(links: readonly string[], pairs: readonly (readonly [string, string])[]): Duties {
  let groups = links.map((link) => [link])
  for (const [one, other] of pairs) {
    const joined = groups.filter((group) => group.includes(one) || group.includes(other))
    groups = [...groups.filter((group) => !joined.includes(group)), joined.flat()]
  }
  return new Map(groups.filter(({ length }) => length > 0).map((group) => [group.toSorted().join('.'), group] as const))
}
