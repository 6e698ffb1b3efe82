import type { ChannelMethod } from '../method.js'
import { done } from '../result.js'

/** Stop: what runs on the channel ends with 206. Done at once, also when nothing ran. */
export const stop: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  async run(node, { uuid }) {
    node.stop(uuid)
    return done()
  },
}
