import type { Channel, Fact } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { refusal } from '../outcome.js'
import { bad, done, gone, type Result, unsupported } from '../result.js'

/** Most variables of one request: each is a request to Asterisk. */
const MOST_VARIABLES = 200

/** SetVar: sets variables, and has some of them told with later events. */
export const setVar: ChannelMethod = {
  on: 'channel',
  turn: 'in-order',
  async run(node, request) {
    const refused = await setVariables(node, request.uuid, request.params.data)
    if (refused !== undefined) return refused
    await subscribe(node, request)
    return done()
  },
}

/** GetVar: the variables that have a value. */
export const getVar: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  async run(node, { uuid, channel, params }) {
    const names = namesOf(params.data)
    if (names.length > MOST_VARIABLES) return tooMany('data')
    const told = variablesOf(channel)
    const found = await Promise.all(
      // What was told last may be old; what only we know Asterisk has no variable for.
      names.map(async (name) => [name, (await readVariable(node, uuid, name)) ?? told[name]] as const),
    )
    // Asterisk has one answer for a variable and for a channel that is not there.
    if ((await node.calls.find(uuid)) === undefined) return gone()
    return done({ data: Object.fromEntries(found.filter(([, value]) => value !== undefined)) })
  },
}

/** GetState: how the channel is, in FreeSWITCH's words. */
export const getState: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  run: async (_node, { channel }) => done(stateOf(channel)),
}

/** GetChannelData: what is known of the channel, under the names that switches give it. */
export const getChannelData: ChannelMethod = {
  on: 'channel',
  turn: 'at-once',
  async run(_node, { channel, params }) {
    const { format } = params
    const data = Object.fromEntries(
      Object.entries(variablesOf(channel)).map(([name, value]) => [`variable_${name}`, value]),
    )
    if (format === undefined || format === '' || format === 'JSON') return done({ format: 'JSON', data })
    if (format === 'JSONSTR') return done({ format, data: JSON.stringify(data) })
    if (format !== 'TXT')
      return unsupported(`GetChannelData in format ${String(format)}; JSON, JSONSTR and TXT are known`)
    return done({
      format,
      data: Object.entries(data)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
    })
  },
}

/** Sets each of a map of variables. Undefined when all were taken. */
export async function setVariables(node: NodeContext, uuid: string, data: unknown): Promise<Result | undefined> {
  const variables = Object.entries((data ?? {}) as Record<string, unknown>)
  const wrong = variables.find(([, value]) => typeof value !== 'string')
  if (wrong !== undefined) return bad(`data.${wrong[0]}: want a text`)
  if (variables.length > MOST_VARIABLES) return tooMany('data')
  const told = (await node.calls.find(uuid))?.vars ?? {}
  try {
    for (const [variable, value] of variables) {
      // Set without it, a variable that was reported is reported no more.
      const report = Object.hasOwn(told, variable) || reportedOf(node, uuid)?.has(variable) === true
      const body = { variable, value, ...(report && { report_events: true }) }
      await node.ari.request('POST', ['channels', uuid, 'variable'], { body })
    }
    return undefined
  } catch (error) {
    return refusal(node, error, uuid)
  }
}

/** Names of variables that come with later events, by channel. */
const reported = new WeakMap<NodeContext, Map<string, Set<string>>>()
const reportedOf = (node: NodeContext, uuid: string) => reported.get(node)?.get(uuid)

function remember(node: NodeContext, uuid: string, variable: string): void {
  const all = reported.get(node) ?? new Map<string, Set<string>>()
  reported.set(node, all.set(uuid, (all.get(uuid) ?? new Set()).add(variable)))
}

/** Forgets what was reported of a channel that ended. */
export function noteVariables(node: NodeContext, fact: Fact): void {
  if (fact.kind === 'channel' && fact.state === 'ended' && fact.id !== undefined) reported.get(node)?.delete(fact.id)
}

/** Has variables told with later events of the channel: names in `channel_params`. What fails of it is only logged. */
export async function subscribe(
  node: NodeContext,
  { uuid, params }: Pick<ChannelRequest, 'uuid' | 'params'>,
): Promise<void> {
  const asked = namesOf(params.channel_params)
  const names = asked.slice(0, MOST_VARIABLES)
  if (asked.length > names.length)
    node.log.info('too many variables to report', { channel: uuid, asked: asked.length, reported: names.length })
  for (const name of names) {
    // Also one without a value: it is told once it is set.
    remember(node, uuid, name)
    try {
      const value = await readVariable(node, uuid, name)
      // A variable that was set with `report_events` comes with every later event of its channel.
      if (value !== undefined) await report(node, uuid, name, value)
    } catch (error) {
      node.log.info('a variable cannot be read', { channel: uuid, variable: name, err: error })
    }
  }
  // The end may have been told before this began.
  if (names.length > 0 && (await node.calls.find(uuid)) === undefined) reported.get(node)?.delete(uuid)
}

async function report(node: NodeContext, uuid: string, variable: string, value: string): Promise<void> {
  const body = { variable, value, report_events: true }
  await node.ari.request('POST', ['channels', uuid, 'variable'], { body }).catch((error: unknown) => {
    node.log.info('a variable cannot be reported', { channel: uuid, variable, err: error })
  })
}

async function readVariable(node: NodeContext, uuid: string, variable: string): Promise<string | undefined> {
  try {
    const answer = await node.ari.request('GET', ['channels', uuid, 'variable'], { query: { variable } })
    const { value } = answer as { value?: unknown }
    return typeof value === 'string' ? value : undefined
  } catch (error) {
    if (hasStatus(error, 404, 500)) return undefined
    throw error
  }
}

const tooMany = (field: string): Result => bad(`${field}: want at most ${MOST_VARIABLES} variables`)

function namesOf(given: unknown): string[] {
  return Array.isArray(given) ? given.filter((name): name is string => typeof name === 'string' && name !== '') : []
}

const CALL_STATES = { new: 'DOWN', ringing: 'RINGING', early: 'EARLY', answered: 'ACTIVE', ended: 'HANGUP' } as const

/** How a channel is, as GetState says it. */
export function stateOf({ state, flags }: Channel): Readonly<Record<string, unknown>> {
  const answered = state === 'answered'
  return {
    channel_state: 'CS_EXECUTE',
    call_state: CALL_STATES[state ?? 'new'],
    answer_state: answered ? 'answered' : state === 'ended' ? 'hangup' : state === 'early' ? 'early' : 'ringing',
    answered,
    bridged: flags?.bridged ?? false,
    held: flags?.held ?? false,
    video: false,
    video_ready: false,
    controlled: flags?.controllable ?? false,
    ready: flags?.ready ?? false,
    up: answered,
  }
}

/** Names under which switches keep what the model knows of a channel. */
export function variablesOf(channel: Channel): Record<string, string> {
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
