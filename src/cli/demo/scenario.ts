import type { Address } from '../../transports/transport.js'
import type { Asterisk } from './asterisk.js'
import type { AsteriskEvent } from './asterisk-samples.js'
import {
  ASK_FOR_CALLS,
  CALL_EVENTS,
  CALL_HANGUP,
  CALL_PICTURE,
  channelEvent,
  FOREIGN_CLASS,
  requestOf,
  TERMINALS,
  XCC_TERMINAL,
} from './samples.js'
import { ASTERISK_LINK, REPLIES, type Site } from './site.js'

/** How it is known that something heard was caused by what was sent. */
export type Cause =
  /** It carries our message id. */
  | 'id'
  /** It came on the reply subject of a request. */
  | 'reply'
  /** It is a full picture of calls that the gateway made. */
  | 'picture'
  /** It tells of something on the Asterisk, whose events have no names; it came before the next of these was said. */
  | 'turn'

/** A message that one side sends, and what is awaited of the gateway. */
export interface Cue {
  readonly from: 'legacy' | 'bus' | 'asterisk'
  readonly address: Address
  readonly body: string
  /** Seconds of the story at which it is said. */
  readonly at: number
  readonly cause: Cause
  /** How many messages have to come of it; whatever comes where that is not known. */
  readonly expected: number | undefined
  /** How many events the ARI application has to be told. */
  readonly told: number
  /** Said in place of messages, where none comes of an element of the body (by its number). */
  readonly silence?: Readonly<Record<number, string>>
}

/** One part of the story. */
export interface Act {
  readonly title: string
  readonly about: string
  readonly cues: Iterable<Cue> | AsyncIterable<Cue>
  /** Shows again the acts so far, as the ARI application saw them. */
  readonly isLookBack?: boolean
}

/** The story, from `now` (UTC milliseconds) back. */
export function makeScenario(site: Site, asterisk: Asterisk, now: number): readonly Act[] {
  const say = teller(site)
  const epoch = (at: number) => Math.floor(now / 1000) - STORY_SECONDS + at
  const started = { create_epoch: epoch(8) }
  const rung = { ...started, ring_epoch: epoch(9) }
  const answered = { ...rung, answer_epoch: epoch(12), answered: true }
  const bridged = { ...answered, bridged: true, peer_uuid: 'c-2002' }
  const ended = {
    ...answered,
    hangup_epoch: epoch(40),
    duration: '32',
    billsec: '28',
    billmsec: '28000',
    cause: 'NORMAL_CLEARING',
  }
  return [
    {
      title: 'A call on the legacy system, as controllers see it',
      about:
        'Four events in one YAML message. Controllers get one JSON-RPC event for each that is news to them: START before anything else, nothing twice. What XCC has no word for rides along in params.params, so that it can come back.',
      cues: [say.calls(0, CALL_EVENTS, 4, 4, { 3: 'nothing: controllers were told MEDIA before' })],
    },
    {
      title: 'A controller takes the call',
      about: 'Calls of the legacy system can be watched, not steered. Whoever accepts one first gets its later events.',
      cues: [say.request(4, 'XNode.Accept', 2), say.request(5, 'XNode.Answer', 1)],
    },
    {
      title: 'A call on an XSwitch, as legacy consumers see it',
      about: 'The other way round: JSON-RPC in, Ruby YAML out, as Psych would write it.',
      cues: [
        say.channel(8, channelEvent('START', started), 1),
        say.channel(9, channelEvent('RINGING', rung), 1),
        say.channel(12, channelEvent('ANSWERED', answered), 1),
        say.channel(13, channelEvent('BRIDGE', bridged), 1),
      ],
    },
    {
      title: 'A legacy consumer asks for all calls',
      about:
        'The legacy publisher answers with its own call. Then comes one picture of all sides, last: were it partial, consumers would take the other calls for gone.',
      cues: [say.ask(20), say.picture(21)],
    },
    {
      title: 'Both calls end',
      about: 'The legacy side never sends a CDR; the gateway kept the times and makes one.',
      cues: [say.calls(35, CALL_HANGUP, 2, 1), say.channel(40, channelEvent('DESTROY', ended), 2)],
    },
    {
      title: 'Both calls, as an ARI application saw them',
      about:
        'An ARI application that connected to the gateway as it would to an Asterisk. Both calls were handed to it, from StasisStart to StasisEnd.',
      cues: [],
      isLookBack: true,
    },
    {
      title: 'A call on an Asterisk, as controllers and legacy consumers see it',
      about: `What an Asterisk tells becomes XCC and Ruby YAML at once. Here: ${asterisk.label}.`,
      cues: say.asteriskCall(asterisk),
    },
    {
      title: 'Telephones come and go',
      about: 'XCC has no event for them, so they are native events of class terminal.',
      cues: [say.terminals(50), say.terminal(52), ...asterisk.registrations().map(say.asterisk)],
    },
    {
      title: 'What must not be read is put aside',
      about: 'A message that cannot be translated is kept as it came, with the reason in its headers.',
      cues: [say.bad(55)],
    },
  ]
}

const STORY_SECONDS = 60

/** UTC milliseconds of a second of the story, when it ends at `now`. */
export function storyTime(now: number, at: number): number {
  return now - (STORY_SECONDS - at) * 1000
}

/** The kinds of messages in the story. */
function teller({ exchange, subject, group }: Site) {
  const events = (key: string) => ({ exchange: exchange('voice_events'), key })
  const calls = events('channel.call_state')
  const legacy = { from: 'legacy', cause: 'id', told: 0 } as const
  const bus = { from: 'bus', cause: 'id', expected: 1, told: 0 } as const
  const asterisk = ({ body, expected }: AsteriskEvent): Cue => {
    return { from: 'asterisk', cause: 'turn', at: 0, address: { node: ASTERISK_LINK }, body, expected, told: 0 }
  }
  return {
    asterisk,
    async *asteriskCall({ call }: Asterisk): AsyncIterable<Cue> {
      for await (const event of call()) yield asterisk(event)
    },
    calls: (at: number, body: string, expected: number, told: number, silence: Cue['silence'] = {}): Cue => {
      return { ...legacy, at, address: calls, body, expected, told, silence }
    },
    ask: (at: number): Cue => ({
      ...legacy,
      at,
      address: { exchange: exchange('voice_sync_events'), key: '' },
      body: ASK_FOR_CALLS,
      expected: 0,
      silence: { 1: 'nothing yet: while a legacy publisher lives, it answers first' },
    }),
    picture: (at: number): Cue => ({
      ...legacy,
      cause: 'picture',
      at,
      address: calls,
      body: CALL_PICTURE,
      expected: 1,
    }),
    terminals: (at: number): Cue => {
      return { ...legacy, at, address: events('terminal.online_offline_states'), body: TERMINALS, expected: 3 }
    },
    bad: (at: number): Cue => ({ ...legacy, at, address: calls, body: FOREIGN_CLASS, expected: 1 }),
    channel: (at: number, body: string, told: number): Cue => ({
      ...bus,
      told,
      at,
      address: { subject: subject('cn.xswitch.ctrl') },
      body,
    }),
    terminal: (at: number): Cue => {
      return { ...bus, at, address: { subject: subject('cn.xswitch.event.custom.terminal') }, body: XCC_TERMINAL }
    },
    request: (at: number, method: string, expected: number): Cue => {
      const address = { subject: `cn.xswitch.node.${group}`, reply: `${subject(REPLIES)}.${method.replace('.', '-')}` }
      return { ...bus, cause: 'reply', at, address, body: requestOf(method), expected }
    },
  }
}
