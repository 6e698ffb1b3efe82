import { type Json, objectOf } from './shapes.js'

/** What events told while a picture was being taken. What they say is at least as new as any list. */
export interface Seen {
  /** Takes in an event. */
  note(event: Json): void
  /** Newest form of each thing, by id, `TECH/NAME` or device name. Whoever ended is in none of them. */
  readonly channels: ReadonlyMap<string, Json>
  readonly bridges: ReadonlyMap<string, Json>
  readonly endpoints: ReadonlyMap<string, Json>
  readonly devices: ReadonlyMap<string, Json>
  /** Ids of channels and bridges that ended. */
  readonly gone: ReadonlySet<string>
}

/** The name by which an endpoint is known: `TECH/NAME`. */
export function endpointName(endpoint: Json): string | undefined {
  const { technology, resource } = endpoint
  return typeof technology === 'string' && typeof resource === 'string' ? `${technology}/${resource}` : undefined
}

/** Begins to watch. Things are known by their form, so that events nobody knows yet count too. */
export function watchEvents(): Seen {
  const channels = new Map<string, Json>()
  const bridges = new Map<string, Json>()
  const endpoints = new Map<string, Json>()
  const devices = new Map<string, Json>()
  const gone = new Set<string>()

  function see(thing: Json): void {
    const { id, name, creationtime } = thing
    if (typeof id === 'string' && 'bridge_type' in thing) bridges.set(id, thing)
    else if (typeof id === 'string' && typeof name === 'string' && creationtime !== undefined) channels.set(id, thing)
    const endpoint = endpointName(thing)
    if (endpoint !== undefined && 'channel_ids' in thing) endpoints.set(endpoint, thing)
  }

  function end(thing: unknown, among: Map<string, Json>): void {
    const id = objectOf(thing)?.id
    if (typeof id !== 'string') return
    among.delete(id)
    gone.add(id)
  }

  return {
    channels,
    bridges,
    endpoints,
    devices,
    gone,
    note(event) {
      for (const key in event) {
        const thing = objectOf(event[key])
        if (thing === undefined) continue
        if (key !== 'device_state') see(thing)
        else if (typeof thing.name === 'string') devices.set(thing.name, thing)
      }
      if (event.type === 'ChannelDestroyed') end(event.channel, channels)
      if (event.type === 'BridgeDestroyed') end(event.bridge, bridges)
      const made = event.type === 'ChannelCreated' ? objectOf(event.channel)?.id : undefined
      if (typeof made === 'string') gone.delete(made)
    },
  }
}
