/**
 * Ruby values as data. Integers are numbers while they are safe and bigints beyond;
 * a Float is always a {@link RubyFloat}, so that `1` and `1.0` stay two values.
 */
export type RubyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | RubyFloat
  | RubySymbol
  | RubyDate
  | RubyTime
  | Uint8Array
  | RubyValue[]
  | RubyMap

/** A Ruby Float. */
export class RubyFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** A Ruby Symbol, without its colon. */
export class RubySymbol {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A Ruby Date as written, `YYYY-MM-DD` (years may have more digits or a sign), and its Julian day number. */
export class RubyDate {
  readonly text: string
  readonly jd: number
  constructor(text: string, jd: number) {
    this.text = text
    this.jd = jd
  }
}

/**
 * A Ruby Time: nanoseconds since the epoch and the zone it is shown in.
 * `offsetSeconds` undefined means UTC proper (written `Z`); 0 means an offset of zero.
 */
export class RubyTime {
  readonly epochNs: bigint
  readonly offsetSeconds: number | undefined
  constructor(epochNs: bigint, offsetSeconds: number | undefined) {
    this.epochNs = epochNs
    this.offsetSeconds = offsetSeconds
  }
}

/**
 * A Ruby Hash (`className` undefined) or an object of some class (its instance variables,
 * without `@`), as two parallel arrays in order. One class for both keeps readers of
 * messages on one hidden class. `keys` and `values` are never shared between two maps that
 * may be changed.
 */
export class RubyMap {
  className: string | undefined
  keys: RubyValue[]
  values: RubyValue[]
  constructor(className: string | undefined, keys: RubyValue[] = [], values: RubyValue[] = []) {
    this.className = className
    this.keys = keys
    this.values = values
  }

  /** The value under a text key, or undefined. Linear: message maps are small. */
  get(key: string): RubyValue | undefined {
    const at = this.keys.indexOf(key)
    return at < 0 ? undefined : this.values[at]
  }
}
