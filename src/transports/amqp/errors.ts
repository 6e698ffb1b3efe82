import { type ErrorCode, type Fate, GatewayError } from '../../errors.js'
import { tlsAdvice, tlsRefusal } from '../tls.js'

/** AMQP reply codes by which a broker refuses what we published, and what they mean to us. */
const REFUSED_PUBLISH: Readonly<Record<number, ErrorCode>> = {
  311: 'link.too-large', // CONTENT-TOO-LARGE
  403: 'link.forbidden', // ACCESS-REFUSED
  404: 'link.refused', // NOT-FOUND: no such exchange
  406: 'link.too-large', // PRECONDITION-FAILED: beyond max_message_size, the only precondition our frames can fail
}

/** The AMQP reply code an amqplib error carries, if any. */
export function replyCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

/** Whether the broker says that it does not have what was asked for. */
export function isNotFound(error: unknown): boolean {
  return replyCode(error) === 404
}

/** Type of exchanges that a plugin of RabbitMQ adds. A broker without it ends the connection. */
export const HASH_EXCHANGE = 'x-consistent-hash'
const LACKS_PLUGIN = new RegExp(`unknown exchange type '${HASH_EXCHANGE}'`)

/** What an amqplib error says, or the thing itself as text; with what to do about it where that is known. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return LACKS_PLUGIN.test(text) ? `${text}; enable its plugin rabbitmq_consistent_hash_exchange` : text
}

/** The error for a frame whose publication alone made the broker close the channel; undefined where a retry may help. */
export function publishRefusal(error: unknown, exchange: string, bytes: number): GatewayError | undefined {
  const code = REFUSED_PUBLISH[replyCode(error) ?? 0]
  if (code === undefined) return undefined
  const what = `publishing ${bytes} bytes to exchange "${exchange}"`
  return new GatewayError(code, `${what}: ${reasonOf(error)}`, { cause: error })
}

/** Whether a confirm callback's error is the broker's own `nack` and not the end of the channel. */
export function isNack(error: Error): boolean {
  return error.message === 'message nacked'
}

const HANDSHAKE: readonly { readonly sign: RegExp; readonly says: string }[] = [
  {
    sign: /ACCESS[-_]REFUSED/,
    says: 'the broker refuses user and password; correct the credentials, or the permissions of the user',
  },
  {
    // The client library does not pass on why the broker closes instead of opening the vhost.
    sign: /Expected ConnectionOpenOk; got <?ConnectionClose/,
    says: 'the broker refuses the vhost; check that it exists and that the user may use it',
  },
  { sign: /SASL mechanism/, says: 'the broker does not offer the way we log in' },
]

/**
 * Reads why a connection could not be opened. Fate `reject` where trying again cannot help: credentials,
 * vhost, certificates. `where` is the address without credentials.
 */
export function connectError(error: unknown, where: string): GatewayError {
  const reason = reasonOf(error)
  const known = HANDSHAKE.find(({ sign }) => sign.test(reason))
  if (known !== undefined) return fault(`cannot open ${where}: ${known.says} (${reason})`, 'reject', error)
  const tls = tlsRefusal(error)
  if (tls !== undefined) return fault(`cannot open ${where}: ${tlsAdvice(tls)} (${reason})`, 'reject', error)
  return fault(`cannot open ${where}: ${reason}`, 'retry', error)
}

function fault(message: string, fate: Fate, cause: unknown): GatewayError {
  return new GatewayError('link.connect', message, { fate, cause })
}
