import type { Dialect } from '../mapping/dialect.js'
import type { DecodedMessage } from '../mapping/message.js'
import { FACT_SHAPES, type FactKind, type Meta } from '../model/index.js'
import type { LinkMetrics, RouteMetrics } from '../telemetry/index.js'
import type { OutgoingFrame, Transport } from '../transports/transport.js'
import { HEADERS } from './headers.js'
import { type HubLink, makeHub } from './hub.js'
import { assignMeta } from './meta.js'
import { makeRoute } from './route.js'
import { memoryState } from './state.js'

/** What a gateway would send, told one message after another. */
export interface OfflineRules {
  /** Frames for the target, in order; `meta` is what the message's facts are told by. */
  take(message: DecodedMessage, meta: Meta): Promise<OutgoingFrame[]>
}

/** What a route would say. */
export interface OfflineOptions {
  /** Also announce loopback channels. */
  readonly loopback: boolean
  /** Told of facts the target has no word for. */
  readonly unsaid: (kind: FactKind) => void
}

const SOURCE = 'source'
const TARGET = 'target'
/** Group of a gateway that is not there; it stays out of the headers. */
const NOBODY = 'offline'

const KINDS = new Set(Object.keys(FACT_SHAPES) as FactKind[]) // keys of the model's own table
const ignore = () => undefined

/**
 * The middle of a gateway without its links: the same tracking, the same rules of the target about
 * sequences. What the source tells counts as told, also a picture that a link would have drawn by itself.
 * Without a time in `meta` no times are made up.
 */
export function offlineRules(source: Dialect, target: Dialect, { loopback, unsaid }: OfflineOptions): OfflineRules {
  let frames: OutgoingFrame[] = []
  const transport: Transport = {
    name: TARGET,
    start: () => Promise.resolve(),
    send: (frame) => {
      frames.push(frame)
      return Promise.resolve()
    },
    drain: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
  const routeMetrics: RouteMetrics = { translated: ignore, sent: ignore, suppressed: ignore, unsaid }
  const route = makeRoute({
    name: 'offline',
    from: SOURCE,
    to: TARGET,
    kinds: KINDS,
    source,
    target,
    loopback,
    cdrOrder: 'before-end',
    steered: false,
    group: NOBODY,
    node: undefined,
    metrics: routeMetrics,
  })
  // The hub sends to a target and counts nothing of it, so there is nothing to count with.
  const link: HubLink = { name: TARGET, transport, dialect: target, metrics: {} as LinkMetrics, isDrawn: false }
  const links = new Map([[TARGET, link]])
  const hub = makeHub({ links, routes: [route], store: memoryState(), now: () => undefined })
  return {
    async take({ facts, full }, meta) {
      frames = []
      assignMeta(facts, meta)
      const { confirmed } = await hub.take({ link: SOURCE, facts, path: [], full, meta })
      await confirmed
      return frames.map(({ headers, ...frame }) => ({ ...frame, headers: withoutPath(headers) }))
    },
  }
}

function withoutPath({ [HEADERS.path]: _, ...headers }: OutgoingFrame['headers']): OutgoingFrame['headers'] {
  return headers
}
