import { GatewayError } from '../../errors.js'
import type { AriConfig, AriSystem } from './config.js'
import type { AriRest } from './rest.js'
import { objectOf, textOf } from './shapes.js'

/**
 * Reads what an Asterisk says of itself; its name is there where REST answers completely.
 * @throws GatewayError `link.refused` for an Asterisk that must not be used; as a request does where it fails.
 */
export async function readSystem(config: AriConfig, rest: AriRest, signal?: AbortSignal): Promise<AriSystem> {
  const info = objectOf(await rest.request('GET', ['asterisk', 'info'], { ...(signal && { signal }) }))
  const [system, settings, status] = [objectOf(info?.system), objectOf(info?.config), objectOf(info?.status)]
  const found = {
    name: textOf(settings?.name),
    entityId: textOf(system?.entity_id),
    startupTime: textOf(status?.startup_time),
  }
  judge(found, config)
  return found
}

/** @throws GatewayError `link.refused` for an Asterisk whose channels could be taken for those of another. */
function judge(system: AriSystem, { node, qualifyIds, refuseSystem }: AriConfig): void {
  const remedy = 'set `systemname` in asterisk.conf to a name of its own, or `qualifyIds: true` for this link'
  if (system.name === '' && qualifyIds !== true) {
    const text = `the Asterisk "${node}" has no system name, so its channels may have ids of another one's; ${remedy}`
    throw new GatewayError('link.refused', text)
  }
  const refusal = refuseSystem?.(system)
  if (refusal !== undefined) throw new GatewayError('link.refused', refusal)
}
