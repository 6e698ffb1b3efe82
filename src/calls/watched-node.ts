import {
  calledMethod,
  decodeEnvelope,
  type Envelope,
  encodeAsyncResult,
  encodeError,
  encodeResult,
  type RequestEnvelope,
  type RpcId,
  xnodeMethods,
} from '../codecs/json-rpc/index.js'
import { GatewayError } from '../errors.js'
import type { Channel } from '../model/index.js'
import type { Frame } from '../transports/transport.js'

/** What became of an attempt to own a call. */
export type Claim = 'owned' | 'taken' | 'unknown'

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
  /** Subject of unowned calls; a dot and a controller's name give its own. */
  readonly ctrlSubject: string
  /** Announces the node again. */
  announce(): void
  reply(subject: string, body: Uint8Array): void
}

interface Result extends Record<string, unknown> {
  readonly code: number
  readonly message: string
}

type Params = Readonly<Record<string, unknown>>

/** What JetStream itself replies on begins so; an answer there would be an acknowledgement. */
const JETSTREAM_REPLY = '$JS.'
/** A name that begins so is meant as a subject. */
const COMPLETE_SUBJECT = 'cn.xswitch.'

/**
 * An XNode for calls that can be watched but not steered: Accept, GetState, GetVar and GetChannelData
 * are done, every other method is refused by a code and a text. Answers every request that came with a
 * reply subject, and publishes the result of one that came without but with an id.
 */
export function watchedNode(parts: WatchedNodeParts): { take(frame: Frame): Promise<void> } {
  const { uuid: nodeUuid, calls, announce, reply } = parts
  const handlers: Readonly<Record<string, (params: Params) => Promise<Result>>> = {
    'XNode.Accept': accept,
    'XNode.GetState': (params) => withCall(params, getState),
    'XNode.GetVar': (params) => withCall(params, getVar),
    'XNode.GetChannelData': (params) => withCall(params, getChannelData),
    'XNode.Register': async () => {
      announce()
      return { code: 200, message: 'OK' }
    },
  }

  async function take({ address, body }: Frame): Promise<void> {
    const to = address.reply?.startsWith(JETSTREAM_REPLY) ? undefined : address.reply
    let envelope: Envelope
    try {
      envelope = decodeEnvelope(body)
    } catch (error) {
      if (to !== undefined)
        reply(to, encodeError(null, -32700, error instanceof GatewayError ? error.message : 'not JSON-RPC'))
      return
    }
    if (envelope.kind !== 'request') return
    if (envelope.method === 'XNode.CtrlStartUp') announce()
    if (to !== undefined) reply(to, await answer(envelope))
    else if (envelope.id !== undefined) await publishResult(envelope, envelope.id)
  }

  async function answer(request: RequestEnvelope): Promise<Uint8Array> {
    const id = request.id ?? null
    if (!knows(request.method)) return encodeError(id, -32601, `unknown method ${request.method}`)
    if (!isParams(request.params)) return encodeError(id, -32602, 'params: want an object')
    return encodeResult(id, await outcome(request))
  }

  /** Without a reply subject the outcome goes to the subject of the controller that asked. */
  async function publishResult(request: RequestEnvelope, id: RpcId): Promise<void> {
    const controller = isParams(request.params) ? controllerOf(request.params.ctrl_uuid) : undefined
    if (controller === undefined || typeof id !== 'string') return
    const result = knows(request.method)
      ? await outcome(request)
      : { code: 404, message: `unknown method ${request.method}` }
    reply(`${parts.ctrlSubject}.${controller}`, encodeAsyncResult(id, result))
  }

  async function outcome({ method, params }: RequestEnvelope): Promise<Result> {
    const given = params as Params
    const called = calledMethod(method, params)
    const done = (await handlers[called]?.(given)) ?? refused(called)
    return { ...done, node_uuid: nodeUuid, ...(typeof given.uuid === 'string' && { uuid: given.uuid }) }
  }

  async function accept({ uuid, ctrl_uuid: given, takeover }: Params): Promise<Result> {
    if (typeof uuid !== 'string' || uuid === '') return bad('uuid: want the uuid of a channel')
    const controller = controllerOf(given)
    if (controller === undefined)
      return bad('ctrl_uuid: want the uuid of the controller, without blanks, `*`, `>` or empty parts')
    const claim = await calls.claim(uuid, controller, takeover === true)
    if (claim === 'unknown') return noSuchCall(uuid)
    return claim === 'owned'
      ? { code: 200, message: 'OK' }
      : { code: 419, message: 'the call belongs to another controller' }
  }

  async function withCall(params: Params, get: (channel: Channel, params: Params) => Result): Promise<Result> {
    const { uuid } = params
    if (typeof uuid !== 'string' || uuid === '') return bad('uuid: want the uuid of a channel')
    const channel = await calls.find(uuid)
    return channel === undefined ? noSuchCall(uuid) : get(channel, params)
  }

  /** A controller's uuid as it stands in its subject; undefined when no subject can be made of it. */
  function controllerOf(given: unknown): string | undefined {
    if (typeof given !== 'string') return undefined
    const prefix = `${parts.ctrlSubject}.`
    const name = given.startsWith(prefix) ? given.slice(prefix.length) : given
    // Another complete subject could be heard of, but our events are addressed below the subject of calls.
    if (name.startsWith(COMPLETE_SUBJECT)) return undefined
    return /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(name) ? name : undefined
  }

  return { take }
}

function knows(method: string): boolean {
  return method === 'XNode.CtrlStartUp' || xnodeMethods().has(method)
}

function isParams(params: unknown): params is Params {
  return typeof params === 'object' && params !== null && !Array.isArray(params)
}

function bad(message: string): Result {
  return { code: 400, message }
}

function noSuchCall(uuid: string): Result {
  return bad(`there is no channel ${uuid}`)
}

function refused(method: string): Result {
  if (method === 'XNode.CtrlStartUp') return { code: 200, message: 'OK' }
  return {
    code: 501,
    message: `${method} is not possible: this call is on the legacy system, where it can be watched but not steered`,
  }
}

function getState(channel: Channel): Result {
  const { state, flags } = channel
  const answered = state === 'answered'
  return {
    code: 200,
    message: 'OK',
    channel_state: 'CS_EXECUTE',
    call_state: CALL_STATES[state ?? 'new'],
    answer_state: answered ? 'answered' : state === 'ended' ? 'hangup' : state === 'early' ? 'early' : 'ringing',
    answered,
    bridged: flags?.bridged ?? false,
    held: flags?.held ?? false,
    video: false,
    video_ready: false,
    controlled: false,
    ready: flags?.ready ?? false,
    up: answered,
  }
}

const CALL_STATES = { new: 'DOWN', ringing: 'RINGING', early: 'EARLY', answered: 'ACTIVE', ended: 'HANGUP' } as const

/** Names under which switches keep what the model knows of a channel. */
function variablesOf(channel: Channel): Record<string, string> {
  const { id, direction, caller, dialled, state, vars } = channel
  const known: Record<string, string | undefined> = {
    uuid: id,
    direction,
    caller_id_name: caller?.name,
    caller_id_number: caller?.number,
    destination_number: dialled,
    state,
    ...vars,
  }
  return Object.fromEntries(Object.entries(known).filter((each): each is [string, string] => each[1] !== undefined))
}

function getVar(channel: Channel, { data }: Params): Result {
  if (!Array.isArray(data) || !data.every((name) => typeof name === 'string')) return bad('data: want a list of names')
  const variables = variablesOf(channel)
  const found = (data as string[]).flatMap((name) =>
    Object.hasOwn(variables, name) ? [[name, variables[name]!] as const] : [],
  )
  return { code: 200, message: 'OK', data: Object.fromEntries(found) }
}

function getChannelData(channel: Channel, { format }: Params): Result {
  if (format !== undefined && format !== '' && format !== 'JSON') {
    return { code: 501, message: 'format: only JSON is known for calls of the legacy system' }
  }
  const data = Object.entries(variablesOf(channel)).map(([name, value]) => [`variable_${name}`, value] as const)
  return { code: 200, message: 'OK', format: 'JSON', data: Object.fromEntries(data) }
}
