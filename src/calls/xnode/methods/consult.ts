import { destroy, join, keeping, leave, TALK_MS, type Talk, talkBetween } from '../bridges.js'
import { type DialPlan, planOf } from '../destination.js'
import { type Dialled, dialLegs, hangUp, limit } from '../legs.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { causeOf, refusal, resultOf } from '../outcome.js'
import { bad, cutShort, done, gone, type Result } from '../result.js'
import { makeRingback } from '../ringback.js'
import { hasGone, type Watched, watch } from './bridge.js'
import { notTaken } from './dial.js'

/** A talk that waits while one of it consults somebody. */
interface Waiting {
  readonly bridge: string
  readonly peers: readonly string[]
  /** The first of the peers. */
  readonly peer: Watched
  /** Who consults. */
  readonly asker: Watched
}

/**
 * Consult: the channel calls somebody while its peer waits with music. Does it hang up then, the two others talk to
 * each other, which is the transfer and 200; in every other case it is back with its peer.
 */
export const consult: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  interposes: true,
  deadlineMs: TALK_MS + 60_000,
  async run(node, request) {
    const { uuid, channel, params } = request
    const bridge = channel.bridge?.id
    const { peers = [] } = channel
    if (bridge === undefined || peers[0] === undefined) return bad(`uuid: ${uuid} talks to nobody`)
    const planned = await planOf(node, params.destination)
    if ('refused' in planned) return planned.refused
    const [asker, peer] = [watch(node, uuid), watch(node, peers[0])]
    try {
      // Whatever waits for the end of that talk goes on waiting.
      return await keeping(node, bridge, () => ask(node, request, planned.plan, { bridge, peers, asker, peer }))
    } finally {
      asker.forget()
      peer.forget()
    }
  },
}

async function ask(node: NodeContext, request: ChannelRequest, plan: DialPlan, waiting: Waiting): Promise<Result> {
  const { uuid, channel, controller, stopped } = request
  const { asker } = waiting
  try {
    await leave(node, waiting.bridge, uuid)
  } catch (error) {
    return refusal(node, error, uuid)
  }
  await music(node, waiting, 'POST')
  const bell = makeRingback(node, uuid, undefined)
  const dialled = await dialLegs(node, plan, {
    controller: controller ?? channel.controller,
    stopped: AbortSignal.any([stopped, asker.ended]),
    rings: bell.start,
  })
  await bell.stop()
  if (dialled.kind === 'ready') return talk(node, request, dialled, waiting)
  await goBack(node, uuid, waiting)
  if (dialled.kind === 'failed') return notTaken(node, dialled.cause)
  if (dialled.kind === 'lost') return resultOf(node, uuid, dialled, 'Consult')
  return asker.ended.aborted ? gone(causeOf(asker.cause())) : cutShort()
}

type Taken = Extract<Dialled, { readonly kind: 'ready' }>

async function talk(
  node: NodeContext,
  { uuid, stopped }: ChannelRequest,
  { leg, early }: Taken,
  waiting: Waiting,
): Promise<Result> {
  const consulted = watch(node, leg.uuid, early ? () => void limit(node, leg) : undefined)
  try {
    let begun: Talk
    try {
      begun = await talkBetween(node, uuid, leg.uuid, stopped)
    } catch (error) {
      const hadGone = await hasGone(node, leg.uuid, consulted)
      if (!hadGone) await hangUp(node, leg.uuid, 'ORIGINATOR_CANCEL')
      await goBack(node, uuid, waiting)
      if (hadGone && !waiting.asker.ended.aborted) return done(causeOf(consulted.cause()))
      return waiting.asker.ended.aborted ? gone(causeOf(waiting.asker.cause())) : refusal(node, error, uuid)
    }
    const how = await begun.over
    if (how.kind === 'lost') return await resultOf(node, uuid, how, 'Consult')
    if (how.kind === 'gone') {
      if (early && !consulted.answered()) {
        // Nobody can be transferred to who has not answered.
        await hangUp(node, leg.uuid, 'ORIGINATOR_CANCEL')
        await music(node, waiting, 'DELETE')
        return gone(causeOf(how.cause))
      }
      return await transfer(node, leg.uuid, waiting, how.cause)
    }
    if (how.kind === 'stopped') {
      await destroy(node, begun.bridge)
      await hangUp(node, leg.uuid, 'NORMAL_CLEARING')
    }
    const isOver = how.kind === 'stopped' || (await consulted.isGoing())
    await goBack(node, uuid, waiting)
    if (how.kind === 'stopped') return cutShort()
    if (early && isOver && !consulted.answered()) return notTaken(node, consulted.cause() ?? 'NORMAL_UNSPECIFIED')
    return done(isOver ? causeOf(consulted.cause()) : {})
  } finally {
    consulted.forget()
  }
}

/** Who consulted has hung up: the two others talk to each other, and where only one is left it is hung up. */
async function transfer(node: NodeContext, leg: string, waiting: Waiting, cause: string | undefined): Promise<Result> {
  if (waiting.peer.ended.aborted) {
    await hangUp(node, leg, 'NORMAL_CLEARING')
    return gone(causeOf(cause))
  }
  await music(node, waiting, 'DELETE')
  try {
    await join(node, waiting.bridge, leg)
    return done(causeOf(cause))
  } catch (error) {
    node.log.info('a call could not be transferred', { channel: leg, err: error })
    await hangUp(node, leg, 'NORMAL_CLEARING')
    return gone(causeOf(cause))
  }
}

/** Back to the talk that waits, unless somebody is gone or went elsewhere meanwhile. */
async function goBack(node: NodeContext, uuid: string, waiting: Waiting): Promise<void> {
  await music(node, waiting, 'DELETE')
  if (waiting.asker.ended.aborted || waiting.peer.ended.aborted) return
  const { bridge } = (await node.calls.find(uuid)) ?? {}
  if (bridge?.id !== undefined && (bridge.members ?? []).length > 1) return
  await join(node, waiting.bridge, uuid).catch((error: unknown) => {
    node.log.info('a channel could not go back to its talk', { channel: uuid, err: error })
  })
}

/** A single peer waits with music; several talk to each other meanwhile. */
async function music({ ari, log }: NodeContext, { peers, peer }: Waiting, how: 'POST' | 'DELETE'): Promise<void> {
  if (peers.length !== 1 || peer.ended.aborted) return
  await ari.request(how, ['channels', peers[0]!, 'moh']).catch((error: unknown) => {
    log.info('no music for a channel that waits', { channel: peers[0], err: error })
  })
}
