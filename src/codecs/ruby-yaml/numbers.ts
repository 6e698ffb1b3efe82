import { isDigit } from './chars.js'

/** Decimal digits, perhaps after a sign, as a number while it is safe and a bigint beyond. */
export function integerOf(digits: string): number | bigint {
  if (digits.length < 16) return Number(digits) + 0
  const negative = digits.charCodeAt(0) === 45
  const magnitude = BigInt(negative || digits.charCodeAt(0) === 43 ? digits.slice(1) : digits)
  return narrow(negative ? -magnitude : magnitude)
}

/** A bigint as the contract of values wants it: a number while it is safe. */
export function narrow(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/** Position behind the digits that start at `from`, in which single underscores may stand. */
function endOfDigits(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) at++
    else if (code === 95 && at > from && isDigit(text.charCodeAt(at + 1))) at++
    else break
  }
  return at
}

function afterSign(text: string): number {
  const code = text.charCodeAt(0)
  return code === 43 || code === 45 ? 1 : 0
}

/** The leading decimal digits of a text the way `String#to_i` takes them: up to the first odd underscore. */
export function leadingDigits(text: string): string {
  const end = endOfDigits(text, afterSign(text))
  const digits = text.slice(0, end).replaceAll('_', '')
  return digits === '' || digits === '-' || digits === '+' ? '0' : digits
}

/** A text the way `String#to_f` takes it: as much of it as is a number. Exponents do not occur here. */
export function leadingFloat(text: string): number {
  let end = endOfDigits(text, afterSign(text))
  if (text.charCodeAt(end) === 46 && isDigit(text.charCodeAt(end + 1))) end = endOfDigits(text, end + 1)
  return Number(text.slice(0, end).replaceAll('_', ''))
}

const DECIMAL =
  /^[ \t\r\n\f\v]*[-+]?(?:\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][-+]?\d+(?:_\d+)*)?[ \t\r\n\f\v]*$/
const HEXADECIMAL = /^[ \t\r\n\f\v]*([-+]?)0x([0-9a-f]+)(?:\.([0-9a-f]+))?(?:p([-+]?\d+))?[ \t\r\n\f\v]*$/i

/** A text as Ruby's `Float()` reads it; undefined where Ruby raises. */
export function strictFloat(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text.replaceAll('_', ''))
  const hex = HEXADECIMAL.exec(text)
  if (hex === null) return undefined
  const [, sign = '', whole = '', fraction = '', power = '0'] = hex
  const digits = Number(`0x${whole}${fraction}`) * 2 ** (Number(power) - 4 * fraction.length)
  return sign === '-' ? -digits : digits
}

/** A Float as Ruby's `to_s` writes it. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [mantissa = '', power = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  return (value < 0 ? '-' : '') + positionDigits(digits, Number(power) + 1)
}

/** Writes `0.digits × 10^exponent`: fixed for middling exponents, else with an exponent of two digits at least. */
function positionDigits(digits: string, exponent: number): string {
  if (exponent > 0 && (exponent < digits.length || exponent <= 15)) {
    const whole = digits.slice(0, exponent).padEnd(exponent, '0')
    return `${whole}.${digits.slice(exponent) || '0'}`
  }
  if (exponent > -4 && exponent <= 0) return `0.${'0'.repeat(-exponent)}${digits}`
  const power = exponent - 1
  const shown = Math.abs(power).toString().padStart(2, '0')
  return `${digits[0]}.${digits.slice(1) || '0'}e${power < 0 ? '-' : '+'}${shown}`
}
