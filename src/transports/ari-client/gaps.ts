/** A time in which events may have been missed: since when, UTC milliseconds, and why. */
export interface Gap {
  readonly from: number
  readonly reason: string
}

/** Knows what may have been missed that no gap told of yet. */
export interface Gaps {
  /** A sign of life: what happened before it was told. */
  heard(): void
  /** A connection that stood was lost; `isComplete`: what happens until the next one is told there. */
  lost(reason: string, isComplete: boolean): void
  /** An event was dropped. False where one was before, and no gap told of it yet. */
  dropped(): boolean
  /** What was dropped, which counts as told now. */
  overflow(): Gap | undefined
  /** The next connection follows on somebody else, who took until then (UTC milliseconds), or on our own pause. */
  follow(missedSince: number | undefined): void
  /** Whoever took before heard everything until the queue began that the present connection starts with. */
  handedOver(): void
  /** A connection stands, to an Asterisk that was started then. */
  opened(startupTime: string): void
  /** What was missed before the connection that stands, which counts as told now. */
  missed(): Gap | undefined
}

const TAKEN_OVER = 'taken over from another replica'

/** The wider of two, for the reason of the first. */
function both(one: Gap | undefined, other: Gap | undefined): Gap | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return { from: Math.min(one.from, other.from), reason: one.reason }
}

export function makeGaps(): Gaps {
  /** Undefined as long as there was nobody who could have missed anything. */
  let since: number | undefined
  let reason = 'connection lost'
  let isComplete = false
  let startedAt: string | undefined
  let overflowSince: number | undefined
  let untold: Gap | undefined

  function pause(now: number, startupTime: string): Gap | undefined {
    // Whatever an Asterisk kept for us ends with it.
    const restarted = startedAt !== undefined && startedAt !== startupTime
    if (since === undefined || (isComplete && !restarted)) return undefined
    const from = Math.min(since, overflowSince ?? now, now)
    overflowSince = undefined
    return { from, reason: restarted ? `${reason}; Asterisk was started at ${startupTime}` : reason }
  }

  return {
    heard() {
      since = Date.now()
    },
    lost(why, wasComplete) {
      reason = why
      isComplete = wasComplete
    },
    dropped() {
      if (overflowSince !== undefined) return false
      overflowSince = Date.now()
      return true
    },
    overflow() {
      if (overflowSince === undefined) return undefined
      const from = overflowSince
      overflowSince = undefined
      return { from, reason: 'more events came than could be held' }
    },
    follow(missedSince) {
      // A start that somebody else saw happen is no news.
      startedAt = undefined
      if (missedSince === undefined) reason = 'nothing was taken for a while'
      else [since, reason, isComplete] = [missedSince, TAKEN_OVER, false]
    },
    handedOver() {
      if (untold?.reason === TAKEN_OVER) untold = undefined
    },
    opened(startupTime) {
      const now = Date.now()
      untold = both(untold, pause(now, startupTime))
      since = now
      startedAt = startupTime
      isComplete = false
    },
    missed() {
      const gap = untold
      untold = undefined
      return gap
    },
  }
}
