import { arch, type as osName, release } from 'node:os'
import { ASTERISK_SHAPES } from '../models.js'
import { cannotSteer, json, refusal } from '../reply.js'
import type { Resource } from '../route.js'
import type { World } from '../world.js'
import { commands } from './commands.js'

export function asteriskResource({ identity }: World): Resource {
  const { asteriskId, startedAt } = identity
  const info: Readonly<Record<string, unknown>> = {
    build: { os: osName(), kernel: release(), machine: arch(), options: '', date: '', user: '' },
    system: { version: 'Patchbay, as the ARI of Asterisk 22', entity_id: asteriskId },
    config: { name: asteriskId, default_language: 'en', setid: { user: '', group: '' } },
    status: { startup_time: startedAt, last_reload_time: startedAt },
  }
  return {
    name: 'asterisk',
    description: 'Who we are.',
    shapes: ASTERISK_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/asterisk/info',
        nickname: 'getInfo',
        summary: 'Who we are and since when.',
        answers: 'AsteriskInfo',
        parameters: [{ name: 'only', multiple: true }],
        handle({ list }) {
          const only = list('only')
          const parts = Object.entries(info).filter(([name]) => only.length === 0 || only.includes(name))
          return json(Object.fromEntries(parts))
        },
      },
      {
        method: 'GET',
        path: '/asterisk/ping',
        nickname: 'ping',
        summary: 'Whether we answer.',
        answers: 'AsteriskPing',
        handle: () => json({ ping: 'pong', timestamp: identity.stamp(), asterisk_id: asteriskId }),
      },
      {
        method: 'GET',
        path: '/asterisk/variable',
        nickname: 'getGlobalVar',
        summary: 'A global variable; none is set here.',
        answers: 'Variable',
        parameters: [{ name: 'variable', required: true }],
        handle: ({ param }) =>
          param('variable') === '' ? refusal(400, 'Variable name is required') : json({ value: '' }),
      },
      ...commands(
        [['POST', '/asterisk/variable', 'setGlobalVar', 'Set a global variable.', 'void', ['variable', 'value']]],
        () => cannotSteer,
      ),
    ],
  }
}
