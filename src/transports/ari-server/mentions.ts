import { type JsonObject, objectOf, textOf } from './json.js'

/** Events that tell nothing of how the channel is that they happen on. */
const MENTIONING = new Set([
  'ChannelDtmfReceived',
  'ChannelTalkingFinished',
  'ChannelTalkingStarted',
  'ChannelToneDetected',
  'ChannelUserevent',
])

/** Begins the names of channels that are of no technology of Asterisk. */
const NO_TECHNOLOGY = 'Patchbay/'

/** Whether what an event shows of a channel is no news. */
export function onlyMentions(type: string): boolean {
  return MENTIONING.has(type)
}

/**
 * Shows what is known of a channel in an event that was made of a fact which knew its id alone; what a real
 * Asterisk said of it stays.
 */
export function withKnownChannel(event: JsonObject, find: (id: string) => JsonObject | undefined): JsonObject {
  const channel = objectOf(event, 'channel')
  if (channel === undefined || !onlyMentions(textOf(event, 'type'))) return event
  const known = find(textOf(channel, 'id'))
  if (known === undefined || !textOf(channel, 'name').startsWith(NO_TECHNOLOGY)) return event
  const { channelvars } = channel
  return { ...event, channel: channelvars === undefined ? known : { ...known, channelvars } }
}
