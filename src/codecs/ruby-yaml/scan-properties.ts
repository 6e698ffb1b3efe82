import type { GatewayError } from '../../errors.js'
import { isBlank, isBlankOrEnd, isBreak, isDigit, isNameCharacter } from './chars.js'
import { fault } from './fault.js'
import { malformed, type Scan, T, type Token, takeBreak, token } from './scan-state.js'

function takeName(s: Scan): string {
  const start = s.pos
  while (isNameCharacter(s.text.charCodeAt(s.pos))) s.pos++
  return s.text.slice(start, s.pos)
}

function skipBlanks(s: Scan): void {
  while (isBlank(s.text.charCodeAt(s.pos))) s.pos++
}

/** Moves to the end of the line, over blanks and a comment; false when something else stands there. */
export function skipToLineEnd(s: Scan): boolean {
  skipBlanks(s)
  if (s.text.charCodeAt(s.pos) === 35) skipComment(s)
  const code = s.text.charCodeAt(s.pos)
  return code === 0 || isBreak(code)
}

export function skipComment(s: Scan): void {
  let code = s.text.charCodeAt(s.pos)
  while (code !== 0 && !isBreak(code)) code = s.text.charCodeAt(++s.pos)
}

/** `*name` or `&name`; names are made of `0-9A-Za-z_-`. */
export function scanAnchor(s: Scan): Token {
  const start = s.pos
  const kind = s.text.charCodeAt(s.pos++) === 42 ? T.alias : T.anchor
  const name = takeName(s)
  const code = s.text.charCodeAt(s.pos)
  if (name === '' || !(isBlankOrEnd(code) || '?:,]}%@`'.includes(s.text.charAt(s.pos)))) {
    throw malformed(s, s.pos, 'an anchor or alias is named by letters, digits, "_" and "-" of ASCII alone')
  }
  return token(kind, start, name)
}

/** `%YAML 1.1` or `%TAG !handle! prefix`; nothing else is a directive. */
export function scanDirective(s: Scan): Token {
  const start = s.pos++
  const name = takeName(s)
  if (!isBlankOrEnd(s.text.charCodeAt(s.pos))) throw malformed(s, s.pos, 'a directive is %YAML or %TAG')
  let found: Token
  if (name === 'YAML') found = scanVersion(s, start)
  else if (name === 'TAG') found = scanTagDirective(s, start)
  else throw malformed(s, start, `%${name} is no directive; %YAML and %TAG are`)
  if (!skipToLineEnd(s)) throw malformed(s, s.pos, 'a directive ends with its line')
  if (s.text.charCodeAt(s.pos) !== 0) takeBreak(s)
  return found
}

function scanVersion(s: Scan, start: number): Token {
  skipBlanks(s)
  const major = takeVersionNumber(s)
  if (s.text.charCodeAt(s.pos++) !== 46) throw malformed(s, start, 'the version is written as 1.1 or 1.2')
  return token(T.versionDirective, start, `${major}.${takeVersionNumber(s)}`)
}

function takeVersionNumber(s: Scan): number {
  const start = s.pos
  while (isDigit(s.text.charCodeAt(s.pos))) s.pos++
  const digits = s.pos - start
  if (digits === 0 || digits > 9) throw malformed(s, start, 'the version is written as 1.1 or 1.2')
  return Number(s.text.slice(start, s.pos))
}

function scanTagDirective(s: Scan, start: number): Token {
  skipBlanks(s)
  const handle = takeHandle(s)
  const closed = handle.length > 1 && handle.endsWith('!')
  if (handle !== '!' && !closed) throw malformed(s, s.pos, 'a tag handle is !, !! or !name!')
  if (!isBlank(s.text.charCodeAt(s.pos))) throw malformed(s, s.pos, 'a space belongs between tag handle and prefix')
  skipBlanks(s)
  const prefix = takeUri(s, true, false)
  if (!isBlankOrEnd(s.text.charCodeAt(s.pos))) throw malformed(s, s.pos, 'a tag prefix ends before white space')
  return token(T.tagDirective, start, prefix, handle)
}

function takeHandle(s: Scan): string {
  const start = s.pos
  if (s.text.charCodeAt(s.pos) !== 33) throw malformed(s, s.pos, 'a tag handle begins with "!"')
  s.pos++
  takeName(s)
  if (s.text.charCodeAt(s.pos) === 33) s.pos++
  return s.text.slice(start, s.pos)
}

const IN_TAG = new Set(";/?:@&=+$.!~*'()_-")
const IN_URI_ONLY = new Set(',[]')

/** A directive can make every short tag a long one; no class has a name as long as this. */
export const MAX_TAG_LENGTH = 1024

export function tagTooLong(s: Scan, at: number): GatewayError {
  return fault('codec.limit', s.text, at, `a tag is longer than ${MAX_TAG_LENGTH} characters`)
}

/** A tag's URI, %-decoded. Flow indicators may stand in it only where `everywhere` is true. */
function takeUri(s: Scan, everywhere: boolean, mayBeEmpty: boolean): string {
  let uri = ''
  let from = s.pos
  const start = s.pos
  for (;;) {
    const code = s.text.charCodeAt(s.pos)
    if (code === 37) {
      uri += s.text.slice(from, s.pos) + takeEscapedOctets(s)
      from = s.pos
      if (s.pos - start > 9 * MAX_TAG_LENGTH) throw tagTooLong(s, start)
      continue
    }
    const character = s.text.charAt(s.pos)
    if (!isNameCharacter(code) && !IN_TAG.has(character) && !(everywhere && IN_URI_ONLY.has(character))) break
    s.pos++
  }
  if (s.pos === start && !mayBeEmpty) throw malformed(s, s.pos, 'a tag needs a name here')
  return uri + s.text.slice(from, s.pos)
}

/** One character of UTF-8 written as `%XX` for each of its bytes. */
function takeEscapedOctets(s: Scan): string {
  const start = s.pos
  const octets: number[] = []
  let wanted = 1
  while (octets.length < wanted) {
    const pair = s.text.slice(s.pos + 1, s.pos + 3)
    if (s.text.charCodeAt(s.pos) !== 37 || !/^[0-9A-Fa-f]{2}$/.test(pair)) {
      throw malformed(s, s.pos, 'a "%" in a tag is followed by two hexadecimal digits, for each byte of UTF-8')
    }
    const octet = Number.parseInt(pair, 16)
    if (octets.length === 0) wanted = octet < 0x80 ? 1 : octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : 2
    octets.push(octet)
    s.pos += 3
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(octets))
  } catch (cause) {
    if (cause instanceof TypeError) throw malformed(s, start, 'the %-escapes of a tag spell UTF-8')
    throw cause
  }
}

/** `!<uri>`, `!suffix`, `!!suffix` or `!handle!suffix`; the lone `!` has an empty handle. */
export function scanTag(s: Scan): Token {
  const start = s.pos
  const found = s.text.charCodeAt(s.pos + 1) === 60 ? scanVerbatimTag(s, start) : scanShorthandTag(s, start)
  const code = s.text.charCodeAt(s.pos)
  if (!isBlankOrEnd(code) && !(s.flowLevel > 0 && code === 44)) {
    throw malformed(s, s.pos, 'white space belongs behind a tag')
  }
  return found
}

function scanVerbatimTag(s: Scan, start: number): Token {
  s.pos += 2
  const uri = takeUri(s, true, false)
  if (s.text.charCodeAt(s.pos) !== 62) throw malformed(s, s.pos, 'a tag that begins with "!<" ends with ">"')
  s.pos++
  return token(T.tag, start, uri, '')
}

function scanShorthandTag(s: Scan, start: number): Token {
  const handle = takeHandle(s)
  if (handle.length > 1 && handle.endsWith('!')) return token(T.tag, start, takeUri(s, false, false), handle)
  const suffix = handle.slice(1) + takeUri(s, false, true)
  return suffix === '' ? token(T.tag, start, '!', '') : token(T.tag, start, suffix, '!')
}
