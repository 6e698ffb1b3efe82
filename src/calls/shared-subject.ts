import { decodeEnvelope, type RequestEnvelope } from '../codecs/json-rpc/index.js'
import type { Frame } from '../transports/transport.js'

/** A node that may carry out what was asked of any node. */
export interface NodeOnOffer {
  readonly uuid: string
  /** Whether a channel is here. */
  has(uuid: string): Promise<boolean>
  /** Whether it has a way to dial this. */
  reaches(dialString: string): boolean
  /** Whether new calls can be made here now. */
  takesCalls(): boolean
  /** Whether a conference of this name is here. */
  holds(conference: string): boolean
  /** Calls that are up. */
  load(): number
  /** Says again that the node is there. */
  announce(): void
  take(frame: Frame): Promise<void>
}

/**
 * The subject on which controllers ask any node. One request is carried out by one node: by the one that has the
 * channel, or that is to shut down; for what concerns no channel, by the least loaded of those that can do it.
 *
 * @param nodes at least one; those that come first are preferred
 */
export function sharedSubject(nodes: readonly NodeOnOffer[]): { take(frame: Frame): Promise<void> } {
  /** The longer ago a node was chosen, the further ahead: what many ask at once is spread before the load shows it. */
  const turns = [...nodes]

  function chosen(node: NodeOnOffer): NodeOnOffer {
    turns.push(...turns.splice(turns.indexOf(node), 1))
    return node
  }

  async function nodeFor({ method, params }: RequestEnvelope): Promise<NodeOnOffer> {
    const given = isObject(params) ? params : {}
    const { uuid } = given
    if (typeof uuid === 'string' && uuid !== '') {
      const here = await Promise.all(nodes.map((node) => node.has(uuid).catch(() => false)))
      return nodes[here.indexOf(true)] ?? nodes[0]!
    }
    if (method === 'XNode.Shutdown') {
      const meant = nodes.find((node) => node.uuid === given.node_uuid)
      if (meant !== undefined) return meant
    }
    const conference = conferenceIn(given)
    const host = conference === undefined ? undefined : nodes.find((node) => node.holds(conference))
    if (host !== undefined) return host
    if (method === 'XNode.CtrlStartUp') {
      for (const node of nodes.slice(1)) node.announce()
      return nodes[0]!
    }
    const dialStrings = method === 'XNode.Dial' ? dialStringsIn(given) : []
    const ready = turns.filter((node) => node.takesCalls())
    const able = ready.filter((node) => dialStrings.every(node.reaches))
    // Where nobody can do it, somebody says so.
    const from = [able, ready, turns].find((some) => some.length > 0)!
    const least = Math.min(...from.map((node) => node.load()))
    const node = from.find((each) => each.load() === least)!
    // What only asks makes no load.
    return method === 'XNode.Dial' ? chosen(node) : node
  }

  return {
    async take(frame) {
      const request = requestIn(frame)
      await (request === undefined ? nodes[0]! : await nodeFor(request)).take(frame)
    },
  }
}

/** The request in a frame; undefined where it is none, which whoever takes it says. */
function requestIn({ body }: Frame): RequestEnvelope | undefined {
  try {
    const envelope = decodeEnvelope(body)
    return envelope.kind === 'request' ? envelope : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function dialStringsIn({ destination }: Readonly<Record<string, unknown>>): string[] {
  const legs = isObject(destination) ? destination.call_params : undefined
  if (!Array.isArray(legs)) return []
  return legs.flatMap((leg: unknown) => (isObject(leg) && typeof leg.dial_string === 'string' ? [leg.dial_string] : []))
}

/** The conference that a query is about. */
function conferenceIn({ data }: Readonly<Record<string, unknown>>): string | undefined {
  const query = isObject(data) ? data.data : undefined
  const name = isObject(query) ? query.conferenceName : undefined
  return typeof name === 'string' ? name : undefined
}
