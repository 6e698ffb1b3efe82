import { GatewayError } from '../errors.js'

/** Keys whose values never reach a log, however deep they lie. */
const SECRET_KEY =
  /^(pass(word|phrase)?|secret|token|nkey|nkeySeed|seed|creds|credentials|authorization|api_?key|private_?key)$/i
/** Keys that hold what a message says: numbers, names, texts of callers. */
const BODY_KEY = /^(body|body64|raw|payload)$/i
const MAX_DEPTH = 6
/** Longest text of a field, and most items of a list or mapping. */
const MAX_CHARACTERS = 4096
const MAX_ITEMS = 200

/** What begins a PEM block, and what ends it, up to further dashes. */
const [PEM_BEGIN, PEM_END, DASHES] = ['-----BEGIN ', '-----END ', '-----']

/**
 * Takes user and password out of every URL in a JSON text, and every PEM block; it is JSON afterwards. Time is linear
 * whatever a peer wrote.
 */
export function scrubText(text: string): string {
  return withoutPem(text, endOfString).replace(/:\/\/[^\s/"'\\]+@/g, '://***@')
}

/** The same for a text by itself, which is cut where it is long; passwords in URLs may hold any character but blanks. */
export function scrubPlain(text: string): string {
  const whole = withoutPem(text, ({ length }) => length)
  const isLong = whole.length > MAX_CHARACTERS
  const safe = (isLong ? whole.slice(0, MAX_CHARACTERS) : whole).replace(/:\/\/\S*@/g, '://***@')
  return isLong ? `${safe}… (${whole.length} characters)` : safe
}

/** Where the JSON string ends that a place stands in, or is quoted in; an escape is left whole. */
function endOfString(text: string, from: number): number {
  const quote = text.indexOf('"', from)
  if (quote < 0) return text.length
  return text[quote - 1] === '\\' ? quote - 1 : quote
}

/** @param endOf where a block ends that has no end of its own: nothing is left of it either. */
function withoutPem(text: string, endOf: (text: string, from: number) => number): string {
  let made = ''
  let at = 0
  for (let begin = text.indexOf(PEM_BEGIN); begin >= 0; begin = text.indexOf(PEM_BEGIN, at)) {
    const block = text.slice(begin, endOf(text, begin))
    const end = block.indexOf(PEM_END)
    const close = end < 0 ? -1 : block.indexOf(DASHES, end + PEM_END.length)
    made += `${text.slice(at, begin)}***`
    at = begin + (close < 0 ? block.length : close + DASHES.length)
  }
  return at === 0 ? text : made + text.slice(at)
}

/** A message to people about a body, without what it quotes of it. */
export function withoutExcerpts(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '"…"') // to the end where it is cut off, so that nothing is looked at twice
    .replace(/\b((?:the|is) (?:number|integer|bigint)) -?\d\S*/g, '$1 …')
    .replace(/&[\w-]+/g, '&…')
}

/** Makes a function that takes known secrets out of a line of JSON. Short ones are left: they may be parts of words. */
export function secretRemover(secrets: readonly string[]): (line: string) => string {
  const forms = secrets
    .flatMap((secret) => secret.split(/\r?\n/))
    .filter((part) => part.length >= SHORTEST_SECRET && !part.startsWith('-----'))
    .flatMap((part) => [JSON.stringify(part).slice(1, -1), encodeURIComponent(part.toWellFormed())])
  // A secret that holds another one goes first, else a piece of it would stay.
  const known = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return (line) => known.reduce((text, secret) => text.replaceAll(secret, '***'), line)
}

const SHORTEST_SECRET = 8

/**
 * A copy of the fields of a log line that is safe to write: secrets by key become `***`, bodies
 * and bytes their length, errors plain objects with code, fate, message and cause; the stack only
 * where an error is not one of ours.
 */
export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return scrubPlain(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`
  if (depth >= MAX_DEPTH) return '…'
  if (value instanceof Error) return scrubError(value, depth)
  if (Array.isArray(value)) return scrubList(value, depth)
  if (value instanceof Date) return value.toISOString()
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value)
  const shown = entries.slice(0, MAX_ITEMS).map(([key, item]) => {
    const name = scrubPlain(String(key))
    return [name, scrubField(name, item, depth)] as const
  })
  if (entries.length > MAX_ITEMS) shown.push(['…', `${entries.length - MAX_ITEMS} more`])
  return Object.fromEntries(shown)
}

function scrubList(list: readonly unknown[], depth: number): unknown[] {
  const shown = list.slice(0, MAX_ITEMS).map((item) => scrub(item, depth + 1))
  return list.length > MAX_ITEMS ? [...shown, `${list.length - MAX_ITEMS} more`] : shown
}

function scrubField(key: string, value: unknown, depth: number): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  if (SECRET_KEY.test(key)) return '***'
  if (!BODY_KEY.test(key) || typeof value === 'number') return scrub(value, depth + 1)
  if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`
  return typeof value === 'string' ? `(${value.length} characters)` : '(left out)'
}

function scrubError(error: Error, depth: number): unknown {
  const isOurs = error instanceof GatewayError
  const code = (error as NodeJS.ErrnoException).code // Node's own errors carry one too
  // What a codec, a mapping or a parser complains about, it quotes.
  const quotes = error instanceof SyntaxError || (isOurs && /^(codec|mapping)\./.test(error.code))
  const told = (text: string) => scrubPlain(quotes ? withoutExcerpts(text) : text)
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    ...(isOurs && { fate: error.fate }),
    message: told(error.message),
    ...(!isOurs && error.stack !== undefined && { stack: told(error.stack) }),
    ...(error.cause !== undefined && { cause: scrub(error.cause, depth + 1) }),
  }
}
