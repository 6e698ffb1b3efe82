import { randomUUID } from 'node:crypto'
import type { Party } from '../../model/index.js'
import type { SteeredCalls } from './method.js'
import { bad, type Result } from './result.js'
import type { SteeringTables } from './tables.js'

/** A leg that is to be dialled. */
export interface LegPlan {
  readonly uuid: string
  readonly endpoint: string
  readonly caller: Party
  readonly dialled: string
  /** How long it may ring, seconds. */
  readonly timeoutS: number
  /** How long it may last once answered, seconds; 0: as long as it likes. */
  readonly maxDurationS: number
  /** It counts as taken when it is answered, not when the other side sends sound before that. */
  readonly ignoresEarlyMedia: boolean
  readonly variables: Readonly<Record<string, string>>
  /** Variables told with its events. */
  readonly subscribed: readonly string[]
}

/** Where to dial. */
export interface DialPlan {
  /** All legs at once; else one after another. */
  readonly ringAll: boolean
  /** At least one. */
  readonly legs: readonly [LegPlan, ...LegPlan[]]
}

interface GivenLeg {
  readonly uuid?: string
  readonly cid_name?: string
  readonly cid_number?: string
  readonly dest_number?: string
  readonly dial_string?: string
  readonly timeout?: number
  readonly max_duration?: number
  readonly params?: Readonly<Record<string, string>>
  readonly channel_params?: readonly string[]
}

interface GivenDestination {
  readonly ringall?: boolean
  readonly global_params?: Readonly<Record<string, string>>
  readonly call_params?: readonly GivenLeg[]
  readonly channel_params?: readonly string[]
}

const RING_S = 60
const LONGEST_RING_S = 3600
const MOST_LEGS = 100
/** What can be the id of a channel: Asterisk takes 149 characters. */
const UUID = /^[\w.:~-]{1,149}$/
/** Names of plain variables. What looks like a function is none: functions do things. */
const VARIABLE = /^[A-Za-z_][\w.-]{0,79}$/

/** What dial strings lead to, and which channels there are. */
export interface DialRoom {
  readonly tables: Pick<SteeringTables, 'endpointOf'>
  readonly calls: Pick<SteeredCalls, 'find'>
}

/** Reads a `destination`, or tells what is wrong with it. */
export async function planOf(
  node: DialRoom,
  given: unknown,
): Promise<{ readonly plan: DialPlan } | { readonly refused: Result }> {
  const destination = (given ?? {}) as GivenDestination // held to its message before
  const calls = destination.call_params ?? []
  if (calls.length === 0) return refuse('destination.call_params: want at least one leg')
  if (calls.length > MOST_LEGS) return refuse(`destination.call_params: want at most ${MOST_LEGS} legs`)
  const legs: LegPlan[] = []
  for (const [index, each] of calls.entries()) {
    const read = legOf(node, each, destination)
    if (typeof read === 'string') return refuse(`destination.call_params[${index}].${read}`)
    if (legs.some(({ uuid }) => uuid === read.uuid) || (await node.calls.find(read.uuid)) !== undefined)
      return refuse(`destination.call_params[${index}].uuid: there is a channel ${read.uuid} already`)
    legs.push(read)
  }
  return { plan: { ringAll: destination.ringall === true, legs: legs as [LegPlan, ...LegPlan[]] } } // one at least
}

function refuse(message: string): { readonly refused: Result } {
  return { refused: bad(message) }
}

/** A leg, or the field that is wrong and what would be right. */
function legOf({ tables }: DialRoom, leg: GivenLeg, destination: GivenDestination): LegPlan | string {
  const { dial_string: dialString = '' } = leg
  const endpoint = isPlain(dialString) ? tables.endpointOf(dialString) : undefined
  if (endpoint === undefined)
    return `dial_string: nothing is known to dial for ${JSON.stringify(dialString)}; want one of the site's table, such as user/1000`
  const uuid = leg.uuid || randomUUID()
  if (!UUID.test(uuid)) return 'uuid: want up to 149 letters, digits or any of _ . : ~ -'
  const variables = { ...destination.global_params, ...leg.params }
  const odd = Object.entries(variables).find(([name, value]) => !VARIABLE.test(name) || typeof value !== 'string')
  if (odd !== undefined) return `params.${odd[0]}: want the name of a variable, with a text`
  const timeoutS = timeoutOf(leg.timeout, variables)
  if (timeoutS === undefined) return `timeout: want 1 to ${LONGEST_RING_S} seconds`
  const number = leg.cid_number || variables.caller_id_number || ''
  const name = leg.cid_name || variables.caller_id_name || ''
  return {
    uuid,
    endpoint,
    caller: { ...(number !== '' && { number }), ...(name !== '' && { name }) },
    dialled: leg.dest_number || numberIn(dialString),
    timeoutS,
    maxDurationS: leg.max_duration ?? 0,
    ignoresEarlyMedia: variables.ignore_early_media === 'true',
    variables,
    subscribed: [...new Set([...(destination.channel_params ?? []), ...(leg.channel_params ?? [])])],
  }
}

/** Commas and ampersands would make several endpoints of one, or options of the rest. */
function isPlain(text: string): boolean {
  return /^[^\s,&|^\p{Cc}]{1,255}$/u.test(text)
}

/** The shorter of the two ways to say it; undefined where one is no time. */
function timeoutOf(timeout: number | undefined, { leg_timeout: text }: Readonly<Record<string, string>>) {
  const told = [...(timeout ? [timeout] : []), ...(text === undefined ? [] : [Number(text)])]
  const seconds = told.length === 0 ? RING_S : Math.min(...told)
  return seconds >= 1 && seconds <= LONGEST_RING_S && told.every(Number.isInteger) ? seconds : undefined
}

/** What was dialled, where only the whole string is told: `sofia/gateway/gw/5550` → 5550. */
function numberIn(dialString: string): string {
  const last = dialString.slice(dialString.lastIndexOf('/') + 1)
  return last.replace(/^sip:/, '').split('@')[0]!
}
