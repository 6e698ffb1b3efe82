import { type NodeOnOffer, sharedSubject } from '../calls/shared-subject.js'
import type { Log } from '../telemetry/index.js'
import type { HubLink } from './hub.js'
import { makeRequestTaker, type RequestTaker } from './requests.js'

/** Takes requests to any node, and has one of ours carry them out. */
export function makeSharedDesk(
  link: HubLink,
  subject: string,
  nodes: readonly { readonly offer: NodeOnOffer }[],
  log: Log,
): RequestTaker {
  const { take } = sharedSubject(nodes.map(({ offer }) => offer))
  // Its queue group gives each request to one replica.
  return makeRequestTaker({ link, subjects: [subject], answer: take, log })
}
