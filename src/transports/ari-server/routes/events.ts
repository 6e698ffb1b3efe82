import { isObject, type JsonObject } from '../json.js'
import { EVENT_PARTS, type Shapes } from '../models.js'
import { cannotSteer, noContent, page, type Reply, refusal } from '../reply.js'
import type { Call, Resource } from '../route.js'
import type { Shadow } from '../shadow.js'
import type { World } from '../world.js'
import { type Command, commands, VARIABLES } from './commands.js'
import { badScheme, parseSources } from './sources.js'

const CLAIMED = ['channelId', 'application'].map((name) => ({ name, required: true }))
const CLAIM: readonly Command[] = [
  ['POST', '/events/claim', 'claimChannel', 'Claim a call that is on offer.', 'void', CLAIMED],
]

/** @param events shapes of all events that applications are sent. */
export function eventResource(world: World, events: Shapes): Resource {
  return {
    name: 'events',
    description: 'The event socket, and events of applications of their own.',
    shapes: { ...events, ...EVENT_PARTS },
    operations: [
      {
        method: 'GET',
        path: '/events',
        nickname: 'eventWebsocket',
        summary: 'Opens the event socket.',
        answers: 'Message',
        parameters: [
          { name: 'app', required: true, multiple: true },
          { name: 'subscribeAll', type: 'boolean' },
        ],
        isUpgrade: true,
        // Reached only without the upgrade to a WebSocket.
        handle: () => page(426, ''),
      },
      {
        method: 'POST',
        path: '/events/user/{eventName}',
        nickname: 'userEvent',
        summary: 'Sends an event to one application.',
        answers: 'void',
        parameters: [{ name: 'application', required: true }, { name: 'source', multiple: true }, VARIABLES],
        handle: (call) => sendUserEvent(world, call),
      },
      ...commands(CLAIM, () => cannotSteer),
    ],
  }
}

function sendUserEvent(
  { applications, shadow, switchboard, identity }: World,
  { path, param, list, body }: Call,
): Reply {
  const eventname = path.eventName!
  const name = param('application')
  if (name === '') return refusal(400, 'Missing parameter application')
  const application = applications.get(name)
  if (application === undefined) return refusal(404, 'Application not found')
  const sources = parseSources(list('source').filter((uri) => uri !== ''))
  if (sources === undefined) return badScheme
  const objects = sources.map(({ kind, id }) => ({ kind, object: sourceObject(shadow, kind, id) }))
  if (objects.some(({ object }) => object === undefined)) return refusal(422, 'Event source was not found')
  const variables = isObject(body.variables) ? body.variables : {}
  switchboard.tell(application, {
    type: 'ChannelUserevent',
    timestamp: identity.stamp(),
    eventname,
    userevent: { ...variables, eventname },
    ...Object.fromEntries(objects.map(({ kind, object }) => [kind, object])),
    asterisk_id: identity.asteriskId,
    application: name,
  })
  return noContent
}

function sourceObject(shadow: Shadow, kind: string, id: string): JsonObject | undefined {
  if (kind === 'channel') return shadow.channel(id)
  if (kind === 'bridge') return shadow.bridge(id)
  return kind === 'endpoint' ? shadow.endpoint(id) : undefined
}
