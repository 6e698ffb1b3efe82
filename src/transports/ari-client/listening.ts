import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { type AriConfig, type AriListen, type AriSystem, accessOf } from './config.js'
import { closedEarly, type KeptConnection } from './connection.js'
import { connectError } from './errors.js'
import { type Door, openDoor, type Visit } from './listener.js'
import type { AriRest } from './rest.js'
import { holdSession, type Session, type SessionUse } from './session.js'
import { readSystem } from './system.js'

/** What somebody does with the connections that Asterisk opens, and with an Asterisk that stays away. */
export interface ListeningUse extends Omit<SessionUse, 'over' | 'silent'> {
  /** Makes Asterisk send something on the connection that it believes to have. */
  knock(): Promise<void>
  /** Tells whoever is connected next that everything was heard here. */
  handOver(): Promise<void>
}

/** For an Asterisk to come again by itself. Milliseconds. */
const KNOCK_AFTER_MS = 2000

/**
 * Waits for the connection that an Asterisk opens (`type = outbound_websocket` in ari.conf). Asterisk keeps one for each
 * such section, opens it again for ever, and queues what happens meanwhile, without bound; calls can enter the
 * application from its start on. What it tells on a connection that both sides said goodbye on, and what it tells on the
 * next, make one stream, and a mark at its seam says so to another replica. Of what it wrote into one that was cut, some
 * is lost; and so is what a process that was killed had heard and told nobody. Asterisk 22.10.1 may even die where a connection is cut while it writes much.
 *
 * `opened` resolves when it listens. Asterisk may come late, or to another replica, and no balancer would lead it to one
 * that is not ready: so while it is not connected `standby` is reported, at last after the `down` of what was `up`.
 * @param insists makes it try again where the address cannot be listened on: nobody waits for its answer.
 */
export function keepListening(
  config: AriConfig,
  listen: AriListen,
  rest: AriRest,
  use: ListeningUse,
  insists: boolean,
): KeptConnection {
  const halt = new AbortController()
  const taken = `another subscriber took the application "${config.app}"; Asterisk gives it back when it is started anew`
  const replacement = new GatewayError('link.refused', taken, { fate: 'retry' })
  let door: Door | undefined
  let session: Session | undefined
  let latest: Visit | undefined
  let isKnocking = false

  const fault = (error: GatewayError) => use.report({ kind: 'fault', error })

  /**
   * Asks who the Asterisk is before it is let in: events of one that must not be used are not for us. It waits for our
   * answer, however long, and asks nobody else meanwhile, so there always has to be one.
   */
  async function welcome(visit: Visit): Promise<void> {
    latest = visit
    const system = await readSystem(config, rest, halt.signal).catch((error: unknown) =>
      connectError(error, config.url),
    )
    if (system instanceof GatewayError && !halt.signal.aborted) fault(system)
    if (system instanceof GatewayError || halt.signal.aborted || latest !== visit) visit.postpone()
    else visit.accept((socket) => hold(socket, system))
  }

  function hold(socket: WebSocket, system: AriSystem): void {
    // Asterisk has one connection, so the one before is dead although nobody noticed.
    session?.end(new GatewayError('link.lost', 'connection lost: Asterisk connected anew', { fate: 'retry' }))
    const mine: Session = holdSession(socket, system, config, {
      ...use,
      silent: rest.renew,
      over(reason, wasUp, isComplete) {
        if (session === mine) session = undefined
        if (halt.signal.aborted) return
        if (wasUp) use.report({ kind: 'down', error: reason })
        use.report({ kind: 'standby' })
        if (!isComplete) void knock()
      },
    })
    session = mine
  }

  /** An Asterisk that does not know that its connection is dead learns it when it writes, and it may have nothing to write. */
  async function knock(): Promise<void> {
    if (isKnocking) return
    isKnocking = true
    const pause = (ms: number) => delay(ms, undefined, { signal: halt.signal }).catch(() => undefined)
    await pause(KNOCK_AFTER_MS)
    for (let failures = 1; session === undefined && !halt.signal.aborted; failures++) {
      const done = await use.knock().then(
        () => true,
        () => false,
      )
      if (done) break
      await pause(backoffMs(failures, config.reconnect))
    }
    isKnocking = false
  }

  async function open(): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        door = await openDoor(accessOf(config).listen ?? listen, {
          welcome: (visit) => void welcome(visit),
          turnedAway: fault,
        })
        if (!halt.signal.aborted) use.report({ kind: 'standby' })
        return
      } catch (error) {
        if (!insists) throw error
        fault(connectError(error, `${listen.host}:${listen.port}`))
        await delay(backoffMs(failures, config.reconnect), undefined, { signal: halt.signal }).catch(() => undefined)
        if (halt.signal.aborted) throw closedEarly()
      }
    }
  }

  const opened = open()
  opened.catch(() => undefined) // whoever starts the link looks at it; closing early is no fault
  return {
    opened,
    replaced() {
      if (!halt.signal.aborted) session?.refuse(replacement)
    },
    renew() {
      const { listen: fresh } = accessOf(config)
      if (fresh !== undefined) door?.renew(fresh)
    },
    async close() {
      halt.abort()
      await opened.catch(() => undefined)
      const closed = door?.close()
      if ((await session?.close()) === true) await use.handOver().catch(() => undefined) // then the next one tells a gap
      await closed
    },
  }
}
