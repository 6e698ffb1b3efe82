import { GatewayError } from '../../errors.js'
import { type Fault, faultsText, memberPath } from './fault.js'
import { quote } from './quote.js'
import type { Shape } from './shape.js'

/** How one member of an object is written. */
export interface MemberWriter {
  readonly key: string
  /**
   * What stands before its value, by what stands before it: nothing, a text without its last quote,
   * another value. Ends in the first quote of a text.
   */
  readonly leads: readonly [first: string, afterText: string, afterOther: string]
  readonly shape: Shape
  /** Its bit among the required members; 0 for the others. */
  readonly bit: number
}

/** Writes the members of one object of a message, each held to its type. */
export interface ObjectWriter {
  readonly method: string
  readonly path: string
  /** Bits of all required members. */
  readonly required: number
  readonly requiredNames: readonly string[]
  /** Undefined where the type has no such member. */
  find(key: string): MemberWriter | undefined
}

/** Names from outside (variables of a call) have no end; so many are remembered. */
const MAX_REMEMBERED = 5000

/** A writer of the object at `path`; `shape` is that object's, `required` members must not be left out or empty. */
export function objectWriter(method: string, path: string, shape: Shape, required: readonly string[]): ObjectWriter {
  const members = new Map<string, MemberWriter>()
  return {
    method,
    path,
    required: (1 << required.length) - 1,
    requiredNames: required,
    find(key) {
      const known = members.get(key)
      if (known !== undefined) return known
      const inner = shape.member?.(key)
      if (inner === undefined || !key.isWellFormed()) return undefined
      const at = required.indexOf(key)
      const made = { key, leads: leadsOf(key, inner), shape: inner, bit: at < 0 ? 0 : 1 << at }
      if (members.size < MAX_REMEMBERED) members.set(key, made)
      return made
    },
  }
}

function leadsOf(key: string, shape: Shape): MemberWriter['leads'] {
  const lead = `${quote(key)}:${shape.inner === undefined ? '' : '"'}`
  return [lead, `",${lead}`, `,${lead}`]
}

/** What the members of an object end in so far: the places of {@link MemberWriter.leads}. */
const NOTHING = 0
const TEXT = 1
const OTHER = 2

function fault(method: string, faults: readonly Fault[]): GatewayError {
  return new GatewayError('codec.field', faultsText(method, [...faults]))
}

/**
 * An object on its way to the wire: the JSON of its members so far. Each member is added once. A text's
 * last quote comes with what follows it: half as many pieces make a body twice as fast to put together.
 */
export class ObjectText {
  readonly writer: ObjectWriter
  private members = ''
  private end: typeof NOTHING | typeof TEXT | typeof OTHER = NOTHING
  private seen = 0

  constructor(writer: ObjectWriter) {
    this.writer = writer
  }

  /** @throws GatewayError codec.field where the type does not take the value */
  put(key: string, value: unknown): void {
    const member = this.writer.find(key)
    if (member === undefined) throw this.stranger(key)
    this.putMember(member, value)
  }

  /** Like {@link put}, with the member looked up before. */
  putMember({ key, leads, shape, bit }: MemberWriter, value: unknown): void {
    const { inner } = shape
    const written = inner !== undefined ? inner(value) : value instanceof ObjectText ? value.text() : shape.write(value)
    if (written === undefined) throw this.refuse(key, value, shape)
    this.members += leads[this.end] + written
    this.end = inner === undefined ? OTHER : TEXT
    if (bit !== 0 && value !== '') this.seen |= bit
  }

  private stranger(key: string): GatewayError {
    const { method, path } = this.writer
    const want = key.isWellFormed() ? 'no such field' : 'a key without lone surrogates'
    return fault(method, [{ path: memberPath(path, key), want, got: 'one' }])
  }

  private refuse(key: string, value: unknown, shape: Shape): GatewayError {
    const faults: Fault[] = []
    shape.explain(value, memberPath(this.writer.path, key), faults)
    return fault(this.writer.method, faults)
  }

  /** @throws GatewayError codec.field where a required member is missing */
  text(): string {
    const { required, requiredNames, method, path } = this.writer
    if (this.seen !== required) {
      const missing = requiredNames.filter((_, at) => (this.seen & (1 << at)) === 0)
      const want = 'a value, for it is required'
      throw fault(
        method,
        missing.map((name) => ({ path: memberPath(path, name), want, got: 'nothing' })),
      )
    }
    return `{${this.members}${this.end === TEXT ? '"}' : '}'}`
  }
}
