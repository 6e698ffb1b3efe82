import type { Fact } from '../../model/index.js'
import type { Log } from '../../telemetry/index.js'
import type { AriRest } from '../../transports/ari-client/index.js'
import type { SteeredCalls } from './method.js'
import type { DialplanPlace } from './tables.js'

/** What becomes of a call that no controller accepts in time. */
export type Otherwise = { readonly hangup: number } | { readonly continueAt: DialplanPlace }

/** Watches over calls that nobody has accepted yet. */
export interface Unaccepted {
  note(fact: Fact): void
  /** A controller took the call. */
  accepted(uuid: string): void
  stop(): void
  count(): number
}

/** What a call ends with that came while the node shut down: another may take it. */
const CONGESTION = 42

/** What the watch is made of. */
export interface UnacceptedParts {
  readonly ari: AriRest
  readonly calls: Pick<SteeredCalls, 'find'>
  /** Milliseconds from the entry into the application to the first Accept or Answer. */
  readonly withinMs: number
  /** Whether nobody may accept a call any more. */
  isDraining(): boolean
  readonly otherwise: Otherwise
  readonly log: Log
}

/** Makes the watch of one node. */
export function watchUnaccepted({ ari, calls, withinMs, isDraining, otherwise, log }: UnacceptedParts): Unaccepted {
  const timers = new Map<string, NodeJS.Timeout>()

  function forget(uuid: string): void {
    clearTimeout(timers.get(uuid))
    timers.delete(uuid)
  }

  async function end(uuid: string): Promise<void> {
    // An event does not tell of a leg who had it made; what is known of the call does.
    const channel = await calls.find(uuid)
    if (channel === undefined || channel.controller !== undefined) return
    if (channel.direction === 'outbound' || channel.flags?.loopback) return
    log.info('nobody accepted a call in time', { channel: uuid })
    if ('hangup' in otherwise) {
      const cause = isDraining() ? CONGESTION : otherwise.hangup
      await ari.request('DELETE', ['channels', uuid], { query: { reason_code: String(cause) } })
      return
    }
    const { context, extension, priority } = otherwise.continueAt
    await ari.request('POST', ['channels', uuid, 'continue'], { body: { context, extension, priority } })
  }

  return {
    note(fact) {
      if (fact.kind !== 'channel' || fact.id === undefined) return
      const { id, state, change, flags, controller, direction } = fact
      if (state === 'ended' || (change === 'control' && flags?.controllable === false) || controller !== undefined)
        return forget(id)
      if (change !== 'control' || direction === 'outbound' || flags?.loopback === true || timers.has(id)) return
      const timer = setTimeout(
        () => {
          timers.delete(id)
          end(id).catch((error: unknown) =>
            log.warn('a call that nobody accepted could not be ended', { channel: id, err: error }),
          )
        },
        isDraining() ? 0 : withinMs,
      )
      timers.set(id, timer)
    },
    accepted: forget,
    stop() {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
    count: () => timers.size,
  }
}
