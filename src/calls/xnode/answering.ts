import { isUp, when } from './facts.js'
import type { NodeContext } from './method.js'
import { refusal, resultOf } from './outcome.js'
import { gone, type Result } from './result.js'

const ANSWER_MS = 8000

/** Answers a channel, and waits until Asterisk says that it is up. Undefined when it is. */
export async function pickUp(node: NodeContext, uuid: string, stopped: AbortSignal): Promise<Result | undefined> {
  const needless = new AbortController()
  const up = node.happenings.wait(uuid, when(isUp), {
    signal: AbortSignal.any([stopped, needless.signal]),
    timeoutMs: ANSWER_MS,
  })
  try {
    // What was known when the request came may be old by now, and of a channel that is up nothing more is told.
    const channel = await node.calls.find(uuid)
    if (channel === undefined) return gone()
    if (channel.state === 'answered') return undefined
    await node.ari.request('POST', ['channels', uuid, 'answer'])
    const outcome = await up
    return outcome.kind === 'told' ? undefined : await resultOf(node, uuid, outcome, 'the answer')
  } catch (error) {
    return refusal(node, error, uuid)
  } finally {
    needless.abort()
  }
}
