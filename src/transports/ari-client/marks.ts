import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../errors.js'
import type { AriConfig } from './config.js'
import type { AriRest } from './rest.js'
import { objectOf, parseObject } from './shapes.js'

/** Type of the events that marks are. */
export const MARKED_TYPE = 'ChannelUserevent'
/** Name of the user events that say nothing but that they came. */
const EVENT_NAME = 'patchbay.mark'
const NEEDLE = Buffer.from(`"${EVENT_NAME}"`)

/**
 * Marks in the stream of an application's events. What Asterisk sends first on a connection of its own making is what it
 * queued meanwhile, and nothing in it says where that ends: an ApplicationRegistered stands behind it when it connects
 * again, but before it the first time. A user event that we post stands behind all of it.
 */
export interface Marks {
  /**
   * Posts a mark and resolves when it comes, however long that takes as long as anything comes.
   * @throws GatewayError `link.refused` when nothing does; as a request where posting fails.
   */
  reached(signal: AbortSignal): Promise<void>
  /** Posts one that nobody waits for. @throws as a request does. */
  knock(): Promise<void>
  /** Posts the one that whoever is connected next finds in the queue: nothing before it went unheard. @throws as a request does. */
  handOver(): Promise<void>
  /** Takes in an event. True for a mark, of whomever: nobody else is to hear of it. */
  isMark(type: string | undefined, body: Buffer): boolean
}

/** What the mark of a hand-over holds in place of an id. */
const HAND_OVER = 'hand-over'
/** For a mark that others wait for. Milliseconds. */
const HAND_OVER_MS = 1000

/** @param handedOver is called when the mark of a hand-over comes. */
export function makeMarks(config: AriConfig, rest: AriRest, handedOver: () => void): Marks {
  const patienceMs = config.requestTimeoutMs ?? 10_000
  let awaited: { readonly id: string; reached(): void; heard(): void } | undefined

  async function send(id: string, deadlineMs?: number): Promise<void> {
    const said = { query: { application: config.app }, body: { variables: { mark: id } } }
    const options = deadlineMs === undefined ? said : { ...said, deadlineMs }
    await rest.request('POST', ['events', 'user', EVENT_NAME], options)
  }

  function arrival(id: string, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const silent = () =>
        reject(
          new GatewayError(
            'link.refused',
            `Asterisk is connected, but events of the application "${config.app}" do not come: another subscriber took it, ` +
              'and Asterisk has to be started anew to give it back',
            { fate: 'retry' },
          ),
        )
      const timer = setTimeout(silent, patienceMs)
      signal.addEventListener('abort', () => reject(new Error('the connection is gone')), { once: true })
      awaited = { id, reached: resolve, heard: () => timer.refresh() }
      signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    })
  }

  return {
    async reached(signal) {
      const id = randomUUID()
      const ended = new AbortController()
      const arrived = arrival(id, AbortSignal.any([signal, ended.signal]))
      arrived.catch(() => undefined) // posting may fail first
      try {
        await send(id)
        await arrived
      } finally {
        if (awaited?.id === id) awaited = undefined
        ended.abort()
      }
    },
    knock: () => send(randomUUID()),
    handOver: () => send(HAND_OVER, HAND_OVER_MS),
    isMark(type, body) {
      awaited?.heard()
      if (type !== MARKED_TYPE || !body.includes(NEEDLE)) return false
      const event = parseObject(body)
      if (event?.eventname !== EVENT_NAME) return false
      const mark = objectOf(event.userevent)?.mark
      if (mark === HAND_OVER) handedOver()
      else if (mark === awaited?.id) awaited?.reached()
      return true
    },
  }
}
