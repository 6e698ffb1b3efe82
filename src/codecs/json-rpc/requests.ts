import { GatewayError } from '../../errors.js'
import { describeValue, type Fault, faultsText } from '../fault.js'
import type { Shape } from '../json-shape.js'
import { isPlainObject } from '../json-value.js'
import { missingMembers } from './required.js'
import { messageChecker, STRICT, TOLERANT, xccSchema } from './schema.js'

/** A method that travels as a request: the full names of its two messages. */
export interface MethodTypes {
  readonly request: string
  /** Absent: nothing answers it, or the result has no fixed form. */
  readonly response?: string
}

/** Where the wire differs from the vendor's definition. */
const OVERRIDES: ReadonlyMap<string, MethodTypes> = new Map([
  ['XNode.NativeJSAPI', ours('NativeJsRequest', 'NativeJsResponse')],
  ['XNode.GetChannelData', { request: 'xctrl.GetChannelDataRequest', response: 'patchbay.xcc.v1.ChannelDataResponse' }],
])

/** Requests outside the service: a controller's announcement, and what a node asks of controllers. */
const OUTSIDE: ReadonlyMap<string, MethodTypes> = new Map([
  ['XNode.CtrlStartUp', { request: 'xctrl.CtrlStartUpRequest' }],
  ['XNode.ConferenceInfo2', { request: 'xctrl.ConferenceInfoRequest', response: 'xctrl.ConferenceInfoResponse' }],
  ['XCtrl.Dialplan', { request: 'patchbay.xcc.v1.DialplanRequest' }],
  ['XCtrl.FetchXML', { request: 'patchbay.xcc.v1.FetchXmlRequest' }],
])

function ours(request: string, response: string): MethodTypes {
  return { request: `patchbay.xcc.v1.${request}`, response: `patchbay.xcc.v1.${response}` }
}

/** Methods that work without a channel; every other method of the service needs `uuid`. */
const WITHOUT_CHANNEL: ReadonlySet<string> = new Set([
  'XNode.Dial',
  'XNode.NativeAPI',
  'XNode.NativeJSAPI',
  'XNode.JStatus',
  'XNode.ConferenceInfo',
  'XNode.ConferenceList',
  'XNode.TTSPreheat',
  'XNode.Register',
  'XNode.Shutdown',
])

/** What a method cannot do without beside the channel. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'XNode.Dial': ['destination'],
  'XNode.Bridge': ['destination'],
  'XNode.Consult': ['destination'],
  'XNode.ChannelBridge': ['peer_uuid'],
  'XNode.ChannelBridge2': ['peer_uuid'],
  'XNode.Intercept': ['target_uuid'],
  'XNode.Play': ['media'],
  'XNode.DetectSpeech': ['speech'],
  'XNode.SendDTMF': ['dtmf'],
  'XNode.NativeApp': ['cmd'],
  'XNode.NativeAPI': ['cmd'],
  'XNode.NativeJSAPI': ['data'],
  'XNode.Transfer': ['extension'],
  'XNode.Lua': ['script'],
}

let serviceMethods: ReadonlyMap<string, MethodTypes> | undefined

/**
 * The 49 methods of the XNode service by wire name (`XNode.Dial`), in the order of the service.
 * What is not here, a node answers with -32601.
 */
export function xnodeMethods(): ReadonlyMap<string, MethodTypes> {
  serviceMethods ??= new Map(
    xccSchema()
      .lookupService('xctrl.XNode')
      .methodsArray.map(({ name, requestType, responseType }) => {
        const types = { request: `xctrl.${requestType}`, response: `xctrl.${responseType}` }
        return [`XNode.${name}`, OVERRIDES.get(`XNode.${name}`) ?? types]
      }),
  )
  return serviceMethods
}

interface Checker {
  readonly shape: Shape
  readonly required: readonly string[]
}

const requests = new Map<string, Checker>()

function requestChecker(method: string): Checker {
  const known = requests.get(method)
  if (known !== undefined) return known
  const ofService = xnodeMethods().get(method)
  const types = ofService ?? OUTSIDE.get(method)
  if (types === undefined) {
    throw new GatewayError('codec.method', `want a method of XNode or XCtrl, got ${describeValue(method)}`)
  }
  const channel = ofService !== undefined && !WITHOUT_CHANNEL.has(method) ? ['uuid'] : []
  const required = [...channel, ...(REQUIRED[method] ?? [])]
  const checker = { shape: messageChecker(types.request, TOLERANT), required }
  requests.set(method, checker)
  return checker
}

/**
 * The faults of an incoming request; empty when it is fine. Unknown members are passed over,
 * null and absent params count as `{}`, a null member as left out; a number written as text is
 * a fault; an enum is taken as number or name. A fault at `params` itself means that params are
 * no object, which XCC answers with an error, not a result.
 *
 * Errors: `codec.method` for a method nobody knows.
 */
export function checkRequest(method: string, params: unknown): Fault[] {
  const { shape, required } = requestChecker(method)
  const given = params ?? {}
  const faults: Fault[] = []
  if (!shape.test(given)) shape.explain(given, 'params', faults)
  return faults.concat(missingMembers(given, required))
}

/** Members a result may carry although the vendor's message lacks them; receivers pass them over. */
const BESIDE_RESULT = ['uuid', 'node_uuid', 'cause'] as const

const results = new Map<string, Shape>()

/**
 * Holds an outgoing result to the types the caller decodes into: a wrong one reaches the
 * application as a local failure. `code` and `message` must be there. A method without a
 * known response passes with any JSON.
 *
 * Errors: `codec.field`.
 */
export function checkResult(method: string, result: unknown): void {
  const shape = resultShape(method)
  if (shape === undefined) return
  const faults: Fault[] = []
  if (!shape.test(result)) shape.explain(result, 'result', faults)
  if (isPlainObject(result)) {
    for (const name of ['code', 'message']) {
      if (result[name] !== undefined) continue
      faults.push({ path: `result.${name}`, want: 'a value, for it is required', got: 'nothing' })
    }
  }
  if (faults.length > 0) throw new GatewayError('codec.field', faultsText(method, faults))
}

function resultShape(method: string): Shape | undefined {
  const known = results.get(method)
  if (known !== undefined) return known
  const response = (xnodeMethods().get(method) ?? OUTSIDE.get(method))?.response
  if (response === undefined) return undefined
  const shape = messageChecker(response, STRICT, { add: BESIDE_RESULT })
  results.set(method, shape)
  return shape
}

/**
 * The method that is meant. The real client sends the status and conference queries as
 * `XNode.NativeJSAPI`; the command and its data tell them apart.
 */
export function calledMethod(method: string, params: unknown): string {
  if (method === 'XNode.ConferenceInfo2') return 'XNode.ConferenceInfo'
  if (method !== 'XNode.NativeJSAPI' || !isPlainObject(params) || !isPlainObject(params.data)) return method
  const { command, data } = params.data
  if (command === 'status') return 'XNode.JStatus'
  if (command !== 'conferenceInfo') return method
  const room = isPlainObject(data) ? data.conferenceName : undefined
  return typeof room === 'string' && room !== '' ? 'XNode.ConferenceInfo' : 'XNode.ConferenceList'
}
