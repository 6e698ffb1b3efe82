import type { Fact } from '../../model/index.js'
import type { Log } from '../../telemetry/index.js'
import { type AriRest, hasStatus } from '../../transports/ari-client/index.js'
import { isEar } from './ears.js'
import { leavesApp } from './facts.js'
import type { SteeredCalls } from './method.js'
import type { DialplanPlace } from './tables.js'

/** What becomes of a call that no controller accepts in time. */
export type Otherwise = { readonly hangup: number } | { readonly continueAt: DialplanPlace }

/** Watches over calls that nobody has accepted yet. */
export interface Unaccepted {
  note(fact: Fact): void
  /** A controller took the call. */
  accepted(uuid: string): void
  /** Another replica watches from now on. */
  leave(): void
  stop(): void
  count(): number
}

/** What a call ends with that came while the node shut down: another may take it. */
const CONGESTION = 42

/** How long after one that failed the end of a call is tried again. Milliseconds. */
const AGAIN_MS = 2000

/** What the watch is made of. */
export interface UnacceptedParts {
  readonly ari: AriRest
  readonly calls: Pick<SteeredCalls, 'find'>
  /** Milliseconds from the entry into the application to the first Accept or Answer. */
  readonly withinMs: number
  /** Whether nobody may accept a call any more. */
  isDraining(): boolean
  readonly otherwise: Otherwise
  /** Does something that nobody asked for to a call, unless another replica has its node. */
  ofOurOwn(uuid: string, work: () => Promise<void>): Promise<void>
  readonly log: Log
}

/** Makes the watch of one node. */
export function watchUnaccepted({
  ari,
  calls,
  withinMs,
  isDraining,
  otherwise,
  ofOurOwn,
  log,
}: UnacceptedParts): Unaccepted {
  const timers = new Map<string, NodeJS.Timeout>()
  let hasStopped = false

  function forget(uuid: string): void {
    clearTimeout(timers.get(uuid))
    timers.delete(uuid)
  }

  function endAfter(uuid: string, ms: number): void {
    const timer = setTimeout(() => {
      timers.delete(uuid)
      end(uuid).catch((error: unknown) => {
        if (hasStatus(error, 404)) return
        log.warn('a call that nobody accepted could not be ended', { channel: uuid, err: error })
        // A later fact may have set a timer of its own. Whether it is still there to be ended is looked up then.
        if (!hasStopped && !timers.has(uuid)) endAfter(uuid, AGAIN_MS)
      })
    }, ms)
    timers.set(uuid, timer)
  }

  async function end(uuid: string): Promise<void> {
    // An event does not tell of a leg who had it made; what is known of the call does.
    const channel = await calls.find(uuid)
    if (channel === undefined || channel.controller !== undefined) return
    if (channel.direction === 'outbound' || channel.flags?.loopback) return
    await ofOurOwn(uuid, () => release(uuid))
  }

  async function release(uuid: string): Promise<void> {
    // Somebody may have accepted it while it was noted that it is to end.
    const channel = await calls.find(uuid)
    if (channel === undefined || channel.controller !== undefined) return
    log.info('nobody accepted a call in time', { channel: uuid })
    if ('hangup' in otherwise) {
      const cause = isDraining() ? CONGESTION : otherwise.hangup
      await ari.request('DELETE', ['channels', uuid], { query: { reason_code: String(cause) } })
      return
    }
    const { context, extension, priority } = otherwise.continueAt
    await ari.request('POST', ['channels', uuid, 'continue'], { body: { context, extension, priority } })
  }

  function leave(): void {
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
  }

  return {
    note(fact) {
      if (fact.kind !== 'channel' || fact.id === undefined || isEar(fact.id)) return
      const { id, state, change, flags, controller, direction } = fact
      if (state === 'ended' || leavesApp(fact) || controller !== undefined) return forget(id)
      if (change !== 'control' || direction === 'outbound' || flags?.loopback === true || timers.has(id)) return
      endAfter(id, isDraining() ? 0 : withinMs)
    },
    accepted: forget,
    leave,
    stop() {
      hasStopped = true
      leave()
    },
    count: () => timers.size,
  }
}
