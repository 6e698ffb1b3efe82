import { isObject, type JsonObject, textOf } from './json.js'
import { COMMON_FIELDS, EVENT_PARTS, EVENT_SHAPES, type Shape } from './models.js'

/** The objects that an event is about, as it shows them. */
export interface Concerns {
  readonly channels: readonly JsonObject[]
  readonly bridges: readonly JsonObject[]
  readonly endpoints: readonly JsonObject[]
  readonly deviceStates: readonly JsonObject[]
  readonly playbacks: readonly JsonObject[]
  readonly recordings: readonly JsonObject[]
}

type Kind = keyof Concerns

const KINDS: Readonly<Record<string, Kind>> = {
  Channel: 'channels',
  Bridge: 'bridges',
  Endpoint: 'endpoints',
  DeviceState: 'deviceStates',
  Playback: 'playbacks',
  LiveRecording: 'recordings',
}

/** Finds the objects of an event by its shape; objects without the name they go by are passed over. */
export function concernsOf(event: JsonObject): Concerns {
  const found = { channels: [], bridges: [], endpoints: [], deviceStates: [], playbacks: [], recordings: [] }
  collect(event, shapeOf(textOf(event, 'type')), found)
  return found
}

function shapeOf(type: string): Shape {
  return Object.hasOwn(EVENT_SHAPES, type) ? EVENT_SHAPES[type]! : COMMON_FIELDS
}

function collect(object: JsonObject, shape: Shape, found: Record<Kind, JsonObject[]>): void {
  for (const field in shape) {
    const value = object[field]
    if (!isObject(value)) continue
    const type = shape[field]!.replace('?', '')
    const kind = KINDS[type]
    if (kind !== undefined) {
      if (keyOf(kind, value) !== '') found[kind].push(value)
    } else if (Object.hasOwn(EVENT_PARTS, type)) collect(value, EVENT_PARTS[type]!, found)
  }
}

/** What an object of a kind goes by; empty when it lacks it. */
function keyOf(kind: Kind, object: JsonObject): string {
  if (kind === 'endpoints') return textOf(object, 'technology') && textOf(object, 'resource')
  return textOf(object, kind === 'deviceStates' || kind === 'recordings' ? 'name' : 'id')
}

/** `TECH/RESOURCE` of an endpoint. */
export function endpointKey(endpoint: JsonObject): string {
  return `${textOf(endpoint, 'technology')}/${textOf(endpoint, 'resource')}`
}

/** `TECH/RESOURCE` of the endpoint a channel belongs to, told by its name; empty when the name does not tell. */
export function endpointOfChannel(channel: JsonObject): string {
  return /^([^/]+\/.+)-[^-]+$/.exec(textOf(channel, 'name'))?.[1] ?? ''
}
