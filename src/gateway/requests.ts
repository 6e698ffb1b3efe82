import type { Log } from '../telemetry/index.js'
import type { Delivery, Frame } from '../transports/transport.js'
import type { HubLink } from './hub.js'

/** Takes requests that come on a link. */
export interface RequestTaker {
  /** Whether a delivery is for it. */
  isFor(delivery: Delivery): boolean
  take(delivery: Delivery): void
  /** Resolves when everything that was taken is answered. */
  idle(): Promise<void>
}

/** Takes the requests that arrive on some subjects of a link. */
export function makeRequestTaker(
  link: HubLink,
  subjects: readonly string[],
  answer: (frame: Frame) => Promise<void>,
  log: Log,
): RequestTaker {
  const open = new Set<Promise<void>>()
  return {
    isFor: ({ frame }) => subjects.includes(frame.address.subject ?? ''),
    take(delivery) {
      link.metrics.taken()
      const answered = answer(delivery.frame)
        .catch((error: unknown) => log.error('a request could not be answered', { link: link.name, err: error }))
        .finally(() => open.delete(answered))
      open.add(answered)
      // A command may take long; the bus sends nothing twice in any case.
      delivery.settle('done')
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
