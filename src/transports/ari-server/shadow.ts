import { type Concerns, endpointKey } from './concerns.js'
import { makeDepartures } from './departures.js'
import { type JsonObject, textOf, textsOf } from './json.js'
import { onlyMentions } from './mentions.js'
import { makeRecent } from './recent.js'

/** What is known by the events that passed: the last snapshot of everything that is not gone. */
export interface Shadow {
  /** Takes in what an event shows. */
  learn(event: JsonObject, concerns: Concerns): void
  channels(): JsonObject[]
  channel(id: string): JsonObject | undefined
  /** A variable told by ChannelVarset. */
  variable(channelId: string, name: string): string | undefined
  bridges(): JsonObject[]
  bridge(id: string): JsonObject | undefined
  /** Channels that entered an application and have not left it, whether or not it is connected. */
  inside(application: string): string[]
  /** The bridge that a channel entered and has not left. */
  bridgeOf(channelId: string): string | undefined
  endpoints(): JsonObject[]
  /** @param key `TECH/RESOURCE`. */
  endpoint(key: string): JsonObject | undefined
  deviceStates(): JsonObject[]
  deviceState(name: string): JsonObject | undefined
  playback(id: string): JsonObject | undefined
  recording(name: string): JsonObject | undefined
  /** Ends the timers. */
  close(): void
}

/** How a shadow is made. */
export interface ShadowOptions {
  /** Called when a channel is gone without having been destroyed. */
  readonly onGone: (channelId: string) => void
  /**
   * Whether an application asked for this very channel: one that is not known to be hung up then stays until it is
   * destroyed. Default: nobody does.
   */
  readonly isWanted?: (channelId: string) => boolean
  /** Milliseconds a channel stays after StasisEnd where no ChannelDestroyed is to be expected. Default 5,000. */
  readonly lingerMs?: number
}

/** Ended channels are remembered, for an event that still shows one must not bring it back. */
const REMEMBERED_ENDS = 5000
/** Variables kept of one channel. */
const MOST_VARIABLES = 1000

/** Events that a channel's id may begin a new life with. */
const BEGINNINGS = new Set(['ChannelCreated', 'StasisStart'])

export function makeShadow({ onGone, isWanted = () => false, lingerMs = 5000 }: ShadowOptions): Shadow {
  const channels = new Map<string, JsonObject>()
  const variables = new Map<string, Map<string, string>>()
  const ended = makeRecent(REMEMBERED_ENDS)
  const bridges = new Map<string, JsonObject>()
  const announcedBridges = new Set<string>()
  const places = new Map<string, string>()
  const owners = new Map<string, string>()
  const endpoints = new Map<string, JsonObject>()
  const deviceStates = new Map<string, JsonObject>()
  const playbacks = new Map<string, JsonObject>()
  const recordings = new Map<string, JsonObject>()
  const departures = makeDepartures({
    isWanted,
    lingerMs,
    onGone(id) {
      drop(id)
      onGone(id)
    },
  })

  function learnChannels(type: string, snapshots: readonly JsonObject[]): void {
    for (const snapshot of snapshots) {
      const id = textOf(snapshot, 'id')
      if (BEGINNINGS.has(type)) ended.delete(id)
      if (!ended.has(id) && !(onlyMentions(type) && channels.has(id))) channels.set(id, snapshot)
    }
  }

  /** What a channel left behind goes with it; others may still be told that it ended. */
  function drop(id: string): void {
    departures.forget(id)
    channels.delete(id)
    variables.delete(id)
    owners.delete(id)
    leaveBridge(id)
    const target = `channel:${id}`
    for (const kept of [playbacks, recordings]) {
      for (const [key, each] of kept) if (textOf(each, 'target_uri') === target) kept.delete(key)
    }
  }

  function destroyed(id: string): void {
    drop(id)
    ended.add(id)
  }

  /** After a move the new owner may be told of before the old one, which then leaves nothing. */
  function leave(id: string, application: string): void {
    const owner = owners.get(id)
    if (owner !== undefined && owner !== application) return
    owners.delete(id)
    departures.left(id)
  }

  function leaveBridge(channelId: string): void {
    const id = places.get(channelId)
    places.delete(channelId)
    const bridge = id === undefined ? undefined : bridges.get(id)
    if (id === undefined || bridge === undefined) return
    const others = textsOf(bridge, 'channels').filter((other) => other !== channelId)
    // Whoever never announced a bridge will not say either that it is gone.
    if (others.length === 0 && !announcedBridges.has(id)) bridges.delete(id)
    else bridges.set(id, { ...bridge, channels: others })
  }

  function learnBridges(type: string, { bridges: snapshots, channels: [channel] }: Concerns): void {
    for (const snapshot of snapshots) bridges.set(textOf(snapshot, 'id'), snapshot)
    const id = textOf(snapshots[0], 'id')
    const channelId = textOf(channel, 'id')
    if (id === '') return
    if (type === 'BridgeCreated') announcedBridges.add(id)
    if (type === 'ChannelEnteredBridge') places.set(channelId, id)
    if (type === 'ChannelLeftBridge') leaveBridge(channelId)
    if (type !== 'BridgeDestroyed') return
    bridges.delete(id)
    announcedBridges.delete(id)
    for (const [member, place] of places) if (place === id) places.delete(member)
  }

  function learnVariable(event: JsonObject, channel: JsonObject | undefined): void {
    const id = textOf(channel, 'id')
    if (!channels.has(id)) return
    const known = variables.get(id) ?? new Map<string, string>()
    variables.set(id, known)
    const name = textOf(event, 'variable')
    if (known.has(name) || known.size < MOST_VARIABLES) known.set(name, textOf(event, 'value'))
  }

  return {
    learn(event, concerns) {
      const type = textOf(event, 'type')
      const channelId = textOf(concerns.channels[0], 'id')
      learnChannels(type, concerns.channels)
      learnBridges(type, concerns)
      for (const endpoint of concerns.endpoints) endpoints.set(endpointKey(endpoint), endpoint)
      for (const device of concerns.deviceStates) deviceStates.set(textOf(device, 'name'), device)
      for (const playback of concerns.playbacks) {
        if (type === 'PlaybackFinished') playbacks.delete(textOf(playback, 'id'))
        else playbacks.set(textOf(playback, 'id'), playback)
      }
      for (const recording of concerns.recordings) {
        if (type === 'RecordingStarted') recordings.set(textOf(recording, 'name'), recording)
        else recordings.delete(textOf(recording, 'name'))
      }
      if (type === 'ChannelVarset') learnVariable(event, concerns.channels[0])
      if (type === 'StasisStart' && channelId !== '') owners.set(channelId, textOf(event, 'application'))
      if (channels.has(channelId)) departures.note(type, channelId)
      if (type === 'StasisEnd' && channels.has(channelId)) leave(channelId, textOf(event, 'application'))
      if (type === 'ChannelDestroyed') destroyed(channelId)
    },
    channels: () => [...channels.values()],
    channel: (id) => channels.get(id),
    variable: (id, name) => variables.get(id)?.get(name),
    bridges: () => [...bridges.values()],
    bridge: (id) => bridges.get(id),
    inside: (name) => [...owners].filter(([, owner]) => owner === name).map(([id]) => id),
    bridgeOf: (id) => places.get(id),
    endpoints: () => [...endpoints.values()],
    endpoint: (key) => endpoints.get(key),
    deviceStates: () => [...deviceStates.values()],
    deviceState: (name) => deviceStates.get(name),
    playback: (id) => playbacks.get(id),
    recording: (name) => recordings.get(name),
    close: departures.close,
  }
}
