import { destroy, leave, type Over, TALK_MS, type Talk, talkBetween, untilReleased } from '../bridges.js'
import { planOf } from '../destination.js'
import { leftBridge, when } from '../facts.js'
import { causeIn, type Dialled, dialLegs, hangUp, limit } from '../legs.js'
import { membersOf } from '../make-bridge.js'
import { programmeOf } from '../media.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { causeOf, refusal, resultOf } from '../outcome.js'
import { bad, cutShort, done, gone, noSuchChannel, type Result } from '../result.js'
import { makeRingback } from '../ringback.js'
import { whenTold } from '../told.js'
import { notTaken } from './dial.js'

/** Commands that last as long as people talk. */
const TALK_DEADLINE_MS = TALK_MS + 60_000

/** Who stays under control when the other one hung up; everyone else is hung up, too. */
const FLOWS: Readonly<Record<string, readonly ('caller' | 'callee')[]>> = {
  NONE: [],
  CALLER: ['caller'],
  CALLEE: ['callee'],
  ANY: ['caller', 'callee'],
}

/** Bridge: dials from a channel, with ringback, and is over when the two do not talk to each other any more. */
export const bridge: ChannelMethod = {
  on: 'channel',
  turn: 'to-the-end',
  deadlineMs: TALK_DEADLINE_MS,
  async run(node, request) {
    const { params, channel, controller } = request
    const stays = flowOf(params.flow_control, 'CALLER')
    if (stays === undefined) return bad('flow_control: want NONE, CALLER, CALLEE or ANY')
    const planned = await planOf(node, params.destination)
    if ('refused' in planned) return planned.refused
    const { ringback } = params
    const own =
      typeof ringback === 'string' && ringback !== ''
        ? programmeOf(node.tables, { data: ringback }, 'ringback')
        : undefined
    if (own !== undefined && 'refused' in own) return own.refused
    const bell = makeRingback(node, request.uuid, own?.value)
    const caller = watch(node, request.uuid)
    try {
      const dialled = await dialLegs(node, planned.plan, {
        controller: controller ?? channel.controller,
        stopped: AbortSignal.any([request.stopped, caller.ended]),
        rings: bell.start,
      })
      await bell.stop()
      if (dialled.kind === 'ready') return await talk(node, request, dialled, stays)
      if (dialled.kind === 'stopped') return caller.ended.aborted ? gone(causeOf(caller.cause())) : cutShort()
      if (dialled.kind === 'lost') return await resultOf(node, request.uuid, { kind: 'lost' }, 'Bridge')
      return await fail(node, request, dialled.cause)
    } finally {
      await bell.stop()
      caller.forget()
    }
  },
}

/** ChannelBridge: two channels that are there already, until they do not talk to each other any more. */
export const channelBridge: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  deadlineMs: TALK_DEADLINE_MS,
  async run(node, request) {
    const begun = await connect(node, request)
    return 'code' in begun ? begun : begun.over
  },
}

/** ChannelBridge2: likewise, and done when they are connected. */
export const channelBridge2: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  deadlineMs: 30_000,
  async run(node, request) {
    const begun = await connect(node, { ...request, stopped: new AbortController().signal })
    if ('code' in begun) return begun
    if (!begun.isIn) return begun.over
    begun.over.catch((error: unknown) => node.log.error('a talk was not followed to its end', { err: error }))
    return done()
  },
}

/** UnBridge, UnBridge2: the channel leaves its bridge. */
export const unBridge: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, { uuid, channel }) {
    const id = channel.bridge?.id
    if (id === undefined) return bad(`uuid: ${uuid} is in no bridge`)
    try {
      const left = await whenTold(node, uuid, when(leftBridge), { timeoutMs: UNBRIDGE_MS }, () => leave(node, id, uuid))
      return left.kind === 'told' ? done() : await resultOf(node, uuid, left, 'UnBridge')
    } catch (error) {
      return refusal(node, error, uuid)
    }
  },
}

const UNBRIDGE_MS = 5000
const MOST_DELAY_MS = 10_000

function flowOf(given: unknown, usual: string): readonly ('caller' | 'callee')[] | undefined {
  const name = typeof given === 'string' && given !== '' ? given.toUpperCase() : usual
  return Object.hasOwn(FLOWS, name) ? FLOWS[name] : undefined
}

async function connect(
  node: NodeContext,
  { uuid, params, stopped }: ChannelRequest,
): Promise<Result | { readonly over: Promise<Result>; readonly isIn: boolean }> {
  const { peer_uuid: peer, bridge_delay: delayMs = 0 } = params
  const stays = flowOf(params.flow_control, 'ANY')
  if (stays === undefined) return bad('flow_control: want NONE, CALLER, CALLEE or ANY')
  if (typeof delayMs !== 'number' || delayMs < 0 || delayMs > MOST_DELAY_MS)
    return bad(`bridge_delay: want 0 to ${MOST_DELAY_MS} milliseconds`)
  if (typeof peer !== 'string' || peer === '' || peer === uuid)
    return bad('peer_uuid: want the uuid of another channel')
  if ((await node.calls.find(peer)) === undefined) return noSuchChannel(peer)
  if (delayMs > 0) {
    const waited = await node.happenings.wait(uuid, () => undefined, { signal: stopped, timeoutMs: delayMs })
    if (waited.kind !== 'told' && waited.kind !== 'late') return resultOf(node, uuid, waited, 'ChannelBridge')
  }
  let talk: Talk
  const other = watch(node, peer)
  try {
    talk = await talkBetween(node, uuid, peer, stopped)
  } catch (error) {
    const result = (await hasGone(node, peer, other))
      ? await afterwards(node, { uuid, peer, id: '', how: { kind: 'left' }, stays, other })
      : await refusal(node, error, uuid)
    other.forget()
    return result
  }
  const over = talk.over.then(async (how) => {
    const result = await afterwards(node, { uuid, peer, id: talk.bridge, how, stays, other })
    other.forget()
    return result
  })
  return { over, isIn: talk.isIn }
}

type Taken = Extract<Dialled, { readonly kind: 'ready' }>

/** Two legs talk to each other; the callee's early media count as talk. */
async function talk(
  node: NodeContext,
  request: ChannelRequest,
  { leg, early }: Taken,
  stays: readonly ('caller' | 'callee')[],
): Promise<Result> {
  const { uuid, channel, stopped } = request
  const onAnswer = () => {
    pickUp(node, uuid).catch(() => undefined)
    void limit(node, leg)
  }
  const callee = watch(node, leg.uuid, early ? onAnswer : undefined)
  try {
    let begun: Talk
    try {
      if (channel.state !== 'answered') await (early ? progress(node, uuid) : pickUp(node, uuid))
      begun = await talkBetween(node, uuid, leg.uuid, stopped)
    } catch (error) {
      if (await hasGone(node, leg.uuid, callee))
        return await afterwards(node, { uuid, peer: leg.uuid, id: '', how: { kind: 'left' }, stays, other: callee })
      await hangUp(node, leg.uuid, 'ORIGINATOR_CANCEL')
      return refusal(node, error, uuid)
    }
    const how = await begun.over
    if (early && how.kind === 'left' && !callee.answered() && (await callee.isGoing())) {
      return fail(node, request, callee.cause() ?? 'NORMAL_UNSPECIFIED')
    }
    return await afterwards(node, { uuid, peer: leg.uuid, id: begun.bridge, how, stays, other: callee })
  } finally {
    callee.forget()
  }
}

interface Ended {
  readonly uuid: string
  readonly peer: string
  readonly id: string
  readonly how: Over
  readonly stays: readonly ('caller' | 'callee')[]
  readonly other: Watched
}

/** Who goes with whom when a talk is over, and what it came to. */
async function afterwards(node: NodeContext, { uuid, peer, id, how, stays, other }: Ended): Promise<Result> {
  switch (how.kind) {
    case 'gone': {
      // Somebody else may have taken the callee's place; several that are left talk to each other.
      if (!stays.includes('callee')) {
        if (how.others.length === 1) await hangUp(node, how.others[0]!, 'NORMAL_CLEARING')
        else if (how.others.length === 0) await endForlorn(node, id, peer)
      }
      return gone(causeOf(how.cause))
    }
    case 'left': {
      if (!(await other.isGoing())) return done()
      if (!stays.includes('caller')) await hangUp(node, uuid, 'NORMAL_CLEARING')
      return done(causeOf(other.cause()))
    }
    case 'stopped':
      await destroy(node, id)
      if (!stays.includes('callee')) await hangUp(node, peer, 'NORMAL_CLEARING')
      return cutShort()
    case 'lost':
      return resultOf(node, uuid, { kind: 'lost' }, 'the bridge')
  }
}

/** Ends the one that is left where nobody saw who was left; unless it talks to somebody else by now. */
async function endForlorn(node: NodeContext, bridge: string, peer: string): Promise<void> {
  await untilReleased(node, bridge)
  const talks = ((await membersOf(node.ari, bridge)) ?? []).length > 1
  const { peers = [] } = (await node.calls.find(peer)) ?? {}
  if (!talks && peers.length === 0) await hangUp(node, peer, 'NORMAL_CLEARING')
}

/** Whether a channel that could not be bridged is gone, or about to be. */
export async function hasGone(node: NodeContext, uuid: string, watched: Watched): Promise<boolean> {
  return (await watched.isGoing()) || (await node.calls.find(uuid)) === undefined
}

/** Nobody took the call: the caller goes on, or ends with the same cause. */
async function fail(node: NodeContext, { uuid, params }: ChannelRequest, cause: string): Promise<Result> {
  const goesOn = String(params.continue_on_fail ?? '')
  const causes = goesOn.split(',').map((each) => each.trim())
  if (goesOn !== 'true' && !causes.includes(cause)) await hangUp(node, uuid, cause)
  return notTaken(node, cause)
}

async function pickUp({ ari }: NodeContext, uuid: string): Promise<void> {
  await ari.request('POST', ['channels', uuid, 'answer'])
}

/** The caller may hear the callee before the answer. */
async function progress({ ari, log }: NodeContext, uuid: string): Promise<void> {
  await ari.request('POST', ['channels', uuid, 'progress']).catch((error: unknown) => {
    log.info('a caller cannot hear before the answer', { channel: uuid, err: error })
  })
}

/** The end of a channel, as it comes near. */
export interface Watched {
  /** Aborted when it ended. */
  readonly ended: AbortSignal
  cause(): string | undefined
  answered(): boolean
  /** Whether it hangs up; resolves at its end, or soon. */
  isGoing(): Promise<boolean>
  forget(): void
}

/** How long a channel that hangs up may take to be gone. Milliseconds. */
const GOING_MS = 2000

/** Watches a channel; calls back when it is answered. */
export function watch(node: NodeContext, uuid: string, onAnswer?: () => void): Watched {
  const end = new AbortController()
  let cause: string | undefined
  let hangsUp = false
  let answered = false
  const forget = node.happenings.listen(uuid, (fact) => {
    if (fact.kind !== 'channel') return
    hangsUp ||= fact.change === 'hangup'
    if (fact.state === 'answered' && !answered) {
      answered = true
      onAnswer?.()
    }
    if (fact.state !== 'ended') return
    cause = causeIn(fact)
    end.abort()
  })
  // The answer may have been told before anybody listened.
  if (onAnswer !== undefined)
    node.calls.find(uuid).then(
      (channel) => {
        if (channel?.state !== 'answered' || answered) return
        answered = true
        onAnswer()
      },
      (error: unknown) => node.log.warn('a channel could not be looked up', { channel: uuid, err: error }),
    )
  return {
    ended: end.signal,
    cause: () => cause,
    answered: () => answered,
    async isGoing() {
      if (end.signal.aborted) return true
      if (!hangsUp) return false
      await node.happenings.wait(uuid, () => undefined, { signal: end.signal, timeoutMs: GOING_MS })
      return true
    },
    forget,
  }
}
