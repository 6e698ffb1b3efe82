/** Whether the process gets its work done. */
export interface Liveness {
  readonly live: boolean
  /** Why not. */
  readonly reason?: string
}

/** Notes how long the event loop was held up. */
export interface StallWatch {
  start(): void
  /** Notes a turn of the loop; `start` sees to it. */
  beat(): void
  read(): Liveness
  stop(): void
}

/** Turns are noted so often. Milliseconds. */
const BEAT_MS = 250
const WINDOW_MS = 60_000
/** A process that was halted as a whole, with its machine or by a debugger, is well afterwards: it counts for no more. Milliseconds. */
const LONGEST_MS = 15_000

interface Stall {
  readonly endedAt: number
  readonly tookMs: number
}

/**
 * Says that the process does not live when stalls took more than half of the last minute, the longest of them
 * counted for a quarter of it. A loop that stands still answers nobody anyway, and whoever asks notices by his own
 * timeout; this tells of one that turns now and then, at the right moment to answer. Load alone makes no stall: it
 * takes many short turns.
 * @param stallMs what counts as a stall; 0: nothing does
 * @param now milliseconds of a clock that never jumps
 */
export function watchStalls(stallMs: number, now: () => number = () => performance.now()): StallWatch {
  let beatAt = now()
  let stalls: Stall[] = []
  let timer: NodeJS.Timeout | undefined

  function beat(): void {
    const at = now()
    const tookMs = at - beatAt - BEAT_MS
    beatAt = at
    stalls = stalls.filter(({ endedAt }) => endedAt > at - WINDOW_MS)
    if (stallMs > 0 && tookMs > stallMs) stalls.push({ endedAt: at, tookMs: Math.min(tookMs, LONGEST_MS) })
  }

  return {
    start() {
      beatAt = now()
      timer ??= setInterval(beat, BEAT_MS).unref()
    },
    beat,
    read() {
      // One that has just ended was not noted yet.
      if (now() - beatAt > BEAT_MS) beat()
      const lostMs = stalls.reduce((sum, { tookMs }) => sum + tookMs, 0)
      if (lostMs <= WINDOW_MS / 2) return { live: true }
      const seconds = Math.round(lostMs / 1000)
      return { live: false, reason: `the event loop was held up for ${seconds} s of the last minute` }
    },
    stop: () => clearInterval(timer),
  }
}
