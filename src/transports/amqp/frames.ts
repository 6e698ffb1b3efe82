import type { Message, Options } from 'amqplib'
import type { Frame, OutgoingFrame } from '../transport.js'
import type { AmqpPublish } from './config.js'

const NO_HEADERS: Frame['headers'] = Object.freeze({})

/** A header of any AMQP type as text: bytes as UTF-8, tables and lists as JSON, nothing as an empty text. */
function headerText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  return typeof value === 'object' ? tableText(value) : String(value)
}

/** Tables may be nested deeper than can be written; such a header counts as empty. */
function tableText(table: object): string {
  try {
    return JSON.stringify(table)
  } catch {
    return ''
  }
}

function textHeaders(headers: Readonly<Record<string, unknown>> | undefined): Frame['headers'] {
  if (headers === undefined) return NO_HEADERS
  const entries = Object.entries(headers)
  if (entries.length === 0) return NO_HEADERS
  return Object.fromEntries(entries.map(([name, value]) => [name, headerText(value)]))
}

/** The frame in a message that came by delivery or return: address `{exchange, key}`. */
export function toFrame({ fields, properties, content }: Message): Frame {
  return {
    address: { exchange: fields.exchange, key: fields.routingKey },
    headers: textHeaders(properties.headers),
    body: content,
  }
}

/** 2100-01-01. A later timestamp is none: some publishers write milliseconds where the wire has seconds. */
const LATEST_SECONDS = 4_102_444_800

/** The publisher's own time, UTC milliseconds; the wire has whole seconds. */
export function sentAt({ properties }: Message): number | undefined {
  const seconds: unknown = properties.timestamp
  return typeof seconds === 'number' && seconds > 0 && seconds < LATEST_SECONDS ? seconds * 1000 : undefined
}

/** The publisher's own message id. */
export function messageId({ properties }: Message): string | undefined {
  const id: unknown = properties.messageId
  return typeof id === 'string' ? id : undefined
}

/** Publishing options of a frame: always `mandatory`, so that the broker tells when nobody is bound to receive it. */
export function publishOptions(frame: OutgoingFrame, config: AmqpPublish): Options.Publish {
  const options: Options.Publish = { mandatory: true, persistent: config.persistent ?? true, headers: frame.headers }
  if (config.contentType !== undefined) options.contentType = config.contentType
  if (frame.messageId !== undefined) options.messageId = frame.messageId
  if (frame.at !== undefined) options.timestamp = Math.floor(frame.at / 1000)
  return options
}

/** A body as amqplib takes it; the bytes are not copied. */
export function toBuffer(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
