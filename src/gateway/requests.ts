import type { NodeOnOffer } from '../calls/shared-subject.js'
import type { Log } from '../telemetry/index.js'
import type { Delivery, Frame } from '../transports/transport.js'
import type { HubLink } from './hub.js'
import { nodeSubject } from './links.js'

/** Takes requests that come on a link. */
export interface RequestTaker {
  /** Whether a delivery is for it. */
  isFor(delivery: Delivery): boolean
  take(delivery: Delivery): void
  /** From now on they are answered here: also those that came since then (UTC milliseconds), when nobody answered. */
  awake(since: number): void
  /** Resolves when everything that was taken is answered. */
  idle(): Promise<void>
}

/** What takes the requests that arrive on some subjects of a link. */
export interface RequestTakerParts {
  readonly link: HubLink
  readonly subjects: readonly string[]
  /** Whether they are answered here. Every replica hears them, and one answers. */
  readonly isOurs: () => boolean
  readonly answer: (frame: Frame) => Promise<void>
  readonly log: Log
}

/** So long a request may wait until a replica takes over that can answer. Milliseconds. */
const PATIENCE_MS = 6000
/** Requests that wait, at most; whoever asks so many gets no answer from a replica that is gone, either. */
const MAX_WAITING = 10_000

/** Takes the requests that arrive on some subjects of a link. */
export function makeRequestTaker({ link, subjects, isOurs, answer, log }: RequestTakerParts): RequestTaker {
  const open = new Set<Promise<void>>()
  let waiting: { readonly frame: Frame; readonly at: number }[] = []

  function run(frame: Frame): void {
    const answered = answer(frame)
      .catch((error: unknown) => log.error('a request could not be answered', { link: link.name, err: error }))
      .finally(() => open.delete(answered))
    open.add(answered)
  }

  function wait(frame: Frame, at: number): void {
    if (waiting[0] !== undefined && (waiting.length >= MAX_WAITING || waiting[0].at < at - PATIENCE_MS))
      waiting = waiting.slice(-MAX_WAITING / 2).filter((each) => each.at >= at - PATIENCE_MS)
    waiting.push({ frame, at })
  }

  return {
    isFor: ({ frame }) => subjects.includes(frame.address.subject ?? ''),
    take({ frame, receivedAt, settle }) {
      link.metrics.taken()
      if (isOurs()) run(frame)
      else wait(frame, receivedAt)
      // A command may take long; the bus sends nothing twice in any case.
      settle('done')
    },
    awake(since) {
      for (const { frame, at } of waiting.splice(0)) if (at >= since && at >= Date.now() - PATIENCE_MS) run(frame)
    },
    async idle() {
      await Promise.all(open)
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

/** A node that another replica may answer for: what was asked of any node, and is for this one, goes to its own subject. */
export function forwarded(
  bus: HubLink,
  isOurs: () => boolean,
  node: NodeOnOffer & { readonly uuid: string },
): NodeOnOffer {
  return {
    ...node,
    async take(frame) {
      if (isOurs()) return node.take(frame)
      const { reply } = frame.address
      const address = { subject: nodeSubject(node.uuid), deliver: 'core', ...(reply !== undefined && { reply }) }
      await bus.transport.send({ address, headers: frame.headers, body: frame.body, isReply: true })
    },
  }
}
