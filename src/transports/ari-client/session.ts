import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { GatewayError } from '../../errors.js'
import type { AriConfig, AriSystem } from './config.js'
import type { ConnectionUse } from './connection.js'
import { connectError } from './errors.js'
import { eventHead } from './event-head.js'
import { takeEvents } from './events-socket.js'
import { strangerCheck } from './strangers.js'

/** What somebody does with a connection that Asterisk opened. */
export interface SessionUse extends Omit<ConnectionUse, 'setUp'> {
  /** Waits for the end of what Asterisk queued, then filter and subscriptions; an error sends Asterisk away for now. */
  setUp(gone: AbortSignal): Promise<void>
  /** Other connections to the peer may be as dead as this one. */
  silent(): void
  /** It is over; told after `lost`. */
  over(reason: GatewayError, wasUp: boolean, isComplete: boolean): void
}

/** One connection that Asterisk opened. */
export interface Session {
  /** Gives it up in this very turn. */
  end(reason: GatewayError): void
  /** Says goodbye, and hears what Asterisk said before its own. Resolves with whether that came. */
  close(): Promise<boolean>
  /** Sends Asterisk away for now, for a reason that is a fault. */
  refuse(error: GatewayError): void
}

/** Codes of WebSockets: come again, and never like this. */
const TRY_AGAIN_LATER = 1013
const POLICY_VIOLATION = 1008
/** Asterisk has something to say at once: that it registered the application, if nothing else. Milliseconds. */
const FIRST_FRAME_MS = 1000

/** Takes a connection. To be called in the turn in which it stands: frames follow in the next. */
export function holdSession(socket: WebSocket, system: AriSystem, config: AriConfig, use: SessionUse): Session {
  const gone = new AbortController()
  const strangerIn = strangerCheck(config, system)
  /** Why we say goodbye ourselves. */
  let refusal: GatewayError | undefined
  let isStranger = false
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  let isUp = false
  let isClosing = false
  let isOver = false

  function frame(body: Buffer): void {
    if (isStranger) return
    const head = eventHead(body)
    const stranger = strangerIn(head, body)
    isStranger = stranger !== undefined
    begin()
    if (stranger === undefined) use.frame(body, head)
    else refuse(stranger, POLICY_VIOLATION)
  }

  function refuse(error: GatewayError, code = TRY_AGAIN_LATER): void {
    if (refusal !== undefined || isClosing || isOver) return
    refusal = error
    use.report({ kind: 'fault', error })
    void events.close(code)
  }

  function over(reason: GatewayError): void {
    if (isOver) return
    isOver = true
    gone.abort()
    use.lost(reason, events.isComplete())
    use.over(reason, isUp, events.isComplete())
  }

  async function setUp(): Promise<void> {
    await Promise.race([begun, delay(FIRST_FRAME_MS, undefined, { signal: gone.signal }).catch(() => undefined)])
    if (isOver || refusal !== undefined) return
    try {
      await use.setUp(gone.signal)
    } catch (error) {
      return refuse(connectError(error, config.url))
    }
    if (isOver || isClosing || refusal !== undefined) return
    isUp = true
    use.report({ kind: 'up' })
    use.up()
  }

  const events = takeEvents(socket, config, {
    opened: () => use.opened(system),
    frame,
    heard: use.heard,
    silent: use.silent,
  })
  void events.ended.then((reason) => over(refusal ?? reason))
  void setUp()
  return {
    end(reason) {
      over(reason)
      events.end(reason)
    },
    async close() {
      isClosing = true
      await events.close()
      return events.isComplete()
    },
    refuse,
  }
}
