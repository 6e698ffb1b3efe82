import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import type { Frame, OutgoingFrame } from '../transport.js'
import { readHeaders, type WithHeaders } from './read-headers.js'

/** The header by which JetStream knows a message it already has. */
const MESSAGE_ID = 'Nats-Msg-Id'

/** What a frame is made of. */
type Received = Pick<Msg, 'subject' | 'data'> & WithHeaders

/**
 * The frame in a message: address `{subject}` without its prefix.
 * @param reply where the sender waits for an answer
 */
export function toFrame(message: Received, prefix: string, reply = ''): Frame {
  const subject = prefix === '' ? message.subject : message.subject.slice(prefix.length)
  const address: Frame['address'] = reply === '' ? { subject } : { subject, reply }
  return { address, headers: readHeaders(message), body: message.data }
}

/** The sender's own message id. */
export function messageId(frame: Frame): string | undefined {
  return frame.headers[MESSAGE_ID]
}

/** Headers are cut from slabs of this size: allocating memory costs more than writing them. */
const SLAB_BYTES = 64 * 1024
/** Most bytes that UTF-8 takes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3
const BEGIN = 'NATS/1.0\r\n'

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let used = 0

function headerBytes(text: string): Uint8Array {
  const most = text.length * BYTES_PER_UNIT
  if (most > SLAB_BYTES / 8) return Buffer.from(text)
  if (used + most > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    used = 0
  }
  const from = used
  used += slab.write(text, from)
  return slab.subarray(from, used)
}

/** Names that NATS can carry, looked at once each; there are few. */
const soundNames = new Set<string>()
const NAME = /^[A-Za-z0-9-]+$/
const hasBreak = (value: string) => value.includes('\n') || value.includes('\r')

let encoded: Uint8Array = new Uint8Array()
const ENCODED = { encode: () => encoded } as unknown as MsgHdrs // nothing else is asked of them

/**
 * The headers of a frame as core publishing takes them, good until the next call. The library asks of headers
 * only that they encode themselves, at once, and building its own costs more than all the rest of a
 * publication. Errors as {@link messageHeaders}.
 */
export function encodedHeaders(frame: OutgoingFrame): MsgHdrs | undefined {
  let text = BEGIN
  for (const name in frame.headers) {
    const value = frame.headers[name]!
    if (!isSoundName(name) || hasBreak(value)) return messageHeaders(frame)
    text += `${name}: ${value}\r\n`
  }
  const { messageId: id } = frame
  if (id !== undefined) {
    if (hasBreak(id)) return messageHeaders(frame)
    text += `${MESSAGE_ID}: ${id}\r\n`
  } else if (text.length === BEGIN.length) return undefined
  encoded = headerBytes(`${text}\r\n`)
  return ENCODED
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
