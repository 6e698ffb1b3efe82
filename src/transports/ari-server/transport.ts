import { GatewayError } from '../../errors.js'
import { stopPatience } from '../patience.js'
import type { LinkHandlers, OutgoingFrame, Transport } from '../transport.js'
import { makeApplications } from './applications.js'
import type { AriServerConfig } from './config.js'
import { makeIdentity } from './identity.js'
import { isObject, type JsonObject, parseJson, textOf } from './json.js'
import { COMMON_FIELDS, EVENT_SHAPES } from './models.js'
import { type Picture, readPicture } from './pictures.js'
import { makeAriServer } from './server.js'
import { makeShadow } from './shadow.js'
import { makeSwitchboard } from './switchboard.js'

/**
 * Events between an application and whoever it is connected to; those of another Asterisk say nothing of ours. Nor is
 * there a word for what an application may have missed.
 */
const BETWEEN_TWO = new Set([
  'ApplicationRegistered',
  'ApplicationReplaced',
  'ApplicationUnregistered',
  'MissingParams',
  'PatchbayGap',
  'RESTResponse',
])

/** A transport that applications connect to. */
export interface AriServerTransport extends Transport {
  /** Where it listens; undefined while it does not. */
  address(): { readonly host: string; readonly port: number } | undefined
}

/**
 * A link to ARI applications, to which we look like an Asterisk. Frames hold one event each, as JSON; nothing is
 * ever delivered from here. A frame is confirmed once it is handed to the sockets of the applications that it
 * concerns, and reported as `returned` when there are none: like Asterisk we keep nothing for who is away. A
 * client that lets more than `backlogBytes` pile up loses its socket, which is a fault. Clients made from the
 * api-docs may break on an event type that these do not list, so such a type is returned and a fault once.
 * `send` rejects with `link.refused` for what is no event and with `gateway.stopping` once stopped; `start`
 * rejects with `link.connect` when the address cannot be listened on.
 */
export function ariServerTransport(config: AriServerConfig): AriServerTransport {
  const name = config.name ?? 'ari-server'
  const identity = makeIdentity(config.asteriskId ?? 'patchbay')
  const shadow = makeShadow({
    isWanted: (channelId) =>
      [...applications.all()].some(({ subscriptions }) => subscriptions.has('channel', channelId)),
    onGone(channelId) {
      for (const application of applications.all()) {
        application.channelGone(channelId)
        applications.tidy(application)
      }
    },
  })
  // An Asterisk sends calls on whose application is not there; ours go nowhere, so who comes late finds them inside.
  const applications = makeApplications((application) => {
    for (const channelId of shadow.inside(application.name)) application.enter(channelId, shadow.bridgeOf(channelId))
  })
  const switchboard = makeSwitchboard(applications, shadow)
  const extra = Object.fromEntries((config.extraEvents ?? []).map((type) => [type, COMMON_FIELDS]))
  const events = { ...extra, ...EVENT_SHAPES }
  const unlisted = new Set<string>()
  let report: LinkHandlers['report'] = () => undefined
  let stopping: Promise<void> | undefined
  const fault = (error: GatewayError) => report({ kind: 'fault', error })
  const server = makeAriServer({ config, world: { identity, applications, shadow, switchboard }, events, fault })
  const patience = stopPatience(config.stopGraceMs)

  function publish(event: JsonObject): number {
    const type = textOf(event, 'type')
    if (BETWEEN_TWO.has(type)) return 0
    const picture = readPicture(event, shadow)
    if (picture !== undefined) return show(event, picture)
    if (Object.hasOwn(events, type)) return switchboard.publish(complete(event))
    if (!unlisted.has(type)) fault(new GatewayError('link.refused', `${name}: ${type} is no event of our api-docs`))
    if (unlisted.size < 1000) unlisted.add(type)
    return 0
  }

  /** A picture counts as taken: whoever connects can read what it shows. */
  function show(event: JsonObject, { shown, news }: Picture): number {
    shadow.learn(event, shown)
    for (const each of news) switchboard.publish(complete(each))
    return 1
  }

  /** Every event has these two, whether or not its mapping fills them. */
  function complete(event: JsonObject): JsonObject {
    const { timestamp = identity.stamp(), asterisk_id = identity.asteriskId } = event
    return { ...event, timestamp, asterisk_id }
  }

  async function send(frame: OutgoingFrame): Promise<void> {
    if (stopping !== undefined) {
      throw new GatewayError('gateway.stopping', `${name}: the link was stopped`, { fate: 'retry' })
    }
    const event = parseJson(Buffer.from(frame.body).toString('utf8'))
    if (!isObject(event) || textOf(event, 'type') === '') {
      throw new GatewayError('link.refused', `${name}: a frame is no event with a type`)
    }
    if (publish(event) === 0) report({ kind: 'returned', frame })
  }

  async function stop(): Promise<void> {
    await server.close(patience())
    shadow.close()
    report({ kind: 'down' })
  }

  return {
    name,
    async start(handlers) {
      report = handlers.report
      await server.listen()
      report({ kind: 'up' })
    },
    consume: () => undefined, // nothing is taken here, by no replica
    release: () => Promise.resolve(),
    renew: () => server.renew(config.access?.() ?? config),
    send,
    unconfirmed: () => 0, // whoever is there has it at once
    address: () => server.address(),
    drain: () => Promise.resolve(),
    stop: () => (stopping ??= stop()),
  }
}
