import { randomUUID } from 'node:crypto'
import type { Channel, Fact } from '../../../model/index.js'
import { destroy, join, keeping, noteForlorn, TALK_MS, untilOver } from '../bridges.js'
import { earId } from '../ears.js'
import { dropHidden, type Snoop, snoop } from '../hidden.js'
import { makeBridge } from '../make-bridge.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { causeOf, refusal, resultOf } from '../outcome.js'
import { bad, cutShort, done, gone, noSuchChannel, type Result } from '../result.js'

/** Whose line is tapped, what is taken from it and who hears the third party. */
interface Seat extends Snoop {
  readonly on: 'target' | 'peer'
}

/**
 * What the third party hears and to whom it speaks: A is the target, B its peer. `in` of a snoop is what its
 * channel says, `out` what is said to it.
 */
const SEATS: ReadonlyMap<string, Seat> = new Map<string, Seat>([
  ['LISTEN', { on: 'target', spy: 'both', whisper: 'none' }],
  ['ABC', { on: 'target', spy: 'both', whisper: 'both' }],
  ['ABC3', { on: 'target', spy: 'both', whisper: 'both' }],
  ['AC', { on: 'target', spy: 'in', whisper: 'out' }],
  ['BC', { on: 'peer', spy: 'in', whisper: 'out' }],
  ['TOA', { on: 'target', spy: 'both', whisper: 'out' }],
  ['TOB', { on: 'peer', spy: 'both', whisper: 'out' }],
])
const PREFIX = 'patchbay-party-'
/** The ear's name follows from the bridge's, so that it can be ended by a gateway that did not make it. */
const earIn = (bridge: string) => earId(bridge.slice(PREFIX.length))

/** What ends the seat of a third party, and its end; by the third party. */
const seated = new WeakMap<
  NodeContext,
  Map<string, { readonly abort: AbortController; readonly over: Promise<Result> }>
>()

/**
 * ThreeWay: the channel hears the talk of another one, and speaks to one side or to both of it, until either is gone
 * or it is stopped. A second one takes the place of the first.
 */
export const threeWay: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  deadlineMs: TALK_MS + 60_000,
  async run(node, request) {
    const { uuid, params } = request
    const direction = String(params.direction ?? '').toUpperCase() || 'LISTEN'
    if (direction === 'STOP') return (await stand(node, request)) ? done() : bad(`uuid: ${uuid} is no third party`)
    const seat = SEATS.get(direction)
    if (seat === undefined) return bad(`direction: want ${[...SEATS.keys(), 'STOP'].join(', ')}`)
    const { target_uuid: target } = params
    if (typeof target !== 'string' || target === '' || target === uuid)
      return bad('target_uuid: want the uuid of another channel')
    const there = await node.calls.find(target)
    if (there === undefined) return noSuchChannel(target)
    if ((there.peers ?? []).includes(uuid)) return bad('target_uuid: these two talk to each other already')
    const tapped = seat.on === 'target' ? target : there.peers?.[0]
    if (tapped === undefined) return bad(`target_uuid: ${target} has no peer`)
    await stand(node, request)
    return sit(node, request, tapped, seat)
  },
}

async function sit(node: NodeContext, request: ChannelRequest, tapped: string, seat: Seat): Promise<Result> {
  const all = seated.get(node) ?? new Map()
  seated.set(node, all)
  const abort = new AbortController()
  const over = takePart(node, request, tapped, seat, AbortSignal.any([request.stopped, abort.signal]))
  const mine = { abort, over: over.catch(() => cutShort()) }
  all.set(request.uuid, mine)
  try {
    return await over
  } finally {
    if (all.get(request.uuid) === mine) all.delete(request.uuid)
  }
}

/** Ends the seat of a third party; answers whether it had one. */
async function stand(node: NodeContext, { uuid, channel }: ChannelRequest): Promise<boolean> {
  const there = seated.get(node)?.get(uuid)
  if (there !== undefined) {
    there.abort.abort()
    await there.over
    return true
  }
  // One that was taken before this process began has left what it is made of.
  const { id = '' } = channel.bridge ?? {}
  return id.startsWith(PREFIX) && clear(node, id)
}

async function takePart(
  node: NodeContext,
  { uuid, channel }: ChannelRequest,
  tapped: string,
  { spy, whisper }: Seat,
  stopped: AbortSignal,
): Promise<Result> {
  const bridge = PREFIX + randomUUID()
  const ear = earIn(bridge)
  const broken = new AbortController()
  // In place before the channel enters, for it may leave at once.
  const over = untilOver(node, uuid, bridge, AbortSignal.any([stopped, broken.signal]))
  let asked = tapped
  const build = async () => {
    if (!isUp(channel)) await node.ari.request('POST', ['channels', uuid, 'answer'])
    await makeBridge(node.ari, bridge, { keys: true })
    await snoop(node, tapped, ear, { spy, whisper }, stopped)
    asked = uuid
    for (const member of [ear, uuid]) await join(node, bridge, member, stopped)
  }
  try {
    await keeping(node, bridge, build, () => clear(node, bridge))
  } catch (error) {
    broken.abort()
    await clear(node, bridge)
    if ((await over).kind === 'gone') return gone()
    return stopped.aborted ? cutShort() : refusal(node, error, asked)
  }
  const how = await over
  await clear(node, bridge)
  switch (how.kind) {
    case 'left':
      return done()
    case 'gone':
      return gone(causeOf(how.cause))
    case 'stopped':
      return cutShort()
    case 'lost':
      return resultOf(node, uuid, { kind: 'lost' }, 'ThreeWay')
  }
}

const isUp = ({ state }: Channel) => state === 'answered'

/** Takes away what a seat is made of; answers whether there was something. */
async function clear(node: NodeContext, bridge: string): Promise<boolean> {
  const was = await dropHidden(node, earIn(bridge))
  await destroy(node, bridge)
  return was
}

/** Ends a seat when one of the two in its bridge left it: the third party, or the ear with the line that it taps. */
export function noteThreeWay(node: NodeContext, fact: Fact): void {
  noteForlorn(node, fact, PREFIX, (bridge) => clear(node, bridge))
}
