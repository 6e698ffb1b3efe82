/** What a JSON string cannot hold as it is, and surrogates, which only come in pairs. */
const SPECIAL = /[\u0000-\u001f"\\\ud800-\udfff]/

/** The JSON of a text. */
export function quote(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`
}
