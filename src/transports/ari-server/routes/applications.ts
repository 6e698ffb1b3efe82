import type { Application } from '../application.js'
import { APPLICATION_SHAPES } from '../models.js'
import { json, type Reply, refusal } from '../reply.js'
import type { Call, Method, Operation, Resource } from '../route.js'
import type { Shadow } from '../shadow.js'
import type { SourceKind } from '../subscriptions.js'
import type { World } from '../world.js'
import { badScheme, parseSources, type Source } from './sources.js'

const ONE = '/applications/{applicationName}'

export function applicationResource({ applications, shadow }: World): Resource {
  const withOne =
    (act: (application: Application, call: Call) => Reply) =>
    (call: Call): Reply => {
      const application = applications.get(call.path.applicationName!)
      return application === undefined ? refusal(404, 'Application not found') : act(application, call)
    }
  const subscription = (method: Method, nickname: string, summary: string, handle: Operation['handle']): Operation => ({
    method,
    path: `${ONE}/subscription`,
    nickname,
    summary,
    answers: 'Application',
    parameters: [{ name: 'eventSource', required: true, multiple: true }],
    handle,
  })
  return {
    name: 'applications',
    description: 'Applications and what they are told.',
    shapes: APPLICATION_SHAPES,
    operations: [
      {
        method: 'GET',
        path: '/applications',
        nickname: 'list',
        summary: 'All applications.',
        answers: 'List[Application]',
        handle: () => json(applications.list().map(describe)),
      },
      {
        method: 'GET',
        path: ONE,
        nickname: 'get',
        summary: 'One application.',
        answers: 'Application',
        handle: withOne((application) => json(describe(application))),
      },
      subscription(
        'POST',
        'subscribe',
        'Subscribe to channels, bridges, endpoints or devices.',
        withOne((application, { list }) =>
          change(application, list('eventSource'), (all) => add(application, shadow, all)),
        ),
      ),
      subscription(
        'DELETE',
        'unsubscribe',
        'Take subscriptions back.',
        withOne((application, { list }) =>
          change(application, list('eventSource'), (all) => {
            const refused = remove(application, all)
            if (refused === undefined) applications.tidy(application)
            return refused
          }),
        ),
      ),
      {
        method: 'PUT',
        path: `${ONE}/eventFilter`,
        nickname: 'filter',
        summary: 'Choose the types of events: `allowed` and `disallowed`, lists of `{type}`.',
        answers: 'Application',
        parameters: [{ name: 'filter', in: 'body', type: 'object' }],
        handle: withOne((application, { body }) =>
          application.filter.set(body) ? json(describe(application)) : refusal(400, 'Invalid format definition'),
        ),
      },
    ],
  }
}

function describe({ name, subscriptions, filter }: Application) {
  return {
    name,
    channel_ids: subscriptions.list('channel'),
    bridge_ids: subscriptions.list('bridge'),
    endpoint_ids: subscriptions.list('endpoint'),
    device_names: subscriptions.list('deviceState'),
    events_allowed: filter.allowed(),
    events_disallowed: filter.disallowed(),
  }
}

function change(application: Application, names: readonly string[], act: (all: Source[]) => Reply | undefined): Reply {
  if (names.every((name) => name === '')) return refusal(400, 'Missing parameter eventSource')
  const sources = parseSources(names)
  return sources === undefined ? badScheme : (act(sources) ?? json(describe(application)))
}

/** All or none. */
function add({ subscriptions }: Application, shadow: Shadow, sources: readonly Source[]): Reply | undefined {
  if (!sources.every(({ kind, id }) => id === '' || exists(shadow, kind, id))) {
    return refusal(422, 'Event source does not exist')
  }
  for (const { kind, id } of sources) {
    if (id === '') subscriptions.addAll(kind)
    else if (!subscriptions.add(kind, id)) return refusal(500, 'Too many subscriptions')
  }
  return undefined
}

function exists(shadow: Shadow, kind: SourceKind, id: string): boolean {
  switch (kind) {
    case 'channel':
      return shadow.channel(id) !== undefined
    case 'bridge':
      return shadow.bridge(id) !== undefined
    case 'endpoint':
      return shadow.endpoint(id) !== undefined || shadow.endpoints().some((each) => each.technology === id)
    case 'deviceState':
      return true
  }
}

function remove({ subscriptions }: Application, sources: readonly Source[]): Reply | undefined {
  if (sources.some(({ id }) => id === '')) return refusal(501, 'Method not implemented')
  if (!sources.every(({ kind, id }) => subscriptions.has(kind, id))) {
    return refusal(422, 'Event source was not subscribed to')
  }
  for (const { kind, id } of sources) subscriptions.remove(kind, id)
  return undefined
}
