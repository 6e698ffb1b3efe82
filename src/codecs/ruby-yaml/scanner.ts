import { isBlankOrEnd, isBreak } from './chars.js'
import { scanAnchor, scanDirective, scanTag, skipComment } from './scan-properties.js'
import { scanBlock, scanPlain, scanQuoted } from './scan-scalars.js'
import {
  atDocumentMark,
  column,
  indexHere,
  insertToken,
  type KeyCandidate,
  malformed,
  newCandidate,
  pushToken,
  type Scan,
  T,
  type Token,
  type TokenKind,
  takeBreak,
  token,
} from './scan-state.js'

/** Characters of one line within which a key must be followed by its `:`. */
const KEY_REACH = 1024

/** The next token, without taking it. The scanner reads no further than it must. */
export function peekToken(s: Scan): Token {
  while (!headIsReady(s)) fetchToken(s)
  return s.tokens[s.head]!
}

export function takeToken(s: Scan): Token {
  const found = peekToken(s)
  s.head++
  s.taken++
  if (s.head === s.tail) {
    s.head = 0
    s.tail = 0
  }
  return found
}

/** A token at the head may still get a key mark put before it while a key may begin there. */
function headIsReady(s: Scan): boolean {
  if (s.head === s.tail) return false
  dropStaleKeys(s)
  return s.firstPossible > s.flowLevel || s.keys[s.firstPossible]!.token !== s.taken
}

function dropLowest(s: Scan): void {
  while (s.firstPossible <= s.flowLevel && !s.keys[s.firstPossible]!.possible) s.firstPossible++
}

/** Gives up candidates that the scanner has left too far behind. They grow younger with their level. */
function dropStaleKeys(s: Scan): void {
  const index = indexHere(s)
  for (dropLowest(s); s.firstPossible <= s.flowLevel; dropLowest(s)) {
    const candidate = s.keys[s.firstPossible]!
    if (candidate.line === s.line && candidate.index + KEY_REACH >= index) return
    dropKey(s, candidate)
  }
}

function dropKey(s: Scan, candidate: KeyCandidate): void {
  if (candidate.possible && candidate.required) {
    throw malformed(s, candidate.at, 'this line is neither "key: value" nor part of what stands above it')
  }
  candidate.possible = false
}

function saveKey(s: Scan): void {
  if (!s.keyAllowed) return
  const candidate = s.keys[s.flowLevel]!
  dropKey(s, candidate)
  candidate.possible = true
  candidate.required = s.flowLevel === 0 && s.indent === column(s)
  candidate.token = s.taken + s.tail - s.head
  candidate.at = s.pos
  candidate.index = indexHere(s)
  candidate.line = s.line
  candidate.column = column(s)
  if (s.firstPossible > s.flowLevel) s.firstPossible = s.flowLevel
}

/** Opens a block collection at a column when none is open there; `at` is its place in the queue, or -1 for the end. */
function rollIndent(s: Scan, to: number, number: number, kind: TokenKind, at: number): void {
  if (s.flowLevel > 0 || s.indent >= to) return
  s.indents.push(s.indent)
  s.indent = to
  if (number < 0) pushToken(s, token(kind, at))
  else insertToken(s, number, token(kind, at))
}

function unrollIndent(s: Scan, to: number): void {
  if (s.flowLevel > 0) return
  while (s.indent > to) {
    pushToken(s, token(T.blockEnd, s.pos))
    s.indent = s.indents.pop()!
  }
}

function skipToToken(s: Scan): void {
  for (;;) {
    if (s.pos === s.lineStart && s.text.charCodeAt(s.pos) === 0xfeff) s.pos++ // and it counts as a column
    let code = s.text.charCodeAt(s.pos)
    while (code === 32 || (code === 9 && (s.flowLevel > 0 || !s.keyAllowed))) code = s.text.charCodeAt(++s.pos)
    if (code === 35) skipComment(s)
    if (!isBreak(s.text.charCodeAt(s.pos))) return
    takeBreak(s)
    if (s.flowLevel === 0) s.keyAllowed = true
  }
}

function fetchToken(s: Scan): void {
  skipToToken(s)
  dropStaleKeys(s)
  unrollIndent(s, column(s))
  const code = s.text.charCodeAt(s.pos)
  const fetch = lineFetcher(s, code) ?? nodeFetcher(s, code)
  if (fetch === undefined) throw noToken(s, code)
  fetch(s)
}

type Fetcher = (s: Scan) => void

/** What only the beginning of a line or the end of the text can be. */
function lineFetcher(s: Scan, code: number): Fetcher | undefined {
  if (code === 0) return fetchEnd
  if (s.pos !== s.lineStart) return undefined
  if (code === 37) return fetchDirective
  if (!atDocumentMark(s)) return undefined
  return code === 45 ? fetchDocumentStart : fetchDocumentEnd
}

function nodeFetcher(s: Scan, code: number): Fetcher | undefined {
  const fetch = FETCHERS.get(code)
  if (fetch !== undefined) return fetch
  const inFlow = s.flowLevel > 0
  const beforeBlank = isBlankOrEnd(s.text.charCodeAt(s.pos + 1))
  switch (code) {
    case 45: // -
      return beforeBlank ? fetchBlockEntry : fetchPlain
    case 63: // ?
      return inFlow || beforeBlank ? fetchKey : fetchPlain
    case 58: // :
      return inFlow || beforeBlank ? fetchValue : fetchPlain
    case 124: // |
    case 62: // >
      return inFlow ? undefined : fetchBlockScalar
    default:
      return NO_BEGINNINGS.has(code) ? undefined : fetchPlain
  }
}

/** Tab, `#`, `%`, `@` and the backquote. */
const NO_BEGINNINGS: ReadonlySet<number> = new Set([9, 35, 37, 64, 96])

function noToken(s: Scan, code: number): Error {
  if (code === 9) return malformed(s, s.pos, 'a tab may not indent; use spaces')
  return malformed(s, s.pos, `no value begins with ${s.text.charAt(s.pos)}; put it in quotes`)
}

function fetchEnd(s: Scan): void {
  if (s.pos !== s.lineStart) {
    s.line++
    s.lineStart = s.pos
  }
  unrollIndent(s, -1)
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = false
  pushToken(s, token(T.streamEnd, s.pos))
}

function fetchDirective(s: Scan): void {
  unrollIndent(s, -1)
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = false
  pushToken(s, scanDirective(s))
}

const fetchDocumentStart: Fetcher = (s) => fetchDocumentMark(s, T.documentStart)
const fetchDocumentEnd: Fetcher = (s) => fetchDocumentMark(s, T.documentEnd)

function fetchDocumentMark(s: Scan, kind: TokenKind): void {
  unrollIndent(s, -1)
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = false
  pushToken(s, token(kind, s.pos))
  s.pos += 3
}

function openFlow(s: Scan, kind: TokenKind): void {
  saveKey(s)
  s.flowLevel++
  if (s.keys.length === s.flowLevel) s.keys.push(newCandidate())
  s.keys[s.flowLevel]!.possible = false
  s.keyAllowed = true
  pushToken(s, token(kind, s.pos++))
}

function closeFlow(s: Scan, kind: TokenKind): void {
  dropKey(s, s.keys[s.flowLevel]!)
  if (s.flowLevel > 0) s.flowLevel--
  s.keyAllowed = false
  pushToken(s, token(kind, s.pos++))
}

function fetchFlowEntry(s: Scan): void {
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = true
  pushToken(s, token(T.flowEntry, s.pos++))
}

function fetchBlockEntry(s: Scan): void {
  if (s.flowLevel === 0) {
    if (!s.keyAllowed) throw malformed(s, s.pos, 'a list may not begin here; put its "- " on a line of its own')
    rollIndent(s, column(s), -1, T.blockSequenceStart, s.pos)
  }
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = true
  pushToken(s, token(T.entry, s.pos++))
}

function fetchKey(s: Scan): void {
  if (s.flowLevel === 0) {
    if (!s.keyAllowed) throw malformed(s, s.pos, 'a "? " key may not begin here; put it on a line of its own')
    rollIndent(s, column(s), -1, T.blockMappingStart, s.pos)
  }
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = s.flowLevel === 0
  pushToken(s, token(T.key, s.pos++))
}

function fetchValue(s: Scan): void {
  const candidate = s.keys[s.flowLevel]!
  if (candidate.possible) {
    insertToken(s, candidate.token, token(T.key, candidate.at))
    rollIndent(s, candidate.column, candidate.token, T.blockMappingStart, candidate.at)
    candidate.possible = false
    s.keyAllowed = false
  } else {
    if (s.flowLevel === 0) {
      if (!s.keyAllowed) throw malformed(s, s.pos, 'a second ": " in one value; put the value in quotes')
      rollIndent(s, column(s), -1, T.blockMappingStart, s.pos)
    }
    s.keyAllowed = s.flowLevel === 0
  }
  pushToken(s, token(T.value, s.pos++))
}

/** Anchors, aliases, tags and scalars other than block scalars: each may be the beginning of a key. */
function fetchMarked(s: Scan, scan: (s: Scan) => Token): void {
  saveKey(s)
  s.keyAllowed = false
  pushToken(s, scan(s))
}

function fetchBlockScalar(s: Scan): void {
  dropKey(s, s.keys[s.flowLevel]!)
  s.keyAllowed = true
  pushToken(s, scanBlock(s))
}

const fetchPlain: Fetcher = (s) => fetchMarked(s, scanPlain)

/** Characters that mean the same wherever a token may begin. */
const FETCHERS: ReadonlyMap<number, Fetcher> = new Map<number, Fetcher>([
  [91, (s) => openFlow(s, T.flowSequenceStart)], // [
  [123, (s) => openFlow(s, T.flowMappingStart)], // {
  [93, (s) => closeFlow(s, T.flowSequenceEnd)], // ]
  [125, (s) => closeFlow(s, T.flowMappingEnd)], // }
  [44, fetchFlowEntry], // ,
  [42, (s) => fetchMarked(s, scanAnchor)], // *
  [38, (s) => fetchMarked(s, scanAnchor)], // &
  [33, (s) => fetchMarked(s, scanTag)], // !
  [39, (s) => fetchMarked(s, scanQuoted)], // '
  [34, (s) => fetchMarked(s, scanQuoted)], // "
])
