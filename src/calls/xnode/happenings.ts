import type { Fact, FactOf } from '../../model/index.js'

/** How waiting for something ended. */
export type Outcome<T> =
  | { readonly kind: 'told'; readonly value: T }
  /** The channel ended first; with the fact of its end. */
  | { readonly kind: 'ended'; readonly end: FactOf<'channel'> }
  /** The time was over. */
  | { readonly kind: 'late' }
  /** The waiting was given up from outside. */
  | { readonly kind: 'stopped' }
  /** The link to the switch went away, and with it whatever would have been told. */
  | { readonly kind: 'lost' }

/** What bounds a wait. */
export interface Bounds {
  readonly signal?: AbortSignal
  /** Milliseconds. */
  readonly timeoutMs: number
}

/** What a switch tells of its channels, for those who wait for something to happen. */
export interface Happenings {
  /** Takes a fact in. Facts of one channel come in their order. */
  note(fact: Fact): void
  /** Resolves with what `pick` first makes of a fact about the channel. A listener is in place when it returns. */
  wait<T>(channel: string, pick: (fact: Fact) => T | undefined, bounds: Bounds): Promise<Outcome<T>>
  /** Hears every fact about a channel until the answer is called. */
  listen(channel: string, take: (fact: Fact) => void): () => void
  /** The link went away: every wait ends, and those that are asked for until it is back end at once. */
  lost(): void
  back(): void
  /** Whether nothing can be heard now. */
  isLost(): boolean
  /** Listeners and waits that stand. */
  count(): number
}

/** Makes the happenings of one node. */
export function makeHappenings(): Happenings {
  const listeners = new Map<string, Set<(fact: Fact) => void>>()
  const losers = new Set<() => void>()
  let isLost = false

  function listen(channel: string, take: (fact: Fact) => void): () => void {
    const there = listeners.get(channel) ?? new Set()
    listeners.set(channel, there.add(take))
    return () => {
      there.delete(take)
      if (there.size === 0 && listeners.get(channel) === there) listeners.delete(channel)
    }
  }

  function wait<T>(channel: string, pick: (fact: Fact) => T | undefined, { signal, timeoutMs }: Bounds) {
    // Requests may still get through, but what comes of them nobody tells.
    if (isLost) return Promise.resolve<Outcome<T>>({ kind: signal?.aborted ? 'stopped' : 'lost' })
    return new Promise<Outcome<T>>((resolve) => {
      const finish = (outcome: Outcome<T>) => {
        clearTimeout(timer)
        forget()
        losers.delete(lose)
        signal?.removeEventListener('abort', stop)
        resolve(outcome)
      }
      const forget = listen(channel, (fact) => {
        const value = pick(fact)
        if (value !== undefined) finish({ kind: 'told', value })
        else if (fact.kind === 'channel' && fact.state === 'ended') finish({ kind: 'ended', end: fact })
      })
      const lose = () => finish({ kind: 'lost' })
      const stop = () => finish({ kind: 'stopped' })
      const timer = setTimeout(() => finish({ kind: 'late' }), timeoutMs)
      losers.add(lose)
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop)
    })
  }

  return {
    note(fact) {
      const channel = channelOf(fact)
      const there = channel === undefined ? undefined : listeners.get(channel)
      if (there !== undefined) for (const take of [...there]) take(fact)
    },
    wait,
    listen,
    lost() {
      isLost = true
      for (const lose of [...losers]) lose()
    },
    back() {
      isLost = false
    },
    isLost: () => isLost,
    count: () => [...listeners.values()].reduce((sum, each) => sum + each.size, 0),
  }
}

function channelOf(fact: Fact): string | undefined {
  if (fact.kind === 'channel') return fact.id
  return 'channel' in fact ? fact.channel : undefined
}
