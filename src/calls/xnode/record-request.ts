import { createHash } from 'node:crypto'
import { terminatorsOf } from './digit-request.js'
import { earId } from './ears.js'
import type { Params } from './method.js'
import { bad, type Result, unsupported } from './result.js'
import { type Tone, toneOf } from './tones.js'

export type RecordAction = 'RECORD' | 'START' | 'STOP' | 'MASK' | 'UNMASK'

/** What Record asks for. */
export interface RecordRequest {
  readonly action: RecordAction
  readonly path: string
  /** Of the recording in Asterisk. */
  readonly name: string
  readonly format: string
  /** 0: none. */
  readonly limitSeconds: number
  /** 0: never. */
  readonly silenceSeconds: number
  /** Asterisk's own beep, a tone, or none. */
  readonly beep: Tone | 'default' | undefined
  readonly terminators: ReadonlySet<string>
}

const MAX_LIMIT_SECONDS = 86_400
const MAX_PATH = 200

/** Formats of Asterisk by extension, and where the sampling rate counts, by rate. */
const FORMATS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  wav: { 0: 'wav', 8000: 'wav', 16000: 'wav16' },
  wav16: { 0: 'wav16', 16000: 'wav16' },
  wav49: { 0: 'wav49', 8000: 'wav49' },
  sln: {
    0: 'sln',
    8000: 'sln',
    16000: 'sln16',
    24000: 'sln24',
    32000: 'sln32',
    44100: 'sln44',
    48000: 'sln48',
  },
  raw: { 0: 'sln', 8000: 'sln' },
  ulaw: { 0: 'ulaw', 8000: 'ulaw' },
  pcmu: { 0: 'ulaw', 8000: 'ulaw' },
  alaw: { 0: 'alaw', 8000: 'alaw' },
  pcma: { 0: 'alaw', 8000: 'alaw' },
  gsm: { 0: 'gsm', 8000: 'gsm' },
  g722: { 0: 'g722', 16000: 'g722' },
}

type Read = { readonly value: RecordRequest } | { readonly refused: Result }

/** Reads the params, held to the types of their message before. */
export function recordRequestOf(params: Params): Read {
  const refuse = (message: string) => ({ refused: bad(message) })
  const action = actionOf(params.action)
  if (action === undefined) return refuse('action: want RECORD, START, STOP, MASK or UNMASK')
  const path = String(params.path ?? '')
  const place = placeOf(path)
  if (place === undefined)
    return refuse(`path: want a relative or absolute path of letters, digits and . _ - + = @, at most ${MAX_PATH} long`)
  const rate = Number(params.rate ?? 0)
  const format = FORMATS[place.extension]?.[rate]
  if (format === undefined)
    return { refused: unsupported(`recording .${place.extension}${rate === 0 ? '' : ` at ${rate} Hz`}`) }
  const limitSeconds = Number(params.limit ?? 0)
  if (limitSeconds > MAX_LIMIT_SECONDS) return refuse(`limit: want at most ${MAX_LIMIT_SECONDS} s`)
  const silenceSeconds = Number(params.silence_seconds ?? 0)
  if (silenceSeconds > MAX_LIMIT_SECONDS) return refuse(`silence_seconds: want at most ${MAX_LIMIT_SECONDS} s`)
  const terminators = terminatorsOf(params.terminators)
  if (terminators === undefined) return refuse('terminators: want keys: 0 to 9, *, #, A to D')
  const beep = beepOf(params.beep)
  if (beep === null) return refuse('beep: want `default` or a tone that ends, such as %(200,0,800)')
  return { value: { action, path, name: place.name, format, limitSeconds, silenceSeconds, beep, terminators } }
}

function actionOf(given: unknown): RecordAction | undefined {
  const action = String(given ?? '').toUpperCase() || 'RECORD'
  return action === 'RECORD' || action === 'START' || action === 'STOP' || action === 'MASK' || action === 'UNMASK'
    ? action
    : undefined
}

/**
 * The name of a recording by its path, which is one below Asterisk's folder of recordings: without slashes in
 * front and without the extension, which says the format; wav where there is none.
 */
function placeOf(path: string): { readonly name: string; readonly extension: string } | undefined {
  if (path.length > MAX_PATH) return undefined
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const last = parts.at(-1)
  // A part that begins with a dot would be hidden, or climb.
  if (last === undefined || parts.some((part) => !/^[\w+=@-][\w+=@.-]*$/.test(part))) return undefined
  const dot = last.lastIndexOf('.')
  const stem = dot < 0 ? last : last.slice(0, dot)
  const extension = dot < 0 ? 'wav' : last.slice(dot + 1).toLowerCase()
  return { name: [...parts.slice(0, -1), stem].join('/'), extension }
}

/** Null for what is no beep. */
function beepOf(given: unknown): Tone | 'default' | undefined | null {
  const beep = String(given ?? '')
  if (beep === '') return undefined
  if (beep === 'default' || beep === 'true') return 'default'
  const tone = beep.includes('%(') ? toneOf(beep) : undefined
  return tone?.lastsMs === undefined ? null : tone
}

const LISTENER = earId('record-')

/** Id of the channel that listens to another one for a recording: the same for the same. */
export function listenerId(uuid: string, name: string): string {
  return LISTENER + createHash('sha256').update(`${uuid}\u0000${name}`).digest('hex').slice(0, 32)
}

/** Whether a channel is one that listens for a recording. */
export const isListener = (id: string): boolean => id.startsWith(LISTENER)
