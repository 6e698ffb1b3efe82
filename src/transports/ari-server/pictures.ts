import { type Concerns, endpointKey } from './concerns.js'
import { isObject, type JsonObject, textOf } from './json.js'
import type { Shadow } from './shadow.js'

/** Lists of a full picture, each with the kind of its objects. */
const LISTS = {
  PatchbayChannels: { list: 'channels', kind: 'channels' },
  PatchbayBridges: { list: 'bridges', kind: 'bridges' },
  PatchbayEndpoints: { list: 'endpoints', kind: 'endpoints' },
  PatchbayDeviceStates: { list: 'device_states', kind: 'deviceStates' },
} as const satisfies Record<string, { list: string; kind: keyof Concerns }>

const NOTHING: Concerns = {
  channels: [],
  bridges: [],
  endpoints: [],
  deviceStates: [],
  playbacks: [],
  recordings: [],
}

/** A full picture: what it shows, and which events of an Asterisk tell what is news of it. */
export interface Picture {
  readonly shown: Concerns
  readonly news: readonly JsonObject[]
}

/**
 * Reads a full picture, which Asterisk has no event for. What became of a channel is told by events of its own;
 * here news are endpoints and devices in another state than was known. Undefined for what is no picture.
 */
export function readPicture(event: JsonObject, shadow: Shadow): Picture | undefined {
  const type = textOf(event, 'type')
  if (!Object.hasOwn(LISTS, type)) return undefined
  const { list, kind } = LISTS[type as keyof typeof LISTS] // it is one of its keys
  const listed = event[list]
  const objects = Array.isArray(listed) ? listed.filter(isObject) : []
  const { timestamp } = event
  const asked = { channels: 'id', bridges: 'id', endpoints: 'resource', deviceStates: 'name' }[kind]
  const named = objects.filter((object) => textOf(object, asked) !== '')
  return {
    shown: { ...NOTHING, [kind]: named },
    news: named.flatMap((object) => newsOf(kind, object, timestamp, shadow)),
  }
}

function newsOf(kind: keyof Concerns, object: JsonObject, timestamp: unknown, shadow: Shadow): JsonObject[] {
  const isNews = (known: JsonObject | undefined) => textOf(known, 'state') !== textOf(object, 'state')
  if (kind === 'endpoints' && isNews(shadow.endpoint(endpointKey(object)))) {
    return [{ type: 'EndpointStateChange', timestamp, endpoint: object }]
  }
  if (kind === 'deviceStates' && isNews(shadow.deviceState(textOf(object, 'name')))) {
    return [{ type: 'DeviceStateChanged', timestamp, device_state: object }]
  }
  return []
}
