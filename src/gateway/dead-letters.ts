import type { GatewayError } from '../errors.js'
import type { LinkMetrics, Log } from '../telemetry/index.js'
import type { Address, Delivery, Transport } from '../transports/transport.js'
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
  /** Resolves when the letter is safe, or cannot be kept at all: that is counted, and logged with the reason. */
  put(delivery: Delivery, id: string, error: GatewayError): Promise<void>
}

/** Longest reason written into a header. Characters. */
const MAX_REASON = 1000

/** Dead letters of one link, sent by that link's own transport to `address`. */
export function makeDeadLetters(
  link: string,
  transport: Transport,
  address: Address,
  metrics: LinkMetrics,
  log: Log,
  now: () => number,
): DeadLetters {
  return {
    async put({ frame }, id, error) {
      metrics.deadLetter(error.code)
      log.warn('message put aside as a dead letter', {
        link,
        code: error.code,
        id,
        address: frame.address,
        reason: error.message,
      })
      const headers = {
        ...frame.headers,
        [HEADERS.id]: id,
        [DEAD_LETTER_HEADERS.code]: error.code,
        [DEAD_LETTER_HEADERS.error]: oneLine(error.message),
        [DEAD_LETTER_HEADERS.link]: link,
        [DEAD_LETTER_HEADERS.at]: new Date(now()).toISOString(),
        [DEAD_LETTER_HEADERS.address]: JSON.stringify(frame.address),
      }
      try {
        await transport.send({ address, headers, body: frame.body, messageId: id })
      } catch (cause) {
        metrics.dropped('dead-letter-failed')
        log.error('a dead letter could not be kept', { link, id, err: cause })
      }
    },
  }
}

/** Header values are one line of printable text on every wire. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\ufffd]+/g, ' ').slice(0, MAX_REASON)
}
