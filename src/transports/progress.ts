import { GatewayError } from '../errors.js'
import type { LinkEvent } from './transport.js'

/** Looks whether a peer takes what it is sent, while a connection stands. */
export interface ProgressWatch {
  /** The connection stands. */
  up(): void
  /** It does not any more. Idempotent. */
  down(): void
}

/** A peer that confirms nothing at all for so long takes nothing, however busy it is. Milliseconds. */
const STUCK_MS = 4000
const LOOK_MS = 500

/**
 * Reports `trouble` when something waits and nothing of it is confirmed or refused for four seconds, and `mended` with
 * the next that is.
 * @param stuckMs of the outbox
 * @param of what the peer ought to do
 */
export function watchProgress(stuckMs: () => number, of: string, report: (event: LinkEvent) => void): ProgressWatch {
  let timer: NodeJS.Timeout | undefined
  let upAt = 0
  let isTold = false

  function mended(): void {
    if (isTold) report({ kind: 'mended', of })
    isTold = false
  }

  function look(): void {
    if (timer === undefined) return
    // What waited for the connection did not wait for the peer.
    const isStuck = Math.min(stuckMs(), performance.now() - upAt) >= STUCK_MS
    if (!isStuck) mended()
    if (!isStuck || isTold) return
    isTold = true
    const text = `nothing was confirmed for ${STUCK_MS} ms although messages wait (${of})`
    report({ kind: 'trouble', of, error: new GatewayError('link.refused', text, { fate: 'retry' }) })
  }

  return {
    up() {
      upAt = performance.now()
      // After a stall, what came meanwhile is read before it is judged.
      timer ??= setInterval(() => setImmediate(look), LOOK_MS).unref()
    },
    down() {
      clearInterval(timer)
      timer = undefined
      mended()
    },
  }
}
