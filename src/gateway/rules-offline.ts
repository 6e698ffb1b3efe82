import type { Dialect } from '../mapping/dialect.js'
import type { DecodedMessage } from '../mapping/message.js'
import { FACT_SHAPES, type FactKind, type Meta } from '../model/index.js'
import type { RouteMetrics } from '../telemetry/index.js'
import type { OutgoingFrame } from '../transports/transport.js'
import { HEADERS } from './headers.js'
import { makeHub } from './hub.js'
import { assignMeta } from './meta.js'
import { makeRoute } from './route.js'
import { fixedRules } from './rules/index.js'
import { type Letters, memoryState } from './state.js'

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
  const uncounted = { translated: ignore, sent: ignore, suppressed: ignore, delivered: ignore }
  const routeMetrics: RouteMetrics = { ...uncounted, unsaid }
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
  const rules = fixedRules({ revision: NOBODY, routes: [route], routesFrom: () => [route] })
  async function post(letters: readonly Letters[]): Promise<void> {
    frames = letters.flatMap((each) => each.frames)
  }
  const hub = makeHub({ isDrawn: () => false, rules, store: memoryState(), post, now: () => undefined })
  return {
    async take({ facts, full }, meta) {
      assignMeta(facts, meta)
      await hub.take({ link: SOURCE, facts, path: [], full, meta }).confirmed
      return frames.map(({ headers, ...frame }) => ({ ...frame, headers: withoutPath(headers) }))
    },
  }
}

function withoutPath({ [HEADERS.path]: _, ...headers }: OutgoingFrame['headers']): OutgoingFrame['headers'] {
  return headers
}
