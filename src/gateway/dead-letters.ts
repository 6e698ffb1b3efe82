import { GatewayError } from '../errors.js'
import type { LinkMetrics, Log } from '../telemetry/index.js'
import type { Address, Delivery, Settlement, Transport } from '../transports/transport.js'
import { HEADERS } from './headers.js'

/** Headers of a dead letter, beside those the message came with. */
export const DEAD_LETTER_HEADERS = {
  code: 'patchbay-error-code',
  error: 'patchbay-error',
  link: 'patchbay-link',
  at: 'patchbay-dead-at',
  /** The address it came to, as JSON. */
  address: 'patchbay-address',
} as const

/** Puts aside what cannot be translated: the raw bytes, and why. */
export interface DeadLetters {
  /**
   * Resolves with what is to become of the message at its source: `done` when the letter is safe, `retry` when
   * the link was stopped first, `reject` when it cannot be kept at all: that is counted, and logged with the reason.
   */
  put(delivery: Delivery, id: string, error: GatewayError): Promise<Settlement>
}

/** Longest reason written into a header. Characters. */
const MAX_REASON = 1000

/** The transport and the address that dead letters are sent to. */
export interface DeadLetterPlace {
  readonly transport: Transport
  readonly address: Address
}

/** Dead letters of one link. Where there is no place for them, each is counted and logged as one that could not be kept. */
export function makeDeadLetters(
  link: string,
  place: DeadLetterPlace | undefined,
  metrics: LinkMetrics,
  log: Log,
  now: () => number,
): DeadLetters {
  return {
    async put({ frame }, id, error) {
      metrics.deadLetter(error.code)
      const told = { link, code: error.code, id, address: frame.address, reason: error.message }
      if (place === undefined) {
        metrics.dropped('dead-letter-failed')
        log.error('a dead letter could not be kept, for no link keeps any', told)
        return 'reject'
      }
      log.warn('message put aside as a dead letter', told)
      const reasons = {
        [HEADERS.id]: id,
        [DEAD_LETTER_HEADERS.code]: error.code,
        [DEAD_LETTER_HEADERS.error]: oneLine(error.message),
        [DEAD_LETTER_HEADERS.link]: link,
        [DEAD_LETTER_HEADERS.at]: new Date(now()).toISOString(),
        [DEAD_LETTER_HEADERS.address]: JSON.stringify(frame.address),
      }
      const { transport, address } = place
      const letter = { address, body: frame.body, messageId: id }
      try {
        await transport.send({ ...letter, headers: { ...frame.headers, ...reasons } }).catch((cause: unknown) => {
          // Perhaps it is the headers it came with that the wire cannot carry; the body matters more.
          if (cause instanceof GatewayError && cause.fate === 'retry') throw cause
          return transport.send({ ...letter, headers: reasons })
        })
        return 'done'
      } catch (cause) {
        if (cause instanceof GatewayError && cause.fate === 'retry') return 'retry'
        metrics.dropped('dead-letter-failed')
        log.error('a dead letter could not be kept', { link, id, err: cause })
        return 'reject'
      }
    },
  }
}

/** Header values are one line of printable text on every wire. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\ufffd]+/g, ' ').slice(0, MAX_REASON)
}
