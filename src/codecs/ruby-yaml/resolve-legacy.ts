import { isDigit, opensWordInAscii } from './chars.js'
import { resolveWord } from './resolve.js'
import { isPossibleClock, parseDate, readClock } from './time.js'

/**
 * What the resolver of Psych 2.0.0 (Ruby 2.0) makes of a plain scalar on one line: the same
 * String, some other value, or an exception.
 */
export type LegacyReading = 'string' | 'other' | 'raises'

const TIME_PREFIX = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|[ \t\r\n\f\v]+)\d{1,2}:\d\d:\d\d/
const CONSTANT = /^(?:-?\.inf|\.nan)$/i
const SIGNED_CONSTANT = /^\+\.(?:inf|Inf|INF)$/
const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const BASE60_WITH_COMMA = /^[-+]?[0-9][0-9_,]*(?::[0-5]?[0-9])+\.[0-9_]*$/
const FLOAT = /^[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][-+][0-9]+)?$/
const SIGN_AND_DOT = /^[-+]\.$/
const DOT_BEFORE_EXPONENT = /\.[eE]/
const INTEGER = /^[-+]?(?:0b[01]+|0[0-7]+|0|[1-9][0-9]*|0x[0-9a-fA-F]+)$/

export function readByPsych20(text: string): LegacyReading {
  if (text === '') return 'other'
  if (readsAsWord(text)) return resolveWord(text) === text ? 'string' : 'other'
  if (TIME_PREFIX.test(text)) return readTime(text)
  if (parseDate(text) !== undefined || CONSTANT.test(text)) return 'other'
  if (text.charCodeAt(0) === 58) return text.length > 1 ? 'other' : 'string'
  if (BASE60.test(text)) return 'other'
  if (BASE60_WITH_COMMA.test(text) || SIGNED_CONSTANT.test(text)) return 'raises'
  if (FLOAT.test(text)) return readFloat(text)
  return INTEGER.test(text.replace(/[_,]+/g, '')) ? 'other' : 'string'
}

function readsAsWord(text: string): boolean {
  const first = text.codePointAt(0)!
  if (opensWordInAscii(first)) return true
  if (isDigit(first) || first === 46 || first === 58 || first === 45) return false
  const second = text.codePointAt(first > 0xffff ? 2 : 1)
  return second !== undefined && opensWordInAscii(second)
}

function readTime(text: string): LegacyReading {
  const clock = readClock(text)
  if (clock === undefined) return 'raises'
  if (!isPossibleClock(clock)) return 'string'
  const odd = clock.zone !== undefined && clock.zone !== 'Z' && !/^[-+]?\d{1,2}:?(?:\d{1,2})?$/.test(clock.zone)
  return odd ? 'raises' : 'other'
}

function readFloat(text: string): LegacyReading {
  if (text === '.') return 'string'
  return SIGN_AND_DOT.test(text) || DOT_BEFORE_EXPONENT.test(text) ? 'raises' : 'other'
}
