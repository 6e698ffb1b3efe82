import { join, keeping, leave, TALK_MS, untilOver } from '../bridges.js'
import { hangUp } from '../legs.js'
import type { ChannelMethod, NodeContext } from '../method.js'
import { causeOf, refusal, resultOf } from '../outcome.js'
import { bad, cutShort, done, gone, noSuchChannel, type Result } from '../result.js'

/** Intercept: the channel takes another one's place in its talk, which is hung up; over when that talk is. */
export const intercept: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  deadlineMs: TALK_MS + 60_000,
  async run(node, { uuid, channel, params, stopped }) {
    const { target_uuid: target } = params
    if (typeof target !== 'string' || target === '' || target === uuid)
      return bad('target_uuid: want the uuid of another channel')
    const there = await node.calls.find(target)
    if (there === undefined) return noSuchChannel(target)
    const { bridge: { id } = {}, peers = [] } = there
    if (id === undefined || peers.length === 0) return bad(`target_uuid: ${target} talks to nobody`)
    if (peers.includes(uuid)) return bad('target_uuid: these two talk to each other already')
    const broken = new AbortController()
    const over = untilOver(node, uuid, id, AbortSignal.any([stopped, broken.signal]))
    try {
      if (channel.state !== 'answered') await node.ari.request('POST', ['channels', uuid, 'answer'])
      if (stopped.aborted) return cutShort()
      await keeping(node, id, () => replace(node, id, target, uuid))
    } catch (error) {
      broken.abort()
      await over
      return refusal(node, error, uuid)
    }
    await hangUp(node, target, 'PICKED_OFF')
    const how = await over
    switch (how.kind) {
      case 'left':
        return done()
      case 'gone':
        return gone(causeOf(how.cause))
      case 'stopped':
        return standBack(node, id, uuid)
      case 'lost':
        return resultOf(node, uuid, how, 'Intercept')
    }
  },
}

/** Whoever it talked to goes on: with others, or as the end of a talk of two leaves them. */
async function standBack(node: NodeContext, bridge: string, uuid: string): Promise<Result> {
  try {
    await leave(node, bridge, uuid)
    return cutShort()
  } catch (error) {
    return refusal(node, error, uuid)
  }
}

/** One goes before the other comes, so that nobody is told of a talk of three. */
async function replace(node: NodeContext, bridge: string, old: string, next: string): Promise<void> {
  await leave(node, bridge, old)
  try {
    await join(node, bridge, next)
  } catch (error) {
    await join(node, bridge, old).catch((reason: unknown) => {
      node.log.warn('a channel could not go back to its talk', { channel: old, err: reason })
    })
    throw error
  }
}
