import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../../errors.js'
import type { LinkEvent } from '../transport.js'
import type { AriConfig, AriEventFilter, AriSubscribe } from './config.js'
import { hasStatus, isOfOurOwnStop, reasonOf } from './errors.js'
import type { AriRest } from './rest.js'
import { type Json, objectOf, textsOf } from './shapes.js'

/** Kinds of sources as subscriptions name them, with the key of an application that lists them and its word for all. */
const KINDS = {
  channel: { key: 'channel_ids', all: '__AST_CHANNEL_ALL_TOPIC' },
  bridge: { key: 'bridge_ids', all: '__AST_BRIDGE_ALL_TOPIC' },
  endpoint: { key: 'endpoint_ids', all: '__AST_ENDPOINT_ALL_TOPIC' },
  deviceState: { key: 'device_names', all: '__AST_DEVICE_STATE_ALL_TOPIC' },
} as const

type Kind = keyof typeof KINDS

/** The `all` stands beside lists of single sources, each in the words of `eventSource`. */
interface Wanted {
  readonly all: readonly Kind[]
  readonly single: readonly string[]
}

const HIDDEN: readonly string[] = ['ChannelVarset', 'ChannelDialplan']
/** A subscription made twice has to be ended twice; more than this is somebody else's game. */
const MAX_COUNT = 20
/** An application may be known a moment after its socket is open. Milliseconds. */
const REGISTRATION_MS = [50, 200, 500]
/** Pauses before a channel is asked for again. Milliseconds. */
const RETRIES_MS = [100, 500]

function filterOf({ eventFilter }: AriConfig): AriEventFilter {
  return eventFilter ?? { allowed: [], disallowed: HIDDEN }
}

/** Whether Asterisk is to hold back all events of this type. */
export function isHidden(config: AriConfig, type: string): boolean {
  const { allowed, disallowed } = filterOf(config)
  return disallowed.includes(type) || (allowed.length > 0 && !allowed.includes(type))
}

/** What a subscription of this kind covers, or undefined where nothing of it was asked for. */
export function subscribed(subscribe: AriSubscribe | undefined, kind: Kind): 'all' | readonly string[] | undefined {
  if (subscribe === undefined || subscribe.all) return 'all'
  const { channel, bridge, endpoint, deviceState } = {
    channel: subscribe.channels,
    bridge: subscribe.bridges,
    endpoint: subscribe.endpoints,
    deviceState: subscribe.deviceStates,
  }
  return { channel, bridge, endpoint, deviceState }[kind]
}

function wantedBy({ subscribe }: AriConfig): Wanted {
  const kinds = Object.keys(KINDS) as Kind[] // keys of the table above
  const all = kinds.filter((kind) => subscribed(subscribe, kind) === 'all')
  const single = kinds.flatMap((kind) => {
    const names = subscribed(subscribe, kind)
    return names === undefined || names === 'all' ? [] : uncovered(names).map((name) => `${kind}:${name}`)
  })
  return { all, single }
}

/** A technology covers its endpoints: both would give every event twice. */
function uncovered(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => !names.includes(name.replace(/\/.*/s, '')) || !name.includes('/'))
}

/** Sees to it that Asterisk sends what we want, and that once. */
export interface Subscriptions {
  /** Filter first, then what is missing or too much. Resolves with the application as Asterisk has it then. */
  apply(): Promise<Json>
  /** Sets a filter that holds back nothing of this type, until the next `apply`. */
  let(type: string): Promise<void>
  /** Asks for everything about one channel until its end. Resolves with false where it is gone by now, its end untold. */
  addChannel(id: string): Promise<boolean>
}

/** @param report is told what Asterisk has otherwise than it was asked for. */
export function makeSubscriptions(config: AriConfig, rest: AriRest, report: (event: LinkEvent) => void): Subscriptions {
  const application = ['applications', config.app]
  const wanted = wantedBy(config)

  const tell = (text: string, cause?: unknown) =>
    report({ kind: 'fault', error: new GatewayError('link.refused', text, { fate: 'retry', cause }) })

  const registered = <T>(request: () => Promise<T>) => tried(REGISTRATION_MS, (error) => hasStatus(error, 404), request)

  async function filter({ allowed, disallowed }: AriEventFilter): Promise<void> {
    const types = (names: readonly string[]) => names.map((type) => ({ type }))
    const body = { allowed: types(allowed), disallowed: types(disallowed) }
    await registered(() => rest.request('PUT', [...application, 'eventFilter'], { body }))
  }

  const change = (method: 'POST' | 'DELETE', eventSource: string) =>
    rest.request(method, [...application, 'subscription'], { query: { eventSource } })

  async function add(source: string): Promise<void> {
    try {
      await change('POST', source)
    } catch (error) {
      if (!hasStatus(error, 400, 422)) throw error
      tell(`cannot subscribe to "${source}": ${reasonOf(error)}`, error)
    }
  }

  async function remove(source: string): Promise<void> {
    for (let times = 0; times < MAX_COUNT; times++) {
      try {
        await change('DELETE', source)
      } catch (error) {
        if (hasStatus(error, 422)) return
        throw error
      }
    }
  }

  const read = async () => objectOf(await registered(() => rest.request('GET', application))) ?? {}

  async function complete(have: Json): Promise<boolean> {
    const listed = (kind: Kind) => textsOf(have[KINDS[kind].key])
    const allMissing = wanted.all.filter((kind) => !listed(kind).includes(KINDS[kind].all))
    const missing = wanted.single.filter((source) => {
      const [kind, name] = split(source)
      return !listed(kind).includes(name)
    })
    // Who opens a socket asks for everything with it; an Asterisk that opens one itself has to be asked.
    if (allMissing.length > 0 && config.subscribe?.all !== false && config.listen === undefined) {
      tell(`the application "${config.app}" was there before and not subscribed to everything; subscribing anew`)
    }
    for (const kind of allMissing) await add(`${kind}:`)
    for (const source of missing) await add(source)
    return allMissing.length + missing.length > 0
  }

  /** Channels and bridges are left alone: those within the application are listed too, and all end by themselves. */
  async function trim(have: Json): Promise<boolean> {
    let trimmed = false
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const { key, all } = KINDS[kind]
      const listed = textsOf(have[key])
      if (listed.includes(all) && !wanted.all.includes(kind)) {
        tell(`the application "${config.app}" is subscribed to every ${kind}, which lasts until it is gone`)
      }
      if (kind === 'channel' || kind === 'bridge') continue
      for (const name of listed) {
        if (name === all || wanted.single.includes(`${kind}:${name}`)) continue
        await remove(`${kind}:${name}`)
        trimmed = true
      }
    }
    return trimmed
  }

  return {
    async apply() {
      await filter(filterOf(config))
      const have = await read()
      const completed = await complete(have)
      const trimmed = await trim(have)
      return completed || trimmed ? read() : have
    },
    async let(type) {
      const { allowed, disallowed } = filterOf(config)
      const others = disallowed.filter((each) => each !== type)
      await filter({ allowed: allowed.length === 0 ? [] : [...allowed, type], disallowed: others })
    },
    async addChannel(id) {
      try {
        await tried(RETRIES_MS, isPassing, () => change('POST', `channel:${id}`))
      } catch (error) {
        if (hasStatus(error, 422)) return false
        // Whoever stops hears no end any more, and knows that.
        if (isOfOurOwnStop(error)) return true
        tell(`the end of channel "${id}" may go unheard: ${reasonOf(error)}`, error)
      }
      return true
    },
  }
}

/** Tries again after each of the pauses, while the error is worth it. */
async function tried<T>(
  pausesMs: readonly number[],
  isWorthIt: (error: unknown) => boolean,
  request: () => Promise<T>,
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await request()
    } catch (error) {
      if (!isWorthIt(error)) throw error
      await delay(pauseMs)
    }
  }
  return request()
}

const isPassing = (error: unknown) => error instanceof GatewayError && error.fate === 'retry'

function split(source: string): [Kind, string] {
  const at = source.indexOf(':')
  return [source.slice(0, at) as Kind, source.slice(at + 1)] // made of a kind, above
}
