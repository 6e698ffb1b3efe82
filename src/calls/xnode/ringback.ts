import type { Programme } from './media.js'
import type { NodeContext } from './method.js'
import { playProgramme } from './player.js'

/** What a caller hears until somebody answers. */
export interface Ringback {
  /** Begins, unless it has. */
  start(): void
  /** Resolves when it is silent. */
  stop(): Promise<void>
}

/** Longer than anything rings. Milliseconds. */
const LONGEST_MS = 3_600_000

/** @param programme what is played, again and again; undefined: the tone of the caller's country. */
export function makeRingback(node: NodeContext, uuid: string, programme: Programme | undefined): Ringback {
  const { ari, log } = node
  const silent = new AbortController()
  let sounding: Promise<unknown> | undefined

  async function ring(): Promise<void> {
    await ari.request('POST', ['channels', uuid, 'ring'])
    const { signal } = silent
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    // Whoever is gone does not ring.
    await ari.request('DELETE', ['channels', uuid, 'ring']).catch(() => undefined)
  }

  function sound(): Promise<unknown> {
    if (programme === undefined) return ring()
    const again = { media: programme.media, times: Number.MAX_SAFE_INTEGER }
    return playProgramme(node, uuid, again, { signal: silent.signal, timeoutMs: LONGEST_MS })
  }

  return {
    start() {
      sounding ??= sound().catch((error: unknown) =>
        log.info('no ringback for a caller', { channel: uuid, err: error }),
      )
    },
    async stop() {
      silent.abort()
      await sounding
    },
  }
}
