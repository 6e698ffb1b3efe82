const LEVELS: Readonly<Record<number, string>> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }

/** What moves the cursor, colours, hides or turns text around on a terminal, or ends a line for some readers. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** A line in which every character can be seen: others stand as escapes of JSON. So no value begins a line of its own. */
export function visible(line: string): string {
  return line.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Turns a JSON log line into one that people read: `21:35:28.123 INFO  message link=bus code=link.lost`. */
export function asText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown> // our own logger's line
  const clock = typeof time === 'string' ? time.slice(11, 23) : ''
  const name = (LEVELS[Number(level)] ?? String(level)).padEnd(5)
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`)
  return `${clock} ${name} ${String(msg ?? '')}${rest.join('')}`
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(errorText(value))
  return JSON.stringify(value)
}

function errorText(error: { readonly message?: unknown; readonly code?: unknown; readonly cause?: unknown }): string {
  const own = [error.code, error.message].filter((part) => part !== undefined).join(': ')
  const { cause } = error
  const because = typeof cause === 'object' && cause !== null ? ` (${errorText(cause)})` : ''
  return own + because
}
