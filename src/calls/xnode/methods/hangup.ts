import type { Channel } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import { isDialled } from '../legs.js'
import type { ChannelMethod, NodeContext } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done, type Result } from '../result.js'
import { setVariables } from './variables.js'

const FLAGS: Readonly<Record<string, 'self' | 'peer' | 'both'>> = {
  0: 'self',
  1: 'peer',
  2: 'both',
  SELF: 'self',
  PEER: 'peer',
  BOTH: 'both',
}

/** Hangup: ends the channel, its peer, or both, with a cause by name or number. Nothing waits before it. */
export const hangup: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  async run(node, { uuid, channel, params }) {
    const whom = FLAGS[String(params.flag ?? 0)]
    if (whom === undefined) return bad('flag: want SELF, PEER or BOTH, or 0, 1 or 2')
    const named = typeof params.cause === 'string' && params.cause !== '' ? params.cause : 'NORMAL_CLEARING'
    const cause = node.tables.causeNumber(named)
    if (cause === undefined) return bad(`cause: ${named} is no hangup cause that Asterisk has`)
    const refused = await setVariables(node, uuid, params.data)
    if (refused !== undefined) return refused
    const ends = targets(uuid, channel, whom)
    if (ends.length === 0) return bad('flag: the channel has no peer')
    const results = await Promise.all(ends.map((each) => end(node, each, cause)))
    return results.find(({ code }) => code !== 200) ?? done()
  },
}

function targets(uuid: string, { peers = [] }: Channel, whom: 'self' | 'peer' | 'both'): string[] {
  if (whom === 'self') return [uuid]
  return whom === 'peer' ? peers.slice(0, 1) : [uuid, ...peers.slice(0, 1)]
}

async function end(node: NodeContext, uuid: string, cause: number): Promise<Result> {
  try {
    await node.ari.request('DELETE', ['channels', uuid], { query: { reason_code: String(cause) } })
    return done()
  } catch (error) {
    // Its end may be told a moment after Asterisk knows no such channel any more.
    if (!hasStatus(error, 404) || !isDialled(node, uuid)) return refusal(node, error, uuid)
    // A leg that Asterisk has not made yet: whoever dials it ends it.
    node.stop(uuid)
    return done()
  }
}
