import type { Delivery, Frame, OutgoingFrame, Settlement } from '../transports/transport.js'
import type { LogFields } from './log.js'
import { NO_TRACE, traceHeadersOf } from './trace-context.js'

/** What is done with a message between its arrival and its way out. */
export type Stage = 'read' | 'decide' | 'write'

/** What may be told of a piece of work: names and codes, never what a message says. */
export interface SpanFacts {
  /** `DIALECT/NAME` of the rule that read a message. */
  readonly rule?: string
  /** Id of the channel it is about; of several, the ids. */
  readonly channel?: string
  readonly channels?: readonly string[]
  /** The call that they belong to. */
  readonly call?: string
  /** What became of a message at its source; `ignored` where it was passed over on purpose. */
  readonly outcome?: Settlement | 'ignored'
  /** The method of a command, one of a closed set. */
  readonly method?: string
  /** The code that a command was answered with. */
  readonly code?: number
}

/** A piece of work. Where it is not traced it only carries on the context that the message came with. */
export interface Span {
  /** False: nothing is recorded, and what `set` would be told need not be collected. */
  readonly isOn: boolean
  /** Headers by which what is made here carries the context on; empty where there is none. */
  readonly headers: Frame['headers']
  /** `trace_id` and `span_id` for the log; empty without tracing. */
  readonly fields: LogFields
  /** Does one stage of the work, in a span within this one. `of` is the route where there is one for each. */
  stage<T>(stage: Stage, of: string | undefined, work: (span: Span) => T): T
  set(facts: SpanFacts): void
  /** It failed; told are the code and the rule of an error of ours, no texts. */
  fail(error: unknown): void
  end(): void
}

/** Follows messages and commands from link to link. */
export interface Tracing {
  readonly isOn: boolean
  /** A message that was taken, until its source is told what became of it. */
  receive(link: string, delivery: Delivery, id: string): Span
  /** Frames that are handed to a link, until it has confirmed all of them; their own headers say what they follow from. */
  send(link: string, frames: readonly OutgoingFrame[], route: string | undefined): Span
  /** A request to a node of ours, until it is answered. */
  command(link: string, frame: Frame): Span
  /** Hands over what is recorded, as far as that goes in a few seconds. Idempotent. */
  stop(): Promise<void>
}

function passOn(headers: Frame['headers'], fields: LogFields): Span {
  const span: Span = {
    isOn: false,
    headers,
    fields,
    stage: (_stage, _of, work) => work(span),
    set: () => undefined,
    fail: () => undefined,
    end: () => undefined,
  }
  return span
}

const NO_FIELDS: LogFields = Object.freeze({})

/** The span of what belongs to no trace. */
export const UNTRACED = passOn(NO_TRACE, NO_FIELDS)

/** A span that is not recorded and carries on a context; `fields` are its ids for the log, where they are known. */
export function unrecorded(headers: Frame['headers'], fields = NO_FIELDS): Span {
  return headers === NO_TRACE ? UNTRACED : passOn(headers, fields)
}

/** Records nothing; a context that a message comes with goes on, unchanged, with what is made of the message. */
export const noTracing: Tracing = {
  isOn: false,
  receive: (_link, { frame }) => unrecorded(traceHeadersOf(frame.headers)),
  send: () => UNTRACED,
  command: () => UNTRACED,
  stop: async () => undefined,
}
