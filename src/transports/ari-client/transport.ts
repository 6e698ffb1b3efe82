import type { GatewayError } from '../../errors.js'
import { stopPatience } from '../patience.js'
import type { LinkHandlers, Transport } from '../transport.js'
import type { AriConfig, AriSystem } from './config.js'
import { type KeptConnection, keepConnection } from './connection.js'
import { type Copies, makeCopies } from './copies.js'
import { makeDeliveries } from './deliveries.js'
import { type EventHead, eventHead } from './event-head.js'
import { makeFollowed } from './followed.js'
import { inTurns } from './in-turns.js'
import { type Pictures, takePictures } from './pictures.js'
import { makePoster } from './poster.js'
import { type AriRest, makeRest } from './rest.js'
import { makeResync } from './resync.js'
import { objectOf, parseObject } from './shapes.js'
import { makeSubscriptions, subscribed } from './subscriptions.js'
import { readTimestamp, writeTimestamp } from './timestamps.js'
import { fromUserEvent } from './user-events.js'

/** A link to one Asterisk, with the requests that may be made of it beside what the link itself does. */
export interface AriTransport extends Transport {
  readonly rest: AriRest
}

/** Devices whose names were heard of and that no list holds. */
const MAX_HEARD = 1000
const NO_HEADERS = Object.freeze({})

/**
 * Carries the events of one application on one Asterisk: address `{node}`, body the JSON as it came. Asterisk
 * sends nothing twice, so settling a delivery only makes room for the next; copies of an event are left out.
 *
 * After each connect pictures follow as events of our own, made of what REST says: `PatchbayChannels {channels}`,
 * `PatchbayBridges {bridges}`, `PatchbayEndpoints {endpoints}` and `PatchbayDeviceStates {device_states}`, the last
 * two where they are subscribed to. Where events may have been missed, `PatchbayGap {from, until, reason}`
 * stands before them. `consuming` is reported once the first pictures are delivered.
 *
 * `send` posts a frame as a user event, to the application `app` of its address; an application that nobody
 * registered is reported as `returned`. User events of that form are taken apart again.
 *
 * `start` rejects with `link.connect` for refused credentials and certificates, and with `link.refused` for an
 * Asterisk without a name of its own. A silent peer is noticed within `pingIntervalMs + pongTimeoutMs`.
 */
export function ariTransport(config: AriConfig): AriTransport {
  const { app, node } = config
  const deliveries = makeDeliveries(config.maxUnsettled ?? 16_384)
  const patience = stopPatience(config.stopGraceMs)
  const rest = makeRest(config)
  const heardDevices = new Set<string>()
  /** Whoever is subscribed to all channels hears of their ends anyway. */
  const followsEach = subscribed(config.subscribe, 'channel') !== 'all'
  let handlers: LinkHandlers | undefined
  let kept: KeptConnection | undefined
  let system: AriSystem | undefined
  let copies: Copies = makeCopies()
  let lastHeard = 0
  let lossReason: GatewayError | undefined
  /** Since when events were dropped that no gap tells of yet. */
  let overflowSince: number | undefined
  let isConsuming = false
  let isOpen = false
  /** Whether we ourselves closed a socket that was open: nothing says that Asterisk went away. */
  let stoodToTheEnd = false
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const report: LinkHandlers['report'] = (event) => handlers?.report(event)
  const subscriptions = makeSubscriptions(config, rest, report)
  const poster = makePoster(config, rest, report, () => isOpen || stoodToTheEnd)
  const followed = makeFollowed(subscriptions, () => {
    if (isOpen) resync.start()
  })
  const resync = makeResync({
    take(seen) {
      deliverOverflow()
      return takePictures(config, rest, seen, { devices: heardDevices, dead: followed.dead })
    },
    tell,
    room: deliveries.room,
    report,
    backoff: config.reconnect,
  })

  function deliver(body: Uint8Array, headers: Readonly<Record<string, string>>, sentAt: number | undefined): void {
    handlers?.deliver(deliveries.make({ address: { node }, headers, body }, sentAt))
  }

  /** Events of our own, in the form of Asterisk's. */
  function deliverOwn(type: string, content: Readonly<Record<string, unknown>>): void {
    const at = Date.now()
    const envelope = { type, timestamp: writeTimestamp(at), application: app, asterisk_id: system?.entityId ?? '' }
    deliver(Buffer.from(JSON.stringify({ ...envelope, ...content })), NO_HEADERS, at)
  }

  function deliverGap(from: number, reason: string): void {
    deliverOwn('PatchbayGap', { from: writeTimestamp(from), until: writeTimestamp(Date.now()), reason })
  }

  function deliverOverflow(): void {
    if (overflowSince !== undefined) deliverGap(overflowSince, 'more events came than could be held')
    overflowSince = undefined
  }

  function tell({ channels, bridges, endpoints, devices, own, forgotten }: Pictures): void {
    deliverOwn('PatchbayChannels', { channels })
    deliverOwn('PatchbayBridges', { bridges })
    if (endpoints !== undefined) deliverOwn('PatchbayEndpoints', { endpoints })
    if (devices !== undefined) deliverOwn('PatchbayDeviceStates', { device_states: devices })
    followed.forget(forgotten)
    if (followsEach) void inTurns(own, 4, followed.add)
    if (!isConsuming) report({ kind: 'consuming', source: app })
    isConsuming = true
  }

  function opened(found: AriSystem): void {
    const [before, from] = [system, Math.min(lastHeard, overflowSince ?? lastHeard)]
    system = found
    lastHeard = Date.now()
    overflowSince = undefined
    isOpen = true
    copies = makeCopies()
    if (before === undefined) return
    const restarted = before.startupTime !== found.startupTime
    const because = lossReason?.message ?? 'connection lost'
    deliverGap(from, restarted ? `${because}; Asterisk was started at ${found.startupTime}` : because)
  }

  function lost(reason: GatewayError): void {
    if (isOpen) lossReason = reason
    isOpen = false
    resync.halt()
  }

  function frame(body: Buffer): void {
    const head = eventHead(body)
    // What a gateway posts comes once, and who posts it twice means two. Those of a dialplan come once per subscription.
    const ours = head.type === 'ChannelUserevent' ? fromUserEvent(body) : undefined
    if (ours === undefined && head.timestamp !== undefined && copies.isCopy(head.timestamp, body)) return
    inspect(head, body)
    if (deliveries.isFull()) drop(body)
    else {
      const sentAt = head.timestamp === undefined ? undefined : readTimestamp(head.timestamp)
      deliver(ours?.body ?? body, ours?.headers ?? NO_HEADERS, sentAt)
    }
    if (head.type === 'ApplicationReplaced' && head.application === app) kept?.replaced()
  }

  function inspect({ type, application }: EventHead, body: Buffer): void {
    const starts = type === 'StasisStart' && followsEach && application === app
    if (!starts && type !== 'DeviceStateChanged' && !resync.isWatching()) return
    const event = parseObject(body)
    if (event === undefined) return
    resync.note(event)
    const id = starts ? objectOf(event.channel)?.id : undefined
    if (typeof id === 'string') void followed.add(id)
    const device = objectOf(event.device_state)?.name
    // Others belong to an endpoint, or to a channel and end with it.
    if (typeof device === 'string' && device.includes(':') && heardDevices.size < MAX_HEARD) heardDevices.add(device)
  }

  /** What is lost here nobody sends again: once there is room, a picture makes up for it. */
  function drop(body: Buffer): void {
    report({ kind: 'dropped', frame: { address: { node }, headers: NO_HEADERS, body } })
    if (overflowSince !== undefined) return
    overflowSince = Date.now()
    if (isOpen) resync.start()
  }

  async function drain(): Promise<void> {
    stoodToTheEnd = isOpen
    followed.close()
    resync.close()
    await Promise.race([kept?.close(), patience()])
    await Promise.race([deliveries.all(), patience()])
  }

  async function stop(): Promise<void> {
    draining ??= drain()
    await draining
    await Promise.race([poster.empty(), patience()])
    poster.close()
    await rest.close()
  }

  return {
    name: config.name ?? 'ari',
    rest,
    async start(to) {
      handlers = to
      kept = keepConnection(config, rest, {
        opened,
        frame,
        heard() {
          lastHeard = Date.now()
        },
        setUp: async () => void (await subscriptions.apply()),
        up: resync.start,
        lost,
        report,
      })
      await kept.opened
    },
    send: poster.add,
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
