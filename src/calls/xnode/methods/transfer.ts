import type { ChannelMethod } from '../method.js'
import { refusal, resultOf } from '../outcome.js'
import { bad, done, unsupported } from '../result.js'

/** What can be a context or an extension of a dialplan. */
const PLACE = /^[\w+*#.-]{1,79}$/
const LEAVE_MS = 5000

/** Transfer: the channel leaves the application, and its bridge, and goes on in the dialplan. */
export const transfer: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, { uuid, params }) {
    const { extension, dialplan = '', context = '' } = params
    if (typeof extension !== 'string' || !PLACE.test(extension))
      return bad('extension: want up to 79 letters, digits or any of _ + * # . -')
    if (context !== '' && !PLACE.test(String(context)))
      return bad('context: want up to 79 letters, digits or any of _ + * # . -, or none for that of the channel')
    if (dialplan !== '' && dialplan !== 'XML') return unsupported(`a dialplan ${String(dialplan)} beside its own`)
    const place = { extension, priority: 1, ...(context !== '' && { context }) }
    const abort = new AbortController()
    const left = node.happenings.wait(
      uuid,
      (fact) =>
        fact.kind === 'channel' && fact.change === 'control' && fact.flags?.controllable === false ? true : undefined,
      { signal: abort.signal, timeoutMs: LEAVE_MS },
    )
    try {
      await node.ari.request('POST', ['channels', uuid, 'continue'], { body: place })
    } catch (error) {
      abort.abort()
      return refusal(node, error, uuid)
    }
    const outcome = await left
    return outcome.kind === 'told' ? done() : resultOf(node, uuid, outcome, 'Transfer')
  },
}
