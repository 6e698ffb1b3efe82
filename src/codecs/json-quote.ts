/** What a JSON string cannot hold as it is, and surrogates, which only come in pairs. */
const SPECIAL = /[\u0000-\u001f"\\\ud800-\udfff]/

/** Texts shorter than this are looked through faster by a loop than by an expression. */
const SHORT = 20

/** The JSON of a text. */
export function quote(text: string): string {
  return isSpecial(text) ? JSON.stringify(text) : `"${text}"`
}

/** The JSON of a text without its quotes; undefined where a surrogate stands alone. */
export function innerText(text: string): string | undefined {
  if (!isSpecial(text)) return text
  return text.isWellFormed() ? JSON.stringify(text).slice(1, -1) : undefined
}

function isSpecial(text: string): boolean {
  return text.length < SHORT ? hasSpecial(text) : SPECIAL.test(text)
}

function hasSpecial(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) return true
  }
  return false
}
