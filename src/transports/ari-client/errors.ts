import { type ErrorCode, type Fate, GatewayError } from '../../errors.js'
import { tlsAdvice, tlsRefusal } from '../tls.js'

/** Characters of a foreign text that go into a message of ours, and those that are looked through for them. */
const MAX_TEXT = 300
const MAX_READ = 8192

/** What an Asterisk answered instead of doing what it was asked. */
export class AriError extends GatewayError {
  /** HTTP status, the only part of an answer that tells kinds of errors apart. */
  readonly status: number

  constructor(status: number, message: string) {
    super(codeOf(status), message, { fate: fateOf(status) })
    this.name = 'AriError'
    this.status = status
  }
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'link.forbidden'
  return status === 413 ? 'link.too-large' : 'link.refused'
}

function fateOf(status: number): Fate {
  return status >= 500 || status === 408 || status === 429 ? 'retry' : 'reject'
}

/** Whether an error is Asterisk's answer with one of these statuses. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof AriError && statuses.includes(error.status)
}

/** What an error says, or the thing itself as text. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** The error in an answer: `{"message"}`, `{"error"}`, or a page for people. The reason phrase says nothing reliable. */
export function answerError(what: string, status: number, text: string): AriError {
  return new AriError(status, `${what}: ${status} ${textOf(text)}`.trimEnd())
}

function textOf(answer: string): string {
  const text = answer.slice(0, MAX_READ)
  const told = jsonText(text) ?? text.replace(/<head>[\s\S]*?<\/head>|<[^>]*>/gi, ' ')
  return told.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT)
}

function jsonText(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return undefined
    if ('message' in body && typeof body.message === 'string') return body.message
    return 'error' in body && typeof body.error === 'string' ? body.error : undefined
  } catch {
    return undefined
  }
}

/** A request that got no answer at all, or none in time. */
export function noAnswer(what: string, error: unknown): GatewayError {
  return new GatewayError('link.lost', `${what}: ${reasonOf(error)}`, { fate: 'retry', cause: error })
}

/** Codes of errors from before anything was sent. */
const BEFORE_SENDING: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether a request certainly did nothing: there was no connection to send it on, or it is one that must not be sent. */
export function wasNotSent(error: unknown): error is GatewayError {
  if (!(error instanceof GatewayError) || error instanceof AriError) return false
  if (error.code !== 'link.lost') return error.fate === 'reject'
  const { cause } = error
  return cause instanceof Error && 'code' in cause && BEFORE_SENDING.has(cause.code)
}

/**
 * Reads why a link could not be opened. Fate `reject` where trying again cannot help: credentials,
 * certificates, an Asterisk that must not be used. While Asterisk starts it refuses connections, then answers 404, then 503.
 */
export function connectError(error: unknown, where: string): GatewayError {
  const reason = reasonOf(error)
  const says = (text: string, fate: Fate) =>
    new GatewayError('link.connect', `cannot open ${where}: ${text}`, { fate, cause: error })
  if (hasStatus(error, 401)) return says(`the server refuses user and password (${reason})`, 'reject')
  if (hasStatus(error, 403)) return says(`the user may not do that; is it read-only? (${reason})`, 'reject')
  if (error instanceof GatewayError && !(error instanceof AriError) && error.code !== 'link.lost') return error
  const tls = tlsRefusal(error)
  return tls === undefined ? says(reason, 'retry') : says(`${tlsAdvice(tls)} (${reason})`, 'reject')
}

/** Whether a request failed because we ended its connections. */
export function isOfOurOwnStop(error: unknown): boolean {
  const cause = error instanceof GatewayError ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_DESTROYED'
}
