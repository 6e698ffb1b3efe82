import type { Letter } from './letter.js'

/** Signs that would move a terminal's cursor, hide or turn text around; what a stranger sent is shown, never obeyed. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu
/** The same without the ends of lines and tabs that texts have. */
const UNPRINTABLE_TEXT = /[^\P{Cc}\t\n\r]|[\p{Cf}\p{Co}\p{Cs}]/u
const HEX_ROW = 16

function escaped(sign: string): string {
  return `\\u{${sign.codePointAt(0)?.toString(16)}}`
}

/** A text of a stranger as one line that is safe on a terminal. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, escaped)
}

function shown(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : oneLine(text)
}

function addressText({ address }: Letter): string {
  return Object.entries(address)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}

/** Columns that line up where what stands in them is as long as usual. */
const WIDTHS = { id: 40, at: 24, link: 12, code: 18, address: 48, bytes: 8 }

/** A letter in one line: id, time, link, code, address, bytes, reason. */
export function letterLine(letter: Letter): string {
  const { id, at, link, code, bytes, reason } = letter
  const columns = [
    shown(id).padEnd(WIDTHS.id),
    shown(at).padEnd(WIDTHS.at),
    shown(link).padEnd(WIDTHS.link),
    shown(code).padEnd(WIDTHS.code),
    shown(addressText(letter)).padEnd(WIDTHS.address),
    String(bytes).padStart(WIDTHS.bytes),
    shown(reason),
  ]
  return `${columns.join('  ')}\n`
}

/** A letter as a line of JSON, without its body. */
export function letterJson({ id, at, link, code, rule, address, bytes, reason }: Letter): string {
  return `${JSON.stringify({ id, at, link, code, rule, address, bytes, reason })}\n`
}

/** Everything of a letter, over several lines. */
export function letterPage(letter: Letter, where: string): string {
  const { id, at, link, code, rule, reason, headers, body } = letter
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['id', id],
    ['reason', reason],
    ['code', code],
    ['rule', rule],
    ['time', at],
    ['link', link],
    ['address', addressText(letter)],
    ['kept', where],
  ]
  const known = facts.filter(([name, value]) => value !== undefined || name !== 'rule')
  const lines = known.map(([name, value]) => `${name.padEnd(9)}${shown(value)}`)
  const named = Object.entries(headers).map(([name, value]) => `  ${oneLine(name)}: ${oneLine(value)}`)
  const text = readable(body)
  const head = `body     ${body.length} bytes${text === undefined ? ', not text' : ''}`
  return [...lines, 'headers', ...named, head, '', text ?? hexRows(body), ''].join('\n')
}

/** The bytes as text; undefined where they are none, or would not be safe on a terminal. */
function readable(body: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    return UNPRINTABLE_TEXT.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** Rows of sixteen bytes: place, hexadecimal, what of it is ASCII. */
function hexRows(body: Uint8Array): string {
  const rows: string[] = []
  for (let at = 0; at < body.length; at += HEX_ROW) {
    const row = body.subarray(at, at + HEX_ROW)
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const ascii = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    rows.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_ROW * 3)} ${ascii}`)
  }
  return rows.join('\n')
}
