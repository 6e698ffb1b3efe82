import { bad, type Result, unsupported } from './result.js'
import type { SteeringTables } from './tables.js'
import { toneOf } from './tones.js'

/** Something that Asterisk plays. */
export interface Medium {
  readonly uri: string
  /** Milliseconds after which it is ended; undefined: it ends by itself, or goes on until it is stopped. */
  readonly lastsMs?: number
  /** Milliseconds of its beginning that are left out. */
  readonly skipMs?: number
}

/** What a request asks to be played: some media, one after another, so many times. */
export interface Programme {
  readonly media: readonly Medium[]
  readonly times: number
}

type Read<T> = { readonly value: T } | { readonly refused: Result }

/** The longest that one silent sound of Asterisk is; milliseconds. */
const SILENCE_MS = 10_000
const MAX_SILENCE_MS = 600_000
const MAX_TIMES = 1000
const MAX_MEDIA = 500
const FILE_LIST = 'file_string://'
/** Milliseconds of a sample, in which an offset is counted. */
const SAMPLE_MS = 1 / 8

/**
 * Reads a `media` of a request, which was held to its message type before.
 * @param field where it stands in the request, for refusals.
 */
export function programmeOf(tables: SteeringTables, given: unknown, field: string): Read<Programme> {
  const media = (given ?? {}) as Readonly<Record<string, unknown>> // held to its type: an object
  const { data, loop = 0, offset = 0, silence_ms: silenceMs = 0 } = media
  if (typeof data !== 'string' || data === '') return refuse(`${field}.data: want a file, a tone or a text`)
  if (Number(loop) > MAX_TIMES) return refuse(`${field}.loop: want at most ${MAX_TIMES}`)
  if (Number(silenceMs) > MAX_SILENCE_MS) return refuse(`${field}.silence_ms: want at most ${MAX_SILENCE_MS}`)
  const spoken = spokenOf(tables, media, data, field)
  const read = spoken ?? filesOf(tables, data, field)
  if ('refused' in read) return read
  const [first, ...rest] = read.value
  const skipMs = Math.round(Number(offset) * SAMPLE_MS)
  const begun = skipMs > 0 ? { ...first!, skipMs } : first!
  return { value: { media: [...silence(Number(silenceMs)), begun, ...rest], times: Math.max(1, Number(loop)) } }
}

function refuse(message: string): { readonly refused: Result } {
  return { refused: bad(message) }
}

function spokenOf(
  tables: SteeringTables,
  { type = '', engine = '', voice = '' }: Readonly<Record<string, unknown>>,
  data: string,
  field: string,
): Read<Medium[]> | undefined {
  const kind = String(type).toUpperCase()
  if (kind === '' || kind === 'FILE') return undefined
  if (kind !== 'TEXT' && kind !== 'SSML') return refuse(`${field}.type: want FILE, TEXT or SSML`)
  const uri = tables.speechOf(data, String(engine), String(voice))
  if (uri === undefined)
    return {
      refused: unsupported(`spoken ${kind === 'TEXT' ? 'text' : 'SSML'}; the steering tables name no \`speech\``),
    }
  const medium = mediumOf(uri)
  return medium === undefined
    ? refuse(`${field}.data: cannot be said as ${JSON.stringify(uri.slice(0, 80))}`)
    : { value: medium }
}

function filesOf(tables: SteeringTables, data: string, field: string): Read<Medium[]> {
  const names = namesIn(data)
  if (names.length > MAX_MEDIA) return refuse(`${field}.data: want at most ${MAX_MEDIA} files`)
  const media: Medium[] = []
  for (const name of names) {
    const uri = spokenName(tables, name) ?? tables.mediaOf(name)
    const found = uri === undefined ? undefined : mediumOf(uri)
    if (found === undefined) return refuse(`${field}.data: Asterisk has no media ${JSON.stringify(name.slice(0, 80))}`)
    media.push(...found)
  }
  return media.length > 0 ? { value: media } : refuse(`${field}.data: want at least one file`)
}

/** `say:TEXT` is spoken where somebody can speak; the tables say what becomes of it otherwise. */
function spokenName(tables: SteeringTables, name: string): string | undefined {
  return name.startsWith('say:') ? tables.speechOf(name.slice('say:'.length), '', '') : undefined
}

/** Names in a list: `file_string://a!b`, or `a!b` where it can be nothing else. */
function namesIn(data: string): string[] {
  const isList = data.startsWith(FILE_LIST)
  if (!isList && /^(https?:|say:|tone:|tone_stream:)/.test(data)) return [data]
  const list = isList ? data.slice(FILE_LIST.length) : data
  return list.split('!').filter((name) => name !== '')
}

/** What Asterisk plays of each scheme. What it cannot read, it would begin and never end. */
const READABLE: Readonly<Record<string, RegExp>> = {
  sound: /^[^\u0000-\u001f\u007f]{1,3000}$/,
  recording: /^[^\u0000-\u001f\u007f]{1,500}$/,
  number: /^-?\d{1,9}$/,
  digits: /^[\d*#A-Da-d-]{1,200}$/,
  characters: /^[^\u0000-\u001f\u007f]{1,500}$/,
}

/** The media that a URI of the tables stands for; `silence:MS` is one of our own. Undefined for what cannot be played. */
function mediumOf(uri: string): Medium[] | undefined {
  const colon = uri.indexOf(':')
  const [scheme, rest] = [uri.slice(0, colon), uri.slice(colon + 1)]
  if (scheme === 'silence') {
    const ms = /^\d{1,6}(?=,|$)/.exec(rest)
    const long = Number(ms?.[0] ?? 0)
    return long > 0 && long <= MAX_SILENCE_MS ? silence(long) : undefined
  }
  if (scheme === 'tone') {
    const tone = toneOf(rest)
    return tone && [{ uri: `tone:${tone.list}`, ...(tone.lastsMs !== undefined && { lastsMs: tone.lastsMs }) }]
  }
  const readable = Object.hasOwn(READABLE, scheme) ? READABLE[scheme] : undefined
  if (!readable?.test(rest) || !rest.isWellFormed()) return undefined
  // A name that climbs out of the folder of sounds is no name of a sound.
  if ((scheme === 'sound' || scheme === 'recording') && rest.split('/').includes('..')) return undefined
  return [{ uri }]
}

function silence(ms: number): Medium[] {
  const media: Medium[] = []
  for (let left = ms; left > 0; left -= SILENCE_MS)
    media.push({ uri: 'sound:silence/10', lastsMs: Math.min(left, SILENCE_MS) })
  return media
}
