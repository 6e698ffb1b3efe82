import { GatewayError } from '../../errors.js'
import { type Fault, faultsText, memberPath } from '../fault.js'
import { quote } from '../json-quote.js'
import type { Shape } from '../json-shape.js'

/** How one member of an object is written. */
export interface MemberWriter {
  readonly key: string
  /**
   * The bytes before its value, by what stands before it: nothing, a text without its last quote,
   * another value. They end in the first quote of a text.
   */
  readonly leads: readonly [first: Uint8Array, afterText: Uint8Array, afterOther: Uint8Array]
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
  return [Buffer.from(lead), Buffer.from(`",${lead}`), Buffer.from(`,${lead}`)]
}

/** What the members of an object end in so far: the places of {@link MemberWriter.leads}. */
const NOTHING = 0
const TEXT = 1
const OTHER = 2

function fault(method: string, faults: readonly Fault[]): GatewayError {
  return new GatewayError('codec.field', faultsText(method, [...faults]))
}

/** Objects are put together in memory that is used again; a larger one gets memory of its own. */
const SCRATCH_BYTES = 8192
const MAX_SPARE = 32
const spare: Buffer[] = []
/** Most bytes that UTF-8 takes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3
/** Longer texts are looked through faster by an expression than by a loop. UTF-16 units. */
const MAX_LOOPED = 100

/**
 * An object on its way to the wire: the JSON of its members so far. Each member is added once. A text's
 * last quote comes with what follows it.
 */
export class ObjectText {
  readonly writer: ObjectWriter
  private bytes: Buffer
  private length = 1
  private end: typeof NOTHING | typeof TEXT | typeof OTHER = NOTHING
  private seen = 0

  constructor(writer: ObjectWriter) {
    this.writer = writer
    this.bytes = spare.pop() ?? Buffer.allocUnsafeSlow(SCRATCH_BYTES)
    this.bytes[0] = 0x7b
  }

  /** @throws GatewayError codec.field where the type does not take the value */
  put(key: string, value: unknown): void {
    const member = this.writer.find(key)
    if (member === undefined) throw this.stranger(key)
    this.putMember(member, value)
  }

  /** Like {@link put}, with the member looked up before. */
  putMember({ key, leads, shape, bit }: MemberWriter, value: unknown): void {
    const lead = leads[this.end]
    const { inner } = shape
    if (inner === undefined) {
      if (value instanceof ObjectText) this.putObject(lead, value)
      else this.putText(lead, shape.write(value) ?? this.refuse(key, value, shape))
      this.end = OTHER
    } else {
      if (typeof value !== 'string' || !this.putPlain(lead, value))
        this.putText(lead, inner(value) ?? this.refuse(key, value, shape))
      this.end = TEXT
    }
    if (bit !== 0 && value !== '') this.seen |= bit
  }

  /** The object's JSON. @throws GatewayError codec.field where a required member is missing */
  text(): string {
    return this.finished().toString()
  }

  /**
   * The object's JSON in UTF-8, to be copied before any other object is begun.
   * @throws GatewayError codec.field where a required member is missing
   */
  finished(): Buffer {
    const { required, requiredNames, method, path } = this.writer
    if (this.seen !== required) {
      const missing = requiredNames.filter((_, at) => (this.seen & (1 << at)) === 0)
      const want = 'a value, for it is required'
      throw fault(
        method,
        missing.map((name) => ({ path: memberPath(path, name), want, got: 'nothing' })),
      )
    }
    this.reserve(2)
    const { bytes } = this
    let { length } = this
    if (this.end === TEXT) bytes[length++] = 0x22
    bytes[length++] = 0x7d
    if (bytes.length === SCRATCH_BYTES && spare.length < MAX_SPARE) spare.push(bytes)
    return bytes.subarray(0, length)
  }

  /** Adds a text in which every character is one byte and stands for itself; false for any other. */
  private putPlain(lead: Uint8Array, text: string): boolean {
    const units = text.length
    if (units > MAX_LOOPED) return false
    this.reserve(lead.length + units)
    const { bytes } = this
    const from = this.length + lead.length
    for (let i = 0; i < units; i++) {
      const code = text.charCodeAt(i)
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
      bytes[from + i] = code
    }
    bytes.set(lead, this.length)
    this.length = from + units
    return true
  }

  private putText(lead: Uint8Array, written: string): void {
    this.reserve(lead.length + written.length * BYTES_PER_UNIT)
    this.bytes.set(lead, this.length)
    this.length += lead.length
    this.length += this.bytes.write(written, this.length)
  }

  private putObject(lead: Uint8Array, object: ObjectText): void {
    const inner = object.finished()
    this.reserve(lead.length + inner.length)
    this.bytes.set(lead, this.length)
    this.bytes.set(inner, this.length + lead.length)
    this.length += lead.length + inner.length
  }

  private reserve(count: number): void {
    const { bytes, length } = this
    if (length + count <= bytes.length) return
    this.bytes = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, length + count))
    this.bytes.set(bytes.subarray(0, length))
  }

  private stranger(key: string): GatewayError {
    const { method, path } = this.writer
    const want = key.isWellFormed() ? 'no such field' : 'a key without lone surrogates'
    return fault(method, [{ path: memberPath(path, key), want, got: 'one' }])
  }

  private refuse(key: string, value: unknown, shape: Shape): never {
    const faults: Fault[] = []
    shape.explain(value, memberPath(this.writer.path, key), faults)
    throw fault(this.writer.method, faults)
  }
}
