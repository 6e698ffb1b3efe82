import type { GatewayError } from '../../errors.js'
import { stopPatience } from '../patience.js'
import { watchProgress } from '../progress.js'
import type { LinkHandlers, Transport } from '../transport.js'
import type { AriConfig, AriSystem } from './config.js'
import { closedEarly, type KeptConnection, keepConnection } from './connection.js'
import { type Copies, makeCopies } from './copies.js'
import { makeDeliveries } from './deliveries.js'
import { connectError } from './errors.js'
import type { EventHead } from './event-head.js'
import { makeFollowed } from './followed.js'
import { type Gap, makeGaps } from './gaps.js'
import { inTurns } from './in-turns.js'
import { keepListening } from './listening.js'
import { MARKED_TYPE, makeMarks } from './marks.js'
import { type Pictures, takePictures } from './pictures.js'
import { makePoster, type Standing } from './poster.js'
import { type AriRest, makeRest } from './rest.js'
import { makeResync } from './resync.js'
import { objectOf, parseObject } from './shapes.js'
import { isHidden, makeSubscriptions, subscribed } from './subscriptions.js'
import { readSystem } from './system.js'
import { readTimestamp, writeTimestamp } from './timestamps.js'
import { fromUserEvent } from './user-events.js'

/** A link to one Asterisk, with the requests that may be made of it beside what the link itself does. */
export interface AriTransport extends Transport {
  readonly rest: AriRest
}

/** Events that tell an application of a channel whose end it hears only when it asks for that. */
const BEGINNINGS: ReadonlySet<string> = new Set(['StasisStart', 'CallBroadcast', 'CallClaimed'])
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
 * With `listen` the socket is opened by Asterisk, which queues events while it has none: all of them come first, in
 * order, then the gap, where something was missed all the same, then pictures. Without a connection it reports `standby`,
 * for another replica may have it.
 *
 * Standing by, it has no socket and is not `up`, for Asterisk gives an application to the newest one; requests and
 * `send` go on. A `start` with `standby` looks at the Asterisk once; `release` ends `up` with a `down` that has no error.
 *
 * `send` posts a frame as a user event, to the application `app` of its address; an application that nobody
 * registered is reported as `returned`. User events of that form are taken apart again.
 *
 * `start` rejects with `link.connect` for refused credentials and certificates, and with `link.refused` for an
 * Asterisk without a name of its own. A silent peer is noticed within `pingIntervalMs + pongTimeoutMs`.
 */
export function ariTransport(config: AriConfig): AriTransport {
  const { app, node, listen } = config
  const deliveries = makeDeliveries(config.maxUnsettled ?? 16_384)
  const patience = stopPatience(config.stopGraceMs)
  const rest = makeRest(config)
  const heardDevices = new Set<string>()
  const gaps = makeGaps()
  const marks = makeMarks(config, rest, gaps.handedOver)
  /** Whoever is subscribed to all channels hears of their ends anyway. */
  const followsEach = subscribed(config.subscribe, 'channel') !== 'all'
  let handlers: LinkHandlers | undefined
  let kept: KeptConnection | undefined
  let system: AriSystem | undefined
  let copies: Copies = makeCopies()
  let mayTakeBack: () => boolean = () => true
  let mayMend: (error: GatewayError) => boolean = () => false
  let standsBy = false
  /** Opening and closing, one after the other: two sockets of ours would take the application from each other. */
  let turns: Promise<void> = Promise.resolve()
  let isConsuming = false
  let isOpen = false
  let isUp = false
  /** Whether we ourselves closed a socket that was open: nothing says that Asterisk went away. */
  let stoodToTheEnd = false
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const report: LinkHandlers['report'] = (event) => handlers?.report(event)
  const subscriptions = makeSubscriptions(config, rest, report)
  const poster = makePoster(config, rest, report, stands)
  const progress = watchProgress(poster.stuckMs, 'posting user events', report)
  const followed = makeFollowed(subscriptions, refresh)
  const resync = makeResync({
    take(seen) {
      deliverGap(gaps.overflow())
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

  function deliverGap(gap: Gap | undefined): void {
    if (gap === undefined) return
    const { from, reason } = gap
    deliverOwn('PatchbayGap', { from: writeTimestamp(from), until: writeTimestamp(Date.now()), reason })
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
    system = found
    isOpen = true
    copies = makeCopies()
    gaps.opened(found.startupTime)
    if (listen === undefined) deliverGap(gaps.missed())
  }

  function lost(reason: GatewayError, isComplete = false): void {
    if (isOpen) gaps.lost(reason.message, isComplete)
    isOpen = false
    isUp = false
    progress.down()
    if (listen !== undefined) isConsuming = false // others may, and then Asterisk comes here anew
    resync.halt()
  }

  function up(): void {
    isUp = true
    progress.up()
    // What was queued stands before the gap: it is what was not missed.
    deliverGap(gaps.missed())
    resync.start()
  }

  /** There is reason for a picture. One that is read amid what was queued would not fit it. */
  function refresh(): void {
    if (listen === undefined ? isOpen : isUp) resync.start()
  }

  /** Where no socket would tell, an Asterisk that answers is up: one that starts does not say who it is. */
  async function stands(): Promise<Standing> {
    if (isOpen || stoodToTheEnd) return 'open'
    return (standsBy || listen !== undefined) && (await probe()) === undefined ? 'answers' : 'no'
  }

  /** Asks without a socket. Resolves with what stands against one. */
  async function probe(): Promise<GatewayError | undefined> {
    try {
      system = await readSystem(config, rest)
      return undefined
    } catch (error) {
      return connectError(error, config.url)
    }
  }

  /** @param insists also on what no retry can mend. */
  function connect(insists: boolean): KeptConnection {
    const use = { opened, frame, heard: gaps.heard, up, lost, report, mayTakeBack, mayMend }
    if (listen === undefined) return keepConnection(config, rest, { ...use, setUp }, insists)
    return keepListening(config, listen, rest, { ...use, setUp: replay, ...marks }, insists)
  }

  const setUp = async () => void (await subscriptions.apply())

  async function replay(gone: AbortSignal): Promise<void> {
    if (isHidden(config, MARKED_TYPE)) await subscriptions.let(MARKED_TYPE)
    await marks.reached(gone)
    await setUp()
  }

  function frame(body: Buffer, head: EventHead): void {
    if (marks.isMark(head.type, body)) return
    // Let through for the sake of marks.
    if (listen !== undefined && !isUp && head.type === MARKED_TYPE && isHidden(config, MARKED_TYPE)) return
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
    const starts = type !== undefined && BEGINNINGS.has(type) && followsEach && application === app
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
    if (gaps.dropped()) refresh()
  }

  function takeOver(missedSince: number | undefined): void {
    if (standsBy || draining !== undefined) return
    gaps.follow(missedSince)
    kept = connect(true)
  }

  async function letGo(): Promise<void> {
    const wasUp = isUp
    resync.halt()
    await kept?.close()
    kept = undefined
    deliverGap(gaps.overflow())
    isConsuming = false
    // What died here may live again by the next time.
    followed.forget([...followed.dead])
    if (wasUp) report({ kind: 'down' })
    report({ kind: 'standby' })
  }

  async function drain(): Promise<void> {
    stoodToTheEnd = isOpen
    followed.close()
    resync.close()
    await Promise.race([kept?.close(), patience()])
    await Promise.race([deliveries.all(), patience()])
  }

  /** Finds out at the start what no retry can mend, where no connection would. */
  async function look(): Promise<void> {
    const error = await probe()
    if (draining !== undefined) throw closedEarly()
    if (error?.fate === 'reject' && !mayMend(error)) throw error
    if (error !== undefined) report({ kind: 'fault', error })
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
    async start(to, { standby = false, isConfirmed = () => true, mayMend: waits = () => false } = {}) {
      handlers = to
      mayMend = waits
      standsBy = standby
      mayTakeBack = isConfirmed
      if (standby || listen !== undefined) await look()
      if (standby) return report({ kind: 'standby' })
      kept = connect(false)
      await kept.opened
    },
    consume(missedSince) {
      if (standsBy) turns = turns.then(() => takeOver(missedSince))
      standsBy = false
    },
    release() {
      if (!standsBy) turns = turns.then(letGo)
      standsBy = true
      return turns
    },
    renew() {
      rest.reopen()
      kept?.renew?.()
    },
    send: poster.add,
    unconfirmed: poster.size,
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  }
}
