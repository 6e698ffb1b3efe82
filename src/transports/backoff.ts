/** Bounds of the pause between tries. */
export interface BackoffConfig {
  /** First pause, milliseconds. Default 100. */
  readonly minDelayMs?: number
  /** Longest pause, milliseconds. Default 10,000. */
  readonly maxDelayMs?: number
}

/**
 * Milliseconds to wait before try number `attempt` (from 1): doubled each time up to the bound, and
 * shortened by up to half at random, so that many clients of one broker do not come back at once.
 */
export function backoffMs(attempt: number, config: BackoffConfig = {}, random: () => number = Math.random): number {
  const { minDelayMs = 100, maxDelayMs = 10_000 } = config
  const full = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(full * (0.5 + random() / 2))
}
