import { isDigit, isHighSurrogate, opensWord } from './chars.js'
import { MAX_INTEGER_DIGITS } from './limits.js'
import { integerOf, leadingDigits, leadingFloat, narrow } from './numbers.js'
import { looksLikeDate, parseDate, parseTime, RAISES } from './time.js'
import { RubyFloat, RubySymbol, type RubyValue } from './values.js'

/** Stands for an integer of more digits than {@link MAX_INTEGER_DIGITS}. */
export const TOO_MANY_DIGITS = Symbol('too many digits')

/** What a plain scalar came to: a value, or the reason why there is none. */
export type Resolved = RubyValue | typeof RAISES | typeof TOO_MANY_DIGITS

/** The value Psych 4 gives a plain scalar. Strings come back as they were given. */
export function resolvePlain(text: string): Resolved {
  if (text === '') return null
  if (readsAsWord(text)) return resolveWord(text)
  const first = text.charCodeAt(0)
  if (isDigit(first)) return resolveNumber(text, 0)
  if (first === 58) return text.length > 1 ? resolveSymbol(text) : text
  if (first === 46) return resolveConstant(text) ?? resolveFloat(text)
  if (first === 43 || first === 45) return resolveConstant(text) ?? resolveNumber(text, 1)
  return text
}

/** Psych's first question: a line feed, or a letter or mark as first or second character. */
function readsAsWord(text: string): boolean {
  const first = text.codePointAt(0)!
  if (opensWord(first) || text.includes('\n')) return true
  if (isDigit(first) || first === 46 || first === 58 || first === 45) return false
  const second = text.codePointAt(first > 0xffff ? 2 : 1)
  return second !== undefined && opensWord(second)
}

const OTHER_LINE = /(?:^|\n)[^ytonf~]/i
const NULL_LINE = /^null$/i
const TRUE_LINE = /^(?:ye[sſ]|true|on)$/i
const FALSE_LINE = /^(?:no|fal[sſ]e|o(?:ff|ﬀ))$/i

/** Words of up to five characters are looked at line by line, as Ruby's `^` and `$` do. */
export function resolveWord(text: string): RubyValue {
  if (text.length > 5 && (text.length > 10 || codePointsExceed(text, 5))) return text
  if (text === '~') return null
  if (OTHER_LINE.test(text)) return text
  const lines = text.split('\n')
  if (lines.some((line) => NULL_LINE.test(line))) return null
  if (lines.some((line) => TRUE_LINE.test(line))) return true
  if (lines.some((line) => FALSE_LINE.test(line))) return false
  return text
}

function codePointsExceed(text: string, limit: number): boolean {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    if (!isHighSurrogate(text.charCodeAt(i)) && ++count > limit) return true
  }
  return false
}

function resolveSymbol(text: string): RubySymbol {
  const quote = text.charAt(1)
  if (quote === '"' || quote === "'") {
    const last = text.lastIndexOf(quote)
    if (last > 1) {
      const quoted = text.slice(2, last)
      return new RubySymbol(quoted.startsWith(':') ? quoted.slice(1) : quoted)
    }
  }
  return new RubySymbol(text.slice(1))
}

function resolveConstant(text: string): RubyFloat | undefined {
  if (text.length > 5) return undefined
  switch (text.toLowerCase()) {
    case '.inf':
    case '+.inf':
      return new RubyFloat(Number.POSITIVE_INFINITY)
    case '-.inf':
      return new RubyFloat(Number.NEGATIVE_INFINITY)
    case '.nan':
      return new RubyFloat(Number.NaN)
    default:
      return undefined
  }
}

/** Texts that begin with a digit, or with a sign, and are no words. `from` is where the digits begin. */
function resolveNumber(text: string, from: number): Resolved {
  let at = from
  while (isDigit(text.charCodeAt(at))) at++
  const digits = at - from
  if (at === text.length && digits > 0) return resolveDigits(text, from)
  switch (text.charCodeAt(at)) {
    case 45: // -
      return digits === 4 && looksLikeDate(text, from) ? resolveDateOrTime(text) : text
    case 46: // .
      return resolveFloat(text)
    case 58: // :
      return digits > 0 ? (resolveBase60(text) ?? text) : text
    case 95: // _
    case 44: // ,
      if (digits === 0) return text
      return resolveBase60(text) ?? resolveSeparated(text, from)
    case 98: // b
    case 120: // x
      return digits === 1 && text.charCodeAt(from) === 48 ? resolveRadix(text, from) : text
    default:
      return text
  }
}

function resolveDateOrTime(text: string): Resolved {
  return parseTime(text) ?? parseDate(text) ?? text
}

/** Nothing but digits after the sign: a leading zero means octal, and with an 8 or 9 no number at all. */
function resolveDigits(text: string, from: number): Resolved {
  if (text.length - from > MAX_INTEGER_DIGITS) return TOO_MANY_DIGITS
  if (text.charCodeAt(from) !== 48 || text.length === from + 1) return integerOf(text)
  return isOctal(text, from) ? radixInteger(text, from, '0o', text.slice(from)) : text
}

function isOctal(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) if (text.charCodeAt(i) > 55) return false
  return true
}

function radixInteger(text: string, from: number, prefix: string, digits: string): Resolved {
  if (digits.length > MAX_INTEGER_DIGITS) return TOO_MANY_DIGITS
  const magnitude = BigInt(prefix + digits)
  return narrow(from === 1 && text.charCodeAt(0) === 45 ? -magnitude : magnitude)
}

function resolveRadix(text: string, from: number): Resolved {
  const binary = text.charCodeAt(from + 1) === 98
  const allowed = binary ? /^[01_,]+$/ : /^[0-9a-fA-F_,]+$/
  const body = text.slice(from + 2)
  if (!allowed.test(body)) return text
  const digits = body.replace(/[_,]+/g, '')
  return digits === '' ? RAISES : radixInteger(text, from, binary ? '0b' : '0x', digits)
}

/** Integers with `_` or `,` in them, and Floats of which the same is true before the dot. */
function resolveSeparated(text: string, from: number): Resolved {
  if (text.includes('.')) return resolveFloat(text)
  const octal = text.charCodeAt(from) === 48
  if (octal ? !/^[-+]?0[0-7_,]+$/.test(text) : !isGroupedDecimal(text, from)) return text
  const digits = text.slice(from).replace(/[_,]+/g, '')
  if (digits.length > MAX_INTEGER_DIGITS) return TOO_MANY_DIGITS
  if (octal) return digits === '0' ? 0 : radixInteger(text, from, '0o', digits)
  return integerOf(text.charCodeAt(0) === 45 ? `-${digits}` : digits)
}

/** In a decimal number every separator is followed by a digit. */
function isGroupedDecimal(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) continue
    if ((code !== 95 && code !== 44) || !isDigit(text.charCodeAt(i + 1))) return false
  }
  return true
}

const FLOAT = /^[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][-+][0-9]+)?$/
const ONLY_DOT = /^[-+]?\.$/
const NO_DIGITS = /^[-+]?\.[eE]/

function resolveFloat(text: string): Resolved {
  if (!FLOAT.test(text) || ONLY_DOT.test(text)) return text
  if (NO_DIGITS.test(text)) return RAISES
  return new RubyFloat(Number(text.replace(/[_,]+/g, '')))
}

const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}(\.[0-9_]*)?$/

/** `h:m` and `h:m:s`, weighed 3600, 60, 1 from the left whatever their number. */
function resolveBase60(text: string): Resolved | undefined {
  const match = BASE60.exec(text)
  if (match === null) return undefined
  const groups = text.split(':')
  if (match[1] !== undefined) {
    return new RubyFloat(groups.reduce((sum, group, i) => sum + leadingFloat(group) * 60 ** (2 - i), 0))
  }
  if (groups[0]!.length > MAX_INTEGER_DIGITS) return TOO_MANY_DIGITS
  return narrow(
    groups.reduce((sum, group, i) => sum + BigInt(integerOf(leadingDigits(group))) * 60n ** BigInt(2 - i), 0n),
  )
}
