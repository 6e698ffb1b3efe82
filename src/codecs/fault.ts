/** One fault of a message: where, what would be right, and what came. */
export interface Fault {
  /** Such as `params.peers[0]`. */
  readonly path: string
  /** Such as `an unsigned 32-bit whole number`. */
  readonly want: string
  /** Such as `the string "17"`. */
  readonly got: string
}

const SHOWN_CHARACTERS = 40
const SHOWN_FAULTS = 5
const PLAIN_KEY = /^[A-Za-z_][\w-]*$/

/** The path of a member: `a.b`, or `a["b c"]` where the key is no plain word. */
export function memberPath(path: string, key: string): string {
  return PLAIN_KEY.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(shorten(key))}]`
}

/** `params.peers[0]: want a string, got the number 7`. */
export function faultText({ path, want, got }: Fault): string {
  return `${path}: want ${want}, got ${got}`
}

/** Several faults in one line, `subject` first; at most five are spelled out. */
export function faultsText(subject: string, faults: readonly Fault[]): string {
  const shown = faults.slice(0, SHOWN_FAULTS).map(faultText).join('; ')
  const rest = faults.length - SHOWN_FAULTS
  return `${subject} ${shown}${rest > 0 ? `; and ${rest} more` : ''}`
}

/** Names a value for people: its sort, and as much of it as helps. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return `the string ${JSON.stringify(shorten(value))}`
  if (typeof value === 'number') return Object.is(value, -0) ? 'the number -0' : `the number ${value}`
  if (typeof value === 'bigint') return `the integer ${shorten(String(value))}`
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  return describeObject(value)
}

function describeObject(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return 'an object'
  const name = value.constructor?.name
  return typeof name === 'string' && name !== '' ? `an object of class ${name}` : 'an object with a prototype'
}

function shorten(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}
