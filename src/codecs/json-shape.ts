/// <reference lib="es2024.string" />
import { describeValue, type Fault, memberPath } from './fault.js'
import { innerText, quote } from './json-quote.js'
import { isPlainObject } from './json-value.js'

/**
 * A type of the wire, compiled. `test` is the fast answer; `explain` is asked only after a no
 * and lists every fault below `path`. `write` tests and gives the JSON in one pass, undefined
 * for a no. Shapes of texts alone have `inner`: like `write`, without the quotes. `member` is the shape of a
 * member of an object that is put together piece by piece, `names` those of its members where they are fixed.
 */
export interface Shape {
  /** What would be right, as it reads after "want". */
  readonly want: string
  test(value: unknown): boolean
  write(value: unknown): string | undefined
  inner?(value: unknown): string | undefined
  member?(key: string): Shape | undefined
  names?(): Iterable<string>
  explain(value: unknown, path: string, faults: Fault[]): void
}

/** How strictly the members of a message are held. */
export interface Strictness {
  /** Unknown members are faults; otherwise they are passed over. */
  readonly closed: boolean
  /** A member that is null counts as left out; otherwise null is a value of the wrong type. */
  readonly nullIsAbsent: boolean
}

/** Deepest nesting of free JSON that may go out. */
const FREE_JSON_DEPTH = 64

const UINT32_MAX = 0xffff_ffff
const INT32_MAX = 0x7fff_ffff
const INT32_MIN = -0x8000_0000

function leaf(want: string, test: (value: unknown) => boolean): Shape {
  return {
    want,
    test,
    write: (value) => (test(value) ? (typeof value === 'string' ? quote(value) : String(value)) : undefined),
    explain(value, path, faults) {
      if (!test(value)) faults.push({ path, want, got: describeValue(value) })
    },
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function isWhole(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high
}

const text: Shape = {
  ...leaf('a string without lone surrogates', isText),
  inner: (value) => (typeof value === 'string' ? innerText(value) : undefined),
}
const uint32 = leaf('an unsigned 32-bit whole number', (value) => isWhole(value, 0, UINT32_MAX))
const int32 = leaf('a signed 32-bit whole number', (value) => isWhole(value, INT32_MIN, INT32_MAX))
const uint64 = leaf('an unsigned whole number below 2^53', (value) => isWhole(value, 0, Number.MAX_SAFE_INTEGER))
const int64 = leaf('a whole number between -2^53 and 2^53', (value) => Number.isSafeInteger(value))

/** Scalars of proto3 by name, as they stand in JSON. Receivers decode into these very types. */
export const SCALAR_SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['string', text],
  ['bool', leaf('true or false', (value) => typeof value === 'boolean')],
  ['uint32', uint32],
  ['fixed32', uint32],
  ['int32', int32],
  ['sint32', int32],
  ['sfixed32', int32],
  ['uint64', uint64],
  ['fixed64', uint64],
  ['int64', int64],
  ['sint64', int64],
  ['sfixed64', int64],
  ['double', leaf('a finite number', (value) => Number.isFinite(value))],
  ['float', leaf('a number that 32 bits hold', (value) => typeof value === 'number' && fitsFloat(value))],
])

/** A receiver that decodes into 32 bits refuses what would round to infinity. */
function fitsFloat(value: number): boolean {
  return Number.isFinite(Math.fround(value))
}

/** An enum: a known number, or its name, which some peers send. */
export function enumShape(values: Readonly<Record<string, number>>): Shape {
  const known = new Set<unknown>([...Object.keys(values), ...Object.values(values)])
  const pairs = Object.entries(values).map(([name, number]) => `${number} (${name})`)
  return leaf(`one of ${pairs.join(', ')}`, (value) => known.has(value))
}

/** A list whose items are all of one shape. */
export function listShape(item: Shape): Shape {
  const want = 'a list'
  return {
    want,
    test(value) {
      if (!Array.isArray(value)) return false
      for (let i = 0; i < value.length; i++) if (!item.test(value[i])) return false
      return true
    },
    write(value) {
      if (!Array.isArray(value)) return undefined
      let out = ''
      for (let i = 0; i < value.length; i++) {
        const written = item.write(value[i])
        if (written === undefined) return undefined
        out += i === 0 ? written : `,${written}`
      }
      return `[${out}]`
    },
    explain(value, path, faults) {
      if (!Array.isArray(value)) faults.push({ path, want, got: describeValue(value) })
      else for (let i = 0; i < value.length; i++) item.explain(value[i], `${path}[${i}]`, faults)
    },
  }
}

/** An object with any keys, whose values are all of one shape. */
export function mapShape(item: Shape): Shape {
  const want = 'an object'
  return {
    want,
    test(value) {
      if (!isPlainObject(value)) return false
      for (const key in value) {
        const member = value[key]
        if (member !== undefined && !(item.test(member) && key.isWellFormed())) return false
      }
      return true
    },
    write: (value) => writeMembers(value, () => item, never),
    member: () => item,
    explain(value, path, faults) {
      if (!isPlainObject(value)) return void faults.push({ path, want, got: describeValue(value) })
      for (const key in value) {
        const at = memberPath(path, key)
        if (!key.isWellFormed()) faults.push({ path: at, want: 'a key without lone surrogates', got: 'one' })
        if (value[key] !== undefined) item.explain(value[key], at, faults)
      }
    },
  }
}

/**
 * A message: an object with named members. `members` may be filled after the call, so that
 * messages can hold each other.
 */
export function messageShape(members: ReadonlyMap<string, Shape>, { closed, nullIsAbsent }: Strictness): Shape {
  const want = 'an object'
  const other = closed ? undefined : freeShape('value')
  const isAbsent = (value: unknown) => value === undefined || (nullIsAbsent && value === null)
  return {
    want,
    test(value) {
      if (!isPlainObject(value)) return false
      for (const key in value) {
        const member = value[key]
        if (isAbsent(member)) continue
        const shape = members.get(key)
        if (shape === undefined ? closed : !shape.test(member)) return false
      }
      return true
    },
    write: (value) => writeMembers(value, (key) => members.get(key) ?? other, isAbsent),
    member: (key) => members.get(key) ?? other,
    names: () => members.keys(),
    explain(value, path, faults) {
      if (!isPlainObject(value)) return void faults.push({ path, want, got: describeValue(value) })
      for (const key in value) {
        const member = value[key]
        if (isAbsent(member)) continue
        const shape = members.get(key)
        const at = memberPath(path, key)
        if (shape !== undefined) shape.explain(member, at, faults)
        else if (closed) faults.push({ path: at, want: 'no such field', got: describeValue(member) })
      }
    },
  }
}

const never = () => false

/** Undefined where a member has no shape, or a value is not of it. */
function writeMembers(
  value: unknown,
  shapeOf: (key: string) => Shape | undefined,
  isAbsent: (member: unknown) => boolean,
): string | undefined {
  if (!isPlainObject(value)) return undefined
  let out = ''
  for (const key in value) {
    const member = value[key]
    if (member === undefined || isAbsent(member)) continue
    const written = shapeOf(key)?.write(member)
    if (written === undefined || !key.isWellFormed()) return undefined
    out += `${out === '' ? '' : ','}${quote(key)}:${written}`
  }
  return `{${out}}`
}

/** Free JSON of one sort: any value, or only objects, or only lists. */
export function freeShape(sort: 'value' | 'object' | 'list'): Shape {
  const want = sort === 'value' ? 'any JSON' : sort === 'object' ? 'an object' : 'a list'
  const isSort = (value: unknown) => sort === 'value' || (sort === 'list' ? Array.isArray(value) : isPlainObject(value))
  return {
    want,
    test: (value) => isSort(value) && isFreeJson(value, FREE_JSON_DEPTH),
    write: (value) => (isSort(value) && isFreeJson(value, FREE_JSON_DEPTH) ? JSON.stringify(value) : undefined),
    member: () => (sort === 'list' ? undefined : freeShape('value')),
    explain(value, path, faults) {
      if (!isSort(value)) faults.push({ path, want, got: describeValue(value) })
      else explainFreeJson(value, path, FREE_JSON_DEPTH, faults)
    },
  }
}

function isFreeLeaf(value: unknown): boolean {
  return isText(value) || value === null || typeof value === 'boolean' || Number.isFinite(value)
}

function isFreeJson(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return isFreeLeaf(value)
  if (depth === 0) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isFreeJson(value[i], depth - 1)) return false
    return true
  }
  if (!isPlainObject(value)) return false
  for (const key in value) {
    const member = value[key]
    if (member !== undefined && !(isFreeJson(member, depth - 1) && key.isWellFormed())) return false
  }
  return true
}

function explainFreeJson(value: unknown, path: string, depth: number, faults: Fault[]): void {
  const fault = (want: string, got: string) => void faults.push({ path, want, got })
  if (typeof value !== 'object' || value === null) {
    if (!isFreeLeaf(value)) fault('null, true, false, a finite number or a string', describeValue(value))
  } else if (depth === 0) fault(`at most ${FREE_JSON_DEPTH} levels`, 'more')
  else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) explainFreeJson(value[i], `${path}[${i}]`, depth - 1, faults)
  } else if (!isPlainObject(value)) fault('a plain object', describeValue(value))
  else {
    for (const key in value) {
      const at = memberPath(path, key)
      if (!key.isWellFormed()) faults.push({ path: at, want: 'a key without lone surrogates', got: 'one' })
      if (value[key] !== undefined) explainFreeJson(value[key], at, depth - 1, faults)
    }
  }
}
