/** A moment, and the offset it was told with. */
export interface IsoTime {
  /** UTC milliseconds. */
  readonly ms: number
  /** Such as `+0200`. */
  readonly offset: string
}

export const UTC = '+0000'
const LENGTH = 28
const DATE_LENGTH = 10
const CLOCK_LENGTH = 23
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** First moments of the years 0 and 10000, which have four digits. */
const FIRST = -62_167_219_200_000
const END = 253_402_300_800_000
const OFFSET = /^[+-]\d{4}$/

/** Events of a day follow each other: its beginning is looked for once. */
let date = ''
let dateMs = Number.NaN

/** Reads a time such as `2026-11-20T15:45:07.110+0000`; undefined for a text that {@link writeIso} never writes. */
export function readIso(text: unknown): IsoTime | undefined {
  if (typeof text !== 'string' || text.length !== LENGTH) return undefined
  const clock = clockMs(text)
  if (clock < 0) return undefined
  if (date === '' || !text.startsWith(date)) {
    date = text.slice(0, DATE_LENGTH)
    dateMs = beginningOf(date)
  }
  if (Number.isNaN(dateMs)) return undefined
  const offset = text.endsWith(UTC) ? UTC : text.slice(CLOCK_LENGTH)
  if (offset === UTC) return { ms: dateMs + clock, offset }
  return OFFSET.test(offset) ? { ms: dateMs + clock - offsetMs(offset), offset } : undefined
}

/** Writes a moment; undefined for one beyond the years of four digits. */
export function writeIso(ms: number, offset = UTC): string | undefined {
  const local = offset === UTC ? ms : ms + offsetMs(offset)
  return local >= FIRST && local < END ? new Date(local).toISOString().slice(0, CLOCK_LENGTH) + offset : undefined
}

/** Milliseconds since midnight of the part `T15:45:07.110`; negative where it is none. */
function clockMs(text: string): number {
  if (text[10] !== 'T' || text[13] !== ':' || text[16] !== ':' || text[19] !== '.') return -1
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  const ms = digits(text, 20, 23)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || ms < 0) return -1
  return hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + ms
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** NaN for what is no day, also for one that its month does not have. */
function beginningOf(day: string): number {
  const ms = Date.parse(`${day}T00:00:00.000Z`)
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, DATE_LENGTH) !== day ? Number.NaN : ms
}

function offsetMs(offset: string): number {
  const minutes = +offset.slice(1, 3) * 60 + +offset.slice(3, 5)
  return (offset.startsWith('-') ? -minutes : minutes) * MINUTE_MS
}
