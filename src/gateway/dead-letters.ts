import { GatewayError } from '../errors.js'
import { type LinkMetrics, type Log, type LogFields, NO_TRACE, withoutExcerpts, withTrace } from '../telemetry/index.js'
import type { Address, Delivery, Frame, Settlement, Transport } from '../transports/transport.js'
import { HEADERS } from './headers.js'
import type { Kept, Letters } from './state.js'

/** Headers of a dead letter, beside those the message came with. */
export const DEAD_LETTER_HEADERS = {
  code: 'patchbay-error-code',
  error: 'patchbay-error',
  link: 'patchbay-link',
  at: 'patchbay-dead-at',
  /** The rule of a mapping that failed, `DIALECT/NAME`. */
  rule: 'patchbay-rule',
  /** The address it came to, as JSON. */
  address: 'patchbay-address',
} as const

/** By what a dead letter is found again: what log lines about it say beside its name, and the headers of its trace. */
export interface Correlation {
  readonly fields: LogFields
  readonly headers: Frame['headers']
}

const ALONE: Correlation = { fields: {}, headers: NO_TRACE }

/** Puts aside what cannot be translated: the raw bytes, and why. */
export interface DeadLetters {
  /**
   * Resolves with what is to become of the message at its source: `done` when the letter is safe, `retry` when
   * the link was stopped first, `reject` when it cannot be kept at all: that is counted, and logged with the reason.
   * @param keep is told of the letter before it is sent
   */
  put(
    delivery: Delivery,
    id: string,
    error: GatewayError,
    keep: (letters: readonly Letters[]) => Kept,
    along?: Correlation,
  ): Promise<Settlement>
}

/** Longest reason written into a header. Characters. */
const MAX_REASON = 1000

/** The link and the address that dead letters are sent to. */
export interface DeadLetterPlace {
  readonly link: string
  readonly transport: Pick<Transport, 'send'>
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
    async put({ frame, sentAt }, id, error, keep, along = ALONE) {
      metrics.deadLetter(error.code)
      // What the reason quotes of the body stays with the letter.
      const reason = withoutExcerpts(error.message)
      const { code, rule } = error
      const told = {
        link,
        code,
        id,
        address: frame.address,
        reason,
        ...(rule !== undefined && { rule }),
        ...along.fields,
      }
      if (place === undefined) {
        metrics.dropped('dead-letter-failed')
        log.error('a dead letter could not be kept, for no link keeps any', told)
        return 'reject'
      }
      log.warn('message put aside as a dead letter', told)
      const deadAt = new Date(now()).toISOString()
      const reasons = {
        [HEADERS.id]: id,
        [DEAD_LETTER_HEADERS.code]: error.code,
        [DEAD_LETTER_HEADERS.error]: oneLine(error.message),
        [DEAD_LETTER_HEADERS.link]: link,
        [DEAD_LETTER_HEADERS.at]: deadAt,
        [DEAD_LETTER_HEADERS.address]: JSON.stringify(frame.address),
        ...(error.rule !== undefined && { [DEAD_LETTER_HEADERS.rule]: oneLine(error.rule) }),
      }
      // A rule that it failed by before says nothing of this time.
      const { [DEAD_LETTER_HEADERS.rule]: _, ...given } = frame.headers
      const { transport, address } = place
      // A message that is sent again and fails again is another letter, which no stream may take for the first.
      const messageId = `${id}@${deadAt}`
      const headers = { ...withTrace(given, along.headers), ...reasons }
      const letter = { address, body: frame.body, messageId, at: sentAt, headers }
      const kept = keep([{ to: place.link, frames: [letter] }])
      try {
        await kept.written
        await transport.send(letter).catch((cause: unknown) => {
          // Perhaps it is the headers it came with that the wire cannot carry; the body matters more.
          if (cause instanceof GatewayError && cause.fate === 'retry') throw cause
          return transport.send({ ...letter, headers: reasons })
        })
        await kept.said()
        return 'done'
      } catch (cause) {
        if (cause instanceof GatewayError && cause.fate === 'retry') return 'retry'
        metrics.dropped('dead-letter-failed')
        log.error('a dead letter could not be kept', { link, id, err: cause, ...along.fields })
        return settledOnceSaid(kept, 'reject')
      }
    },
  }
}

function settledOnceSaid({ said }: Kept, outcome: Settlement): Promise<Settlement> {
  return (said() ?? Promise.resolve()).then(
    () => outcome,
    () => 'retry',
  )
}

/** Header values are one line of printable text on every wire. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\ufffd]+/g, ' ').slice(0, MAX_REASON)
}

/**
 * A message that was sent again from the dead letters straight to our queue (AMQP), under the address it first came
 * to. Whoever may publish to our queue may choose any address anyway.
 */
export function readdressed(delivery: Delivery): Delivery {
  const { frame } = delivery
  const told = frame.headers[DEAD_LETTER_HEADERS.address]
  if (told === undefined || frame.address.exchange !== '') return delivery
  const address = readAddress(told)
  return address === undefined ? delivery : { ...delivery, frame: { ...frame, address } }
}

function readAddress(text: string): Address | undefined {
  try {
    const read: unknown = JSON.parse(text)
    if (typeof read !== 'object' || read === null) return undefined
    const entries = Object.entries(read).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return Object.fromEntries(entries)
  } catch {
    return undefined
  }
}
