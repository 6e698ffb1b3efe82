import type { AriConfig } from './config.js'
import { hasStatus } from './errors.js'
import { inTurns } from './in-turns.js'
import type { AriRest } from './rest.js'
import { endpointName, type Seen } from './seen.js'
import { type Json, objectOf, objectsOf, textOf, textsOf } from './shapes.js'
import { subscribed } from './subscriptions.js'

/** How things are, as far as we are told of their changes. What is undefined is none of our business. */
export interface Pictures {
  /** Those that entered our application have `in_application`: that they did may have been told to nobody. */
  readonly channels: readonly Json[]
  readonly bridges: readonly Json[]
  readonly endpoints: readonly Json[] | undefined
  readonly devices: readonly Json[] | undefined
  /** Channels that the application has a subscription for. */
  readonly own: readonly string[]
  /** Those known to be dead that no list shows any more. */
  readonly forgotten: readonly string[]
}

/** What is known from before. */
export interface Known {
  /** Further devices of interest: Asterisk lists only those of its own application. */
  readonly devices: ReadonlySet<string>
  /** Ids of channels that are dead although lists may show them. */
  readonly dead: ReadonlySet<string>
}

/** Channels whose life is put to the test; when there are more, the list is believed. */
const MAX_SUSPECTS = 300
/** Devices asked for one by one. */
const MAX_DEVICES = 5000
/** Requests of one picture at a time. */
const AT_ONCE = 8

interface Lists {
  readonly application: Json
  /** Channels that other applications name: one that was moved to them still looks as if it were in ours. */
  readonly elsewhere: ReadonlySet<string>
  readonly channels: readonly Json[]
  readonly bridges: readonly Json[]
  readonly endpoints: readonly Json[]
  readonly devices: readonly Json[]
}

const idOf = (thing: Json) => textOf(thing.id)

/** Whether the dialplan has a channel in an application of Stasis now. One that was moved from there still looks so. */
function stands(channel: Json, app: string): boolean {
  const { app_name: name, app_data: data } = objectOf(channel.dialplan) ?? {}
  return name === 'Stasis' && textOf(data).split(',')[0] === app
}

/** Asterisk keeps such a channel for ever once a SIP MESSAGE went through the dialplan. */
const isCall = (channel: Json) => idOf(channel) !== '' && !textOf(channel.name).startsWith('Message/')

/**
 * Reads how things are while events go on. What an event told since `seen` began counts more than a list, for
 * what comes after it will be told too: so nothing that was said of a thing is taken back by an older list.
 *
 * @throws GatewayError when one of the lists cannot be read.
 */
export async function takePictures(config: AriConfig, rest: AriRest, seen: Seen, known: Known): Promise<Pictures> {
  const lists = await readLists(config, rest)
  const own = textsOf(lists.application.channel_ids)
  const listed = new Set([...own, ...lists.channels.map(idOf)])
  const forgotten = [...known.dead].filter((id) => !listed.has(id))
  const channels = listedChannels(config, lists, own)
  const [dead, devices] = await Promise.all([
    findDead(rest, channels, seen, known.dead),
    readDevices(config, rest, lists, seen, known.devices),
  ])
  // No waiting from here on: events and pictures must not pass each other.
  const living = (id: string) => !seen.gone.has(id) && !dead.has(id) && !known.dead.has(id)
  const calls = newest(channels.filter(isCall), idOf, seen.channels).filter(
    (each) => isCall(each) && living(idOf(each)),
  )
  const ids = new Set(calls.map(idOf))
  const entered = (channel: Json) => stands(channel, config.app) && !lists.elsewhere.has(idOf(channel))
  const ofOurs = (bridge: Json) => textsOf(bridge.channels).some((id) => ids.has(id))
  const inApplication = new Set(textsOf(lists.application.bridge_ids))
  const allBridges = subscribed(config.subscribe, 'bridge') === 'all'
  const bridges = lists.bridges.filter((each) => allBridges || inApplication.has(idOf(each)) || ofOurs(each))
  const byName = (thing: Json) => endpointName(thing) ?? ''
  const endpoints = subscribed(config.subscribe, 'endpoint') && wantedEndpoints(config, lists.endpoints)
  return {
    channels: calls.map((each) => (entered(each) ? { ...each, in_application: true } : each)),
    bridges: newest(bridges, idOf, seen.bridges).filter((each) => !seen.gone.has(idOf(each))),
    endpoints: endpoints?.map((each) => seen.endpoints.get(byName(each)) ?? each),
    devices: devices && newest(devices, (device) => textOf(device.name), seen.devices),
    own: own.filter((id) => ids.has(id)),
    forgotten,
  }
}

async function readLists(config: AriConfig, rest: AriRest): Promise<Lists> {
  const list = async (...path: string[]) => objectsOf(await rest.request('GET', path))
  const [applications, channels, bridges, endpoints, devices] = await Promise.all([
    list('applications'),
    list('channels'),
    list('bridges'),
    list('endpoints'),
    subscribed(config.subscribe, 'deviceState') === 'all' ? list('deviceStates') : [],
  ])
  const others = applications.filter(({ name }) => name !== config.app)
  return {
    application: applications.find(({ name }) => name === config.app) ?? {},
    elsewhere: new Set(others.flatMap((each) => textsOf(each.channel_ids))),
    channels,
    bridges,
    endpoints,
    devices,
  }
}

/** Things of a list, each in its newest form, with those that only events know. */
function newest(list: readonly Json[], nameOf: (thing: Json) => string, seen: ReadonlyMap<string, Json>): Json[] {
  const things = new Map(list.map((thing) => [nameOf(thing), thing]))
  for (const [name, thing] of seen) things.set(name, thing)
  return [...things.values()]
}

/**
 * Every channel, or those that we hear of: in our application, or of an endpoint that we are subscribed to by name. A
 * subscription to all endpoints tells nothing of their channels.
 */
function listedChannels(config: AriConfig, { channels, endpoints }: Lists, own: readonly string[]): Json[] {
  if (subscribed(config.subscribe, 'channel') === 'all') return channels.filter(isCall)
  const named = subscribed(config.subscribe, 'endpoint') === 'all' ? [] : wantedEndpoints(config, endpoints)
  const ids = new Set([...own, ...named.flatMap((each) => textsOf(each.channel_ids))])
  return channels.filter((channel) => isCall(channel) && ids.has(idOf(channel)))
}

function wantedEndpoints({ subscribe }: AriConfig, endpoints: readonly Json[]): Json[] {
  const wanted = subscribed(subscribe, 'endpoint')
  if (wanted === 'all') return [...endpoints]
  const names = new Set(wanted)
  return endpoints.filter((each) => names.has(textOf(each.technology)) || names.has(endpointName(each) ?? ''))
}

/**
 * A list can show channels that are dead, always as answered ones; and what only events know may have ended
 * before the list was made. Who talked to us since and is on the list lives.
 */
async function findDead(
  rest: AriRest,
  channels: readonly Json[],
  seen: Seen,
  known: ReadonlySet<string>,
): Promise<Set<string>> {
  const listed = new Set(channels.map(idOf))
  const suspects = [
    ...channels.filter((channel) => channel.state === 'Up').map(idOf),
    ...[...seen.channels.values()].filter((channel) => isCall(channel) && !listed.has(idOf(channel))).map(idOf),
  ].filter((id) => !seen.gone.has(id) && !known.has(id) && !(listed.has(id) && seen.channels.has(id)))
  if (suspects.length > MAX_SUSPECTS) return new Set()
  const dead = await inTurns(suspects, AT_ONCE, async (id) => ((await isAlive(rest, id)) ? [] : [id]))
  return new Set(dead.flat())
}

/** Reading a function needs the channel itself; a GET of the channel would only show the list's own copy. */
async function isAlive(rest: AriRest, id: string): Promise<boolean> {
  try {
    await rest.request('GET', ['channels', id, 'variable'], { query: { variable: 'CHANNEL(name)' } })
    return true
  } catch (error) {
    return !hasStatus(error, 404)
  }
}

async function readDevices(
  config: AriConfig,
  rest: AriRest,
  { devices, endpoints }: Lists,
  seen: Seen,
  heard: ReadonlySet<string>,
): Promise<Json[] | undefined> {
  const wanted = subscribed(config.subscribe, 'deviceState')
  if (wanted === undefined && config.devices === undefined) return undefined
  const known = new Set([...devices.map((device) => textOf(device.name)), ...seen.devices.keys()])
  const interest =
    wanted === 'all'
      ? [...(config.devices ?? []), ...endpoints.flatMap((each) => endpointName(each) ?? []), ...heard]
      : [...(config.devices ?? []), ...(wanted ?? [])]
  const names = [...new Set(interest)].filter((name) => !known.has(name)).slice(0, MAX_DEVICES)
  const asked = await inTurns(names, AT_ONCE, (name) => readDevice(rest, name))
  return [...devices, ...asked.flat()]
}

/** A device that Asterisk refuses to tell of is left out. */
async function readDevice(rest: AriRest, name: string): Promise<Json[]> {
  try {
    return [objectOf(await rest.request('GET', ['deviceStates', name])) ?? {}].filter((device) => device.name === name)
  } catch (error) {
    if (hasStatus(error, 400, 404, 422, 500)) return []
    throw error
  }
}
