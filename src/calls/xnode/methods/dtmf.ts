import type { ChannelMethod } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done } from '../result.js'

/** Keys, pauses of half a second and of one second, and how long each key is held. */
const KEYS = /^([0-9A-Da-d*#wW]{1,128})(?:@(\d{2,4}))?$/

/** SendDTMF: presses keys towards the channel's far end; done when Asterisk has begun. */
export const sendDtmf: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, { uuid, params }) {
    const match = KEYS.exec(String(params.dtmf))
    if (match === null)
      return bad(
        'dtmf: want keys 0 to 9, *, #, A to D, or w and W for pauses; `@100` behind them says how many ms each',
      )
    const [, dtmf, duration] = match
    try {
      await node.ari.request('POST', ['channels', uuid, 'dtmf'], {
        body: { dtmf, ...(duration !== undefined && { duration: Number(duration) }) },
      })
      return done()
    } catch (error) {
      return refusal(node, error, uuid)
    }
  },
}
