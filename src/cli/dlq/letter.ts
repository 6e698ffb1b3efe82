import { hash } from 'node:crypto'
import { DEAD_LETTER_HEADERS } from '../../gateway/dead-letters.js'
import { HEADERS } from '../../gateway/headers.js'

type Texts = Readonly<Record<string, string>>

/** A dead letter, whichever broker keeps it. */
export interface Letter {
  /** Names the message; a message that failed twice has two letters of one id. */
  readonly id: string
  /** When it was put aside, ISO 8601 in UTC; undefined where nobody says. */
  readonly at: string | undefined
  /** The link it came by. */
  readonly link: string | undefined
  /** The address it came to there. */
  readonly address: Texts
  /** What was wrong: an error code and a text of one line. */
  readonly code: string | undefined
  readonly reason: string | undefined
  /** The rule of the mapping that failed. */
  readonly rule: string | undefined
  /** Headers it came with, and its `patchbay-id`. */
  readonly headers: Texts
  readonly body: Uint8Array
  /** Size of the body, which may have been let go since. */
  readonly bytes: number
  /** UTC milliseconds that the sender gave it; undefined where it said nothing. */
  readonly sentAt: number | undefined
  /** UTC milliseconds until which its broker would swallow another letter of the same id. */
  readonly aloneUntil: number
}

/** What a store knows of a letter before it is read. */
export interface RawLetter {
  readonly headers: Texts
  readonly body: Uint8Array
  /** The broker's own name for the message. */
  readonly messageId: string | undefined
  readonly sentAt?: number | undefined
  /** As {@link Letter.aloneUntil}. Default: it would never. */
  readonly aloneUntil?: number
}

/** Headers that were added when a message became a letter, by us or by the broker that keeps it. */
const ADDED = new Set([
  ...Object.values<string>(DEAD_LETTER_HEADERS),
  'Nats-Msg-Id',
  'x-death',
  'x-first-death-exchange',
  'x-first-death-queue',
  'x-first-death-reason',
  'x-last-death-exchange',
  'x-last-death-queue',
  'x-last-death-reason',
  'x-delivery-count',
])

/** Reads what a store keeps. What somebody else put there is a letter as well, of which little is known. */
export function readLetter({ headers, body, messageId, sentAt, aloneUntil = 0 }: RawLetter): Letter {
  return {
    id: headers[HEADERS.id] ?? messageId ?? `unnamed-${hash('sha1', body, 'base64url').slice(0, 11)}`,
    at: headers[DEAD_LETTER_HEADERS.at],
    link: headers[DEAD_LETTER_HEADERS.link],
    address: readAddress(headers[DEAD_LETTER_HEADERS.address]),
    code: headers[DEAD_LETTER_HEADERS.code],
    reason: headers[DEAD_LETTER_HEADERS.error],
    rule: headers[DEAD_LETTER_HEADERS.rule],
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !ADDED.has(name))),
    body,
    bytes: body.length,
    sentAt,
    aloneUntil,
  }
}

/** The letter without its bytes. */
export function withoutBody(letter: Letter): Letter {
  return { ...letter, body: new Uint8Array() }
}

function readAddress(text: string | undefined): Texts {
  if (text === undefined) return {}
  try {
    const read: unknown = JSON.parse(text)
    if (typeof read !== 'object' || read === null) return {}
    return Object.fromEntries(Object.entries(read).map(([key, value]) => [key, String(value)]))
  } catch {
    return {}
  }
}
