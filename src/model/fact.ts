import type { FactBodies, FactKind, Meta } from './generated.js'

/**
 * What one dialect said that the model has no word for: values in that dialect's own types,
 * by name. Names beginning with `$` belong to the mapping engine.
 */
export type Extension = Record<string, unknown>

interface FactCommon {
  meta?: Meta
  /** By dialect. */
  ext?: Record<string, Extension>
  /** Part of a full picture: it states how things are and announces nothing. */
  full?: boolean
}

/** A fact of one kind. */
export type FactOf<K extends FactKind> = { kind: K } & FactCommon & FactBodies[K]

/** What happened: a closed union told apart by `kind`. */
export type Fact = { [K in FactKind]: FactOf<K> }[FactKind]

/** A channel fact, the kind that most of the gateway deals in. */
export type ChannelFact = FactOf<'channel'>

/** The key a channel has everywhere: its node and its id, since ids repeat between nodes. */
export function channelKey(node: string | undefined, id: string | undefined): string {
  return `${node ?? ''}\u0000${id ?? ''}`
}
