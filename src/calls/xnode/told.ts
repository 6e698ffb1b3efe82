import type { Fact } from '../../model/index.js'
import type { Bounds, Outcome } from './happenings.js'
import type { NodeContext } from './method.js'

/**
 * Asks for something and waits until it is told of: the listener is in place before the request, for what is asked may
 * have happened before it is answered. A request that fails gives the waiting up.
 * @throws what `ask` throws.
 */
export async function whenTold<T>(
  { happenings }: Pick<NodeContext, 'happenings'>,
  channel: string,
  pick: (fact: Fact) => T | undefined,
  { signal, timeoutMs }: Bounds,
  ask: () => Promise<unknown>,
): Promise<Outcome<T>> {
  const refused = new AbortController()
  const told = happenings.wait(channel, pick, {
    signal: signal === undefined ? refused.signal : AbortSignal.any([signal, refused.signal]),
    timeoutMs,
  })
  try {
    await ask()
  } catch (error) {
    refused.abort()
    throw error
  }
  return told
}
