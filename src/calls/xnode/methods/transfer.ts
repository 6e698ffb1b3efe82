import { leavesApp, when } from '../facts.js'
import type { ChannelMethod } from '../method.js'
import { refusal, resultOf } from '../outcome.js'
import { bad, done, unsupported } from '../result.js'
import { whenTold } from '../told.js'

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
    try {
      const outcome = await whenTold(node, uuid, when(leavesApp), { timeoutMs: LEAVE_MS }, () =>
        node.ari.request('POST', ['channels', uuid, 'continue'], { body: place }),
      )
      return outcome.kind === 'told' ? done() : await resultOf(node, uuid, outcome, 'Transfer')
    } catch (error) {
      return refusal(node, error, uuid)
    }
  },
}
