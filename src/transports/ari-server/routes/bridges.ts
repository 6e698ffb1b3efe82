import { BRIDGE_SHAPES } from '../models.js'
import { cannotSteer, json, refusal } from '../reply.js'
import type { Resource } from '../route.js'
import type { World } from '../world.js'
import { type Command, commands, VARIABLES } from './commands.js'

const ONE = '/bridges/{bridgeId}'
const PLAY = ['media', 'announcer_format', 'lang', 'offsetms', 'skipms'] as const

const BEGIN: readonly Command[] = [
  ['POST', '/bridges', 'create', 'Make a bridge.', 'Bridge', ['type', 'bridgeId', 'name', VARIABLES]],
  ['POST', ONE, 'createWithId', 'Make a bridge, its id chosen.', 'Bridge', ['type', 'name', VARIABLES]],
]

const STEER: readonly Command[] = [
  ['DELETE', ONE, 'destroy', 'End a bridge.'],
  ['POST', `${ONE}/addChannel`, 'addChannel', 'Add channels.', 'void', ['channel', 'role', 'absorbDTMF', 'mute']],
  ['POST', `${ONE}/removeChannel`, 'removeChannel', 'Remove channels.', 'void', ['channel']],
  ['POST', `${ONE}/videoSource/{channelId}`, 'setVideoSource', 'Choose whose video is seen.'],
  ['DELETE', `${ONE}/videoSource`, 'clearVideoSource', 'Choose nobody.'],
  ['POST', `${ONE}/moh`, 'startMoh', 'Play music.', 'void', ['mohClass']],
  ['DELETE', `${ONE}/moh`, 'stopMoh', 'Stop the music.'],
  ['POST', `${ONE}/play`, 'play', 'Play media.', 'Playback', [...PLAY, 'playbackId']],
  ['POST', `${ONE}/play/{playbackId}`, 'playWithId', 'Play media, the id chosen.', 'Playback', PLAY],
  ['POST', `${ONE}/record`, 'record', 'Record.', 'LiveRecording', ['name', 'format', 'ifExists', 'terminateOn']],
  ['POST', `${ONE}/variable`, 'setBridgeVar', 'Set a variable.', 'void', ['variable', 'value', 'report_events']],
  ['POST', `${ONE}/variables`, 'setBridgeVars', 'Set variables.', 'void', [VARIABLES]],
]

export function bridgeResource({ shadow }: World): Resource {
  const missing = refusal(404, 'Bridge not found')
  return {
    name: 'bridges',
    description: 'Bridges that channels meet in.',
    shapes: BRIDGE_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/bridges',
        nickname: 'list',
        summary: 'All bridges.',
        answers: 'List[Bridge]',
        handle: () => json(shadow.bridges()),
      },
      {
        method: 'GET',
        path: ONE,
        nickname: 'get',
        summary: 'One bridge.',
        answers: 'Bridge',
        handle({ path }) {
          const bridge = shadow.bridge(path.bridgeId!)
          return bridge === undefined ? missing : json(bridge)
        },
      },
      ...commands(BEGIN, () => cannotSteer),
      ...commands(STEER, ({ path }) => (shadow.bridge(path.bridgeId!) === undefined ? missing : cannotSteer)),
    ],
  }
}
