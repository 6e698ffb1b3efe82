import { setTimeout as delay } from 'node:timers/promises'
import { HEADERS } from '../../gateway/headers.js'
import type { Frame } from '../../transports/transport.js'
import { addressText, type Played } from './rows.js'
import { type Act, type Cue, storyTime } from './scenario.js'
import type { Stage } from './stage.js'
import { Trouble } from './trouble.js'

/** Time for what is awaited of one message to come. Milliseconds. */
const ANSWER_MS = 8000
/** Time after the last of them in which nothing more should come. Milliseconds. */
const QUIET_MS = 80

/** Plays acts on a stage and tells what came of them. */
export interface Player {
  /** @throws Trouble when the gateway does not answer as it should. */
  play(act: Act): Promise<readonly Played[]>
}

/** `now` (UTC milliseconds) is the end of the story. */
export function makePlayer({ site, legacy, bus, gateway }: Stage, now: number): Player {
  let sent = 0

  async function play(act: Act): Promise<readonly Played[]> {
    const played: { readonly cue: Cue; readonly outcome: () => readonly Frame[] }[] = []
    for (const cue of act.cues) {
      const messageId = `demo-${++sent}`
      const before = new Set([...legacy.heard, ...bus.heard])
      const outcome = () =>
        [...legacy.heard, ...bus.heard].filter((frame) => !before.has(frame) && isCausedBy(frame, cue, messageId))
      await say(cue, messageId)
      await untilAnswered(cue, outcome)
      played.push({ cue, outcome })
    }
    await delay(QUIET_MS)
    return played.map(({ cue, outcome }) => ({ cue, outcome: outcome() }))
  }

  function say({ from, address, body, at }: Cue, messageId: string): Promise<void> {
    const frame = { address, headers: {}, body: new TextEncoder().encode(body), messageId, at: storyTime(now, at) }
    return (from === 'legacy' ? legacy : bus).send(frame)
  }

  async function untilAnswered(cue: Cue, outcome: () => readonly Frame[]): Promise<void> {
    const enough = () => outcome().length >= cue.expected
    const limit = Date.now() + ANSWER_MS
    while (!enough() && Date.now() < limit) await Promise.race([legacy.until(enough, 250), bus.until(enough, 250)])
    if (enough()) return
    const what = `${addressText(cue.address, site.prefix)}: ${outcome().length} of ${cue.expected} messages came of it`
    throw new Trouble(`the gateway did not answer within ${ANSWER_MS / 1000} s; ${what}\n${gateway.tail()}`)
  }

  return { play }
}

function isCausedBy({ address, headers, body }: Frame, cue: Cue, messageId: string): boolean {
  const id = headers[HEADERS.id]
  if (cue.cause === 'id') return id?.startsWith(`${messageId}-`) ?? false
  const isOurs = headers[HEADERS.path] !== undefined
  if (cue.cause === 'reply')
    return address.subject === cue.address.reply || (isOurs && id?.includes('-owner-') === true)
  return isOurs && address.exchange === cue.address.exchange && new TextDecoder().decode(body).includes('is_sync: true')
}
