import { GatewayError } from '../../errors.js'
import type { ChannelFact } from '../../model/index.js'
import { hasStatus } from '../../transports/ari-client/index.js'
import { entersApp, when } from './facts.js'
import type { NodeContext } from './method.js'
import { whenTold } from './told.js'

/** How long a channel that we make for ourselves may take to be in the application. Milliseconds. */
const ENTRY_MS = 3000
/** How long one that was hung up may take to be gone; where it takes in no sound Asterisk may keep it longer. Milliseconds. */
const GOING_MS = 1000

/** What a snoop channel takes from its target, and which side of it hears what is said to the snoop. */
export interface Snoop {
  readonly spy: 'none' | 'in' | 'out' | 'both'
  readonly whisper: 'none' | 'in' | 'out' | 'both'
}

/**
 * Makes a channel of our own that is announced to nobody, and waits until it is in the application: only there
 * it can be recorded or bridged, and Asterisk answers before.
 * @throws as `make` does; GatewayError `link.lost` where it did not come in within its time, the link went away or
 * `signal` was aborted before that. In these cases it is hung up again, as far as Asterisk can be reached; what became of
 * a `make` that got no answer is not looked into.
 */
export async function makeHidden(
  node: NodeContext,
  id: string,
  make: () => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  // A channel of this id that is being ended would be ended once more, and take the new one with it.
  await leavingOf(node)
    .get(id)
    ?.catch(() => undefined)
  const bounds = { timeoutMs: ENTRY_MS, ...(signal && { signal }) }
  const { kind } = await whenTold(node, id, when(entersApp), bounds, async () => {
    // Known before it is there, it is announced to nobody.
    await node.calls.plan([factOf(node, id, 'new')])
    try {
      await make()
    } catch (error) {
      await node.calls.tell([factOf(node, id, 'ended')])
      throw error
    }
  })
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

/** Hidden channels that are being hung up, by the connection to their Asterisk. */
const leaving = new WeakMap<NodeContext['ari'], Map<string, Promise<boolean>>>()

function leavingOf({ ari }: Pick<NodeContext, 'ari'>): Map<string, Promise<boolean>> {
  const known = leaving.get(ari) ?? new Map<string, Promise<boolean>>()
  leaving.set(ari, known)
  return known
}

/**
 * Hangs a hidden channel up, and waits a moment until it is gone: until then its id is taken. Answers whether there was
 * one. Asked for twice at a time, it is done once.
 * @throws AriError or GatewayError as the request does.
 */
export function endHidden(node: Pick<NodeContext, 'ari' | 'happenings'>, id: string): Promise<boolean> {
  const all = leavingOf(node)
  const run = all.get(id) ?? hangUp(node, id).finally(() => all.delete(id))
  all.set(id, run)
  return run
}

async function hangUp(node: Pick<NodeContext, 'ari' | 'happenings'>, id: string): Promise<boolean> {
  try {
    await whenTold<never>(
      node,
      id,
      () => undefined,
      { timeoutMs: GOING_MS },
      () => node.ari.request('DELETE', ['channels', id]),
    )
    return true
  } catch (error) {
    if (hasStatus(error, 404)) return false
    throw error
  }
}

/** Likewise; one that could not be ended is only logged. */
export async function dropHidden(node: Pick<NodeContext, 'ari' | 'happenings' | 'log'>, id: string): Promise<boolean> {
  try {
    return await endHidden(node, id)
  } catch (error) {
    node.log.info('a channel of our own could not be ended', { channel: id, err: error })
    return false
  }
}

function factOf({ nodeUuid: node }: NodeContext, id: string, state: 'new' | 'ended'): ChannelFact {
  const flags = { loopback: true }
  return { kind: 'channel', id, node, change: 'state', direction: 'outbound', state, flags }
}
