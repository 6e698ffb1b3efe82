/** A message that was taken before the link broke. */
export interface Taken {
  /** Equal for messages that cannot be told apart by what they say. */
  readonly key: string
  /** Its place in the order of acknowledgements; absent where none was sent. */
  readonly settled?: number | undefined
}

/** What the next of the undecided deliveries is: a copy of one taken before, or new. */
export type Verdict<T> = T | 'new'

/** Compares what comes after a break with what was taken before it. */
export interface Returns<T> {
  /**
   * Looks at the next delivery. Answers what is known by now of the oldest undecided ones, in their
   * order; those that it says nothing about stay undecided.
   */
  next(key: string, redelivered: boolean): Verdict<T>[]
  /** Nothing more comes for now, so what is undecided has to be decided. */
  decide(): Verdict<T>[]
  /** Everything after what was decided is new. */
  isOver(): boolean
}

/** So many matches in a row are no chance. */
const EVIDENCE = 32

/** A guess: acknowledgements from `since` on were lost, all before had arrived. */
interface Guess<T> {
  readonly since: number
  /** Where in the order of arrival it expects to go on. */
  at: number
  /** What it takes the undecided deliveries for. */
  matched: T[]
}

/**
 * A broker sends again, in the order of the queue and before anything else, what it was not told to be
 * settled. Acknowledgements reach it in the order they were sent, so those that did not are the last
 * ones: the first deliveries after a break must be exactly what was unsettled or settled since some point.
 * Looking at one delivery is not enough. Messages may be byte-identical, and a broker marks as redelivered
 * also what it had sent but we never saw.
 *
 * @param taken in the order of arrival. @param window how many deliveries the broker hands out unsettled.
 */
export function compareReturns<T extends Taken>(taken: readonly T[], window: number): Returns<T> {
  let enough = Math.min(EVIDENCE, window)
  let guesses: Guess<T>[] | undefined
  /** The longest guess that came true to its end. */
  let proven: T[] | undefined
  let keys: string[] = []
  let over = false
  const returned = new Set<T>()

  const isAwaited = (one: T, since: number) => one.settled === undefined || one.settled >= since

  function follow(guess: Guess<T>): number {
    let at = guess.at
    while (at < taken.length && !isAwaited(taken[at]!, guess.since)) at += 1
    return at
  }

  /** All guesses that expect this key first. */
  function guessesFor(key: string): Guess<T>[] {
    const places = taken.map((one, place) => ({ place, settled: one.settled ?? Number.POSITIVE_INFINITY }))
    places.sort((a, b) => b.settled - a.settled)
    const found: Guess<T>[] = []
    let first = Number.POSITIVE_INFINITY
    for (const [index, { place, settled }] of places.entries()) {
      first = Math.min(first, place)
      const isLastUnsettled = settled === Number.POSITIVE_INFINITY && places[index + 1]?.settled === settled
      if (!isLastUnsettled && taken[first]!.key === key) found.push({ since: settled, at: first, matched: [] })
    }
    return found
  }

  function advance(key: string): void {
    guesses ??= guessesFor(key)
    const alive: Guess<T>[] = []
    for (const guess of guesses) {
      const at = follow(guess)
      const one = taken[at]
      if (one?.key !== key) continue
      guess.matched.push(one)
      guess.at = at + 1
      if (follow(guess) < taken.length) alive.push(guess)
      else if (proven === undefined || guess.matched.length > proven.length) proven = guess.matched
    }
    guesses = alive
  }

  /** What is undecided, taken for `copies` first and for new ones after them. */
  function settle(copies: readonly T[]): Verdict<T>[] {
    for (const copy of copies) returned.add(copy)
    const verdicts = keys.map((_key, index): Verdict<T> => copies[index] ?? 'new')
    keys = []
    proven = undefined
    return verdicts
  }

  /** Without a guess that holds only what was surely not settled is recognised, by its key alone. */
  function settleByKey(): Verdict<T>[] {
    const missing = taken.filter((one) => one.settled === undefined && !returned.has(one))
    const verdicts = keys.map((key): Verdict<T> => {
      const at = missing.findIndex((one) => one.key === key)
      if (at < 0) return 'new'
      const [copy] = missing.splice(at, 1)
      returned.add(copy!)
      return copy!
    })
    keys = []
    over = missing.length === 0
    return verdicts
  }

  function conclude(): Verdict<T>[] {
    if (proven !== undefined) {
      over = true
      return settle(proven)
    }
    guesses = []
    return settleByKey()
  }

  return {
    next(key, redelivered) {
      if (!redelivered) {
        const verdicts = conclude()
        over = true
        return [...verdicts, 'new']
      }
      keys.push(key)
      if (guesses === undefined || guesses.length > 0) advance(key)
      if (guesses!.length === 0) return conclude()
      if (keys.length < enough || (proven !== undefined && keys.length < EVIDENCE)) return []
      const best = guesses!.reduce((a, b) => (b.since > a.since ? b : a))
      const verdicts = settle(best.matched)
      for (const guess of guesses!) guess.matched = []
      enough = 1
      return verdicts
    },
    decide: conclude,
    isOver: () => over,
  }
}
