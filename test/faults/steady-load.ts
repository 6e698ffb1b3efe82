import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { callState } from './legacy-load.js'
import { legacyPublisher } from './legacy-publisher.js'

/** How much there is to tell. */
export interface SteadyLoadOptions {
  /** Events a second, while the broker confirms them. Default 200. */
  readonly perSecond?: number
  /** Calls that live at a time. Default 100. */
  readonly calls?: number
  /** Events of a call, from EARLY to HANGUP; 4 or more. Default 10. */
  readonly eventsPerCall?: number
  /** Takes what would otherwise stay in {@link SteadyLoad.sent} for ever: a call that ended, with how many events it had. */
  readonly onEnded?: (uuid: string, events: number) => void
}

/** Calls of the legacy system that come and go without end. Each event has its call's uuid and a number within the call, from 0. */
export interface SteadyLoad {
  /** How many events of each call the broker surely has; without those that `onEnded` took. */
  readonly sent: ReadonlyMap<string, number>
  /** Events the broker surely has. */
  confirmed(): number
  /** Events published more than once, because it was not known whether the broker had them. */
  doubtful(): number
  /** Begins no more calls, hangs up those that live, and resolves when everything is confirmed. */
  stop(): Promise<void>
}

const BEGINNING = ['EARLY', 'RINGING', 'ACTIVE']

/** What a call says as its event number `sequence`, when it goes on. */
function stateAt(sequence: number): string {
  return BEGINNING[sequence] ?? ((sequence - BEGINNING.length) % 2 === 0 ? 'HELD' : 'UNHELD')
}

/** Publishes to the first of these addresses that answers. Every message has an id of its own. */
export function startSteadyLoad(urls: readonly string[], options: SteadyLoadOptions = {}): SteadyLoad {
  const { perSecond = 200, calls = 100, eventsPerCall = 10, onEnded } = options
  const publisher = legacyPublisher(urls)
  const session = randomBytes(4).toString('hex')
  const intervalMs = (calls / perSecond) * 1000
  const startedAt = performance.now()
  const sent = new Map<string, number>()
  let confirmed = 0
  let begun = 0
  let stopping = false

  async function say(uuid: string, state: string, sequence: number): Promise<void> {
    await publisher.publish(callState(uuid, state, sequence), `${uuid}-${sequence}`)
    sent.set(uuid, sequence + 1)
    confirmed += 1
  }

  /**
   * One call after another, an event every `intervalMs`. What an outage delayed is not made up for, and all go on in turn
   * after it, as before: at once they would be another load.
   */
  async function talk(place: number): Promise<void> {
    let due = startedAt + (place / perSecond) * 1000
    const untilDue = async () => {
      await delay(Math.max(0, due - performance.now()))
      const late = Math.max(0, performance.now() - due)
      due += (Math.floor(late / intervalMs) + 1) * intervalMs
    }
    await untilDue()
    while (!stopping) {
      const uuid = `${session}-${begun++}`
      let sequence = 0
      while (!stopping && sequence < eventsPerCall - 1) {
        await say(uuid, stateAt(sequence), sequence)
        sequence += 1
        await untilDue()
      }
      if (sequence > 0) {
        await say(uuid, 'HANGUP', sequence)
        if (onEnded !== undefined) {
          sent.delete(uuid)
          onEnded(uuid, sequence + 1)
        }
      }
      if (!stopping) await untilDue()
    }
  }

  const talks = Array.from({ length: calls }, (_, place) => talk(place))
  return {
    sent,
    confirmed: () => confirmed,
    doubtful: publisher.doubtful,
    async stop() {
      stopping = true
      await Promise.all(talks)
      await publisher.close()
    },
  }
}
