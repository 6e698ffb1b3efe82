import type { Channel } from '../../model/index.js'
import type { Log } from '../../telemetry/index.js'
import { hasStatus } from '../../transports/ari-client/index.js'

/** The way out of a node: no new calls, the running ones may end. */
export interface Drain {
  /** Whether new calls are refused. */
  on(): boolean
  /** Begins it; again changes nothing. */
  begin(): void
  stop(): void
}

/** What it is made of. */
export interface DrainParts {
  readonly calls: { all(): Promise<readonly Channel[]> }
  /** How long running calls may go on, milliseconds. */
  readonly longestMs: number
  /** Tells that the node is on its way out. */
  update(): void
  /** Tells that it left: no call is up any more. */
  leave(): void
  /** Ends a call that went on for too long; rejects with an AriError of status 404 for one that is not there. */
  end(uuid: string): Promise<void>
  readonly log: Log
}

const LOOK_MS = 250
/** How long calls may take to be gone that were ended, before that is tried again. Milliseconds. */
const AGAIN_MS = 2000

/** Makes it; the node takes calls until it is begun. */
export function makeDrain({ calls, longestMs, update, leave, end, log }: DrainParts): Drain {
  let until: number | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  /** When calls are to be ended next. */
  let endAt = 0
  /** Calls that Asterisk does not have any more, though nobody was told of their end. */
  const absent = new Set<string>()

  async function endAll(up: readonly Channel[]): Promise<void> {
    log.warn('calls are ended, for the node shuts down', { calls: up.length })
    const tries = up.map(({ id }) =>
      end(id!).catch((error: unknown) => {
        if (hasStatus(error, 404)) absent.add(id!)
        else log.warn('a call could not be ended', { channel: id!, err: error })
      }),
    )
    await Promise.all(tries)
    endAt = Date.now() + AGAIN_MS
  }

  async function look(): Promise<void> {
    const up = (await calls.all()).filter(({ id }) => !absent.has(id!))
    if (up.length === 0) {
      log.info('the node has no calls any more')
      leave()
      return
    }
    if (Date.now() >= Math.max(until!, endAt)) await endAll(up)
    if (!stopped) timer = setTimeout(again, LOOK_MS)
  }

  function again(): void {
    look().catch((error: unknown) => {
      log.error('the calls of a node cannot be counted', { err: error })
      if (!stopped) timer = setTimeout(again, LOOK_MS)
    })
  }

  return {
    on: () => until !== undefined,
    begin() {
      if (until !== undefined) return
      until = Date.now() + longestMs
      update()
      again()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
