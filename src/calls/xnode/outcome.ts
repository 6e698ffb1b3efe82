import { GatewayError } from '../../errors.js'
import { AriError, hasStatus, wasNotSent } from '../../transports/ari-client/index.js'
import type { Outcome } from './happenings.js'
import type { NodeContext, NodeRequest } from './method.js'
import { bad, cutShort, failed, gone, noSuchChannel, type Result } from './result.js'

type Ended<T> = Exclude<Outcome<T>, { readonly kind: 'told' }>

/**
 * The result of a command that did not come to its own end. After an outage the channel is asked how it is:
 * what the command did is not known.
 */
export async function resultOf<T>(node: NodeContext, uuid: string, outcome: Ended<T>, what: string): Promise<Result> {
  switch (outcome.kind) {
    case 'ended':
      return gone(causeOf(outcome.end.cause?.name))
    case 'stopped':
      return cutShort()
    case 'late':
      return failed(`unknown: ${what} did not end within its time; the channel is ${await probe(node, uuid)}`)
    case 'lost':
      return failed(`unknown: the link to Asterisk was lost during ${what}; the channel is ${await probe(node, uuid)}`)
  }
}

/** The result of a command whose replica died: it may have been carried out. */
export async function orphaned(node: NodeContext, { method, params }: NodeRequest): Promise<Result> {
  const channel = typeof params.uuid === 'string' ? `; the channel is ${await probe(node, params.uuid)}` : ''
  return failed(`unknown: the replica that carried out ${method} is gone${channel}`)
}

/** A cause as results have it. */
export function causeOf(cause: string | undefined): { readonly cause?: string } {
  return cause === undefined ? {} : { cause }
}

const PROBE_MS = 2000

/** The state of a channel as Asterisk has it, in words. */
async function probe({ ari }: NodeContext, uuid: string): Promise<string> {
  try {
    const channel = await ari.request('GET', ['channels', uuid], { deadlineMs: PROBE_MS })
    return String((channel as { state?: unknown }).state ?? 'in no known state').toLowerCase()
  } catch (error) {
    return error instanceof AriError && error.status === 404 ? 'gone' : 'out of reach'
  }
}

/** How long a refusal is held back to see whether the channel went away. Milliseconds. */
const SETTLE_MS = 500

/**
 * The result of a request about a channel that Asterisk refused, or did not answer: then it may have done what it was
 * asked, and the channel is asked how it is. What is refused because the channel goes away, in whatever words, is 410.
 */
export async function refusal(node: NodeContext, error: unknown, uuid: string): Promise<Result> {
  if (error instanceof AriError) {
    if (hasStatus(error, 400, 404, 409, 422) && (await hasGone(node, uuid))) return gone()
    if (error.status === 404) return noSuchChannel(uuid)
    if (error.status === 409) return bad(`Asterisk does not let us steer ${uuid}: ${error.message}`)
    if (error.status < 500) return bad(error.message)
    return failed(error.message)
  }
  // A request that must not be sent was made of what was asked for.
  if (wasNotSent(error) && error.code !== 'link.lost') return bad(error.message)
  if (wasNotSent(error)) return failed(`not done, Asterisk is out of reach: ${error.message}`)
  if (error instanceof GatewayError)
    return failed(`unknown: ${error.message}; the channel is ${await probe(node, uuid)}`)
  throw error
}

/** Whether a channel is gone, or about to be. */
export async function hasGone(node: NodeContext, uuid: string): Promise<boolean> {
  const end = node.happenings.wait(uuid, () => undefined, { timeoutMs: SETTLE_MS })
  if ((await node.calls.find(uuid)) === undefined) return true
  return (await end).kind === 'ended'
}
