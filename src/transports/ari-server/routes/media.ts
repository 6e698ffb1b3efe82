import { PLAYBACK_SHAPES, RECORDING_SHAPES, SOUND_SHAPES } from '../models.js'
import { cannotSteer, json, refusal } from '../reply.js'
import type { Resource } from '../route.js'
import type { World } from '../world.js'
import { commands } from './commands.js'

export function playbackResource({ shadow }: World): Resource {
  const ONE = '/playbacks/{playbackId}'
  const missing = refusal(404, 'Playback not found')
  return {
    name: 'playbacks',
    description: 'Media being played.',
    shapes: PLAYBACK_SHAPES,
    operations: [
      {
        method: 'GET',
        path: ONE,
        nickname: 'get',
        summary: 'One playback.',
        answers: 'Playback',
        handle({ path }) {
          const playback = shadow.playback(path.playbackId!)
          return playback === undefined ? missing : json(playback)
        },
      },
      ...commands(
        [
          ['DELETE', ONE, 'stop', 'Stop a playback.'],
          ['POST', `${ONE}/control`, 'control', 'Pause, restart, wind.', 'void', ['operation']],
        ],
        ({ path }) => (shadow.playback(path.playbackId!) === undefined ? missing : cannotSteer),
      ),
    ],
  }
}

export function recordingResource({ shadow }: World): Resource {
  const LIVE = '/recordings/live/{recordingName}'
  const STORED = '/recordings/stored/{recordingName}'
  const missing = refusal(404, 'Recording not found')
  return {
    name: 'recordings',
    description: 'Recordings under way. Stored ones are out of our reach.',
    shapes: RECORDING_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/recordings/stored',
        nickname: 'listStored',
        summary: 'No recordings are stored here.',
        answers: 'List[StoredRecording]',
        handle: () => json([]),
      },
      {
        method: 'GET',
        path: STORED,
        nickname: 'getStored',
        summary: 'No recordings are stored here.',
        answers: 'StoredRecording',
        handle: () => missing,
      },
      {
        method: 'GET',
        path: LIVE,
        nickname: 'getLive',
        summary: 'One recording under way.',
        answers: 'LiveRecording',
        handle({ path }) {
          const recording = shadow.recording(path.recordingName!)
          return recording === undefined ? missing : json(recording)
        },
      },
      ...commands(
        [
          ['DELETE', LIVE, 'cancel', 'Stop and throw away.'],
          ['POST', `${LIVE}/stop`, 'stop', 'Stop and keep.'],
          ['POST', `${LIVE}/pause`, 'pause', 'Pause.'],
          ['DELETE', `${LIVE}/pause`, 'unpause', 'Go on.'],
          ['POST', `${LIVE}/mute`, 'mute', 'Record silence.'],
          ['DELETE', `${LIVE}/mute`, 'unmute', 'Record sound again.'],
        ],
        ({ path }) => (shadow.recording(path.recordingName!) === undefined ? missing : cannotSteer),
      ),
    ],
  }
}

export function soundResource(): Resource {
  return {
    name: 'sounds',
    description: 'Sounds that could be played; there are none.',
    shapes: SOUND_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/sounds',
        nickname: 'list',
        summary: 'No sounds.',
        answers: 'List[Sound]',
        parameters: [{ name: 'lang' }, { name: 'format' }],
        handle: () => refusal(404, 'No sounds found that matched the query'),
      },
      {
        method: 'GET',
        path: '/sounds/{soundId}',
        nickname: 'get',
        summary: 'One sound.',
        answers: 'Sound',
        handle: () => refusal(404, 'Sound not found'),
      },
    ],
  }
}
