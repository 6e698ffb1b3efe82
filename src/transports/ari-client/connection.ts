import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import type { LinkEvent } from '../transport.js'
import type { AriConfig, AriSystem } from './config.js'
import { connectError } from './errors.js'
import { type EventsSocket, openEvents } from './events-socket.js'
import type { AriRest } from './rest.js'
import { objectOf, textOf } from './shapes.js'

/** What somebody does with the socket while it stands. */
export interface ConnectionUse {
  /** The socket is open; frames follow. */
  opened(system: AriSystem): void
  frame(body: Buffer): void
  /** A sign of life. */
  heard(): void
  /** Filter and subscriptions; an error makes this try to connect fail. */
  setUp(): Promise<void>
  up(): void
  lost(reason: GatewayError): void
  report(event: LinkEvent): void
}

/** A socket that is opened again whenever it is lost. */
export interface KeptConnection {
  /** Settles with the first connection: rejects only for what no retry can mend, or when closed before. */
  readonly opened: Promise<void>
  /** Another subscriber has the application: leaves it to that one for a while. */
  replaced(): void
  /** Closes for good. Idempotent. */
  close(): Promise<void>
}

/** Longest wait before an application is taken back. Milliseconds. */
const MAX_REPLACED_MS = 3_600_000

/** What the system says of itself; its name is there where REST answers completely. */
async function readSystem(rest: AriRest, signal: AbortSignal): Promise<AriSystem> {
  const info = objectOf(await rest.request('GET', ['asterisk', 'info'], { signal }))
  const [system, config, status] = [objectOf(info?.system), objectOf(info?.config), objectOf(info?.status)]
  return {
    name: textOf(config?.name),
    entityId: textOf(system?.entity_id),
    startupTime: textOf(status?.startup_time),
  }
}

/** @throws GatewayError `link.refused` for an Asterisk whose channels could be taken for those of another. */
function judge(system: AriSystem, { node, qualifyIds, refuseSystem }: AriConfig): void {
  const remedy = 'set `systemname` in asterisk.conf to a name of its own, or `qualifyIds: true` for this link'
  if (system.name === '' && qualifyIds !== true) {
    const text = `the Asterisk "${node}" has no system name, so its channels may have ids of another one's; ${remedy}`
    throw new GatewayError('link.refused', text)
  }
  const refusal = refuseSystem?.(system)
  if (refusal !== undefined) throw new GatewayError('link.refused', refusal)
}

/** Opens the events socket of a link and keeps it open: the only place that reconnects. */
export function keepConnection(config: AriConfig, rest: AriRest, use: ConnectionUse): KeptConnection {
  const halt = new AbortController()
  const replacement = new GatewayError(
    'link.refused',
    `another subscriber took the application "${config.app}"; every gateway and program needs one of its own`,
    { fate: 'retry' },
  )
  let current: EventsSocket | undefined
  let failures = 0
  let replacements = 0
  let upSince = 0

  function failureOf(error: unknown): GatewayError {
    return error === replacement ? replacement : connectError(error, config.url)
  }

  async function open(): Promise<EventsSocket> {
    const system = await readSystem(rest, halt.signal)
    judge(system, config)
    const socket = await openEvents(
      config,
      { opened: () => use.opened(system), frame: use.frame, heard: use.heard, silent: rest.renew },
      halt.signal,
    )
    current = socket
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
    failures = 0
    upSince = performance.now()
    use.report({ kind: 'up' })
    use.up()
    const reason = await socket.ended
    use.lost(reason)
    if (reason === replacement) use.report({ kind: 'fault', error: reason })
    if (!halt.signal.aborted) use.report({ kind: 'down', error: reason })
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
  }

  /** Undefined where the application is left to the other one for good. */
  function replacedMs(): number | undefined {
    const { replacedRetryMs = 60_000 } = config
    if (replacedRetryMs === 0) return undefined
    const waitMs = Math.min(MAX_REPLACED_MS, replacedRetryMs * 2 ** Math.min(replacements, 20))
    replacements = performance.now() - upSince > waitMs ? 1 : replacements + 1
    return waitMs
  }

  async function run(onFirst: () => void, onRefused: (error: GatewayError) => void): Promise<void> {
    let first = true
    while (!halt.signal.aborted) {
      const opened = await open().catch(failureOf)
      if (halt.signal.aborted) break
      if (opened instanceof GatewayError) {
        use.lost(opened)
        if (first && opened.fate === 'reject') return onRefused(opened)
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
    const early = () => reject(new GatewayError('gateway.stopping', 'closed before it was open', { fate: 'retry' }))
    running = run(resolve, reject).finally(early)
  })
  opened.catch(() => undefined) // whoever starts the link looks at it; closing early is no fault
  return {
    opened,
    replaced: () => current?.end(replacement),
    async close() {
      halt.abort()
      await current?.close()
      await running
    },
  }
}
