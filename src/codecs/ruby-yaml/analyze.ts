import { GatewayError } from '../../errors.js'
import { isBlankOrEnd, isBreak } from './chars.js'

/** What libyaml allows for a text, as bits. */
export const MAY_BE_PLAIN = 1
export const MAY_BE_SINGLE = 2
export const MAY_BE_LITERAL = 4
export const HAS_BREAKS = 8

const SPECIAL = 1
const BREAK = 2
const SPACE = 4

/** Kinds of characters below U+0100; what is above is decided by {@link kindOf}. */
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === 10) return BREAK
  if (code === 13 || code === 0x85) return SPECIAL | BREAK
  if (code === 32) return SPACE
  return code < 32 || (code > 126 && code < 160) ? SPECIAL : 0
})

function kindOf(code: number): number {
  if (code < 256) return KINDS[code]!
  if (code === 0x2028 || code === 0x2029) return BREAK
  return (code >= 0xd800 && code <= 0xdfff) || code === 0xfeff || code > 0xfffd ? SPECIAL : 0
}

/** Characters that no plain scalar begins with. */
const INDICATORS = new Set('#,[]{}&*!|>\'"%@`')

/** What libyaml allows for a text outside flow collections. Errors: codec.value for a lone surrogate. */
export function analyze(text: string): number {
  if (text === '') return MAY_BE_PLAIN | MAY_BE_SINGLE
  const last = text.length - 1
  let plain = !beginsLikeMarkup(text)
  let single = true
  let special = false
  let spaceBeforeBreak = false
  let breaks = 0
  let previous = -1
  for (let i = 0; i <= last; i++) {
    const code = text.charCodeAt(i)
    const kind = kindOf(code)
    if (kind !== 0) {
      if ((kind & SPECIAL) !== 0) {
        special = true
        if (code >= 0xd800 && code <= 0xdfff) i += checkPair(text, i)
      }
      if ((kind & BREAK) !== 0) {
        breaks = HAS_BREAKS
        spaceBeforeBreak ||= previous === SPACE
      }
      if (kind === SPACE && (previous & BREAK) !== 0 && previous >= 0) single = false
    } else if (plain && endsPlain(text, i, code)) plain = false
    previous = kind
  }
  if (special || spaceBeforeBreak) return breaks
  const first = kindOf(text.charCodeAt(0))
  if (breaks !== 0 || first === SPACE || previous === SPACE) plain = false
  const literal = previous !== SPACE
  return (plain ? MAY_BE_PLAIN : 0) | (single ? MAY_BE_SINGLE : 0) | (literal ? MAY_BE_LITERAL : 0) | breaks
}

function checkPair(text: string, at: number): number {
  const next = text.charCodeAt(at + 1)
  if (text.charCodeAt(at) <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) return 1
  throw new GatewayError('codec.value', 'a string holds a lone surrogate, which UTF-8 cannot say; send it as bytes')
}

function beginsLikeMarkup(text: string): boolean {
  if (INDICATORS.has(text.charAt(0)) || text.startsWith('---') || text.startsWith('...')) return true
  const code = text.charCodeAt(0)
  return (code === 45 || code === 63 || code === 58) && isBlankOrEnd(text.length > 1 ? text.charCodeAt(1) : 0)
}

/** A `:` before a blank or a `#` after one. */
function endsPlain(text: string, at: number, code: number): boolean {
  if (code === 58) return isBlankOrEnd(at + 1 < text.length ? text.charCodeAt(at + 1) : 0)
  return code === 35 && at > 0 && isBlankOrEnd(text.charCodeAt(at - 1))
}

/** Whether libyaml writes a character as itself in double quotes. */
export function isPrintable(code: number): boolean {
  return (kindOf(code) & SPECIAL) === 0 && !isBreak(code)
}
