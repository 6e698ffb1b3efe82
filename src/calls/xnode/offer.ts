import type { Channel, Fact } from '../../model/index.js'
import { AriError, hasStatus } from '../../transports/ari-client/index.js'
import { entersApp, when } from './facts.js'
import type { NodeContext } from './method.js'
import { refusal, resultOf } from './outcome.js'
import { conflict, failed, gone, type Result } from './result.js'
import { whenTold } from './told.js'

/** How long a channel that was claimed may take to be in the application: it is there at once. Milliseconds. */
const ENTRY_MS = 3000

/**
 * Claims a channel that Asterisk's StasisBroadcast() offers to several applications, and waits until it is in ours: only
 * there it can be steered. Asterisk decides who was the first. Undefined when it is ours, and for channels that are not
 * on offer; 419 when another application has it, 410 when its time on offer is over.
 */
export async function takeOffered(node: NodeContext, { id, flags }: Channel): Promise<Result | undefined> {
  if (flags?.offered === undefined || id === undefined) return undefined
  if (!flags.offered) return taken()
  // Asterisk lets an application win that nobody listens to, and the caller would be lost.
  if (node.happenings.isLost()) return failed('not done, Asterisk is out of reach: there is no event socket')
  try {
    const query = { channelId: id, application: node.app }
    const entry = await whenTold(node, id, when(entersApp), { timeoutMs: ENTRY_MS }, () =>
      node.ari.request('POST', ['events', 'claim'], { query }),
    )
    if (entry.kind === 'told') return undefined
    if (entry.kind !== 'ended') doubtClaim(node, id)
    return await resultOf(node, id, entry, 'the claim')
  } catch (error) {
    if (!(error instanceof AriError)) doubtClaim(node, id)
    if (!hasStatus(error, 404, 409)) return refusal(node, error, id)
    const channel = await node.calls.find(id)
    if (channel === undefined) return gone()
    if (hasStatus(error, 404)) return gone({ message: 'the channel is on offer no more, and went on in the dialplan' })
    return channel.flags?.controllable === true || (await wasWon(node, id)) ? undefined : taken()
  }
}

function taken(): Result {
  return conflict('another application claimed the call')
}

/** Forgets the claims of a channel that came in, or ended. */
export function noteOffer(node: NodeContext, fact: Fact): void {
  if (fact.kind !== 'channel' || fact.id === undefined) return
  if (fact.state === 'ended' || entersApp(fact)) doubts.get(node)?.delete(fact.id)
}

/** Channels that we tried to claim without being told what came of it. */
const doubts = new WeakMap<NodeContext, Set<string>>()

/** Remembers that a channel may have been claimed for us. */
export function doubtClaim(node: NodeContext, uuid: string): void {
  doubts.set(node, (doubts.get(node) ?? new Set()).add(uuid))
}

/**
 * Whether an earlier claim of ours won, though neither its answer nor the event of the entry came through: an application
 * hears of every channel that is in it, so where no other one hears of this channel, it is in ours.
 */
async function wasWon(node: NodeContext, id: string): Promise<boolean> {
  if (doubts.get(node)?.has(id) !== true) return false
  const all = (await node.ari.request('GET', ['applications'])) as readonly Application[] // as Asterisk documents it
  if (all.some(({ name, channel_ids }) => name !== node.app && channel_ids.includes(id))) return false
  const flags = { controllable: true }
  await node.calls.tell([{ kind: 'channel', id, node: node.nodeUuid, change: 'control', flags }])
  doubts.get(node)?.delete(id)
  return true
}

interface Application {
  readonly name: string
  readonly channel_ids: readonly string[]
}
