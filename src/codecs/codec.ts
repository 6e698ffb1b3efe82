/**
 * What a mapping needs to know of a dialect's values. Scalars are JavaScript's own wherever
 * the dialect has no more types than JavaScript; lists are arrays; maps are the dialect's.
 */
export interface Trees {
  /** Whether the order of a map's keys is part of the wire form. */
  readonly ordered: boolean
  isMap(value: unknown): boolean
  /** Class name of a map that is an object of some class. */
  classOf(map: unknown): string | undefined
  /** Keys of a map, in order. Not to be changed. */
  keys(map: unknown): readonly unknown[]
  /** How many keys a map has. */
  size(map: unknown): number
  /** Values of a map, in the order of its keys. Not to be changed. */
  values(map: unknown): readonly unknown[]
  get(map: unknown, key: string): unknown
  /** Sets an entry of a map, last when it is new. */
  set(map: unknown, key: string, value: unknown): void
  /**
   * What writes the map at `path` in messages that have the values of `match`, for `start`;
   * undefined where there is nothing to prepare. A map begun with a writer can only be written.
   */
  writer(match: Readonly<Record<string, unknown>>, path: readonly string[]): unknown
  /** An empty map, to be filled by `put`. */
  start(className: string | undefined, writer: unknown): unknown
  /** Adds an entry, last, to a map that has no such key yet. */
  put(map: unknown, key: unknown, value: unknown): void
  /** A key as `putReady` takes it, looked up once for all maps of a writer. */
  ready(key: string, writer: unknown): unknown
  /** Like `put`, with a key made by `ready` for the map's own writer. */
  putReady(map: unknown, ready: unknown, value: unknown): void
  /** Builds a map from parallel arrays, which it may keep. */
  map(className: string | undefined, keys: unknown[], values: unknown[]): unknown
  /** The integer a value is: a number while safe, undefined when it is none. */
  integer(value: unknown): number | undefined
  /**
   * The decimal digits of an integer, in formats whose writers make an integer of a text that
   * looks like one; undefined for other values, in other formats, and for numbers too long to dial.
   */
  decimalOf(value: unknown): string | undefined
  /** The reverse of `decimalOf`; undefined for a text that it never answers. */
  fromDecimal(text: string): unknown
  equal(a: unknown, b: unknown): boolean
  /** JSON that keeps the types. Values that stand in two places are written twice. */
  toTyped(value: unknown): unknown
  fromTyped(json: unknown): unknown
}

/** A body taken apart. */
export interface Document {
  readonly root: unknown
  /** Maps, lists and other values that stand in more than one place. */
  readonly shared: ReadonlySet<object>
}

/** Bytes ⇄ values of one wire format. */
export interface Codec {
  readonly name: string
  readonly trees: Trees
  /** @throws GatewayError `codec.*`, fate reject. */
  decode(body: Uint8Array): Document
  /** @throws GatewayError `codec.*`, fate reject. */
  encode(root: unknown): Uint8Array
}

/** What a wire format says of one member of its messages. */
export interface MemberDescription {
  /** False where messages may have no such member: then it can never be written. */
  readonly exists: boolean
  /** Names of all members of the object it stands in, where they are fixed. */
  readonly siblings: readonly string[]
  /** Well-known values; others may be right too. */
  readonly known: readonly string[]
  /** What would be right, as it reads after "want". */
  readonly wants: string
  accepts(value: unknown): boolean
}

/**
 * Describes the member at `path`, from the envelope on, of messages that have the values of `match`.
 * Undefined where nothing is known of such messages.
 */
export type DescribeMember = (
  match: Readonly<Record<string, unknown>>,
  path: readonly string[],
) => MemberDescription | undefined
