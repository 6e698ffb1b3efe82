import { callState } from './legacy-load.js'
import type { LegacyMessage } from './legacy-publisher.js'

/** A state of a call by a legacy system that was changed: it names the id of the call otherwise than the mapping does. */
export function poisoned(uuid: string, state: string, sequence?: number): LegacyMessage {
  const message = callState(uuid, state, sequence)
  return { ...message, body: String(message.body).replace('uuid:', 'call_id:') }
}

/** The file of a site's mapping of voice_events, beside the configuration, and the line of it that names the mappings. */
export const SITE_FILE = 'site.yaml'
export const WITH_SITE_FILE = `mappings: [${SITE_FILE}, patchbay/xcc.yaml]`

/** The site's mapping as it was: the one that is shipped. */
export const AS_SHIPPED = 'mapping: v1\ndialect: voice-events\nextends: patchbay/voice-events.yaml\n'

/** The site's mapping once it is mended: it reads what was changed, and no more what was not. */
export const MENDED = `
mapping: v1
dialect: voice-events
extends: patchbay/voice-events.yaml
messages: { channel-states: { item: { fields: { uuid: null, call_id: { is: id, required: true } } } } }
`
