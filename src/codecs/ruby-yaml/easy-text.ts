/** A letter with which no word for true, false or nil begins; one with which such a word may begin; a digit but 0. */
export const OTHER_LETTER = 1
const WORD_LETTER = 2
const DIGIT = 3

/** What a first character of ASCII tells; 0 for nothing. */
export const FIRST_LETTERS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (/[ytonf]/i.test(character)) return WORD_LETTER
  if (/[a-z]/i.test(character)) return OTHER_LETTER
  return /[1-9]/.test(character) ? DIGIT : 0
})

/** Characters that may stand anywhere in plain text but at its beginning: printable ASCII without space, `:` and `#`. */
const INNER = Uint8Array.from({ length: 128 }, (_, code) =>
  code > 32 && code < 127 && code !== 58 && code !== 35 ? 1 : 0,
)

/** Behind digits, what makes sure that no resolver takes the text for a number or a time. */
const AFTER_DIGITS = Uint8Array.from({ length: 128 }, (_, code) =>
  /[a-zA-Z]/.test(String.fromCharCode(code)) && code !== 98 && code !== 120 ? 1 : 0,
)

/**
 * Whether a string is written plain under every profile, wherever it stands: it has no space, so
 * lines are not broken in it, and begins in a way that every resolver takes for a String.
 */
export function isEasy(text: string): boolean {
  const { length } = text
  const first = FIRST_LETTERS[text.charCodeAt(0)]
  let at = 1
  if (first === WORD_LETTER) {
    if (length < 6) return false
  } else if (first === DIGIT) {
    let code = text.charCodeAt(1)
    while (code > 47 && code < 58) code = text.charCodeAt(++at)
    if (AFTER_DIGITS[code] !== 1 && (code !== 45 || at === 4)) return false
  } else if (first !== OTHER_LETTER) return false
  for (; at < length; at++) if (INNER[text.charCodeAt(at)] !== 1) return false
  return true
}

/** Printable characters of ASCII that double quotes hold as they are. */
const UNESCAPED = Uint8Array.from({ length: 128 }, (_, code) =>
  code > 31 && code < 127 && code !== 34 && code !== 92 ? 1 : 0,
)

/** Characters of ASCII that are no word characters, so that Psych 4 puts a text that begins with one in double quotes. */
const ODD_FIRST = Uint8Array.from(
  { length: 128 },
  (_, code) => UNESCAPED[code]! & (/\w/.test(String.fromCharCode(code)) ? 0 : 1),
)

/** Whether Psych 4 writes a string in double quotes without an escape in them, because of its first character. */
export function isOdd(text: string): boolean {
  if (ODD_FIRST[text.charCodeAt(0)] !== 1 || text === '<<') return false
  for (let i = 1; i < text.length; i++) if (UNESCAPED[text.charCodeAt(i)] !== 1) return false
  return true
}
