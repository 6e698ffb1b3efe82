import { Buffer } from 'node:buffer'
import { codePointLength, isWordCharacter } from './chars.js'
import { resolvePlain } from './resolve.js'
import { readByPsych20 } from './resolve-legacy.js'
import { RAISES } from './time.js'

/** Whose bytes to write. */
export type WriterProfile = 'psych-4' | 'psych-2.0' | 'compatible'

/** Styles a value asks for. libyaml may have to take a stronger one. */
export const PLAIN = 0
export const SINGLE = 1
export const DOUBLE = 2
export const LITERAL = 3
/** Not a style: the text cannot be dumped, because the resolver that decides raises on it. */
export const REFUSED = 4

export type Style = typeof PLAIN | typeof SINGLE | typeof DOUBLE | typeof LITERAL

/** The style Psych asks for when it writes a String. */
export function styleOfString(text: string, profile: WriterProfile): Style | typeof REFUSED {
  if (profile === 'psych-2.0') return styleOfLegacyString(text)
  if (hasInnerLineFeed(text)) return LITERAL
  if (text === '<<') return SINGLE
  if (text === 'y' || text === 'n' || opensWithoutWord(text)) return DOUBLE
  const found = resolvePlain(text)
  if (profile === 'compatible') {
    if (found !== text || OCTAL_LOOKALIKE.test(text)) return SINGLE
    return text.includes('\n') || readByPsych20(text) === 'string' ? PLAIN : SINGLE
  }
  if (found === RAISES) return REFUSED
  return found !== text || OCTAL_LOOKALIKE.test(text) ? SINGLE : PLAIN
}

const OCTAL_LOOKALIKE = /^0[0-7]*[89]/

function styleOfLegacyString(text: string): Style | typeof REFUSED {
  if (text.includes('\n')) return LITERAL
  const found = readByPsych20(text)
  if (found === 'raises') return REFUSED
  return found === 'string' ? PLAIN : SINGLE
}

/** A line feed before anything but the end of the text or one last line feed. */
function hasInnerLineFeed(text: string): boolean {
  const at = text.indexOf('\n')
  return at >= 0 && at < text.length - 1 && !(at === text.length - 2 && text.endsWith('\n'))
}

/**
 * A line begins with a character that is not a word character, and no `"` follows it on that
 * line. The text has line feeds at its end alone, so beyond the first line only an empty one counts.
 */
function opensWithoutWord(text: string): boolean {
  if (text.endsWith('\n\n')) return true
  if (text === '' || isWordCharacter(text.codePointAt(0)!)) return false
  const quote = text.indexOf('"', 1)
  return quote < 0 || (text.startsWith('\n') && quote > 0)
}

/** Whether Psych 2.0 takes a text for binary: a NUL, or more than 30 % control characters. */
export function isBinaryToPsych20(text: string): boolean {
  let controls = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0) return true
    if (code === 127 || (code < 32 && code !== 9 && code !== 10 && code !== 13)) controls++
  }
  return controls > 0 && controls / codePointLength(text) > 0.3
}

/** Base64 on one line, or as Psych 2.0 has it, broken after every 60 characters. */
export function base64Of(bytes: Uint8Array, profile: WriterProfile): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return profile === 'psych-2.0' ? (text.match(/.{1,60}/g) ?? []).join('\n') : text
}
