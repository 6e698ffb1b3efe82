import type { ChannelMethod } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done } from '../result.js'

/** READ is what the channel's far end says, WRITE what it hears. */
const DIRECTIONS: Readonly<Record<string, string>> = { '': 'both', BOTH: 'both', READ: 'in', WRITE: 'out' }

/** Mute: silences a direction of the channel; a level of 0 ends that. Of levels Asterisk knows silence only. */
export const mute: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, { uuid, params }) {
    const direction = DIRECTIONS[String(params.direction ?? '').toUpperCase()]
    if (direction === undefined) return bad('direction: want READ, WRITE or BOTH')
    try {
      // The real client leaves a level of 0 out; -1 is silence, and what is more noise of some comfort.
      const off = Number(params.level ?? 0) === 0
      await node.ari.request(off ? 'DELETE' : 'POST', ['channels', uuid, 'mute'], { query: { direction } })
      node.rooms.noteMute(uuid, { direction, off })
      return done()
    } catch (error) {
      return refusal(node, error, uuid)
    }
  },
}
