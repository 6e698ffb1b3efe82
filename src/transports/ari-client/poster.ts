import { GatewayError } from '../../errors.js'
import { backoffMs } from '../backoff.js'
import { makeOutbox, type Outbox, type Parcel } from '../outbox.js'
import type { LinkEvent } from '../transport.js'
import type { AriConfig } from './config.js'
import { hasStatus, noAnswer } from './errors.js'
import type { AriRest } from './rest.js'
import { toUserEvent } from './user-events.js'

/** Posts frames as user events; each counts as sent once Asterisk said so. */
export type Poster = Pick<Outbox, 'add' | 'size' | 'empty' | 'close' | 'stuckMs'>

/** Whether Asterisk is up: its events come, it has answered a request, or neither. */
export type Standing = 'open' | 'answers' | 'no'

/**
 * @param report is told of applications that nobody registered: what is posted to them is lost, and confirmed.
 * @param stands says whether Asterisk is up: one that starts knows no application yet and answers the same, so
 * then frames wait.
 */
export function makePoster(
  config: AriConfig,
  rest: AriRest,
  report: (event: LinkEvent) => void,
  stands: () => Promise<Standing>,
): Poster {
  const outbox = makeOutbox(config.maxConcurrentRequests ?? 16, pump)

  /** Those that were unknown to an Asterisk which has answered since: it may only have been starting. */
  const askedAgain = new WeakSet<Parcel>()

  async function failed(parcel: Parcel, error: unknown): Promise<void> {
    const isUnknown = hasStatus(error, 404)
    const standing = isUnknown ? await stands() : 'no'
    if (standing === 'answers' && !askedAgain.has(parcel)) {
      askedAgain.add(parcel)
      outbox.again(parcel, 0)
      return
    }
    if (standing !== 'no') {
      report({ kind: 'returned', frame: parcel.frame })
      outbox.confirm(parcel)
      return
    }
    const failure = error instanceof GatewayError ? error : noAnswer('POST /events/user', error)
    if (failure.fate === 'reject' && !isUnknown) {
      outbox.refuse(parcel, failure)
      return
    }
    if (parcel.tries === 0) report({ kind: 'fault', error: failure })
    outbox.again(parcel, backoffMs(parcel.tries + 1, config.reconnect))
  }

  async function post(parcel: Parcel): Promise<void> {
    try {
      const { eventName, application, variables } = toUserEvent(parcel.frame, config)
      await rest.request('POST', ['events', 'user', eventName], { query: { application }, body: { variables } })
      outbox.confirm(parcel)
    } catch (error) {
      await failed(parcel, error)
    }
    pump()
  }

  function pump(): void {
    for (let parcel = outbox.next(); parcel !== undefined; parcel = outbox.next()) void post(parcel)
  }

  return outbox
}
