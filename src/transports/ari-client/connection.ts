import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import type { LinkEvent } from '../transport.js'
import { type AriConfig, type AriSystem, MAX_REPLACED_MS } from './config.js'
import { connectError } from './errors.js'
import { type EventHead, eventHead } from './event-head.js'
import { type EventsSocket, openEvents } from './events-socket.js'
import type { AriRest } from './rest.js'
import { readSystem } from './system.js'

/** What somebody does with the socket while it stands. */
export interface ConnectionUse {
  /** The socket is open; frames follow. */
  opened(system: AriSystem): void
  frame(body: Buffer, head: EventHead): void
  /** A sign of life. */
  heard(): void
  /** Filter and subscriptions; an error makes this try to connect fail. */
  setUp(): Promise<void>
  up(): void
  /** @param isComplete says that nothing was on its way when it ended, so that nothing is lost of what Asterisk sent. */
  lost(reason: GatewayError, isComplete?: boolean): void
  report(event: LinkEvent): void
  /** Whether an application that somebody else took may be taken back. */
  mayTakeBack(): boolean
  /** Whether to try on, from the first connection, after what no retry of ours can mend. Default: never. */
  readonly mayMend?: ((error: GatewayError) => boolean) | undefined
}

/** Pause between two looks whether an application may be taken back. Milliseconds. */
const LOOK_MS = 200

/** A socket that is opened again whenever it is lost. */
export interface KeptConnection {
  /** Settles with the first connection: rejects for what no retry can mend, unless it insists, or when closed before. */
  readonly opened: Promise<void>
  /** Another subscriber has the application: leaves it to that one for a while. */
  replaced(): void
  /** What an Asterisk that comes to us has to present is another now, or what we show it. */
  renew?(): void
  /** Closes for good. Idempotent. */
  close(): Promise<void>
}

/** The error of a link that was stopped before it stood. */
export const closedEarly = () => new GatewayError('gateway.stopping', 'closed before it was open', { fate: 'retry' })

/**
 * Opens the events socket of a link and keeps it open: the only place that reconnects.
 * @param insists makes it try again, too, where the first try says that this cannot help: nobody waits for its answer.
 */
export function keepConnection(config: AriConfig, rest: AriRest, use: ConnectionUse, insists = false): KeptConnection {
  const halt = new AbortController()
  const replacement = new GatewayError(
    'link.refused',
    `another subscriber took the application "${config.app}"; every gateway and program needs one of its own`,
    { fate: 'retry' },
  )
  let current: EventsSocket | undefined
  /** Whoever did not even stand as long as this may be cut again at once, so pauses go on growing. */
  const longestPauseMs = backoffMs(31, config.reconnect, () => 1)
  let failures = 0
  /** The last wait for another subscriber. Whoever stood longer than that since is not in the same fight any more. */
  let replacedForMs = 0
  let openSince = 0
  /** That may be the first we hear, in one piece with the answer that opens the socket and before it is `current`. */
  let isReplaced = false

  function failureOf(error: unknown): GatewayError {
    return error === replacement ? replacement : connectError(error, config.url)
  }

  function begin(system: AriSystem): void {
    openSince = performance.now()
    isReplaced = false
    use.opened(system)
  }

  const stoodMs = () => performance.now() - openSince

  async function open(): Promise<EventsSocket> {
    const system = await readSystem(config, rest, halt.signal)
    const socket = await openEvents(
      config,
      {
        opened: () => begin(system),
        frame: (body) => use.frame(body, eventHead(body)),
        heard: use.heard,
        silent: rest.renew,
        certificate: (until) => use.report({ kind: 'certificate', until }),
      },
      halt.signal,
    )
    current = socket
    if (isReplaced) socket.end(replacement)
    const broken = socket.ended.then((reason) => Promise.reject(reason))
    try {
      await Promise.race([use.setUp(), broken])
      return socket
    } catch (error) {
      const failure = failureOf(error)
      socket.end(failure)
      throw failure
    }
  }

  async function hold(socket: EventsSocket): Promise<GatewayError> {
    use.report({ kind: 'up' })
    use.up()
    const reason = await socket.ended
    if (stoodMs() > longestPauseMs) failures = 0
    use.lost(reason)
    if (halt.signal.aborted) return reason
    if (reason === replacement) use.report({ kind: 'fault', error: reason })
    use.report({ kind: 'down', error: reason })
    return reason
  }

  async function pause(reason: GatewayError): Promise<void> {
    const delayMs = reason === replacement ? replacedMs() : backoffMs(++failures, config.reconnect)
    if (delayMs === undefined) {
      await new Promise((resolve) => halt.signal.addEventListener('abort', resolve))
      return
    }
    use.report({ kind: 'reconnecting', attempt: Math.max(failures, 1), delayMs })
    await delay(delayMs, undefined, { signal: halt.signal }).catch(() => undefined)
    while (reason === replacement && !halt.signal.aborted && !use.mayTakeBack())
      await delay(LOOK_MS, undefined, { signal: halt.signal }).catch(() => undefined)
  }

  /** Undefined where the application is left to the other one for good. */
  function replacedMs(): number | undefined {
    const { replacedRetryMs = 60_000 } = config
    if (replacedRetryMs === 0) return undefined
    replacedForMs = stoodMs() >= replacedForMs ? replacedRetryMs : Math.min(MAX_REPLACED_MS, replacedForMs * 2)
    return replacedForMs
  }

  async function run(onFirst: () => void, onRefused: (error: GatewayError) => void): Promise<void> {
    let first = true
    while (!halt.signal.aborted) {
      const opened = await open().catch(failureOf)
      if (halt.signal.aborted) {
        // It may have stood for a moment, and who uses it still counts on it.
        use.lost(closedEarly())
        break
      }
      if (opened instanceof GatewayError) {
        use.lost(opened)
        if (first && !insists && opened.fate === 'reject' && use.mayMend?.(opened) !== true) return onRefused(opened)
        use.report({ kind: 'fault', error: opened })
        await pause(opened)
        continue
      }
      if (first) onFirst()
      first = false
      const reason = await hold(opened)
      if (!halt.signal.aborted) await pause(reason)
    }
    if (current !== undefined) await current.close()
  }

  let running: Promise<void> = Promise.resolve()
  const opened = new Promise<void>((resolve, reject) => {
    running = run(resolve, reject).finally(() => reject(closedEarly()))
  })
  opened.catch(() => undefined) // whoever starts the link looks at it; closing early is no fault
  return {
    opened,
    replaced() {
      isReplaced = true
      current?.end(replacement)
    },
    async close() {
      halt.abort()
      await current?.close()
      await running
    },
  }
}
