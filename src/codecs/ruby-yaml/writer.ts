import { Buffer } from 'node:buffer'
import { GatewayError } from '../../errors.js'
import { anchorNames } from './aliases.js'
import { analyze, HAS_BREAKS, MAY_BE_LITERAL, MAY_BE_PLAIN, MAY_BE_SINGLE } from './analyze.js'
import { isBreak } from './chars.js'
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
import { isVariableName } from './tags.js'
import { clockOf } from './time.js'
import { RubyDate, RubyFloat, RubyMap, RubySymbol, RubyTime, type RubyValue } from './values.js'
import { doubleText, keepsBreaks, literalText, type Place, pad, plainText, singleText } from './write-scalar.js'

export type { WriterProfile } from './string-style.js'

/** How a value is written. */
export interface StringifyOptions {
  /**
   * `psych-4`: the bytes of Psych 4.0.3; `psych-2.0`: those of Psych 2.0.0 on libyaml 0.1.4;
   * `compatible` (default): those of Psych 4, but quoted where either reader would not see a string.
   */
  readonly profile?: WriterProfile
}

interface Writer {
  readonly profile: WriterProfile
  readonly legacy: boolean
  readonly names: Map<object, number> | undefined
  readonly written: Set<object>
  out: string
  /** The last literal kept its final line breaks. */
  open: boolean
}

/** A scalar before its style is final: what it asks for and what stands before it. */
interface Scalar {
  readonly text: string
  readonly style: Style
  /** Tag to be written, with its `!`. */
  readonly tag: string
  /** Whether quotes alone leave the value what it is; without that, quotes are marked by `!`. */
  readonly quotable: boolean
}

/** Where a node stands: behind `---`, `- `, `key:`, or the `?` and `:` of a pair whose key is not simple. */
type Position = 'root' | 'item' | 'value' | 'explicit'

const MAX_SIMPLE_KEY_BYTES = 128

/**
 * Writes a value as one YAML document, the way Psych does.
 *
 * Errors  codec.value for what Psych refuses to write (a string its resolver raises on, a class name or
 *         variable name that is none, a number that is no integer), codec.limit for nesting too deep.
 */
export function stringify(value: RubyValue, options: StringifyOptions = {}): string {
  const profile = options.profile ?? 'compatible'
  const legacy = profile === 'psych-2.0'
  const names = anchorNames(value, !legacy)
  const w: Writer = { profile, legacy, names, written: new Set(), out: '---', open: false }
  writeNode(w, value, 'root', 0, 3)
  if (w.open && !legacy) w.out += '...\n'
  return w.out
}

/** Writes what follows an indicator, to the end of the line. `at` is the parent's column, `column` that of the cursor. */
function writeNode(w: Writer, value: RubyValue, position: Position, at: number, column: number): void {
  if (Array.isArray(value)) writeCollection(w, value, value.length === 0, position, at)
  else if (value instanceof RubyMap) writeCollection(w, value, value.keys.length === 0, position, at)
  else writeScalarNode(w, value, position, at, column)
}

function writeScalarNode(w: Writer, value: RubyValue, position: Position, at: number, column: number): void {
  const props = w.names === undefined ? '' : propertiesOf(w, value)
  if (props.startsWith('*')) {
    w.out += ` ${props}\n`
    return
  }
  const scalar = scalarOf(w, value)
  const style = allowedStyle(scalar.style, analyze(scalar.text), false)
  const prefix = props + tagOf(scalar, style)
  if (scalar.text === '' && style === PLAIN) {
    w.out += prefix === '' ? (w.legacy ? ' \n' : '\n') : ` ${prefix.trimEnd()}${w.legacy ? ' ' : ''}\n`
  } else {
    const place = { column: column + 1 + prefix.length, indent: position === 'root' ? 2 : at + 2, folds: true }
    w.out += ` ${prefix}${textOf(w, scalar.text, style, place)}`
    if (style !== LITERAL || !isBreak(scalar.text.charCodeAt(scalar.text.length - 1))) w.out += '\n'
  }
  if (position === 'root' && w.legacy && style === PLAIN) w.out += '...\n'
}

/** `*1`, or `&1 ` where the value is anchored, or nothing. */
function propertiesOf(w: Writer, value: RubyValue): string {
  if (typeof value !== 'object' || value === null) return ''
  const name = w.names?.get(value)
  if (name === undefined) return ''
  if (w.written.has(value)) return `*${name}`
  w.written.add(value)
  return `&${name} `
}

function tagOf(scalar: Scalar, style: Style): string {
  if (scalar.tag !== '') return `${scalar.tag} `
  return style !== PLAIN && !scalar.quotable ? '! ' : ''
}

/** libyaml's choice: the style asked for where it is allowed, else the next stronger one. */
function allowedStyle(asked: Style, allowed: number, isKey: boolean): Style {
  let style = asked
  if (isKey && (allowed & HAS_BREAKS) !== 0) style = DOUBLE
  if (style === PLAIN && (allowed & MAY_BE_PLAIN) === 0) style = SINGLE
  if (style === SINGLE && (allowed & MAY_BE_SINGLE) === 0) style = DOUBLE
  if (style === LITERAL && (isKey || (allowed & MAY_BE_LITERAL) === 0)) style = DOUBLE
  return style
}

function textOf(w: Writer, text: string, style: Style, place: Place): string {
  if (style === PLAIN) return plainText(text, place)
  if (style === SINGLE) return singleText(text, place, !w.legacy)
  if (style === DOUBLE) return doubleText(text, place)
  w.open = keepsBreaks(text)
  return literalText(text, place.indent)
}

const NIL: Scalar = { text: '', style: PLAIN, tag: '', quotable: false }

function plainScalar(text: string): Scalar {
  return { text, style: PLAIN, tag: '', quotable: false }
}

function scalarOf(w: Writer, value: RubyValue): Scalar {
  if (typeof value === 'string') return stringScalar(w, value)
  if (value === null) return NIL
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

function integerText(value: number): string {
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
    throw new GatewayError(
      'codec.value',
      `Psych cannot write the string ${JSON.stringify(text)}; its own reader trips over it`,
    )
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

const UNESCAPED_IN_TAG = /[^0-9A-Za-z\-_;/?:@&=+$,.~*'()[\]]/g

function objectTag(className: string): string {
  if (className === 'Object') return '!ruby/object'
  if (!/^[A-Z\u0080-\uffff][\w\u0080-\uffff]*(?:::[A-Z\u0080-\uffff][\w\u0080-\uffff]*)*$/.test(className)) {
    throw new GatewayError('codec.value', `${JSON.stringify(className)} is no name of a Ruby class`)
  }
  const escaped = className.replace(UNESCAPED_IN_TAG, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return `!ruby/object:${escaped}`
}

function writeCollection(
  w: Writer,
  value: RubyValue[] | RubyMap,
  empty: boolean,
  position: Position,
  at: number,
): void {
  const props = w.names === undefined ? '' : propertiesOf(w, value)
  if (props.startsWith('*')) {
    w.out += ` ${props}\n`
    return
  }
  const tag = value instanceof RubyMap && value.className !== undefined ? `${objectTag(value.className)} ` : ''
  const prefix = props + tag
  if (empty) {
    w.out += ` ${prefix}${value instanceof RubyMap ? '{}' : '[]'}\n`
    return
  }
  const inline = prefix === '' && (position === 'item' || position === 'explicit')
  if (!inline) w.out += prefix === '' ? '\n' : ` ${prefix.slice(0, -1)}\n`
  if (value instanceof RubyMap) writePairs(w, value, position === 'root' ? 0 : at + 2, inline)
  else writeItems(w, value, columnOfItems(position, at, inline), inline)
}

/** Dashes stand under the key they belong to, otherwise two columns in. */
function columnOfItems(position: Position, at: number, inline: boolean): number {
  if (position === 'root') return 0
  return position === 'value' || (position === 'explicit' && !inline) ? at : at + 2
}

function writeItems(w: Writer, items: RubyValue[], column: number, inline: boolean): void {
  const margin = pad(column)
  for (let i = 0; i < items.length; i++) {
    w.out += i === 0 && inline ? ' -' : `${margin}-`
    writeNode(w, items[i]!, 'item', column, column + 1)
  }
}

function writePairs(w: Writer, map: RubyMap, column: number, inline: boolean): void {
  const margin = pad(column)
  for (let i = 0; i < map.keys.length; i++) {
    const key = map.keys[i]!
    if (map.className !== undefined) checkVariable(map.className, key)
    const lead = i === 0 && inline ? ' ' : margin
    const simple = simpleKey(w, key, map.className !== undefined, column)
    if (simple === undefined) {
      w.out += `${lead}?`
      writeNode(w, key, 'explicit', column, column + 1)
      w.out += `${margin}:`
      writeNode(w, map.values[i]!, 'explicit', column, column + 1)
    } else {
      w.out += `${lead}${simple}:`
      writeNode(w, map.values[i]!, 'value', column, column + simple.length + 1)
    }
  }
}

function checkVariable(className: string, key: RubyValue): void {
  if (typeof key === 'string' && isVariableName(key)) return
  throw new GatewayError('codec.value', `${JSON.stringify(String(key))} names no variable of an object of ${className}`)
}

/** A key as it stands before `:`, or undefined when it has to be written behind `?`. */
function simpleKey(w: Writer, key: RubyValue, isVariable: boolean, column: number): string | undefined {
  if (Array.isArray(key) || key instanceof RubyMap) return simpleCollectionKey(w, key)
  const scalar = isVariable ? plainScalar(String(key)) : scalarOf(w, key)
  const allowed = analyze(scalar.text)
  if ((allowed & HAS_BREAKS) !== 0) return undefined
  const name = anchorLength(w, key)
  if (name + scalar.tag.length + byteLength(scalar.text) > MAX_SIMPLE_KEY_BYTES) return undefined
  const props = w.names === undefined ? '' : propertiesOf(w, key)
  if (props.startsWith('*')) return w.legacy ? props : `${props} `
  let style = allowedStyle(scalar.style, allowed, true)
  if (scalar.text === '' && style === PLAIN) style = SINGLE
  const prefix = props + tagOf(scalar, style)
  return prefix + textOf(w, scalar.text, style, { column, indent: 0, folds: false })
}

function byteLength(text: string): number {
  return text.length > MAX_SIMPLE_KEY_BYTES ? text.length : Buffer.byteLength(text)
}

function anchorLength(w: Writer, key: RubyValue): number {
  if (w.names === undefined || typeof key !== 'object' || key === null) return 0
  return String(w.names.get(key) ?? '').length
}

function simpleCollectionKey(w: Writer, key: RubyValue[] | RubyMap): string | undefined {
  if (w.names?.has(key) === true && w.written.has(key)) return `*${w.names.get(key)}${w.legacy ? '' : ' '}`
  const isMap = key instanceof RubyMap
  if ((isMap ? key.keys.length : key.length) > 0) return undefined
  const tag = isMap && key.className !== undefined ? `${objectTag(key.className)} ` : ''
  if (anchorLength(w, key) + tag.length - 1 > MAX_SIMPLE_KEY_BYTES) return undefined
  return propertiesOf(w, key) + tag + (isMap ? '{}' : '[]')
}
