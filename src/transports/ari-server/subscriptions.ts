/** Kinds of things an application can subscribe to, as they stand before the colon of an event source. */
export type SourceKind = 'channel' | 'bridge' | 'endpoint' | 'deviceState'

const KINDS: readonly SourceKind[] = ['channel', 'bridge', 'endpoint', 'deviceState']

/** What Asterisk lists where everything of a kind is subscribed to. */
const ALL_NAMES: Readonly<Record<SourceKind, string>> = {
  channel: '__AST_CHANNEL_ALL_TOPIC',
  bridge: '__AST_BRIDGE_ALL_TOPIC',
  endpoint: '__AST_ENDPOINT_ALL_TOPIC',
  deviceState: '__AST_DEVICE_STATE_ALL_TOPIC',
}

/** Ids that one application may be subscribed to; applications are not to grow without end. */
const MOST_SOURCES = 100_000

/**
 * What one application is subscribed to. Subscriptions to channels, bridges and endpoints are counted, those of
 * the application itself and those that follow from its channels together; a device state is subscribed to or not.
 */
export interface Subscriptions {
  /** False when there are too many. */
  add(kind: SourceKind, id: string): boolean
  /** Everything of a kind, for as long as the application lives. */
  addAll(kind: SourceKind): void
  /** Takes one subscription back; false when there is none. */
  remove(kind: SourceKind, id: string): boolean
  /** Takes back all that there are, because the thing itself is gone. */
  forget(kind: SourceKind, id: string): void
  /** Whether this id or everything of the kind is subscribed to. */
  covers(kind: SourceKind, id: string): boolean
  /** Whether this very id is subscribed to. */
  has(kind: SourceKind, id: string): boolean
  /** Ids in order, as `GET /applications/NAME` tells them. */
  list(kind: SourceKind): string[]
  /** Whether something is left that keeps an application alive without a socket; device states alone do not. */
  keepsAlive(): boolean
}

/** @param everything comes from `subscribeAll=true`: it covers all, but keeps nothing alive. */
export function makeSubscriptions(everything: boolean): Subscriptions {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, new Map<string, number>()])) as Record<
    SourceKind,
    Map<string, number>
  > // the keys are all of the closed set
  const wholes = new Set<SourceKind>()
  const isWhole = (kind: SourceKind) => everything || wholes.has(kind)

  return {
    add(kind, id) {
      const count = counts[kind].get(id)
      if (count === undefined && counts[kind].size >= MOST_SOURCES) return false
      counts[kind].set(id, kind === 'deviceState' ? 1 : (count ?? 0) + 1)
      return true
    },
    addAll: (kind) => void wholes.add(kind),
    remove(kind, id) {
      const count = counts[kind].get(id)
      if (count === undefined) return false
      if (count > 1) counts[kind].set(id, count - 1)
      else counts[kind].delete(id)
      return true
    },
    forget: (kind, id) => void counts[kind].delete(id),
    covers: (kind, id) => isWhole(kind) || counts[kind].has(id),
    has: (kind, id) => counts[kind].has(id),
    list: (kind) => [...counts[kind].keys(), ...(isWhole(kind) ? [ALL_NAMES[kind]] : [])].sort(),
    keepsAlive: () => wholes.size > 0 || counts.channel.size > 0 || counts.bridge.size > 0 || counts.endpoint.size > 0,
  }
}
