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

const encoder = new TextEncoder()
/** Names that NATS can carry, looked at once each; there are few. */
const soundNames = new Set<string>()
const NAME = /^[A-Za-z0-9-]+$/
const BREAKS = /[\r\n]/

/**
 * The headers of a frame as core publishing takes them. The library asks of headers only that they encode
 * themselves, and building its own costs more than all the rest of a publication. Errors as {@link messageHeaders}.
 */
export function encodedHeaders(frame: OutgoingFrame): MsgHdrs | undefined {
  let text = 'NATS/1.0\r\n'
  for (const name in frame.headers) {
    const value = frame.headers[name]!
    if (!isSoundName(name) || BREAKS.test(value)) return messageHeaders(frame)
    text += `${name}: ${value}\r\n`
  }
  const { messageId: id } = frame
  if (id !== undefined) {
    if (BREAKS.test(id)) return messageHeaders(frame)
    text += `${MESSAGE_ID}: ${id}\r\n`
  } else if (text.length === 'NATS/1.0\r\n'.length) return undefined
  const bytes = encoder.encode(`${text}\r\n`)
  return { encode: () => bytes } as unknown as MsgHdrs // see above: nothing else is asked of it
}

function isSoundName(name: string): boolean {
  if (soundNames.has(name)) return true
  if (!NAME.test(name) || name === MESSAGE_ID) return false
  if (soundNames.size < 100) soundNames.add(name)
  return true
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
