import type { ChannelMethod } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done } from '../result.js'

/** Hold: puts the channel's far end on hold, with music, and takes it back. */
export const hold: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, { uuid, channel, params }) {
    const action = String(params.action ?? '').toUpperCase() || 'ON'
    if (action !== 'ON' && action !== 'OFF' && action !== 'TOGGLE') return bad('action: want ON, OFF or TOGGLE')
    const held = action === 'TOGGLE' ? channel.flags?.held !== true : action === 'ON'
    try {
      await node.ari.request(held ? 'POST' : 'DELETE', ['channels', uuid, 'hold'])
    } catch (error) {
      return refusal(node, error, uuid)
    }
    // Asterisk tells nobody of a hold that it was asked for.
    await node.calls.tell([{ kind: 'channel', id: uuid, node: node.nodeUuid, change: 'hold', flags: { held } }])
    return done()
  },
}
