import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import type { Frame, OutgoingFrame } from '../transport.js'

/** The header by which JetStream knows a message it already has. */
const MESSAGE_ID = 'Nats-Msg-Id'
const NO_HEADERS: Frame['headers'] = Object.freeze({})

/** Values of a header that came several times are joined by `, `. */
function textHeaders(given: MsgHdrs | undefined): Frame['headers'] {
  if (given === undefined) return NO_HEADERS
  return Object.fromEntries(given.keys().map((name) => [name, given.values(name).join(', ')]))
}

/** The frame in a message: address `{subject}`, with `reply` where the sender waits for an answer. */
export function toFrame(message: Msg): Frame {
  const { subject, reply } = message
  const address: Frame['address'] = reply === undefined || reply === '' ? { subject } : { subject, reply }
  return { address, headers: textHeaders(message.headers), body: message.data }
}

/** The sender's own message id. */
export function messageId(frame: Frame): string | undefined {
  return frame.headers[MESSAGE_ID]
}

/**
 * The headers of a frame, with its message id among them; undefined where there are none.
 * @throws InvalidArgumentError for names and values that NATS cannot carry.
 */
export function messageHeaders(frame: OutgoingFrame): MsgHdrs | undefined {
  const entries = Object.entries(frame.headers)
  if (entries.length === 0 && frame.messageId === undefined) return undefined
  const made = headers()
  for (const [name, value] of entries) made.append(name, value)
  if (frame.messageId !== undefined) made.set(MESSAGE_ID, frame.messageId)
  return made
}
