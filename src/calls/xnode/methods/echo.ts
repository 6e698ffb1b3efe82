import type { Fact } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import { destroy, inLine, join, keeping, noteForlorn, undisturbed } from '../bridges.js'
import { earId } from '../ears.js'
import { dropHidden, snoop } from '../hidden.js'
import { makeBridge } from '../make-bridge.js'
import type { ChannelMethod, NodeContext } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done, gone, type Result } from '../result.js'

const PREFIX = 'patchbay-echo-'

/**
 * Echo2: who is at the far end of the channel (SELF), or at that of its peer (OTHER), hears what it says, until STOP
 * or its end. An ear of ours takes what it says, and is bridged with the channel. One that talks to somebody stays where
 * it is and gets a second ear that speaks to it; on a line without sound nobody would hear that one, silence of
 * Asterisk's included.
 */
export const echo: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, { uuid, channel, params }) {
    const action = String(params.action ?? '').toUpperCase() || 'START'
    const direction = String(params.direction ?? '').toUpperCase() || 'SELF'
    if (action !== 'START' && action !== 'STOP') return bad('action: want START or STOP')
    if (direction !== 'SELF' && direction !== 'OTHER') return bad('direction: want SELF or OTHER')
    const target = direction === 'SELF' ? uuid : channel.peers?.[0]
    if (target === undefined) return bad(`direction: ${uuid} has no peer`)
    const bridge = PREFIX + target
    const end = () => clear(node, bridge)
    if (action === 'STOP')
      return (await inLine(node, bridge, () => undisturbed(node, bridge, end)))
        ? done()
        : bad(`${target} hears no echo`)
    const begin = () => start(node, target, (channel.peers ?? []).length === 0)
    const result = await inLine(node, bridge, () => keeping(node, bridge, begin, end))
    return result.code === 200 && (await node.calls.find(uuid)) === undefined ? gone() : result
  },
}

const earsOf = (bridge: string) => [earId(`${bridge}-in`), earId(`${bridge}-out`)] as const

async function start(node: NodeContext, target: string, isAlone: boolean): Promise<Result> {
  const bridge = PREFIX + target
  const [takes, says] = earsOf(bridge)
  try {
    await makeBridge(node.ari, bridge, { keys: true })
  } catch (error) {
    return hasStatus(error, 409) ? bad(`${target} hears an echo already`) : refusal(node, error, target)
  }
  try {
    await snoop(node, target, takes, { spy: 'in', whisper: 'none' })
    if (!isAlone) await snoop(node, target, says, { spy: 'none', whisper: 'out' })
    for (const member of [takes, isAlone ? target : says]) await join(node, bridge, member)
    return done()
  } catch (error) {
    await clear(node, bridge)
    return refusal(node, error, target)
  }
}

/** Takes away what an echo is made of; answers whether there was one. */
async function clear(node: NodeContext, bridge: string): Promise<boolean> {
  const [takes, says] = await Promise.all(earsOf(bridge).map((ear) => dropHidden(node, ear)))
  await destroy(node, bridge)
  return takes === true || says === true
}

/** Ends the echo of a channel that ended: its ears go with it. */
export function noteEcho(node: NodeContext, fact: Fact): void {
  noteForlorn(node, fact, PREFIX, (bridge) => clear(node, bridge))
}
