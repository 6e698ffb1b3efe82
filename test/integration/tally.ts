import type { XccSide } from './site.js'

/** What a driver did, by the series that should tell of it. */
export interface Tally {
  /** Notes that so many more are expected. */
  add(series: string, amount?: number): void
  /** Everything noted, by series, in their order. */
  read(): Record<string, number>
}

/** Makes an empty tally. */
export function makeTally(): Tally {
  const counts = new Map<string, number>()
  return {
    add: (series, amount = 1) => void counts.set(series, (counts.get(series) ?? 0) + amount),
    read: () => Object.fromEntries([...counts].filter(([, count]) => count !== 0).sort()),
  }
}

/** Everything that is counted by number, without what is zero; times only by how many there were. */
export function countsOf(series: ReadonlyMap<string, number>): Record<string, number> {
  const isCount = (name: string) => /^gateway_\w+(_total|_seconds_count)\b/.test(name)
  // How often a link tries to come back is chance.
  const isChance = (name: string) => name.startsWith('gateway_link_reconnects_total')
  const counts = [...series].filter(([name, value]) => value !== 0 && isCount(name) && !isChance(name))
  return Object.fromEntries(counts.sort())
}

/** A request to the node of a gateway, sent as it is written; answers the code that came back. */
export async function codeOf(bus: XccSide, subject: string, body: string): Promise<number> {
  const answer = (await bus.nc.request(subject, body, { timeout: 3000 })).json<{
    readonly result?: { readonly code: number }
    readonly error?: { readonly code: number }
  }>()
  return answer.result?.code ?? answer.error?.code ?? 0
}
