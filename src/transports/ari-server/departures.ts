/**
 * Channels that left their application. An inbound one may have been hung up, and then no ChannelDestroyed has to
 * follow; or it may live on in the dialplan for hours. What is told of it, or not, gives the answer.
 */
export interface Departures {
  /** Takes in an event that shows a channel which is known. */
  note(type: string, channelId: string): void
  /** The channel left the application that had it, and is in no other. */
  left(channelId: string): void
  /** The channel is gone. */
  forget(channelId: string): void
  /** Ends the timers. */
  close(): void
}

/** How departures are watched. */
export interface DeparturesOptions {
  /** Called for a channel of which nothing more is to be expected. */
  readonly onGone: (channelId: string) => void
  /** Whether somebody asked for this very channel, who is to have it until it is destroyed. */
  readonly isWanted: (channelId: string) => boolean
  /** Milliseconds a channel stays after it left when no ChannelDestroyed follows. */
  readonly lingerMs: number
}

/** Events that only whoever is subscribed to the channel itself is told, and who is that is told its end too. */
const OWN = new Set([
  'ChannelCallerId',
  'ChannelConnectedLine',
  'ChannelDialplan',
  'ChannelDtmfReceived',
  'ChannelHangupRequest',
  'ChannelHold',
  'ChannelStateChange',
  'ChannelTalkingFinished',
  'ChannelTalkingStarted',
  'ChannelToneDetected',
  'ChannelUnhold',
  'ChannelVarset',
])

export function makeDepartures({ onGone, isWanted, lingerMs }: DeparturesOptions): Departures {
  const waiting = new Map<string, NodeJS.Timeout>()
  /** Told of outside any application, so that ChannelDestroyed will be told. */
  const followed = new Set<string>()
  /** About to end. An Asterisk asks for the hangup before StasisEnd, but not before it continues or moves a channel. */
  const hungUp = new Set<string>()

  function stay(channelId: string): void {
    clearTimeout(waiting.get(channelId))
    waiting.delete(channelId)
  }

  function wait(channelId: string): void {
    stay(channelId)
    const decide = () => {
      if (isWanted(channelId) && !hungUp.has(channelId)) return wait(channelId)
      onGone(channelId)
    }
    waiting.set(channelId, setTimeout(decide, lingerMs).unref())
  }

  function follow(channelId: string): void {
    followed.add(channelId)
    stay(channelId)
  }

  return {
    note(type, channelId) {
      if (type === 'StasisStart') {
        hungUp.delete(channelId)
        stay(channelId)
      } else if (type === 'ChannelCreated' || (OWN.has(type) && waiting.has(channelId))) follow(channelId)
      if (type === 'ChannelHangupRequest') hungUp.add(channelId)
    },
    left(channelId) {
      if (!followed.has(channelId)) wait(channelId)
    },
    forget(channelId) {
      stay(channelId)
      followed.delete(channelId)
      hungUp.delete(channelId)
    },
    close() {
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}
