import { JetStreamApiError } from '@nats-io/jetstream'
import {
  AuthorizationError,
  InvalidArgumentError,
  InvalidSubjectError,
  PermissionViolationError,
} from '@nats-io/nats-core'
import { GatewayError } from '../../errors.js'
import { tlsAdvice, tlsRefusal } from '../tls.js'

/** JetStream's own error numbers that decide what becomes of a message. */
const MESSAGE_TOO_LARGE = 10054
const SUBJECTS_OVERLAP = 10065

/** What an error says, or the thing itself as text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The server's refusal to publish or subscribe, on this error or as the cause it carries. */
export function violation(error: unknown): PermissionViolationError | undefined {
  if (error instanceof PermissionViolationError) return error
  return error instanceof Error && error.cause !== undefined ? violation(error.cause) : undefined
}

/** A permission violation as the gateway names it. */
export function forbidden(error: PermissionViolationError): GatewayError {
  const doing = error.operation === 'publish' ? 'publishing to' : 'subscribing to'
  return new GatewayError('link.forbidden', `the server forbids ${doing} "${error.subject}"`, { cause: error })
}

/** Whether the client library found a message larger than the server's `max_payload`; it has no class of its own for that. */
function exceedsPayload(error: unknown): boolean {
  return error instanceof InvalidArgumentError && error.message.includes('max_payload')
}

/** The error for a message that no retry can get through; undefined where one may help. */
export function publishRefusal(error: unknown, subject: string, bytes: number): GatewayError | undefined {
  const what = `publishing ${bytes} bytes to "${subject}": ${reasonOf(error)}`
  const refused = violation(error)
  if (refused !== undefined) return forbidden(refused)
  if (exceedsPayload(error)) return new GatewayError('link.too-large', what, { cause: error })
  if (error instanceof InvalidSubjectError || error instanceof InvalidArgumentError || error instanceof TypeError) {
    return new GatewayError('link.refused', what, { cause: error })
  }
  if (!(error instanceof JetStreamApiError)) return undefined
  if (error.code === MESSAGE_TOO_LARGE) return new GatewayError('link.too-large', what, { cause: error })
  return error.status === 400 ? new GatewayError('link.refused', what, { cause: error }) : undefined
}

/** Whether nobody answered on the subject: no stream takes it, or none can for the moment. */
export function nobodyAnswered(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled'
}

/** Whether a stream was refused because another one has some of its subjects. */
export function overlaps(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === SUBJECTS_OVERLAP
}

/**
 * Reads why a connection could not be opened. Fate `reject` where trying again cannot help: credentials
 * and certificates. `where` names the servers without credentials.
 */
export function connectError(error: unknown, where: string): GatewayError {
  const reason = reasonOf(error)
  if (error instanceof AuthorizationError) {
    const says = 'the server refuses our credentials; correct user and password, token, nkey or creds'
    return new GatewayError('link.connect', `cannot open ${where}: ${says} (${reason})`, { cause: error })
  }
  const tls = tlsRefusal(error)
  if (tls !== undefined) {
    return new GatewayError('link.connect', `cannot open ${where}: ${tlsAdvice(tls)} (${reason})`, { cause: error })
  }
  return new GatewayError('link.connect', `cannot open ${where}: ${reason}`, { fate: 'retry', cause: error })
}
