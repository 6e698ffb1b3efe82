import { pickUp } from '../answering.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { takeOffered } from '../offer.js'
import { conflict, done, gone, noController, type Result } from '../result.js'
import { subscribe } from './variables.js'

/** Accept: the first controller owns the call; another one does with `takeover` only. */
export const accept: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  run: (node, request) => own(node, request, request.params.takeover === true),
}

/** Answer: accepts, and picks up; done when Asterisk says that the channel is up. */
export const answer: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, request) {
    const owned = await own(node, request, false)
    if (owned.code !== 200) return owned
    return (await pickUp(node, request.uuid, request.stopped)) ?? owned
  },
}

async function own(node: NodeContext, request: ChannelRequest, takeover: boolean): Promise<Result> {
  const { uuid, controller, channel } = request
  const name = controller ?? channel.controller
  if (name === undefined) return noController()
  // Before it has an owner: one that is not ours has none.
  const refused = await takeOffered(node, channel)
  if (refused !== undefined) return refused
  const claim = await node.calls.claim(uuid, name, takeover)
  if (claim === 'unknown') return gone()
  if (claim === 'taken') return conflict('the call belongs to another controller')
  node.accepted(uuid)
  await subscribe(node, request)
  return (await node.calls.find(uuid)) === undefined ? gone() : done()
}
