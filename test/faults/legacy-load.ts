import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type LegacyMessage, legacyPublisher } from './legacy-publisher.js'

/** What becomes of one call or one terminal, in order. */
export type Story = readonly LegacyMessage[]

/** A key that no mapping knows, so that its value rides along to whoever hears of the event. */
export const SEQUENCE_KEY = 'sequence'

/** The states of a call that was answered, held once and ended. */
export const CALL_STATES = ['EARLY', 'RINGING', 'ACTIVE', 'HELD', 'UNHELD', 'HANGUP'] as const

/** One state of one call, as the legacy system writes it, with a number of its own where one is given. */
export function callState(uuid: string, state: string, sequence?: number): LegacyMessage {
  const body = `--- !ruby/object:Channel_states
is_sync: false
evts:
- uuid: ${uuid}
  s_id: 599067108406308
  t_id: '0008'
  c_type: talk
  is_caller: true
  j_name: talk
  t_type: gui
  t_src: client
  r_uuid: ''
  from: '0008'
  to: '0009'
  des: '0009'
  state: ${state}
  is_loopback: false
`
  const own = sequence === undefined ? '' : `  ${SEQUENCE_KEY}: ${sequence}\n`
  return { exchange: 'voice_events', key: 'channel.call_state', body: body + own }
}

/** A terminal that came or went. Equal arguments give equal bytes. */
export function terminalState(serial: string, state: 'online' | 'offline'): LegacyMessage {
  const list = (name: string, isIt: boolean, value: string) => (isIt ? `${name}:\n- ${value}\n` : `${name}: []\n`)
  const online = state === 'online'
  const body = [
    '---\nis_sync: false\n',
    list('online', online, serial),
    list('online_dialno', online, "'1003'"),
    list('offline', !online, serial),
    list('offline_dialno', !online, "'1003'"),
  ].join('')
  return { exchange: 'voice_events', key: 'terminal.online_offline_states', body }
}

/** `calls` calls through all states and `terminals` terminals that come and go `turns` times, byte-identical each time. */
export function makeStories(calls: number, terminals: number, turns: number): Map<string, Story> {
  const stories = new Map<string, Story>()
  for (let at = 0; at < calls; at++) {
    const uuid = `call-${String(at).padStart(5, '0')}`
    stories.set(
      uuid,
      CALL_STATES.map((state) => callState(uuid, state)),
    )
  }
  for (let at = 0; at < terminals; at++) {
    const serial = `sn-${String(at).padStart(5, '0')}`
    const states = Array.from({ length: turns }, (_, turn) => (turn % 2 === 0 ? 'online' : 'offline'))
    stories.set(
      serial,
      states.map((state) => terminalState(serial, state)),
    )
  }
  return stories
}

/** How the legacy system publishes. */
export interface LoadOptions {
  /** Give every message an id of its own. */
  readonly ids: boolean
  /** Messages unconfirmed at a time. */
  readonly atOnce: number
  /** Messages a second, roughly. */
  readonly perSecond: number
}

/** A publisher that goes on until the broker has confirmed everything, over as many connections as it takes. */
export interface Load {
  /** Messages the broker surely has. */
  confirmed(): number
  /** Messages published more than once, because it was not known whether the broker had them. */
  doubtful(): number
  /** Resolves when everything is confirmed. */
  readonly done: Promise<void>
}

/**
 * Publishes stories side by side, each in its own order: the next message of one goes out when the broker has
 * confirmed the one before. One that was not confirmed is published again, as every careful publisher does.
 */
export function publishStories(url: string, stories: ReadonlyMap<string, Story>, options: LoadOptions): Load {
  const publisher = legacyPublisher([url])
  const left = [...stories].map(([name, story]) => ({ name, story, at: 0 }))
  const session = randomBytes(4).toString('hex')
  let confirmed = 0

  async function work(): Promise<void> {
    for (;;) {
      const [story] = left.splice(Math.floor(Math.random() * left.length), 1)
      if (story === undefined) return
      const message = story.story[story.at]!
      await publisher.publish(message, options.ids ? `${session}-${story.name}-${story.at}` : undefined)
      confirmed += 1
      story.at += 1
      if (story.at < story.story.length) left.push(story)
      await delay((options.atOnce / options.perSecond) * 1000 * (0.5 + Math.random()))
    }
  }

  const workers = Array.from({ length: options.atOnce }, work)
  return {
    confirmed: () => confirmed,
    doubtful: publisher.doubtful,
    done: Promise.all(workers).then(publisher.close),
  }
}
