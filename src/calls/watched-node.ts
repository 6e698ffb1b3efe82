import type { Channel } from '../model/index.js'
import type { Span } from '../telemetry/index.js'
import type { Frame } from '../transports/transport.js'
import {
  type Answered,
  type Claim,
  type Controllers,
  type NodeRequest,
  type Params,
  type Result,
  requestDesk,
  results,
  stateOf,
  variablesOf,
} from './xnode/index.js'

/** The calls that controllers may watch through this node. */
export interface WatchedCalls {
  find(uuid: string): Promise<Channel | undefined>
  /** Makes a controller the owner, unless another is; with `takeover` in any case. The owner is then told the present state. */
  claim(uuid: string, controller: string, takeover: boolean): Promise<Claim>
}

/** What the node is made of. */
export interface WatchedNodeParts {
  readonly uuid: string
  readonly calls: WatchedCalls
  readonly controllers: Controllers
  /** Follows a request until it is answered. */
  spanOf(frame: Frame): Span
  /** Announces the node again. */
  announce(): void
  reply(subject: string, body: Uint8Array): void
  readonly answered: Answered
  /** Publishes a result that comes later to a controller's subject. */
  later(controller: string, id: string, result: Result): void
}

/**
 * An XNode for calls that can be watched but not steered: Accept, GetState, GetVar and GetChannelData
 * are done, every other method is refused by a code and a text.
 */
export function watchedNode(parts: WatchedNodeParts): { take(frame: Frame): Promise<void> } {
  const { uuid: nodeUuid, calls, controllers, spanOf, announce, reply, answered, later } = parts
  const handlers: Readonly<Record<string, (request: NodeRequest) => Promise<Result>>> = {
    'XNode.Accept': accept,
    'XNode.GetState': (request) => withCall(request, (channel) => results.done(stateOf(channel))),
    'XNode.GetVar': (request) => withCall(request, getVar),
    'XNode.GetChannelData': (request) => withCall(request, getChannelData),
  }

  async function accept({ params, controller }: NodeRequest): Promise<Result> {
    const uuid = String(params.uuid)
    if (controller === undefined) return results.noController()
    const claim = await calls.claim(uuid, controller, params.takeover === true)
    if (claim === 'unknown') return results.noSuchChannel(uuid)
    return claim === 'owned' ? results.done() : results.conflict('the call belongs to another controller')
  }

  async function withCall({ params }: NodeRequest, get: (channel: Channel, params: Params) => Result): Promise<Result> {
    const uuid = String(params.uuid)
    const channel = await calls.find(uuid)
    return channel === undefined ? results.noSuchChannel(uuid) : get(channel, params)
  }

  return requestDesk({
    nodeUuid,
    controllers,
    spanOf,
    handle: async (request) => (await handlers[request.method]?.(request)) ?? refused(request.method),
    ownerOf: async (uuid) => (await calls.find(uuid))?.controller,
    announce,
    reply,
    answered,
    later,
  })
}

function refused(method: string): Result {
  return {
    code: 501,
    message: `${method} is not possible: this call is on the legacy system, where it can be watched but not steered`,
  }
}

function getVar(channel: Channel, { data }: Params): Result {
  const variables = variablesOf(channel)
  const names = (data ?? []) as readonly string[] // held to its type before
  const found = names.flatMap((name) => (Object.hasOwn(variables, name) ? [[name, variables[name]!] as const] : []))
  return results.done({ data: Object.fromEntries(found) })
}

function getChannelData(channel: Channel, { format }: Params): Result {
  if (format !== undefined && format !== '' && format !== 'JSON') {
    return { code: 501, message: 'format: only JSON is known for calls of the legacy system' }
  }
  const data = Object.entries(variablesOf(channel)).map(([name, value]) => [`variable_${name}`, value] as const)
  return results.done({ format: 'JSON', data: Object.fromEntries(data) })
}
