import { setTimeout as delay } from 'node:timers/promises'
import { HEADERS } from '../../gateway/headers.js'
import type { Frame } from '../../transports/transport.js'
import { addressText, type Played } from './rows.js'
import { type Act, type Cue, storyTime } from './scenario.js'
import { APPLICATION, ASTERISK_LINK } from './site.js'
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

/** A cue that was said. What comes after the next one is said cannot be told to be its own by time alone. */
interface Said {
  readonly cue: Cue
  readonly messageId: string
  readonly from: number
  until?: number
}

/** `now` (UTC milliseconds) is the end of the story. */
export function makePlayer({ site, ear, legacy, bus, asterisk, gateway }: Stage, now: number): Player {
  let sent = 0

  async function play(act: Act): Promise<readonly Played[]> {
    const played: Said[] = []
    const isOver = () => {
      const last = played.at(-1)
      if (last !== undefined) last.until = ear.heard.length
    }
    for await (const cue of act.cues) {
      isOver()
      const said: Said = { cue, messageId: `demo-${++sent}`, from: ear.heard.length }
      played.push(said)
      await say(said)
      await untilAnswered(said)
    }
    await delay(QUIET_MS)
    isOver()
    return played.map((said) => ({ cue: said.cue, outcome: outcomeOf(said), told: toldOf(said) }))
  }

  function say({ cue: { from, address, body, at }, messageId }: Said): Promise<void> {
    if (from === 'asterisk') return asterisk.tell(body)
    const frame = { address, headers: {}, body: new TextEncoder().encode(body), messageId, at: storyTime(now, at) }
    return (from === 'legacy' ? legacy : bus).send(frame)
  }

  /** What consumers and controllers heard of it. */
  function outcomeOf(said: Said): readonly Frame[] {
    const isCaused = said.cue.cause === 'turn' ? isFromAsterisk : (frame: Frame) => isCausedBy(frame, said)
    const end = said.cue.cause === 'turn' ? said.until : undefined
    const frames = ear.heard.slice(said.from, end).filter(isCaused)
    // Both sides hear at the same time; which is the first is chance.
    return [...frames.filter(isOnBus), ...frames.filter((frame) => !isOnBus(frame))]
  }

  /** What the application heard of it. */
  function toldOf({ from, until }: Said): readonly Frame[] {
    return ear.heard.slice(from, until).filter(({ address }) => address.application === APPLICATION)
  }

  async function untilAnswered(said: Said): Promise<void> {
    const { expected, told } = said.cue
    if (expected === undefined) return untilQuiet()
    const enough = () => outcomeOf(said).length >= expected && toldOf(said).length >= told
    if (await ear.until(enough, ANSWER_MS)) return
    const count = `${outcomeOf(said).length} of ${expected} messages came of it, and ${toldOf(said).length} of ${told} to the application`
    const what = `${addressText(said.cue.address, site.prefix)}: ${count}`
    throw new Trouble(`the gateway did not answer within ${ANSWER_MS / 1000} s; ${what}\n${gateway.tail()}`)
  }

  async function untilQuiet(): Promise<void> {
    for (let before = -1; before !== ear.heard.length; await delay(QUIET_MS)) before = ear.heard.length
  }

  function isFromAsterisk({ headers }: Frame): boolean {
    return headers[HEADERS.id]?.startsWith(`${site.group}-${ASTERISK_LINK}-`) ?? false
  }

  return { play }
}

const isOnBus = ({ address }: Frame) => address.subject !== undefined

function isCausedBy({ address, headers, body }: Frame, { cue, messageId }: Said): boolean {
  const id = headers[HEADERS.id]
  if (cue.cause === 'id') return id?.startsWith(`${messageId}-`) ?? false
  const isOurs = headers[HEADERS.path] !== undefined
  if (cue.cause === 'reply')
    return address.subject === cue.address.reply || (isOurs && id?.includes('-owner-') === true)
  return isOurs && address.exchange === cue.address.exchange && new TextDecoder().decode(body).includes('is_sync: true')
}
