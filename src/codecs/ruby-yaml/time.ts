import { isDigit } from './chars.js'
import { RubyDate, RubyTime } from './values.js'

/** Stands for a text on which Psych's resolver raises, so that it can be neither read plain nor written. */
export const RAISES = Symbol('raises')

const NS = 1_000_000_000n
const JULIAN_DAY_OF_EPOCH = 2_440_588
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const REFORM_FIRST_GREGORIAN = 15821015
const REFORM_LAST_JULIAN = 15821004

/** Days since 1970-01-01 in the proleptic Gregorian calendar; a day past the end of its month rolls over. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const doe = z - era * 146097
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365)
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100))
  const mp = Math.floor((5 * doy + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1 }
}

function julianDayInJulianCalendar(year: number, month: number, day: number): number {
  const shift = month <= 2 ? 1 : 0
  const y = year + 4800 - shift
  const m = month + 12 * shift - 3
  return day + Math.floor((153 * m + 2) / 5) + 365 * y + Math.floor(y / 4) - 32083
}

function daysInMonth(year: number, month: number, gregorian: boolean): number {
  if (month !== 2) return DAYS_IN_MONTH[month - 1]!
  const leap = gregorian ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) : year % 4 === 0
  return leap ? 29 : 28
}

const DATE = /^(\d{4})-(1[012]|0\d|\d)-([12]\d|3[01]|0\d|\d)$/

/** A Date as Ruby reads it, Julian before the reform of 1582-10-15; undefined when it is none. */
export function parseDate(text: string): RubyDate | undefined {
  const match = text.length <= 10 ? DATE.exec(text) : null
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (month === 0 || day === 0) return undefined
  const ordinal = year * 10000 + month * 100 + day
  if (ordinal > REFORM_LAST_JULIAN && ordinal < REFORM_FIRST_GREGORIAN) return undefined
  const gregorian = ordinal >= REFORM_FIRST_GREGORIAN
  if (day > daysInMonth(year, month, gregorian)) return undefined
  const jd = gregorian
    ? daysFromCivil(year, month, day) + JULIAN_DAY_OF_EPOCH
    : julianDayInJulianCalendar(year, month, day)
  return new RubyDate(`${match[1]}-${pad(month, 2)}-${pad(day, 2)}`, jd)
}

export function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** The numbers of a time as written, before Ruby has looked whether they make one. */
export interface ClockReading {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly nanosecond: number
  /** `Z`, a signed offset, or undefined without a zone. */
  readonly zone: string | undefined
}

const DATE_PART = /^(-?\d{4})-(\d{1,2})-(\d{1,2})/
const CLOCK_PART = /(\d+):(\d+):(\d+)(?:\.(\d*))?[ \t\r\n\f\v]*(Z|[-+]\d+(?::\d\d)?)?/

/** Takes a time apart the way Psych does; undefined where its code trips over the text and raises. */
export function readClock(text: string): ClockReading | undefined {
  const split = text.search(/[ tT]/)
  const date = DATE_PART.exec(text)
  const clock = split < 0 ? null : CLOCK_PART.exec(text.slice(split + 1))
  if (date === null || clock === null) return undefined
  return {
    year: Number(date[1]),
    month: Number(date[2]),
    day: Number(date[3]),
    hour: Number(clock[1]),
    minute: Number(clock[2]),
    second: Number(clock[3]),
    nanosecond: Number((clock[4] ?? '').slice(0, 9).padEnd(9, '0')),
    zone: clock[5],
  }
}

export function isPossibleClock(at: ClockReading): boolean {
  if (at.month < 1 || at.month > 12 || at.day < 1 || at.day > 31) return false
  if (at.minute > 59 || at.second > 60) return false
  return at.hour < 24 || (at.hour === 24 && at.minute === 0 && at.second === 0)
}

const TIME =
  /^-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|[ \t\r\n\f\v]+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:[ \t\r\n\f\v]*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?$/

/** A Time as Psych 4 reads it; undefined when it is none, {@link RAISES} where Psych raises. */
export function parseTime(text: string): RubyTime | typeof RAISES | undefined {
  if (!TIME.test(text)) return undefined
  const at = readClock(text)
  if (at === undefined) return RAISES
  if (!isPossibleClock(at)) return undefined
  if (at.zone === 'Z') return new RubyTime(epochNs(at, 0, at.day), undefined)
  if (at.zone === undefined) return new RubyTime(epochNs(at, 0, at.day), 0)
  const offset = offsetSeconds(at.zone)
  if (offset === undefined || Math.abs(offset) >= 86400) return undefined
  return new RubyTime(epochNs(at, offset, dayAsRubyShiftsIt(at, offset)), offset)
}

/** Hours carry the sign; minutes follow it only when the hours are not zero. */
function offsetSeconds(zone: string): number | undefined {
  const match = /^([+-]?\d{1,2}):?(\d{1,2})?$/.exec(zone)
  if (match === null) return undefined
  const hours = Number(match[1])
  const minutes = Number(match[2] ?? 0)
  return hours * 3600 + (hours < 0 ? -minutes : minutes) * 60
}

function epochNs(at: ClockReading, offset: number, day: number): bigint {
  const days = daysFromCivil(at.year, at.month, day)
  const seconds = days * 86400 + at.hour * 3600 + at.minute * 60 + at.second - offset
  return BigInt(seconds) * NS + BigInt(at.nanosecond)
}

/**
 * Ruby keeps the day in five bits while it moves a time to UTC: the 31st of a shorter month,
 * carried one day on, becomes day 0.
 */
function dayAsRubyShiftsIt(at: ClockReading, offset: number): number {
  const clock = at.hour * 3600 + at.minute * 60 - offset
  const overflows = at.day === 31 && clock >= 86400 && DAYS_IN_MONTH[at.month - 1] !== 31
  return overflows ? -1 : at.day
}

/** A Time's clock in its own zone: `2011-07-11`, `08:30:00.000000000` and `Z` or `+08:00`. */
export function clockOf(time: RubyTime): { date: string; clock: string; zone: string } {
  const offset = time.offsetSeconds ?? 0
  const shifted = time.epochNs + BigInt(offset) * NS
  let seconds = shifted / NS
  let ns = shifted % NS
  if (ns < 0n) {
    ns += NS
    seconds -= 1n
  }
  const days = Math.floor(Number(seconds) / 86400)
  const rest = Number(seconds) - days * 86400
  const { year, month, day } = civilFromDays(days)
  const shownYear = year < 0 ? `-${pad(-year, 4)}` : pad(year, 4)
  return {
    date: `${shownYear}-${pad(month, 2)}-${pad(day, 2)}`,
    clock: `${pad(Math.floor(rest / 3600), 2)}:${pad(Math.floor(rest / 60) % 60, 2)}:${pad(rest % 60, 2)}.${String(ns).padStart(9, '0')}`,
    zone: zoneOf(time.offsetSeconds),
  }
}

function zoneOf(offset: number | undefined): string {
  if (offset === undefined) return 'Z'
  const minutes = Math.floor(Math.abs(offset) / 60)
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}`
}

/** Whether a text begins like a year and a month, so that it is worth asking for dates and times. */
export function looksLikeDate(text: string, from: number): boolean {
  return text.charCodeAt(from + 4) === 45 && isDigit(text.charCodeAt(from + 5))
}
