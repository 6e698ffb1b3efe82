import { GatewayError } from '../../errors.js'
import type { MemberDescription } from '../codec.js'
import { describeValue, type Fault, faultsText } from '../fault.js'
import { freeShape, type Shape } from '../json-shape.js'
import { type ObjectWriter, objectWriter } from './object-text.js'
import { missingMembers } from './required.js'
import { messageChecker, STRICT, TOLERANT } from './schema.js'

/** What an event's params are held to. */
interface EventRule {
  /** Full name of the message in `proto/xcc`. */
  readonly message: string
  /** Members without which receivers drop the event or cannot place it. */
  readonly required: readonly string[]
  /** Members that the schema has and a node must never send. */
  readonly omit?: readonly string[]
}

const ofChannel = ['node_uuid', 'uuid'] as const
const node: EventRule = { message: 'xctrl.Node', required: ['name'] }
const detected: EventRule = { message: 'xctrl.DetectedData', required: ofChannel }
const playback: EventRule = { message: 'patchbay.xcc.v1.PlaybackEvent', required: ofChannel }
const native: EventRule = { message: 'patchbay.xcc.v1.NativeEvent', required: ['event'] }

/** Events with a known body. Any other `Event.<Name>` may go out with any JSON object as params. */
const EVENT_RULES: ReadonlyMap<string, EventRule> = new Map([
  [
    'Event.Channel',
    // The receiving client builds its own request address from these two.
    { message: 'xctrl.ChannelEvent', required: ofChannel, omit: ['pNATSTenantID', 'pNATSToPrefix'] },
  ],
  ['Event.CDR', { message: 'patchbay.xcc.v1.CdrEvent', required: ['uuid', 'cdr'] }],
  ['Event.NodeRegister', node],
  ['Event.NodeUpdate', node],
  ['Event.NodeUnregister', node],
  ['Event.DTMF', { message: 'xctrl.DTMFEvent', required: [...ofChannel, 'dtmf_digit'] }],
  ['Event.DetectedData', detected],
  ['Event.DetectedSpeech', detected],
  ['Event.PLAYBACK_START', playback],
  ['Event.PLAYBACK_STOP', playback],
  ['Event.Record', { message: 'xctrl.RecordEvent', required: ofChannel }],
  ['Event.DetectedFace', { message: 'xctrl.DetectedFaceEvent', required: ofChannel }],
  ['Event.VideoResize', { message: 'xctrl.VideoResizeEvent', required: ofChannel }],
  ['Event.NativeEvent', native],
  ['Event.Native', native],
  ['Event.Conference', { message: 'patchbay.xcc.v1.ConferenceEvent', required: [] }],
  ['Event.Layout', { message: 'patchbay.xcc.v1.LayoutEvent', required: [] }],
])

/** Wire names of the events whose body is known, each with the full name of its message. */
export const EVENT_MESSAGES: ReadonlyMap<string, string> = new Map(
  [...EVENT_RULES].map(([method, { message }]) => [method, message]),
)

const METHOD = /^Event\.\S+$/
const anyObject = freeShape('object')

interface Checker {
  readonly shape: Shape
  readonly required: readonly string[]
}

const outgoing = new Map<string, Checker>()
const incoming = new Map<string, Checker>()

function checkerOf(method: string, compiled: Map<string, Checker>): Checker {
  const known = compiled.get(method)
  if (known !== undefined) return known
  if (!METHOD.test(method)) {
    throw new GatewayError('codec.method', `want a method such as Event.Channel, got ${describeValue(method)}`)
  }
  const rule = EVENT_RULES.get(method)
  // Not kept: names of events without a rule come from outside and have no end.
  if (rule === undefined) return { shape: anyObject, required: [] }
  const strictness = compiled === outgoing ? STRICT : TOLERANT
  const shape = messageChecker(rule.message, strictness, rule.omit === undefined ? {} : { omit: rule.omit })
  const checker = { shape, required: rule.required }
  compiled.set(method, checker)
  return checker
}

function faultsOf({ shape, required }: Checker, params: unknown): Fault[] {
  const faults: Fault[] = []
  if (!shape.test(params)) shape.explain(params, 'params', faults)
  return faults.concat(missingMembers(params, required))
}

/**
 * Holds an outgoing event to the types its receivers decode into; one wrong type and they drop
 * the event without a word. Members that are undefined count as left out; null, unknown members
 * and members a node must not send are faults; params must be there.
 *
 * Errors: `codec.method` (not the name of an event), `codec.field` (names each field, the type
 * wanted and what came).
 */
export function checkEvent(method: string, params: unknown): void {
  const checker = checkerOf(method, outgoing)
  if (checker.shape.test(params) && missingMembers(params, checker.required).length === 0) return
  throw new GatewayError('codec.field', faultsText(method, faultsOf(checker, params)))
}

/**
 * A writer of the object at `path` within an outgoing event's params (empty: the params themselves),
 * held to the types like {@link checkEvent} does.
 */
export function eventObjectWriter(method: string, path: readonly string[]): ObjectWriter {
  const { shape, required } = checkerOf(method, outgoing)
  const inner = path.reduce<Shape | undefined>((at, key) => at?.member?.(key), shape)
  return objectWriter(method, ['params', ...path].join('.'), inner ?? anyObject, path.length === 0 ? required : [])
}

/**
 * What outgoing messages with the values of `match` may have at `path` (from the envelope on). Undefined
 * outside of params, and where `match` names no event with a known body.
 */
export function describeMember(
  match: Readonly<Record<string, unknown>>,
  path: readonly string[],
): MemberDescription | undefined {
  const [first, ...inner] = path
  if (first === 'method' && inner.length === 0) return METHOD_MEMBER
  const { method } = match
  if (first !== 'params' || typeof method !== 'string' || !EVENT_RULES.has(method)) return undefined
  let shape: Shape | undefined = checkerOf(method, outgoing).shape
  let siblings: Iterable<string> = []
  for (const key of inner) {
    siblings = shape?.names?.() ?? []
    shape = shape?.member?.(key)
  }
  const found = shape
  return {
    exists: found !== undefined,
    siblings: [...siblings],
    known: [],
    wants: found?.want ?? 'no such member',
    accepts: (value) => found?.test(value) ?? false,
  }
}

const METHOD_MEMBER: MemberDescription = {
  exists: true,
  siblings: [],
  known: [...EVENT_RULES.keys()],
  wants: 'the name of a method',
  accepts: (value) => typeof value === 'string',
}

/**
 * The faults of an event somebody else sent, by the same types: unknown members are passed over
 * and null counts as left out. Throws `codec.method` when `method` is not the name of an event.
 */
export function eventFaults(method: string, params: unknown): Fault[] {
  return faultsOf(checkerOf(method, incoming), params)
}
