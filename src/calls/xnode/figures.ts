import type { Fact } from '../../model/index.js'
import { isEar } from './ears.js'

/** What was counted since the node stands. */
export interface Counted {
  /** Calls that are up. */
  readonly active: number
  readonly total: number
  /** Most calls up at once: ever, and within five minutes. */
  readonly peak: number
  readonly peak5Min: number
  /** New calls: of the last whole second, the most in one second, and that within five minutes. */
  readonly rate: number
  readonly ratePeak: number
  readonly ratePeak5Min: number
}

/** Counts the calls of a node. */
export interface Figures {
  note(fact: Fact): void
  counted(): Counted
}

const WINDOW_S = 300

interface Second {
  readonly at: number
  began: number
  most: number
}

/** Starts to count. `now` gives milliseconds. */
export function makeFigures(now: () => number = () => performance.now()): Figures {
  const up = new Set<string>()
  /** Seconds in which something happened, none older than the window. */
  let seconds: Second[] = []
  let total = 0
  let peak = 0
  let ratePeak = 0

  const secondNow = () => Math.floor(now() / 1000)

  function second(): Second {
    const at = secondNow()
    seconds = seconds.filter((each) => each.at > at - WINDOW_S)
    const last = seconds.at(-1)
    if (last?.at === at) return last
    const fresh = { at, began: 0, most: up.size }
    seconds.push(fresh)
    return fresh
  }

  return {
    note(fact) {
      if (fact.kind !== 'channel' || fact.id === undefined || isEar(fact.id)) return
      if (fact.state === 'ended') {
        // The seconds without an event are as the last one was at its end.
        if (up.has(fact.id)) second()
        up.delete(fact.id)
        return
      }
      if (fact.flags?.controllable !== true || up.has(fact.id)) return
      const at = second()
      up.add(fact.id)
      at.most = Math.max(at.most, up.size)
      peak = Math.max(peak, up.size)
      // A picture lists calls that began at a time nobody told.
      if (fact.full === true) return
      total += 1
      at.began += 1
      ratePeak = Math.max(ratePeak, at.began)
    },
    counted() {
      const at = secondNow()
      const recent = seconds.filter((each) => each.at > at - WINDOW_S)
      return {
        active: up.size,
        total,
        peak,
        peak5Min: Math.max(up.size, ...recent.map(({ most }) => most)),
        rate: recent.find((each) => each.at === at - 1)?.began ?? 0,
        ratePeak,
        ratePeak5Min: Math.max(0, ...recent.map(({ began }) => began)),
      }
    },
  }
}
