/** Times as Asterisk writes them: `2026-11-20T15:45:07.110+0000`, no colon in the offset. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)([+-]\d\d):?(\d\d)$/

/** UTC milliseconds; undefined for what is no time of this form. */
export function readTimestamp(text: string): number | undefined {
  const found = TIMESTAMP.exec(text)
  if (found === null) return undefined
  const time = Date.parse(`${found[1]}${found[2]}:${found[3]}`)
  return Number.isNaN(time) ? undefined : time
}

/** Writes UTC milliseconds as Asterisk would. */
export function writeTimestamp(time: number): string {
  return new Date(time).toISOString().replace('Z', '+0000')
}
