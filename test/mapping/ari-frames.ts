import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { GatewayError } from '../../src/errors.js'
import type { Dialect } from '../../src/mapping/dialect.js'

/** An event as an Asterisk sent it. */
export interface RecordedFrame {
  /** Where it was recorded. */
  readonly scenario: string
  readonly text: string
}

/** The events in a file of JSON lines, plain or gzipped: `{scenario, frame | text}`, or a recorder's `{dir: "ws", msg | raw}`. */
export function recordedFrames(path: string): RecordedFrame[] {
  const bytes = readFileSync(path)
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n')
  return lines.flatMap((line) => {
    if (line === '') return []
    const { dir = 'ws', scenario = path, frame, msg = frame, text, raw = text } = JSON.parse(line) as Line
    if (dir !== 'ws') return []
    return [{ scenario, text: typeof raw === 'string' ? raw : JSON.stringify(msg) }]
  })
}

interface Line {
  readonly dir?: string
  readonly scenario?: string
  readonly frame?: unknown
  readonly msg?: unknown
  readonly text?: unknown
  readonly raw?: unknown
}

/**
 * What gets lost of an event on its way through the facts and back, with and without an address; undefined
 * where nothing does.
 */
export function lossOf({ text }: RecordedFrame, stasis: Dialect): string | undefined {
  const event = JSON.parse(text) as { readonly type?: unknown; readonly message?: unknown }
  for (const address of [undefined, { node: 'ast1' }]) {
    try {
      const read = stasis.decode(address, Buffer.from(text))
      if (read.isUnknown) return `${String(event.type)} is not known`
      const { messages, unsaid } = stasis.encode({ facts: read.facts, ext: read.ext })
      const [message, ...others] = messages
      if (message === undefined || others.length > 0 || unsaid.length > 0) return `${messages.length} messages`
      const again: unknown = JSON.parse(Buffer.from(message.body).toString())
      if (!isDeepStrictEqual(again, withoutSecrets(event))) return `came back as ${JSON.stringify(again)}`
      if (!isDeepStrictEqual(message.address, address ?? { node: '' }))
        return `goes to ${JSON.stringify(message.address)}`
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return `${error.code}: ${error.message}`
    }
  }
  return undefined
}

/** An event as it may go on: what SIP headers a text message came with is nobody's business. */
export function withoutSecrets<E extends { readonly type?: unknown; readonly message?: unknown }>(event: E): E {
  const { type, message } = event
  if (type !== 'TextMessageReceived' || typeof message !== 'object' || message === null) return event
  if (Array.isArray(message) || !('variables' in message)) return event
  const { variables: _, ...rest } = message
  const { message: __, ...others } = event
  // A message of nothing else goes with it.
  return (Object.keys(rest).length === 0 ? others : { ...event, message: rest }) as E // the same, less what is secret
}
