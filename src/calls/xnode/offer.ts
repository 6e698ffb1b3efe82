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
    if (channel.flags?.controllable === true) return undefined
    if (doubts.get(node)?.has(id) !== true) return taken()
    return await afterDoubt(node, id)
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

/** Stands among the channels of an application that is subscribed to all of them. */
const ALL_CHANNELS = '__AST_CHANNEL_ALL_TOPIC'

/**
 * What came of an earlier claim of ours of which neither the answer nor the event of the entry came through. An application
 * hears of every channel that is in it: where no other one can hear of this channel, it is in ours. Undefined then.
 */
async function afterDoubt(node: NodeContext, id: string): Promise<Result | undefined> {
  const all = (await node.ari.request('GET', ['applications'])) as readonly Application[] // as Asterisk documents it
  const others = all.filter(({ name }) => name !== node.app)
  if (others.some(({ channel_ids: ids }) => ids.includes(id) || ids.includes(ALL_CHANNELS)))
    return failed('unknown: another application may have claimed the call, or we did')
  const flags = { controllable: true }
  await node.calls.tell([{ kind: 'channel', id, node: node.nodeUuid, change: 'control', flags }])
  doubts.get(node)?.delete(id)
  return undefined
}

interface Application {
  readonly name: string
  readonly channel_ids: readonly string[]
}
