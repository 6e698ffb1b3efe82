import { type NodeOnOffer, sharedSubject } from '../calls/shared-subject.js'
import type { Log } from '../telemetry/index.js'
import type { Delivery } from '../transports/transport.js'
import type { HubLink } from './hub.js'

/** Takes requests that come on a link. */
export interface RequestTaker {
  /** Whether a delivery is for it. */
  isFor(delivery: Delivery): boolean
  take(delivery: Delivery): void
}

/** Takes requests to any node, and has one of ours carry them out. */
export function makeSharedDesk(
  link: HubLink,
  subject: string,
  nodes: readonly { readonly offer: NodeOnOffer }[],
  log: Log,
): RequestTaker {
  const { take } = sharedSubject(nodes.map(({ offer }) => offer))
  return {
    isFor: ({ frame }) => frame.address.subject === subject,
    take(delivery) {
      link.metrics.taken()
      take(delivery.frame).catch((error: unknown) =>
        log.error('a request could not be answered', { link: link.name, err: error }),
      )
      // As on a node's own subject: a command may take long, and the bus sends nothing twice.
      delivery.settle('done')
    },
  }
}
