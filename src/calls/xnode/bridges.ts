import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ChannelFact, Fact } from '../../model/index.js'
import { hasStatus } from '../../transports/ari-client/index.js'
import { leftBridge, when } from './facts.js'
import { makeBridge, membersOf } from './make-bridge.js'
import type { NodeContext } from './method.js'
import { whenTold } from './told.js'

/** Bridges of ours are known by their ids, also to a gateway that did not make them. */
const PREFIX = 'patchbay-talk-'
/** A wait that only calls end. Milliseconds: a day. */
export const TALK_MS = 24 * 60 * 60 * 1000
/** How long a channel that hangs up may take to be gone. */
const GOING_MS = 2000
/** How long Asterisk may take to tell of somebody it has let into a bridge. */
const TOLD_MS = 1000

/** A bridge that must stay although one channel is left in it, or none yet. */
interface Kept {
  /** For how many reasons. */
  reasons: number
  /** Called when the last reason is gone. */
  readonly onRelease: Set<() => void>
}

const kept = new WeakMap<NodeContext, Map<string, Kept>>()

function keptBy(node: NodeContext): Map<string, Kept> {
  const known = kept.get(node) ?? new Map<string, Kept>()
  kept.set(node, known)
  return known
}

function keep(node: NodeContext, bridge: string): void {
  const known = keptBy(node).get(bridge) ?? { reasons: 0, onRelease: new Set() }
  known.reasons += 1
  keptBy(node).set(bridge, known)
}

function release(node: NodeContext, bridge: string): void {
  const known = keptBy(node).get(bridge)
  if (known === undefined) return
  known.reasons -= 1
  if (known.reasons > 0) return
  keptBy(node).delete(bridge)
  for (const tell of known.onRelease) tell()
}

/** Resolves when nothing keeps a bridge any more. */
export function untilReleased(node: NodeContext, bridge: string): Promise<void> {
  const known = keptBy(node).get(bridge)
  if (known === undefined) return Promise.resolve()
  return new Promise((resolve) => known.onRelease.add(resolve))
}

/** A talk that has begun. */
export interface Talk {
  readonly bridge: string
  /** How it ends for the first of the two. */
  readonly over: Promise<Over>
  /** Whether that one is in it: it may have left at once. */
  readonly isIn: boolean
}

/**
 * Puts two channels into a new bridge, which goes when fewer than two are left in it.
 * @throws AriError or GatewayError as the requests do; then there is no bridge.
 */
export async function talkBetween(node: NodeContext, uuid: string, other: string, stopped: AbortSignal): Promise<Talk> {
  const bridge = PREFIX + randomUUID()
  const [broken, absent] = [new AbortController(), new AbortController()]
  // In place before they enter, for they may leave at once.
  const over = untilOver(node, uuid, bridge, AbortSignal.any([stopped, broken.signal]), absent.signal)
  keep(node, bridge)
  try {
    await makeBridge(node.ari, bridge, { keys: true })
    await join(node, bridge, uuid, stopped)
    await join(node, bridge, other, stopped)
  } catch (error) {
    broken.abort()
    await destroy(node, bridge)
    throw error
  } finally {
    release(node, bridge)
  }
  const members = await endIfForlorn(node, bridge)
  const isIn = members === undefined || members.includes(uuid)
  if (!isIn) absent.abort()
  return { bridge, over, isIn }
}

/** Puts a channel into a bridge; it leaves the one where it is. */
export async function enter({ ari }: NodeContext, bridge: string, channel: string): Promise<void> {
  await ari.request('POST', ['bridges', bridge, 'addChannel'], { body: { channel } })
}

/** Likewise, over once that has been told: whatever is asked next knows where the channel is. */
export async function join(node: NodeContext, bridge: string, channel: string, stopped?: AbortSignal): Promise<void> {
  const bounds = { timeoutMs: TOLD_MS, ...(stopped && { signal: stopped }) }
  const isIn = when((fact) => fact.kind === 'channel' && hasEntered(fact, bridge))
  const { kind } = await whenTold(node, channel, isIn, bounds, () => enter(node, bridge, channel))
  // Nobody tells of it while the link is down; by then it is in.
  if (kind === 'lost') await delay(TOLD_MS, undefined, { ref: false })
}

/**
 * Takes a channel out of the bridge that Asterisk dialled it with, in which it stays after the answer until it enters
 * another, and of which nobody is told. Answers whether that worked.
 */
export async function passThrough(node: NodeContext, channel: string): Promise<boolean> {
  const bridge = PREFIX + randomUUID()
  try {
    await keeping(node, bridge, async () => {
      await makeBridge(node.ari, bridge, { keys: false })
      await enter(node, bridge, channel)
      await leave(node, bridge, channel)
    })
    return true
  } catch {
    return false
  }
}

/** Takes a channel out of a bridge; one that is not in it is out already. */
export async function leave({ ari }: NodeContext, bridge: string, channel: string): Promise<void> {
  try {
    await ari.request('POST', ['bridges', bridge, 'removeChannel'], { body: { channel } })
  } catch (error) {
    if (!hasStatus(error, 400, 404, 409, 422)) throw error
  }
}

/** Ends a bridge; whoever was in it is alone. */
export async function destroy({ ari, log }: Pick<NodeContext, 'ari' | 'log'>, bridge: string): Promise<void> {
  try {
    await ari.request('DELETE', ['bridges', bridge])
  } catch (error) {
    if (!hasStatus(error, 404)) log.warn('a bridge could not be ended', { bridge, err: error })
  }
}

/**
 * Lets a bridge stand while something is done, however few are in it. One of a talk, or with an `end` of its own, ends
 * afterwards if there are too few then.
 */
export async function keeping<T>(
  node: NodeContext,
  bridge: string,
  task: () => Promise<T>,
  end?: () => Promise<unknown>,
): Promise<T> {
  try {
    return await undisturbed(node, bridge, task)
  } finally {
    if (end !== undefined || bridge.startsWith(PREFIX)) await endIfForlorn(node, bridge, end)
  }
}

/** Likewise, for what ends the bridge by itself: otherwise those who leave it then would have it ended once more. */
export async function undisturbed<T>(node: NodeContext, bridge: string, task: () => Promise<T>): Promise<T> {
  keep(node, bridge)
  try {
    return await task()
  } finally {
    release(node, bridge)
  }
}

/** Whether a bridge stands for a reason of its own. */
function isKept(node: NodeContext, bridge: string): boolean {
  return keptBy(node).has(bridge)
}

/** Ends a bridge with fewer than two in it that nothing keeps; answers who was in it. */
async function endIfForlorn(
  node: NodeContext,
  bridge: string,
  end = (): Promise<unknown> => destroy(node, bridge),
): Promise<readonly string[] | undefined> {
  const members = await membersOf(node.ari, bridge)
  if (members !== undefined && members.length < 2 && !isKept(node, bridge)) await end()
  return members
}

const lines = new WeakMap<NodeContext, Map<string, Promise<unknown>>>()

/**
 * Builds or ends a bridge after whatever is done to it already: a bridge that is built again has the names of the one
 * before, whose end would take it away.
 */
export function inLine<T>(node: NodeContext, bridge: string, task: () => Promise<T>): Promise<T> {
  const all = lines.get(node) ?? new Map<string, Promise<unknown>>()
  lines.set(node, all)
  const run = (all.get(bridge) ?? Promise.resolve()).then(task)
  const over = run.catch(() => undefined).then(() => void (all.get(bridge) === over && all.delete(bridge)))
  all.set(bridge, over)
  return run
}

/** Ends bridges of ours that have nobody left to talk to each other. */
export function noteBridge(node: NodeContext, fact: Fact): void {
  noteForlorn(node, fact, PREFIX, (bridge) => destroy(node, bridge))
}

/**
 * Has a bridge ended that a fact tells to be left with fewer than two in it, be it somebody's leaving or a picture after
 * an outage; but not while it is kept, as one is that is being built.
 * @param prefix how the ids of the bridges begin that are meant
 */
export function noteForlorn(
  node: NodeContext,
  fact: Fact,
  prefix: string,
  end: (bridge: string) => Promise<unknown>,
): void {
  const left = forlorn(fact)
  if (left === undefined || !left.startsWith(prefix) || isKept(node, left)) return
  // Asked, for a fact may be older than the answer to a request that let somebody in since.
  inLine(node, left, () => endIfForlorn(node, left, () => end(left))).catch((error: unknown) =>
    node.log.warn('a bridge could not be ended', { bridge: left, err: error }),
  )
}

function forlorn(fact: Fact): string | undefined {
  if (fact.kind === 'bridge') return fact.full === true && (fact.members ?? []).length < 2 ? fact.id : undefined
  return leftBridge(fact) && (fact.bridge?.members ?? []).length < 2 ? fact.bridge?.id : undefined
}

/** Whether a fact tells that its channel is in a bridge now. */
function hasEntered(fact: ChannelFact, bridge: string): boolean {
  return fact.change === 'bridge' && fact.bridge?.id === bridge && !leftBridge(fact)
}

/** How a talk ended for a channel; `others` are those that were in the bridge then. */
export type Over =
  /** It left the bridge and is still there. */
  | { readonly kind: 'left' }
  | { readonly kind: 'gone'; readonly cause: string | undefined; readonly others: readonly string[] }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'lost' }

/**
 * Resolves when a channel is not in a bridge any more, but for a time that the bridge is kept in.
 * @param absent aborted when it was found not to be there
 */
export async function untilOver(
  node: NodeContext,
  uuid: string,
  bridge: string,
  stopped: AbortSignal,
  absent?: AbortSignal,
): Promise<Over> {
  let others: readonly string[] = []
  let [hangsUp, isAway] = [false, false]
  let timer: NodeJS.Timeout | undefined
  const late = new AbortController()
  const leaveSoon = () => {
    timer ??= setTimeout(() => late.abort(), GOING_MS)
  }
  absent?.addEventListener('abort', leaveSoon)
  const pick = (fact: Fact): true | undefined => {
    if (fact.kind !== 'channel') return undefined
    hangsUp ||= fact.change === 'hangup'
    if (fact.change !== 'bridge' || fact.bridge?.id !== bridge) return undefined
    if (!leftBridge(fact)) {
      isAway = false
      clearTimeout(timer)
      timer = undefined
    } else if (isKept(node, bridge)) {
      // It may come back as long as the bridge is kept for it, and a moment later.
      if (!isAway) void untilReleased(node, bridge).then(() => isAway && leaveSoon())
      isAway = true
    } else {
      others = fact.bridge.members ?? []
      if (!hangsUp) return true
      leaveSoon()
    }
    return undefined
  }
  const bounds = { signal: AbortSignal.any([stopped, late.signal]), timeoutMs: TALK_MS }
  let outcome = await node.happenings.wait(uuid, pick, bounds)
  // Only people end a talk, however long it is.
  while (outcome.kind === 'late') outcome = await node.happenings.wait(uuid, pick, bounds)
  isAway = false
  clearTimeout(timer)
  if (outcome.kind === 'told' || late.signal.aborted) return { kind: 'left' }
  if (outcome.kind === 'ended') return { kind: 'gone', cause: outcome.end.cause?.name, others }
  return { kind: outcome.kind === 'lost' ? 'lost' : 'stopped' }
}
