import { GatewayError } from '../../errors.js'
import { isTraceHeader } from '../trace-headers.js'
import type { Frame, OutgoingFrame } from '../transport.js'
import type { AriConfig } from './config.js'
import { type Json, objectOf, parseObject, textOf } from './shapes.js'

/** How names of our user events begin; the type of the event within follows. */
const PREFIX = 'patchbay.'
/** How headers begin that travel beside the event. */
const HEADER_PREFIX = 'patchbay-'

/** A request that posts a user event. */
export interface UserEvent {
  readonly eventName: string
  readonly application: string
  readonly variables: Json
}

/**
 * The user event that carries a frame into an application: its name says the type of the event in the body, its
 * variables are `event`, which is that event, the headers of Patchbay, and those of the trace.
 * @throws GatewayError `link.refused` for a body that is no event.
 */
export function toUserEvent(frame: OutgoingFrame, { app, userEvents }: AriConfig): UserEvent {
  const event = parseObject(frame.body)
  const type = textOf(event?.type)
  if (event === undefined || type === '') throw new GatewayError('link.refused', 'the body is no event with a `type`')
  const headers = Object.entries(frame.headers).filter(([name]) => travels(name))
  return {
    eventName: `${PREFIX}${type}`,
    application: frame.address.app ?? userEvents?.application ?? app,
    variables: { event, ...Object.fromEntries(headers) },
  }
}

/** What a user event of ours carries; undefined for any other event, and for one too deep to be written again. */
export function fromUserEvent(body: Uint8Array): Pick<Frame, 'headers' | 'body'> | undefined {
  const told = parseObject(body)
  if (told?.type !== 'ChannelUserevent' || !textOf(told.eventname).startsWith(PREFIX)) return undefined
  const variables = objectOf(told.userevent)
  const event = objectOf(variables?.event)
  if (variables === undefined || event === undefined) return undefined
  const headers = Object.entries(variables).flatMap(([name, value]) =>
    travels(name) && typeof value === 'string' ? [[name, value] as const] : [],
  )
  const text = textIn(event)
  return text === undefined ? undefined : { headers: Object.fromEntries(headers), body: Buffer.from(text, 'utf8') }
}

/** The parser takes any depth, the writer does not: as it came, such an event is refused by the codec. */
function textIn(event: Json): string | undefined {
  try {
    return JSON.stringify(event)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Whether a header travels beside the event. */
function travels(name: string): boolean {
  return name.startsWith(HEADER_PREFIX) || isTraceHeader(name)
}
