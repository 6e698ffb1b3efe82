import { hash } from 'node:crypto'
import type { NodeOnOffer } from '../calls/shared-subject.js'
import type { Log, Span, SpanFacts, Tracing } from '../telemetry/index.js'
import type { Delivery, Frame } from '../transports/transport.js'
import type { HubLink } from './hub.js'
import { nodeSubject } from './links.js'

/** Takes requests that come on a link. */
export interface RequestTaker {
  /** Whether a delivery is for it. */
  isFor(delivery: Delivery): boolean
  take(delivery: Delivery): void
  /** Another replica began to carry a request out: it does not wait here for its answer. */
  begunElsewhere(frame: Frame): void
  /**
   * From now on they are answered here: also those that came a moment ago, when nobody could.
   * @param since what came before then and leaves no note was answered, UTC milliseconds
   */
  awake(since: number): void
  isAwake(): boolean
  /** Until it is awake again, they wait. */
  sleep(): void
  /** Resolves when everything that was taken is answered. */
  idle(): Promise<void>
}

/** What takes the requests that arrive on some subjects of a link. */
export interface RequestTakerParts {
  readonly link: HubLink
  readonly subjects: readonly string[]
  /** Whether they are answered here. Every replica hears them, and one answers. Absent where one hears them: it answers. */
  readonly isOurs?: () => boolean
  readonly answer: (frame: Frame) => Promise<void>
  /** Whether others hear of it when such a request is begun. Default: of none. */
  readonly isNoted?: (frame: Frame) => boolean
  readonly log: Log
}

/** So long a request may wait until a replica takes over that can answer. Milliseconds. */
const PATIENCE_MS = 9000
/** Requests that wait, at most; whoever asks so many gets no answer from a replica that is gone, either. */
const MAX_WAITING = 10_000

interface Waiting {
  readonly frame: Frame
  readonly name: string
  readonly at: number
}

/** Equal for requests that cannot be told apart. */
function nameOf({ address, body }: Frame): string {
  return `${address.reply ?? ''} ${hash('sha1', body, 'base64url')}`
}

/** Takes the requests that arrive on some subjects of a link. */
export function makeRequestTaker(parts: RequestTakerParts): RequestTaker {
  const { link, subjects, isOurs, answer, isNoted = () => false, log } = parts
  const open = new Set<Promise<void>>()
  let waiting: Waiting[] = []
  /** Those that were begun by another replica before they came here. */
  let begun: { readonly name: string; readonly at: number }[] = []
  let isAwake = isOurs === undefined

  function run(frame: Frame): void {
    const answered = answer(frame)
      .catch((error: unknown) => log.error('a request could not be answered', { link: link.name, err: error }))
      .finally(() => open.delete(answered))
    open.add(answered)
  }

  function wait(frame: Frame, at: number): void {
    const name = nameOf(frame)
    if (wasBegun(name)) return
    if (waiting[0] !== undefined && (waiting.length >= MAX_WAITING || waiting[0].at < at - PATIENCE_MS))
      waiting = waiting.slice(-MAX_WAITING / 2).filter((each) => each.at >= at - PATIENCE_MS)
    waiting.push({ frame, name, at })
  }

  function wasBegun(name: string): boolean {
    const index = begun.findIndex((each) => each.name === name)
    if (index >= 0) begun.splice(index, 1)
    return index >= 0
  }

  return {
    isFor: ({ frame }) => subjects.includes(frame.address.subject ?? ''),
    take({ frame, receivedAt, settle }) {
      link.metrics.taken()
      if (isAwake && isOurs?.() !== false) run(frame)
      else wait(frame, receivedAt)
      // A command may take long; the bus sends nothing twice in any case.
      settle('done')
    },
    begunElsewhere(frame) {
      const name = nameOf(frame)
      const index = waiting.findIndex((each) => each.name === name)
      if (index >= 0) {
        waiting.splice(index, 1)
        return
      }
      const at = Date.now()
      begun = [...begun.filter((each) => each.at >= at - PATIENCE_MS).slice(-MAX_WAITING), { name, at }]
    },
    awake(since) {
      isAwake = true
      begun = []
      const oldest = Date.now() - PATIENCE_MS
      for (const { frame, at } of waiting.splice(0)) {
        if (at < since && !isNoted(frame)) continue
        if (at >= oldest) run(frame)
        else link.metrics.dropped('late')
      }
    },
    isAwake: () => isAwake,
    sleep() {
      isAwake = isOurs === undefined
    },
    async idle() {
      await Promise.all(open)
    },
  }
}

/** Follows the requests to a node: in a span, and at debug in a line of the log for each. */
export function followRequests(
  link: string,
  node: string,
  tracing: Pick<Tracing, 'command'>,
  log: Log,
): (frame: Frame) => Span {
  return (frame) => {
    const span = tracing.command(link, frame)
    if (!log.isDebug) return span
    return noted(span, (facts) => log.debug('request answered', { link, node, ...facts, ...span.fields }))
  }
}

/** A span that also tells somebody, at its end, what it was told. */
function noted(span: Span, tell: (facts: SpanFacts) => void): Span {
  let known: SpanFacts = {}
  return {
    ...span,
    isOn: true,
    set(facts) {
      known = { ...known, ...facts }
      span.set(facts)
    },
    end() {
      tell(known)
      span.end()
    },
  }
}

/** Sends answers to requests over a link: at once, also while events wait for their receivers to be back. */
export function makeReplier(link: HubLink, log: Log): (subject: string, body: Uint8Array) => void {
  return (subject, body) => {
    link.transport
      .send({ address: { subject, deliver: 'core' }, headers: {}, body, isReply: true })
      .catch((error: unknown) => {
        link.metrics.dropped('reply-failed')
        log.warn('a reply could not be sent', { link: link.name, subject, err: error })
      })
  }
}

/** A node that another replica may answer for, or nobody yet: what was asked of any node, and is for this one, goes to its own subject. */
export function forwarded(
  bus: HubLink,
  isReady: () => boolean,
  node: NodeOnOffer & { readonly uuid: string },
): NodeOnOffer {
  return {
    ...node,
    async take(frame) {
      if (isReady()) return node.take(frame)
      const { reply } = frame.address
      const address = { subject: nodeSubject(node.uuid), deliver: 'core', ...(reply !== undefined && { reply }) }
      await bus.transport.send({ address, headers: frame.headers, body: frame.body, isReply: true })
    },
  }
}
