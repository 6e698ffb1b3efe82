import { Buffer } from 'node:buffer'
import type { GatewayError } from '../../errors.js'
import { fault } from './fault.js'
import { LONG_INTEGER_DIGITS, MAX_INTEGER_DIGITS, MAX_LONG_DIGITS } from './limits.js'
import { strictFloat } from './numbers.js'
import { type Resolved, resolvePlain, TOO_MANY_DIGITS } from './resolve.js'
import { RAISES } from './time.js'
import { RubyFloat, RubySymbol, RubyTime, type RubyValue } from './values.js'

/** Which classes may be named by `!ruby/object:`, and the text for telling where one was named. */
export interface TagRules {
  readonly text: string
  readonly classes: 'any' | ReadonlySet<string>
  /** Digits of long integers so far. */
  longDigits: number
}

const STRING_TAG = /^!(?:str|ruby\/string)(?::(.*))?$/
const CORE_STRING = 'tag:yaml.org,2002:str'
const CORE_FLOAT = 'tag:yaml.org,2002:float'

/** Tags for which Psych builds objects of its own, by the kind of node they stand on. */
const FOREIGN_SCALAR = /^!ruby\/(?:object:(?:BigDecimal|DateTime|Complex|Rational)|encoding|class|module|regexp|range)$/
const FOREIGN_SEQUENCE = /^(?:!|tag:yaml\.org,2002:)omap$|^!(?:seq|ruby\/array):(?!Array$)/
const FOREIGN_MAPPING = new RegExp(
  [
    '^!ruby/(?:struct|exception|hash-with-ivars|marshalable:|array:|range$|object:(?:Complex|Rational)$)',
    '^!(?:map|ruby/hash):(?!Hash$)',
    '^(?:!|tag:yaml\\.org,2002:)(?:omap|set)$',
  ].join('|'),
)

/** Whether a tag makes a String of the node it stands on. */
export function makesString(tag: string): boolean {
  return tag === CORE_STRING || STRING_TAG.test(tag)
}

export function refuseTag(rules: TagRules, at: number, tag: string): GatewayError {
  return fault('codec.tag', rules.text, at, `the tag ${tag} is not data of a message; send it as text or as a mapping`)
}

/** The value of a plain scalar at an offset, or the error of one that has none. */
export function resolvedAt(rules: TagRules, at: number, text: string): RubyValue {
  return settle(rules, at, text, resolvePlain(text))
}

function settle(rules: TagRules, at: number, text: string, found: Resolved): RubyValue {
  if (found === RAISES) {
    throw fault(
      'codec.value',
      rules.text,
      at,
      `Ruby cannot read ${JSON.stringify(text.slice(0, 60))}; put it in quotes`,
    )
  }
  if (found === TOO_MANY_DIGITS) {
    throw fault('codec.limit', rules.text, at, `an integer has more than ${MAX_INTEGER_DIGITS} digits; send it as text`)
  }
  if (typeof found === 'bigint' && text.length > LONG_INTEGER_DIGITS) chargeDigits(rules, at, text.length)
  return found
}

function chargeDigits(rules: TagRules, at: number, digits: number): void {
  rules.longDigits += digits
  if (rules.longDigits <= MAX_LONG_DIGITS) return
  throw fault(
    'codec.limit',
    rules.text,
    at,
    `long integers have more than ${MAX_LONG_DIGITS} digits together; send text`,
  )
}

/** The value of a scalar under a tag; without a meaning of its own the tag is ignored, and quotes with it. */
export function taggedScalar(rules: TagRules, at: number, tag: string, text: string): RubyValue {
  if (tag === '!binary' || tag === 'tag:yaml.org,2002:binary') return decodeBase64(text)
  if (tag === CORE_STRING) return text
  const asString = STRING_TAG.exec(tag)
  if (asString !== null) {
    if (asString[1] === undefined || asString[1] === '' || asString[1] === 'String') return text
    throw refuseTag(rules, at, tag)
  }
  if (tag === CORE_FLOAT || tag === '!float') return floatUnderTag(rules, at, text)
  if (text === '' && (tag === '!ruby/class' || tag === '!ruby/module')) return null
  if (FOREIGN_SCALAR.test(tag)) throw refuseTag(rules, at, tag)
  if (tag.startsWith('!ruby/sym')) return new RubySymbol(text)
  return resolvedAt(rules, at, text)
}

function floatUnderTag(rules: TagRules, at: number, text: string): RubyFloat {
  const value = resolvedAt(rules, at, text)
  if (value instanceof RubyFloat) return value
  if (typeof value === 'number' || typeof value === 'bigint') return new RubyFloat(Number(value))
  if (value instanceof RubyTime) return new RubyFloat(Number(value.epochNs) / 1e9)
  const number = typeof value === 'string' ? strictFloat(value) : undefined
  if (number === undefined) {
    throw fault('codec.value', rules.text, at, `${JSON.stringify(text.slice(0, 60))} is no number, which !float wants`)
  }
  return new RubyFloat(number)
}

export function checkSequenceTag(rules: TagRules, at: number, tag: string): void {
  if (FOREIGN_SEQUENCE.test(tag)) throw refuseTag(rules, at, tag)
}

const OBJECT = '!ruby/object'

/** The class a mapping is an object of, or undefined for a Hash. */
export function classOfMapping(rules: TagRules, at: number, tag: string): string | undefined {
  if (FOREIGN_MAPPING.test(tag)) throw refuseTag(rules, at, tag)
  if (!tag.startsWith(OBJECT)) return undefined
  const rest = tag.slice(OBJECT.length)
  const name = (rest.startsWith(':') ? rest.slice(1) : rest) || 'Object'
  if (name === 'Hash') return undefined
  if (rules.classes === 'any' || rules.classes.has(name)) return name
  const known = [...rules.classes].slice(0, 8).join(', ')
  const hint = known === '' ? 'no class is let in' : `let in are ${known}`
  throw fault(
    'codec.tag',
    rules.text,
    at,
    `the class ${name} is not let in (${hint}); name it among the classes to read, or send a plain mapping`,
  )
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const SEXTETS: Int8Array = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) SEXTETS[BASE64.charCodeAt(i)] = i

/** Base64 as Ruby's `unpack('m')` reads it: other characters are skipped, `=` after two sextets ends it. */
function decodeBase64(text: string): string | Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length / 4) * 3 + 3)
  let length = 0
  let bits = 0
  let sextets = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 61 && sextets >= 2) break
    const sextet = code < 128 ? SEXTETS[code]! : -1
    if (sextet < 0) continue
    bits = ((bits << 6) | sextet) & 0xffffff
    if (++sextets < 4) continue
    bytes[length++] = bits >> 16
    bytes[length++] = bits >> 8
    bytes[length++] = bits
    sextets = 0
  }
  if (sextets >= 2) bytes[length++] = sextets === 2 ? bits >> 4 : bits >> 10
  if (sextets === 3) bytes[length++] = bits >> 2
  const found = bytes.slice(0, length)
  return found.some((byte) => byte > 127) ? found : Buffer.from(found).toString('latin1')
}

/** A name an instance variable can have, or undefined. */
export function variableName(key: RubyValue): string | undefined {
  const name = keyAsText(key)
  return name !== undefined && isVariableName(name) ? name : undefined
}

const VARIABLE = /^[A-Za-z_\u0080-\uffff][0-9A-Za-z_\u0080-\uffff]*$/

export function isVariableName(name: string): boolean {
  return VARIABLE.test(name)
}

function keyAsText(key: RubyValue): string | undefined {
  if (typeof key === 'string') return key
  if (typeof key === 'boolean') return String(key)
  if (key instanceof RubySymbol) return key.name
  if (key instanceof RubyFloat) return String(key.value)
  return undefined
}
