import { GatewayError } from '../../errors.js'
import type { ChannelFact, Fact } from '../../model/index.js'
import { hasStatus } from '../../transports/ari-client/index.js'
import type { NodeContext } from './method.js'

/** How long a channel that we make for ourselves may take to be in the application. Milliseconds. */
const ENTRY_MS = 3000
const PREFIX = 'patchbay-ear-'

/** Id of a channel that takes part in talks with people and is a peer to nobody. */
export const earId = (name: string): string => PREFIX + name

/** Whether a member of a bridge is such a channel: whoever is alone with it talks to nobody. */
export const isEar = (id: string): boolean => id.startsWith(PREFIX)

/** What a snoop channel takes from its target, and which side of it hears what is said to the snoop. */
export interface Snoop {
  readonly spy: 'none' | 'in' | 'out' | 'both'
  readonly whisper: 'none' | 'in' | 'out' | 'both'
}

/**
 * Makes a channel of our own that is announced to nobody, and waits until it is in the application: only there
 * it can be recorded or bridged, and Asterisk answers before.
 * @throws AriError or GatewayError as `make` does, and where it does not come in; then it is hung up again, as far as
 * Asterisk can be reached.
 */
export async function makeHidden(
  node: NodeContext,
  id: string,
  make: () => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const inside = node.happenings.wait(id, (fact) => (isEntry(fact) ? true : undefined), {
    signal: signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]),
    timeoutMs: ENTRY_MS,
  })
  // Known before it is there, it is announced to nobody.
  await node.calls.plan([factOf(node, id, 'new')])
  try {
    await make()
  } catch (error) {
    over.abort()
    await node.calls.tell([factOf(node, id, 'ended')])
    throw error
  }
  const { kind } = await inside
  if (kind === 'told') return
  await node.calls.unplan(id)
  await dropHidden(node, id)
  throw new GatewayError('link.lost', `${id} did not come into the application (${kind})`, { fate: 'retry' })
}

/** Makes a hidden snoop channel on a target. */
export function snoop(node: NodeContext, target: string, id: string, how: Snoop, signal?: AbortSignal): Promise<void> {
  const body = { ...how, app: node.app }
  return makeHidden(node, id, () => node.ari.request('POST', ['channels', target, 'snoop', id], { body }), signal)
}

/** Hangs a hidden channel up; answers whether there was one. */
export async function dropHidden({ ari, log }: Pick<NodeContext, 'ari' | 'log'>, id: string): Promise<boolean> {
  try {
    await ari.request('DELETE', ['channels', id])
    return true
  } catch (error) {
    if (!hasStatus(error, 404)) log.info('a channel of our own could not be ended', { channel: id, err: error })
    return false
  }
}

function isEntry(fact: Fact): boolean {
  return fact.kind === 'channel' && fact.change === 'control' && fact.flags?.controllable === true
}

function factOf({ nodeUuid: node }: NodeContext, id: string, state: 'new' | 'ended'): ChannelFact {
  const flags = { loopback: true }
  return { kind: 'channel', id, node, change: 'state', direction: 'outbound', state, flags }
}
