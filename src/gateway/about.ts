import type { Fact } from '../model/index.js'

/** The calls that a message is about, as log lines name them. */
export interface About {
  /** Id of the channel, where it is about one. */
  readonly channel?: string
  /** Ids of the channels, where it is about several. */
  readonly channels?: readonly string[]
  /** The call that all of them belong to, where that is told. */
  readonly call?: string
}

/** A full picture names thousands. */
const MAX_CHANNELS = 16
/** Whoever sends a message chooses its ids. Characters. */
const MAX_ID = 256

/** The calls that facts are about: ids only, nothing of what was said. */
export function aboutOf(facts: readonly Fact[]): About {
  const channels = new Set<string>()
  const calls = new Set<string>()
  for (const fact of facts) {
    const id = channelOf(fact)
    if (id !== undefined && channels.size < MAX_CHANNELS) channels.add(id.slice(0, MAX_ID))
    if ('call' in fact && typeof fact.call === 'string') calls.add(fact.call.slice(0, MAX_ID))
  }
  const [channel] = channels
  const [call] = calls
  return {
    ...(channels.size === 1 && { channel: channel! }),
    ...(channels.size > 1 && { channels: [...channels] }),
    ...(calls.size === 1 && { call: call! }),
  }
}

function channelOf(fact: Fact): string | undefined {
  if (fact.kind === 'channel' || fact.kind === 'cdr') return fact.id
  return 'channel' in fact && typeof fact.channel === 'string' ? fact.channel : undefined
}
