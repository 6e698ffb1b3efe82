import {
  calledMethod,
  checkRequest,
  decodeEnvelope,
  type Envelope,
  encodeError,
  encodeResult,
  faultText,
  type RequestEnvelope,
  xnodeMethods,
} from '../../codecs/json-rpc/index.js'
import { GatewayError } from '../../errors.js'
import { type Span, type SpanFacts, UNTRACED } from '../../telemetry/index.js'
import type { Frame } from '../../transports/transport.js'
import type { Controllers } from './controllers.js'
import type { NodeRequest, Params } from './method.js'
import { bad, busy, noController, type Result } from './result.js'

/**
 * Told of each request, by its method and the code of its answer or result. The method is one that a node knows, or
 * `other`.
 */
export type Answered = (method: string, code: number, milliseconds: number) => void

/** What the desk hands requests to. */
export interface DeskParts {
  readonly nodeUuid: string
  readonly controllers: Controllers
  /** What may be answered at once was answered so already. Default false. */
  readonly wasTried?: boolean
  /** Follows a request until it is answered. Default: nobody does. */
  readonly spanOf?: ((frame: Frame) => Span) | undefined
  /** Carries a request out. Never rejects for what a controller can cause. */
  handle(request: NodeRequest): Promise<Result>
  /** Owner of a call, for results of requests that name no controller. */
  ownerOf(uuid: string): Promise<string | undefined>
  /** Announces the node again. */
  announce(): void
  reply(subject: string, body: Uint8Array): void
  readonly answered: Answered
  /** Publishes a result that comes later to a controller's subject. */
  later(controller: string, id: string, result: Result): void
}

/** A request as it came, and what stands in it; when, by `performance.now()`. */
type Asked = RequestEnvelope & { readonly frame: Frame; readonly span: Span; readonly askedAt: number }

/** What stands for every method that no node knows. */
const OTHER = 'other'
/** Commands that may be under way at a time, those that wait for their turn included. */
const MOST_COMMANDS = 10_000
/**
 * Subjects that are not for answers, whoever asks for one there: those of the server itself (an answer to JetStream
 * would be an acknowledgement, one to a key of a bucket its value), and the journal of replicas. We may write there
 * where who asks may not.
 */
const NO_INBOX = /^(\$|patchbay\.journal\.)/
/** Methods that may be answered at once, their outcome following later. */
const MAY_TRY: ReadonlySet<string> = new Set([
  'XNode.Bridge',
  'XNode.ChannelBridge',
  'XNode.Play',
  'XNode.Record',
  'XNode.ReadDTMF',
  'XNode.DetectSpeech',
  'XNode.RingBackDetection',
])

/**
 * Takes JSON-RPC requests to a node and answers them in the style they came in: on the reply subject when the
 * command is over; on the controller's own subject for one that was published with an id; or with 100 at once and the
 * outcome on that subject (`expect_100_trying`). One without reply subject and id is carried out and not answered.
 */
export function requestDesk(parts: DeskParts): { take(frame: Frame): Promise<void> } {
  const { controllers, reply } = parts
  let open = 0

  async function take(frame: Frame): Promise<void> {
    const askedAt = performance.now()
    const { address, body } = frame
    const to = NO_INBOX.test(address.reply ?? '') ? undefined : address.reply
    let envelope: Envelope
    try {
      envelope = decodeEnvelope(body)
    } catch (error) {
      if (to === undefined) return
      reply(to, encodeError(null, -32700, error instanceof GatewayError ? error.message : 'not JSON-RPC'))
      count({ method: '', askedAt }, -32700)
      return
    }
    if (envelope.kind !== 'request') return
    const span = parts.spanOf?.(frame) ?? UNTRACED
    const request = { ...envelope, frame, span, askedAt }
    if (span.isOn) span.set(aboutOf(request))
    try {
      if (to !== undefined) await answer(request, to)
      else await later(request, ownerNow(request), await outcome(request))
    } finally {
      span.end()
    }
  }

  async function answer(request: Asked, to: string): Promise<void> {
    const id = request.id ?? null
    const refuse = (code: number, text: string) => {
      request.span.set({ code })
      reply(to, encodeError(id, code, text))
      count(request, code)
    }
    if (!knows(request.method)) return refuse(-32601, `unknown method ${request.method}`)
    if (!isParams(request.params ?? {})) return refuse(-32602, 'params: want an object')
    const tries = isParams(request.params) && request.params.expect_100_trying === true
    if (!tries || !MAY_TRY.has(request.method)) return reply(to, encodeResult(id, await outcome(request)))
    if (parts.wasTried === true) return later(request, ownerNow(request), await outcome(request))
    const owner = ownerNow(request)
    const running = outcome(request)
    // What cannot begin says so at once; then nothing follows.
    const first = await Promise.race([running, afterTurn()])
    if (first !== undefined) return reply(to, encodeResult(id, first))
    reply(to, encodeResult(id, { code: 100, message: 'Trying', node_uuid: parts.nodeUuid }))
    await later(request, owner, await running)
  }

  /** The owner of the call that a request is about. Nobody knows that of a call any more once it has ended. */
  async function ownerNow({ params }: RequestEnvelope): Promise<string | undefined> {
    if (!isParams(params) || namesController(params) || typeof params.uuid !== 'string') return undefined
    return parts.ownerOf(params.uuid).catch(() => undefined)
  }

  /**
   * Publishes a result on the subject of the controller that asked, else of the owner of the call: whoever owns it by
   * then, or did when the request came. A controller that no subject can be made of is told nothing, nor is anybody else.
   */
  async function later(request: RequestEnvelope, owner: Promise<string | undefined>, result: Result): Promise<void> {
    const { id, params } = request
    if (typeof id !== 'string' || !isParams(params ?? {})) return
    const named = controllers.nameOf(((params ?? {}) as Params).ctrl_uuid)
    const controller = named ?? (await ownerNow(request)) ?? (await owner)
    if (controller !== undefined) parts.later(controller, id, result)
  }

  function count({ method, askedAt }: Pick<Asked, 'method' | 'askedAt'>, code: number): void {
    parts.answered(knows(method) ? method : OTHER, code, performance.now() - askedAt)
  }

  async function outcome(request: Asked): Promise<Result> {
    const result = await carriedOut(request)
    request.span.set({ code: result.code })
    count(request, result.code)
    return result
  }

  async function carriedOut({ frame, method, params, id }: Asked): Promise<Result> {
    const given = (params ?? {}) as Params
    const also = { node_uuid: parts.nodeUuid, ...(typeof given.uuid === 'string' && { uuid: given.uuid }) }
    if (!knows(method)) return { code: 404, message: `unknown method ${method}`, ...also }
    if (!isParams(given)) return { ...bad('params: want an object'), ...also }
    if (method === 'XNode.CtrlStartUp') {
      parts.announce()
      return { code: 200, message: 'OK', ...also }
    }
    const called = calledMethod(method, given)
    const faults = checkRequest(method, given)
    if (faults.length > 0) return { ...bad(faults.map(faultText).join('; ')), ...also }
    const controller = controllers.nameOf(given.ctrl_uuid)
    if (controller === undefined && namesController(given)) return { ...noController(), ...also }
    const request: NodeRequest = {
      frame,
      method: called,
      params: given,
      controller,
      id: typeof id === 'string' ? id : undefined,
    }
    if (open >= MOST_COMMANDS) return { ...busy(), ...also }
    open++
    try {
      return { ...also, ...(await parts.handle(request)) }
    } finally {
      open--
    }
  }

  return { take }
}

/** How long a command may take to say that it cannot even begin. Milliseconds. */
const BEGIN_MS = 200

function afterTurn(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), BEGIN_MS))
}

/** Whether a request says which controller it comes from; what is no text is none, for methods that have no such field. */
function namesController({ ctrl_uuid: given }: Params): boolean {
  return typeof given === 'string' && given !== ''
}

function knows(method: string): boolean {
  return method === 'XNode.CtrlStartUp' || method === 'XNode.ConferenceInfo2' || xnodeMethods().has(method)
}

/** What those are told of a request who follow it: any controller may write any method. */
function aboutOf({ method, params }: RequestEnvelope): SpanFacts {
  const channel = isParams(params) ? params.uuid : undefined
  return { ...(knows(method) && { method }), ...(typeof channel === 'string' && { channel }) }
}

function isParams(params: unknown): params is Params {
  return typeof params === 'object' && params !== null && !Array.isArray(params)
}
