import { DEADLINE_MS, type Method } from '../../src/calls/xnode/method.js'
import { METHODS } from '../../src/calls/xnode/methods/table.js'

type Params = Readonly<Record<string, unknown>>

/** What becomes of a method of XCC's XNode service on Asterisk. */
export interface Support {
  /** What it does there. */
  readonly does: string
  /** What of it Asterisk has nothing for; absent where nothing is missing. */
  readonly lacks?: string
  /** Good params that ask for what is missing: each is answered with 501. */
  readonly refused?: readonly Params[]
  /** A test that shows it: its file below test/xnode, and its title. */
  readonly test: readonly [file: string, title: string]
}

const OWN = 'is announced, answered, asked about, given variables and hung up'
const SCRIPT = 'answer, play, collect digits, record, hang up: each reply and each event, in order, at the owner alone'
const BRIDGED = 'are connected and parted, and either may go'
const ROOM = 'of four: listed, one mute, one taken out, the rest leave one by one, and the room is gone'

/** By name without `XNode.`; the methods that are missing altogether say what is missing in the table of methods. */
export const SUPPORT: Readonly<Record<string, Support>> = {
  Accept: {
    does: 'the first controller owns the call, another gets 419; `takeover` moves it; a call on offer is claimed first',
    test: ['own', 'belongs to the first who accepts it; a takeover moves later events'],
  },
  Answer: { does: 'accepts likewise, and answers the channel', test: ['own', OWN] },
  Hangup: { does: 'ends the channel, its peer or both, with a cause by name or Q.850 number', test: ['own', OWN] },
  SetVar: { does: 'channel variables; `channel_params` come with later events', test: ['own', OWN] },
  GetVar: { does: 'channel variables, and what is known of the call under FreeSWITCH names', test: ['own', OWN] },
  GetState: { does: 'the state as FreeSWITCH would name it', test: ['own', OWN] },
  GetChannelData: {
    does: 'what is known of the channel, as JSON, JSONSTR or TXT',
    lacks: 'other formats',
    refused: [{ format: 'XML' }],
    test: ['own', OWN],
  },
  Play: {
    does: 'playbacks, one after another; loops, offset, silence before; texts by the media URI in `speech` of the steering file',
    lacks: 'spoken text and SSML, where `speech` is empty',
    refused: [{ media: { type: 'TEXT', data: 'hello' } }, { media: { type: 'SSML', data: '<speak>hello</speak>' } }],
    test: ['media', 'is done when the last of its media is over'],
  },
  Stop: {
    does: 'ends what runs on the channel, which answers 206',
    test: ['media', 'that is stopped ends with 206, and the next one plays'],
  },
  Broadcast: {
    does: 'plays to the channel (ALEG), its peer (BLEG) or both, whatever they do meanwhile',
    lacks: '`apps`; AHOLDB and BHOLDA',
    refused: [
      { media: { data: 'sound:hello-world' }, option: 'AHOLDB' },
      { media: { data: 'sound:hello-world' }, apps: [{ app: 'park', data: '' }] },
    ],
    test: ['media', 'hears a broadcast while other commands run, alone or with its peer'],
  },
  Mute: {
    does: 'silences what the far end says (READ), what it hears (WRITE), or both; of levels there is silence only',
    test: ['media', 'is silent while it is muted'],
  },
  Hold: { does: 'hold with music; ON, OFF, TOGGLE', test: ['media', 'is put on hold with music and taken back'] },
  Record: {
    does: 'RECORD takes what comes in and waits; START listens to both directions (snoop), with STOP, MASK, UNMASK; `thresh` is not used, for Asterisk has one for all channels',
    lacks: 'formats and rates that this Asterisk has no file format for',
    refused: [{ path: 'support.mp3', action: 'START' }],
    test: ['media', 'takes what comes in until the limit, into a file that is not silence'],
  },
  ReadDTMF: {
    does: 'keys, with prompt, limits, terminators, tries and a pattern that is matched in linear time',
    lacks: 'spoken prompts, where `speech` is empty',
    refused: [{ media: { type: 'TEXT', data: 'hello' } }],
    test: ['media', SCRIPT],
  },
  ReadDigits: {
    does: 'the same as ReadDTMF',
    lacks: 'the same',
    refused: [{ media: { type: 'TEXT', data: 'hello' } }],
    test: ['media', SCRIPT],
  },
  SendDTMF: {
    does: 'keys towards the far end; done when Asterisk has begun (a Hold amid the keys makes it press one twice)',
    test: ['media', 'gets the keys that are sent'],
  },
  Dial: {
    does: 'creates the channels in the application and dials; legs in turn or all at once, early sound, limits',
    lacks: '`apps` other than park',
    refused: [
      {
        destination: { call_params: [{ dial_string: 'loopback/answer/services' }] },
        apps: [{ app: 'playback', data: 'x' }],
      },
    ],
    test: ['dial', 'all legs at once: the first who answers has it, the others are cancelled'],
  },
  Bridge: {
    does: 'dials with ringback and connects by a mixing bridge; over with the talk; `flow_control`, `continue_on_fail`',
    test: ['bridge', 'dials, connects, and is over when the callee hangs up; the caller stays'],
  },
  ChannelBridge: { does: 'connects two channels, until the talk is over', test: ['bridge', BRIDGED] },
  ChannelBridge2: { does: 'connects two channels, done when they are', test: ['bridge', BRIDGED] },
  UnBridge: { does: 'the channel leaves its bridge and stays', test: ['bridge', BRIDGED] },
  UnBridge2: { does: 'the same as UnBridge', test: ['bridge', BRIDGED] },
  Transfer: {
    does: 'the channel goes on in the dialplan of Asterisk',
    lacks: 'a `dialplan` other than XML, which stands for its own',
    refused: [{ extension: 'after', context: 'services', dialplan: 'enum' }],
    test: ['own', 'a call that is transferred leaves the application and goes on in the dialplan'],
  },
  Consult: {
    does: 'dials while the peer waits with music; hanging up transfers',
    test: [
      'party',
      'consult transfer: the peer waits with music, the two talk, and who consulted leaves the others together',
    ],
  },
  Intercept: {
    does: 'takes the place of another channel in its talk; that one is hung up',
    test: ['party', 'takes the place of one that talks, which is hung up'],
  },
  ThreeWay: {
    does: 'listen, whisper to one side, or talk to both, by a snoop in a bridge; STOP, or a second way in place of the first',
    test: ['party', 'each hears whom it is to hear, way after way, and the two talk on afterwards'],
  },
  Echo2: {
    does: 'the far end, or that of the peer, hears itself, by a snoop; START, STOP',
    test: ['party', 'SELF: who is at the far end hears itself, until STOP'],
  },
  Conference: {
    does: 'a mixing bridge per name; flags mute, deaf, moderator, endconf, mintwo; vmute and `profile` have no effect',
    lacks: 'other flags',
    refused: [{ name: 'support', flags: ['mute', 'ghost'] }],
    test: ['conference', ROOM],
  },
  ConferenceInfo: { does: 'one conference and its members', test: ['conference', ROOM] },
  ConferenceList: { does: 'every conference', test: ['conference', ROOM] },
  FIFO: {
    does: 'a place in the dialplan, declared in `hooks.fifo`; over when the channel comes back',
    lacks: 'names without a place',
    refused: [{ name: 'nowhere' }],
    test: ['node', 'a queue is over when the channel comes back'],
  },
  Callcenter: {
    does: 'a place in the dialplan, declared in `hooks.callcenter`',
    lacks: 'names without a place',
    refused: [{ name: 'nowhere' }],
    test: ['node', 'or when the caller gives up'],
  },
  NativeApp: {
    does: '`break` ends what runs; every other application is a place in the dialplan, declared in `hooks.app`',
    lacks: 'applications without a place',
    refused: [{ cmd: 'bridge', args: 'user/1000' }],
    test: ['node', 'a native application is a place, too; break ends what runs'],
  },
  NativeAPI: {
    does: '`status`, `version`, `hostname`, `uptime`, `uuid_exists`, `show channels count`, `show calls count`, `conference …`',
    lacks: 'every other command',
    refused: [{ cmd: 'reloadxml' }, { cmd: 'show', args: 'registrations' }],
    test: ['node', 'native commands of a short list answer, others are 501'],
  },
  NativeJSAPI: {
    does: 'the JSON commands `status` and `conferenceInfo`, as JStatus and the conference queries really arrive',
    lacks: 'every other command',
    refused: [{ data: { command: 'fsapi', data: {} } }],
    test: ['node', 'JStatus comes as a JSON command, as the real client sends it'],
  },
  JStatus: {
    does: 'uptime and version of Asterisk; sessions and rates as counted since the gateway began',
    test: ['node', 'JStatus comes as a JSON command, as the real client sends it'],
  },
  Register: { does: 'the node announces itself again', test: ['node', 'Register has the node announced again'] },
  Shutdown: {
    does: 'refuses new calls with 603; the node leaves with its last call, or after `shutdownWithinMs`',
    test: ['node', 'refuses new calls, lets the running one go on for its time, and then the node is gone'],
  },
  MediaFork: {
    does: 'sound of both directions to a host by RTP or AudioSocket, through a snoop and externalMedia; start, stop',
    lacks: 'WebSocket, which goes only to hosts that Asterisk has in its own configuration',
    refused: [{ action: 'start', url: 'wss://media.example/x' }],
    test: ['node', 'has the sound of a channel at another host, until it is stopped'],
  },
}

/** How long a method may take at most, as it reads in the table. */
function limitOf(method: Method): string {
  const ms = method.on === 'nothing' ? 0 : (method.deadlineMs ?? DEADLINE_MS)
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return `${ms / 1000} s`
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

const levelOf = ({ lacks }: Support) => (lacks === undefined ? 'yes' : 'partly')

/** The methods and what becomes of them, in Markdown. */
export function supportTable(): string {
  const rows = [...METHODS].map(([method, entry]) => {
    const name = method.replace('XNode.', '')
    if (entry.on === 'nothing') return [name, '501', '', entry.lacks, '', 'every-method']
    const support = SUPPORT[name]
    if (support === undefined) throw new Error(`nothing is said of ${method}`)
    const { does, lacks = '', test } = support
    return [name, levelOf(support), does, lacks, limitOf(entry), test[0]]
  })
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`)
  const head = ['| Method | | On Asterisk | Answered with 501 | Ends within | Tested in |', '|---|---|---|---|---|---|']
  return [...head, ...lines, ''].join('\n')
}
