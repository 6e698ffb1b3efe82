import { type EventFilter, makeEventFilter } from './event-filter.js'
import { makeSubscriptions, type Subscriptions } from './subscriptions.js'

/** Where an application gets its events. */
export interface Receiver {
  /** Hands over one event. False when it takes nothing any more. */
  push(text: string): boolean
}

/** An application by name: what it wants, what is in it, and where it is connected at the moment. */
export interface Application {
  readonly name: string
  readonly subscriptions: Subscriptions
  readonly filter: EventFilter
  receiver: Receiver | undefined
  /** A channel enters the application, perhaps out of a bridge it already is in. */
  enter(channelId: string, bridgeId: string | undefined): void
  /** It leaves; what followed from its being there ends. */
  leave(channelId: string): void
  /** A channel enters a bridge: who has the channel hears of the bridge. */
  joined(channelId: string, bridgeId: string): void
  left(channelId: string): void
  /** The channel is no more: nothing of it is subscribed to any longer. */
  channelGone(channelId: string): void
  bridgeGone(bridgeId: string): void
}

/** @param everything `subscribeAll=true` on the socket that the application began with. */
export function makeApplication(name: string, everything: boolean): Application {
  const subscriptions = makeSubscriptions(everything)
  /** Channels in the application, with the bridge each is in. */
  const inside = new Map<string, string | undefined>()

  function joined(channelId: string, bridgeId: string): void {
    if (!inside.has(channelId) || inside.get(channelId) === bridgeId) return
    left(channelId)
    inside.set(channelId, bridgeId)
    subscriptions.add('bridge', bridgeId)
  }

  function left(channelId: string): void {
    const bridgeId = inside.get(channelId)
    if (bridgeId === undefined) return
    inside.set(channelId, undefined)
    subscriptions.remove('bridge', bridgeId)
  }

  function leave(channelId: string): void {
    if (!inside.has(channelId)) return
    left(channelId)
    inside.delete(channelId)
    subscriptions.remove('channel', channelId)
  }

  return {
    name,
    subscriptions,
    filter: makeEventFilter(),
    receiver: undefined,
    enter(channelId, bridgeId) {
      if (inside.has(channelId)) return
      inside.set(channelId, undefined)
      subscriptions.add('channel', channelId)
      if (bridgeId !== undefined) joined(channelId, bridgeId)
    },
    leave,
    joined,
    left,
    channelGone(channelId) {
      leave(channelId)
      subscriptions.forget('channel', channelId)
    },
    bridgeGone(bridgeId) {
      for (const [channelId, place] of inside) if (place === bridgeId) inside.set(channelId, undefined)
      subscriptions.forget('bridge', bridgeId)
    },
  }
}
