import { setTimeout as delay } from 'node:timers/promises'

/** What every step of a stop may take although the time for all of them is up. Milliseconds. */
const LEAST_MS = 500

/**
 * Makes what limits the steps of a stop: each call gives a promise that resolves when waiting has to end.
 * @param graceMs for all steps together, counted from the first. Default 10,000.
 */
export function stopPatience(graceMs = 10_000): () => Promise<void> {
  let deadline: number | undefined
  return () => {
    deadline ??= performance.now() + graceMs
    const leftMs = Math.max(deadline - performance.now(), Math.min(LEAST_MS, graceMs))
    return delay(leftMs, undefined, { ref: false })
  }
}
