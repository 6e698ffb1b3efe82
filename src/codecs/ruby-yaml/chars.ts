import { ALPHA_RANGES, WORD_RANGES } from './unicode-tables.js'

/** A set of code points as ascending, alternating first and last members. */
function unpackRanges(packed: string): Uint32Array {
  const entries = packed.split(' ')
  const ranges = new Uint32Array(entries.length * 2)
  let at = 0
  for (let i = 0; i < entries.length; i++) {
    const [gap = '0', more = '0'] = entries[i]!.split('-')
    const first = at + Number.parseInt(gap, 36)
    at = first + Number.parseInt(more, 36)
    ranges[i * 2] = first
    ranges[i * 2 + 1] = at
  }
  return ranges
}

function contains(ranges: Uint32Array, codePoint: number): boolean {
  let low = 0
  let high = ranges.length / 2 - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    if (codePoint < ranges[middle * 2]!) high = middle - 1
    else if (codePoint > ranges[middle * 2 + 1]!) low = middle + 1
    else return true
  }
  return false
}

const WORD = unpackRanges(WORD_RANGES)
const ALPHA = unpackRanges(ALPHA_RANGES)

function asciiTable(belongs: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (belongs(code) ? 1 : 0))
}

const ASCII_WORD = asciiTable((code) => contains(WORD, code))
const WORD_GATE = ' \t\r\n\f\v_!@#$%^&*(){}<>|/\\~;='
const ASCII_GATE = asciiTable((code) => contains(ALPHA, code) || WORD_GATE.includes(String.fromCharCode(code)))

/** Ruby's `[[:word:]]`. */
export function isWordCharacter(codePoint: number): boolean {
  return codePoint < 128 ? ASCII_WORD[codePoint] === 1 : contains(WORD, codePoint)
}

/** The characters after which Psych's resolver takes a text for a word: letters, white space and some marks. */
export function opensWord(codePoint: number): boolean {
  return codePoint < 128 ? ASCII_GATE[codePoint] === 1 : contains(ALPHA, codePoint)
}

/** The same set without letters beyond ASCII, as Psych 2.0 has it. */
export function opensWordInAscii(codePoint: number): boolean {
  return codePoint < 128 && ASCII_GATE[codePoint] === 1
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Space or tab. */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** What libyaml takes for a line break: LF, CR, NEL, LS, PS. */
export function isBreak(code: number): boolean {
  return code === 10 || code === 13 || code === 0x85 || code === 0x2028 || code === 0x2029
}

/** Blank, line break or the end of the text, which scanners mark with a NUL. */
export function isBlankOrEnd(code: number): boolean {
  return code === 32 || code === 10 || code === 0 || code === 9 || (code > 12 && isBreak(code))
}

/** Characters of anchors, directive names and tag handles: `0-9A-Za-z_-`. */
export function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45
  )
}

/** Number of code points in a text, which is how Ruby counts length. */
export function codePointLength(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0xdc00 && code <= 0xdfff && isHighSurrogate(text.charCodeAt(i - 1))) count--
  }
  return count
}

export function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
