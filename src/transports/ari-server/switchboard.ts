import type { Application } from './application.js'
import type { Applications } from './applications.js'
import { type Concerns, concernsOf, endpointKey, endpointOfChannel } from './concerns.js'
import { type JsonObject, textOf } from './json.js'
import { withKnownChannel } from './mentions.js'
import type { Shadow } from './shadow.js'

/** Sends events to the applications that are to have them, and keeps what follows from events up to date. */
export interface Switchboard {
  /**
   * Passes an event on, with `application` set for each receiver. An application gets it once, however many of its
   * subscriptions fit: Asterisk sends a copy for each, which helps nobody.
   * @returns how many connected applications it concerned; one whose filter keeps it off counts.
   */
  publish(event: JsonObject): number
  /** Sends an event to one application, whatever it is subscribed to. True when it is connected. */
  tell(application: Application, event: JsonObject): boolean
}

/** Events that belong to the application they name, and to nobody else. */
const DIRECTED = new Set(['StasisStart', 'StasisEnd', 'ApplicationMoveFailed', 'CallBroadcast', 'CallClaimed'])

export function makeSwitchboard(applications: Applications, shadow: Shadow): Switchboard {
  function tell({ name, receiver, filter }: Application, event: JsonObject): boolean {
    if (receiver === undefined) return false
    return filter.lets(textOf(event, 'type')) ? receiver.push(JSON.stringify({ ...event, application: name })) : true
  }

  /** What applications hear from now on because of this event, itself included. */
  function begin(event: JsonObject, { channels: [channel], bridges: [bridge] }: Concerns): void {
    const type = textOf(event, 'type')
    const channelId = textOf(channel, 'id')
    if (type === 'StasisStart' && channelId !== '') {
      applications.get(textOf(event, 'application'))?.enter(channelId, shadow.bridgeOf(channelId))
    }
    if (type !== 'ChannelEnteredBridge') return
    for (const application of applications.all()) application.joined(channelId, textOf(bridge, 'id'))
  }

  /** What they do not hear any longer after it. */
  function end(event: JsonObject, { channels: [channel], bridges: [bridge] }: Concerns): void {
    const channelId = textOf(channel, 'id')
    switch (textOf(event, 'type')) {
      case 'StasisEnd': {
        const application = applications.get(textOf(event, 'application'))
        application?.leave(channelId)
        if (application !== undefined) applications.tidy(application)
        break
      }
      case 'ChannelLeftBridge':
        for (const application of applications.all()) application.left(channelId)
        break
      case 'ChannelDestroyed':
        for (const application of applications.all()) {
          application.channelGone(channelId)
          applications.tidy(application)
        }
        break
      case 'BridgeDestroyed':
        for (const application of applications.all()) {
          application.bridgeGone(textOf(bridge, 'id'))
          applications.tidy(application)
        }
    }
  }

  return {
    publish(told) {
      const event = withKnownChannel(told, shadow.channel)
      const concerns = concernsOf(event)
      shadow.learn(event, concerns)
      begin(event, concerns)
      const audience = [...applications.all()].filter((application) => wants(application, event, concerns))
      const reached = audience.filter((application) => tell(application, event)).length
      end(event, concerns)
      return reached
    },
    tell,
  }
}

function wants({ name, subscriptions }: Application, event: JsonObject, concerns: Concerns): boolean {
  const type = textOf(event, 'type')
  if (DIRECTED.has(type)) return textOf(event, 'application') === name
  // A variable without a channel is a global one.
  if (type === 'ChannelVarset' && concerns.channels.length === 0) return subscriptions.covers('channel', '')
  if (Object.values(concerns).every((kind) => kind.length === 0)) return textOf(event, 'application') === name
  const covers = (kind: 'channel' | 'bridge' | 'deviceState', objects: readonly JsonObject[], key: string) =>
    objects.some((object) => subscriptions.covers(kind, textOf(object, key)))
  const { covers: has } = subscriptions
  const targets = [...concerns.playbacks, ...concerns.recordings].map((each) => textOf(each, 'target_uri'))
  return (
    covers('channel', concerns.channels, 'id') ||
    covers('bridge', concerns.bridges, 'id') ||
    covers('deviceState', concerns.deviceStates, 'name') ||
    targets.some((uri) => (uri.startsWith('channel:') ? has('channel', uri.slice(8)) : has('bridge', uri.slice(7)))) ||
    concerns.endpoints.some((endpoint) => coversEndpoint(subscriptions, endpointKey(endpoint), type)) ||
    concerns.channels.some((channel) => coversEndpoint(subscriptions, endpointOfChannel(channel), type))
  )
}

/** An endpoint is subscribed to by name, with its technology or with all; of the last Asterisk holds one event back. */
function coversEndpoint(subscriptions: Application['subscriptions'], key: string, type: string): boolean {
  if (key === '') return false
  const isNamed = subscriptions.has('endpoint', key) || subscriptions.has('endpoint', key.split('/')[0]!)
  return isNamed || (type !== 'EndpointStateChange' && subscriptions.covers('endpoint', key))
}
