import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream'
import { GatewayError } from '../../../errors.js'
import { reasonOf } from '../errors.js'

/** The store does not answer for now. */
export function unavailable(what: string, cause?: unknown): GatewayError {
  const text = cause === undefined ? what : `${what}: ${reasonOf(cause)}`
  return new GatewayError('state.unavailable', `the shared state cannot be reached: ${text}`, { fate: 'retry', cause })
}

/** The store is not what the configuration says, and no retry can mend that. */
export function unusable(what: string, cause?: unknown): GatewayError {
  const text = cause === undefined ? what : `${what}: ${reasonOf(cause)}`
  return new GatewayError('state.store', `the shared state cannot be used: ${text}`, { cause })
}

/** Whether somebody else wrote since; servers say so by either number. */
export function isOutrun(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  )
}
