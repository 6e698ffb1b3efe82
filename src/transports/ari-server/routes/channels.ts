import { CHANNEL_SHAPES } from '../models.js'
import { cannotSteer, json, refusal } from '../reply.js'
import type { Resource } from '../route.js'
import type { World } from '../world.js'
import { type Command, commands, VARIABLES } from './commands.js'
import { answerVariable, answerVariables } from './variables.js'

const ONE = '/channels/{channelId}'
const PLACE = [
  'endpoint',
  'extension',
  'context',
  'priority',
  'label',
  'app',
  'appArgs',
  'callerId',
  'timeout',
] as const
const PLAY = ['media', 'lang', 'offsetms', 'skipms'] as const

/** Commands that begin something new. */
const BEGIN: readonly Command[] = [
  ['POST', '/channels', 'originate', 'Place a call.', 'Channel', [...PLACE, 'channelId', 'otherChannelId', VARIABLES]],
  ['POST', '/channels/create', 'create', 'Make a channel.', 'Channel', ['endpoint', 'app', 'channelId', VARIABLES]],
  ['POST', ONE, 'originateWithId', 'Place a call, its id chosen.', 'Channel', [...PLACE, 'otherChannelId', VARIABLES]],
  [
    'POST',
    '/channels/externalMedia',
    'externalMedia',
    'Connect a media server.',
    'Channel',
    ['channelId', 'app', 'external_host', 'encapsulation', 'transport', 'format', 'direction', VARIABLES],
  ],
]

/** Commands on a channel that is there. */
const STEER: readonly Command[] = [
  ['DELETE', ONE, 'hangup', 'Hang up.', 'void', ['reason_code', 'reason']],
  ['POST', `${ONE}/continue`, 'continueInDialplan', 'Leave the application.', 'void', ['context', 'extension']],
  ['POST', `${ONE}/move`, 'move', 'Hand over to another application.', 'void', ['app', 'appArgs']],
  ['POST', `${ONE}/redirect`, 'redirect', 'Send elsewhere.', 'void', ['endpoint']],
  ['POST', `${ONE}/answer`, 'answer', 'Answer.'],
  ['POST', `${ONE}/ring`, 'ring', 'Let it ring.'],
  ['DELETE', `${ONE}/ring`, 'ringStop', 'Let it ring no longer.'],
  ['POST', `${ONE}/progress`, 'progress', 'Indicate progress.'],
  ['POST', `${ONE}/dtmf`, 'sendDTMF', 'Send keys.', 'void', ['dtmf', 'before', 'between', 'duration', 'after']],
  ['POST', `${ONE}/mute`, 'mute', 'Mute.', 'void', ['direction']],
  ['DELETE', `${ONE}/mute`, 'unmute', 'Unmute.', 'void', ['direction']],
  ['POST', `${ONE}/hold`, 'hold', 'Hold.'],
  ['DELETE', `${ONE}/hold`, 'unhold', 'Hold no longer.'],
  ['POST', `${ONE}/moh`, 'startMoh', 'Play music.', 'void', ['mohClass']],
  ['DELETE', `${ONE}/moh`, 'stopMoh', 'Stop the music.'],
  ['POST', `${ONE}/silence`, 'startSilence', 'Play silence.'],
  ['DELETE', `${ONE}/silence`, 'stopSilence', 'Stop the silence.'],
  ['POST', `${ONE}/play`, 'play', 'Play media.', 'Playback', [...PLAY, 'playbackId']],
  ['POST', `${ONE}/play/{playbackId}`, 'playWithId', 'Play media, the id chosen.', 'Playback', PLAY],
  ['POST', `${ONE}/record`, 'record', 'Record.', 'LiveRecording', ['name', 'format', 'ifExists', 'terminateOn']],
  ['POST', `${ONE}/variable`, 'setChannelVar', 'Set a variable.', 'void', ['variable', 'value', 'report_events']],
  ['POST', `${ONE}/variables`, 'setChannelVars', 'Set variables.', 'void', [VARIABLES]],
  ['POST', `${ONE}/dial`, 'dial', 'Dial a channel that was made.', 'void', ['caller', 'timeout']],
  ['POST', `${ONE}/transfer_progress`, 'transfer_progress', 'Tell how a transfer goes.', 'void', ['states']],
]

/** Commands that make a second channel out of one. */
const LISTEN: readonly Command[] = [
  ['POST', `${ONE}/snoop`, 'snoopChannel', 'Listen in.', 'Channel', ['spy', 'whisper', 'app', 'appArgs', 'snoopId']],
  [
    'POST',
    `${ONE}/snoop/{snoopId}`,
    'snoopChannelWithId',
    'Listen in, the id chosen.',
    'Channel',
    ['spy', 'whisper', 'app', 'appArgs'],
  ],
]

export function channelResource({ shadow }: World): Resource {
  const channelOf = (id = '') => shadow.channel(id)
  const missing = refusal(404, 'Channel not found')
  return {
    name: 'channels',
    description: 'Calls that are under way.',
    shapes: CHANNEL_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/channels',
        nickname: 'list',
        summary: 'All channels.',
        answers: 'List[Channel]',
        handle: () => json(shadow.channels()),
      },
      {
        method: 'GET',
        path: ONE,
        nickname: 'get',
        summary: 'One channel.',
        answers: 'Channel',
        handle({ path }) {
          const channel = channelOf(path.channelId)
          return channel === undefined ? missing : json(channel)
        },
      },
      {
        method: 'GET',
        path: `${ONE}/variable`,
        nickname: 'getChannelVar',
        summary: 'A variable or function of a channel, as far as events told it.',
        answers: 'Variable',
        parameters: [{ name: 'variable', required: true }],
        handle: ({ path, param }) => answerVariable(shadow, path.channelId!, param('variable')),
      },
      {
        method: 'GET',
        path: `${ONE}/variables`,
        nickname: 'getChannelVars',
        summary: 'Several variables at once.',
        answers: 'Variables',
        parameters: [{ name: 'variables', required: true, multiple: true }],
        handle: ({ path, list }) => answerVariables(shadow, path.channelId!, list('variables')),
      },
      {
        method: 'GET',
        path: `${ONE}/rtp_statistics`,
        nickname: 'rtpstatistics',
        summary: 'Figures of the media stream; nobody tells us any.',
        answers: 'RTPstat',
        handle: ({ path }) =>
          channelOf(path.channelId) === undefined ? missing : refusal(403, 'Unsupported channel type'),
      },
      ...commands(BEGIN, () => cannotSteer),
      ...commands(STEER, ({ path }) => (channelOf(path.channelId) === undefined ? missing : cannotSteer)),
      ...commands(LISTEN, ({ path }) =>
        channelOf(path.channelId) === undefined ? refusal(404, 'Provided channel was not found') : cannotSteer,
      ),
    ],
  }
}
