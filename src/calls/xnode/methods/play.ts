import { programmeOf } from '../media.js'
import type { ChannelMethod } from '../method.js'
import { playedResult, playProgramme } from '../player.js'
import { cutShort } from '../result.js'

/** As long as the real client waits at most. */
const PLAY_MS = 3_600_000
const SLACK_MS = 5000

/** Play: done when all was played. */
export const play: ChannelMethod = {
  on: 'channel',
  turn: 'to-the-end',
  deadlineMs: PLAY_MS + SLACK_MS,
  async run(node, { uuid, params, stopped }) {
    const read = programmeOf(node.tables, params.media, 'media')
    if ('refused' in read) return read.refused
    return playedResult(
      await playProgramme(node, uuid, read.value, { signal: stopped, timeoutMs: PLAY_MS }),
      cutShort(),
    )
  },
}
