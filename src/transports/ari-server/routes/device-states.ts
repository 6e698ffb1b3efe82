import { DEVICE_STATE_SHAPES } from '../models.js'
import { cannotSteer, json, refusal } from '../reply.js'
import type { Call, Operation, Resource } from '../route.js'
import type { World } from '../world.js'

export function deviceStateResource({ shadow }: World): Resource {
  // Asterisk too lets nobody set a device that is not its own.
  const control = ({ path }: Call) =>
    path.deviceName!.startsWith('Stasis:') ? cannotSteer : refusal(409, 'Uncontrolled device specified')
  const one = (method: Operation['method'], nickname: string, summary: string) => ({
    method,
    path: '/deviceStates/{deviceName}',
    nickname,
    summary,
  })
  return {
    name: 'deviceStates',
    description: 'States of devices.',
    shapes: DEVICE_STATE_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/deviceStates',
        nickname: 'list',
        summary: 'All device states that events told; an Asterisk lists its own `Stasis:` devices only.',
        answers: 'List[DeviceState]',
        handle: () => json(shadow.deviceStates()),
      },
      {
        ...one('GET', 'get', 'One device state.'),
        answers: 'DeviceState',
        handle: ({ path: { deviceName: name = '' } }) => json(shadow.deviceState(name) ?? { name, state: 'UNKNOWN' }),
      },
      {
        ...one('PUT', 'update', 'Set a device state.'),
        answers: 'void',
        parameters: [{ name: 'deviceState', required: true }],
        handle: control,
      },
      { ...one('DELETE', 'delete', 'Forget a device state.'), answers: 'void', handle: control },
    ],
  }
}
