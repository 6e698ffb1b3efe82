import { setTimeout as delay } from 'node:timers/promises'
import { type AriRest, hasStatus } from '../../transports/ari-client/index.js'

/** How long the id of a bridge that was ended may stay taken. Milliseconds. */
const FREED_MS = 1000

/** What a bridge does beside mixing sound. */
export interface BridgeKind {
  /** Whether keys are reported, which Asterisk does not do by itself where it only passes media on. */
  readonly keys: boolean
  readonly name?: string
}

/**
 * Makes a bridge. Asterisk keeps the id of one that was ended until the last that holds it has let go, and answers 409
 * until then, some milliseconds as a rule, in which it may be shown, empty.
 * @throws AriError 409 where a bridge of this id stands; one that is empty is waited for in vain. AriError or GatewayError
 * as the request does.
 */
export async function makeBridge(ari: AriRest, bridge: string, { keys, name }: BridgeKind): Promise<void> {
  const body = { type: keys ? 'mixing,dtmf_events' : 'mixing', ...(name !== undefined && { name }) }
  const end = performance.now() + FREED_MS
  for (;;) {
    try {
      await ari.request('POST', ['bridges', bridge], { body })
      return
    } catch (error) {
      if (!hasStatus(error, 409) || performance.now() > end || (await membersOf(ari, bridge))?.length !== 0) throw error
    }
    await delay(20)
  }
}

/** Who is in a bridge: nobody where there is none, undefined where Asterisk does not tell. */
export async function membersOf(ari: AriRest, bridge: string): Promise<readonly string[] | undefined> {
  try {
    const told = (await ari.request('GET', ['bridges', bridge])) as { readonly channels?: readonly unknown[] }
    return (told.channels ?? []).map(String)
  } catch (error) {
    return hasStatus(error, 404) ? [] : undefined
  }
}
