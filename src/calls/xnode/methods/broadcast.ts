import type { Channel } from '../../../model/index.js'
import { type Programme, programmeOf } from '../media.js'
import type { ChannelMethod, NodeContext } from '../method.js'
import { playedResult, playProgramme } from '../player.js'
import { bad, cutShort, done, failed, type Result, unsupported } from '../result.js'

const BROADCAST_MS = 3_600_000
const PEERLESS = 'option: the channel has no peer'

/** Broadcast: plays to the channel, its peer, or both, whatever they do meanwhile; done when it has begun. */
export const broadcast: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  async run(node, { uuid, channel, params }) {
    if (Array.isArray(params.apps) && params.apps.length > 0) return unsupported('applications in a broadcast')
    const read = programmeOf(node.tables, params.media, 'media')
    if ('refused' in read) return read.refused
    const hearers = hearersOf(uuid, channel, String(params.option ?? '').toUpperCase())
    if (!Array.isArray(hearers)) return hearers
    const results = await Promise.all(hearers.map((each) => begin(node, each, read.value)))
    const at = results.findIndex(({ code }) => code !== 200)
    if (at < 0) return done()
    // What the channel itself comes to is its own affair; what its peer does, is not.
    return hearers[at] === uuid ? results[at]! : failed(`the peer ${hearers[at]}: ${results[at]!.message}`)
  },
}

function hearersOf(uuid: string, { peers = [] }: Channel, option: string): string[] | Result {
  switch (option) {
    case '':
    case 'BOTH':
      return [uuid, ...peers.slice(0, 1)]
    case 'ALEG':
      return [uuid]
    case 'BLEG':
      return peers.length > 0 ? peers.slice(0, 1) : bad(PEERLESS)
    case 'AHOLDB':
    case 'BHOLDA':
      return unsupported(`a broadcast that holds the other end (${option})`)
    default:
      return bad('option: want BOTH, ALEG or BLEG')
  }
}

/** Resolves when the first medium has begun, or with why it did not; the rest plays on. */
function begin(node: NodeContext, uuid: string, programme: Programme): Promise<Result> {
  return new Promise((resolve, reject) => {
    const bounds = { timeoutMs: BROADCAST_MS, begun: () => resolve(done()) }
    node
      .goesOn(uuid, (signal) => playProgramme(node, uuid, programme, { ...bounds, signal }))
      .then((played) => resolve(playedResult(played, cutShort())), reject)
  })
}
