import { Buffer } from 'node:buffer'
import { GatewayError } from '../../errors.js'
import { analyze, HAS_BREAKS, MAY_BE_LITERAL, MAY_BE_PLAIN, MAY_BE_SINGLE } from './analyze.js'
import { isBreak } from './chars.js'
import { isEasy, isOdd } from './easy-text.js'
import { floatText } from './numbers.js'
import {
  base64Of,
  DOUBLE,
  isBinaryToPsych20,
  LITERAL,
  PLAIN,
  REFUSED,
  SINGLE,
  type Style,
  styleOfString,
  type WriterProfile,
} from './string-style.js'
import { clockOf } from './time.js'
import { RubyDate, RubyFloat, RubySymbol, RubyTime, type RubyValue } from './values.js'
import {
  doubleText,
  hasBreak,
  keepsBreaks,
  literalText,
  type Place,
  plainText,
  singleText,
  WIDTH,
} from './write-scalar.js'

/** What the writing of one document carries along. */
export interface Writer {
  readonly profile: WriterProfile
  readonly legacy: boolean
  /** Renderings of short strings under this profile. */
  readonly known: Map<string, string>
  out: string
  /** The cursor is at the beginning of a line, behind a literal that ended with a line break. */
  fresh: boolean
  /** The last literal kept its final line breaks. */
  open: boolean
}

/** A scalar before its style is final: what it asks for and what stands before it. */
export interface Scalar {
  readonly text: string
  readonly style: Style
  /** Tag to be written, with its `!`. */
  readonly tag: string
  /** Whether quotes alone leave the value what it is; without that, quotes are marked by `!`. */
  readonly quotable: boolean
}

/** Strings up to this many characters are remembered. V8 makes no parts of strings that are so short. */
const MAX_KNOWN_LENGTH = 12
const MAX_KNOWN = 2048

/** A String as it stands at a place in the text. */
export function stringText(w: Writer, text: string, column: number, indent: number): string {
  if (isEasy(text)) return text
  if (text === '') return "''"
  if (!w.legacy && column + text.length < WIDTH && isOdd(text)) return `"${text}"`
  const short = text.length <= MAX_KNOWN_LENGTH
  if (short) {
    const known = w.known.get(text)
    if (known !== undefined && column + known.length <= WIDTH) return known
  }
  const rendered = scalarText(w, stringScalar(w, text), '', column, indent)
  if (short && column + rendered.length <= WIDTH && !hasBreak(rendered)) {
    if (w.known.size === MAX_KNOWN) w.known.clear()
    w.known.set(text, rendered)
  }
  return rendered
}

/** A scalar with what stands before it: an anchor (with its space) or nothing, then its tag. */
export function scalarText(w: Writer, scalar: Scalar, anchor: string, column: number, indent: number): string {
  const allowed = analyze(scalar.text)
  const style = allowedStyle(scalar.style, allowed, false)
  const props = anchor + tagOf(scalar, style)
  const { text } = scalar
  if (style === LITERAL) {
    w.open = keepsBreaks(text)
    w.fresh = isBreak(text.charCodeAt(text.length - 1))
    return props + literalText(text, indent)
  }
  return props + textInStyle(w, text, style, allowed, { column: column + props.length, indent, folds: true })
}

/** A scalar as a key before its `:`, or undefined when it has to be written behind `?`. */
export function keyText(w: Writer, scalar: Scalar, anchor: string, anchorLength: number): string | undefined {
  const allowed = analyze(scalar.text)
  if ((allowed & HAS_BREAKS) !== 0) return undefined
  if (anchorLength + scalar.tag.length + byteLength(scalar.text) > MAX_SIMPLE_KEY_BYTES) return undefined
  let style = allowedStyle(scalar.style, allowed, true)
  if (scalar.text === '' && style === PLAIN) style = SINGLE
  return (
    anchor + tagOf(scalar, style) + textInStyle(w, scalar.text, style, allowed, { column: 0, indent: 0, folds: false })
  )
}

/** Bytes of anchor, tag and text up to which a key stands before its `:`. */
export const MAX_SIMPLE_KEY_BYTES = 128

function byteLength(text: string): number {
  return text.length > MAX_SIMPLE_KEY_BYTES ? text.length : Buffer.byteLength(text)
}

function tagOf(scalar: Scalar, style: Style): string {
  if (scalar.tag !== '') return `${scalar.tag} `
  return style !== PLAIN && !scalar.quotable ? '! ' : ''
}

/** libyaml's choice: the style asked for where it is allowed, else the next stronger one. */
function allowedStyle(asked: Style, allowed: number, isKey: boolean): Style {
  let style = asked
  if (style === PLAIN && (allowed & MAY_BE_PLAIN) === 0) style = SINGLE
  if (style === SINGLE && (allowed & MAY_BE_SINGLE) === 0) style = DOUBLE
  if (style === LITERAL && (isKey || (allowed & MAY_BE_LITERAL) === 0)) style = DOUBLE
  return style
}

function textInStyle(w: Writer, text: string, style: Style, allowed: number, place: Place): string {
  if (style === PLAIN) return plainText(text, place)
  const oneLine = (allowed & HAS_BREAKS) === 0 && place.column + text.length < WIDTH
  if (style === SINGLE) return oneLine ? quoteSingle(text) : singleText(text, place, !w.legacy)
  const unescaped = oneLine && (allowed & MAY_BE_SINGLE) !== 0 && !text.includes('"') && !text.includes('\\')
  return unescaped ? `"${text}"` : doubleText(text, place)
}

function quoteSingle(text: string): string {
  return text.includes("'") ? `'${text.replaceAll("'", "''")}'` : `'${text}'`
}

function plainScalar(text: string): Scalar {
  return { text, style: PLAIN, tag: '', quotable: false }
}

/** A name of an instance variable as Psych writes it: plain, whatever it would read as. */
export function variableScalar(name: string): Scalar {
  return plainScalar(name)
}

/** What a value that is no collection asks for. */
export function scalarOf(w: Writer, value: RubyValue): Scalar {
  if (typeof value === 'string') return stringScalar(w, value)
  if (value === null) return plainScalar('')
  if (typeof value === 'boolean' || typeof value === 'bigint') return plainScalar(String(value))
  if (typeof value === 'number') return plainScalar(integerText(value))
  if (value instanceof RubyFloat) return plainScalar(floatScalar(value.value))
  if (value instanceof RubySymbol) {
    if (value.name === '') return { text: '', style: PLAIN, tag: '!ruby/symbol', quotable: false }
    return plainScalar(`:${value.name}`)
  }
  if (value instanceof RubyDate) return plainScalar(value.text)
  if (value instanceof RubyTime) {
    const { date, clock, zone } = clockOf(value)
    return plainScalar(`${date} ${clock} ${zone}`)
  }
  if (value instanceof Uint8Array) return bytesScalar(w, value)
  throw new GatewayError('codec.value', `a value of type ${typeof value} is no Ruby value`)
}

export function integerText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  throw new GatewayError('codec.value', `${value} is no integer; a Float is a RubyFloat, a large integer a bigint`)
}

function floatScalar(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf'
  return floatText(value)
}

function stringScalar(w: Writer, text: string): Scalar {
  if (w.legacy && isBinaryToPsych20(text)) return binaryScalar(w, Buffer.from(text))
  const style = styleOfString(text, w.profile)
  if (style === REFUSED) {
    const shown = JSON.stringify(text.slice(0, 60))
    throw new GatewayError('codec.value', `Psych cannot write the string ${shown}: its own reader trips over it`)
  }
  return { text, style, tag: text === '<<' && !w.legacy ? '!!str' : '', quotable: true }
}

/** Bytes of ASCII are a string like any other. */
function bytesScalar(w: Writer, bytes: Uint8Array): Scalar {
  if (bytes.every((byte) => byte < 128)) return stringScalar(w, Buffer.from(bytes).toString('latin1'))
  return binaryScalar(w, bytes)
}

function binaryScalar(w: Writer, bytes: Uint8Array): Scalar {
  return { text: base64Of(bytes, w.profile), style: LITERAL, tag: '!binary', quotable: true }
}
