/** What a JSON string cannot hold as it is, and surrogates, which only come in pairs. */
const SPECIAL = /[\u0000-\u001f"\\\ud800-\udfff]/

/** Texts shorter than this are looked through faster by a loop than by an expression. */
const SHORT = 20

/** The JSON of a text. */
export function quote(text: string): string {
  const isSpecial = text.length < SHORT ? hasSpecial(text) : SPECIAL.test(text)
  return isSpecial ? JSON.stringify(text) : `"${text}"`
}

function hasSpecial(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) return true
  }
  return false
}
