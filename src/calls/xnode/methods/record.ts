import type { Fact, FactOf } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import { passThrough } from '../bridges.js'
import type { Outcome } from '../happenings.js'
import { dropHidden, snoop } from '../hidden.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { hasGone, refusal, resultOf } from '../outcome.js'
import { playProgramme } from '../player.js'
import { isListener, listenerId, type RecordRequest, recordRequestOf } from '../record-request.js'
import { bad, cutShort, done, failed, gone, type Result, unsupported } from '../result.js'
import { whenTold } from '../told.js'

/** Longer than any limit, so that it is the limit that ends a recording. */
const RECORD_MS = 86_500_000
const SLACK_MS = 10_000
/** How much later than its limit a recording may end by itself. */
const LATE_MS = 500
/** How long an end is held back to see whether it was the channel's. */
const SETTLE_MS = 300
/** How long Asterisk may take to end a recording, which it looks after every two seconds where there is no sound. */
const STOP_MS = 5000
/** How long an answer waits to be told that a recording in the background has begun, or is whole. */
const TOLD_MS = 1000

/**
 * Record. RECORD takes what the channel's far end says and is done when that is over; START listens to both
 * directions until STOP or the end of the channel, MASK keeps silence in their place until UNMASK.
 */
export const record: ChannelMethod = {
  on: 'channel',
  turn: ({ action }) => (/^(RECORD)?$/i.test(String(action ?? '')) ? 'to-the-end' : 'in-order'),
  deadlineMs: RECORD_MS + SLACK_MS,
  async run(node, request) {
    const read = recordRequestOf(request.params)
    if ('refused' in read) return read.refused
    const { value: wanted } = read
    const result = await act(node, request, wanted)
    const isDone = result.code === 200 || result.code === 206
    // Asterisk has one threshold for all channels.
    const note =
      isDone && Number(request.params.thresh ?? 0) > 0 ? { message: `${result.message}; thresh is not used` } : {}
    return { ...result, path: wanted.path, ...note }
  },
}

function act(node: NodeContext, request: ChannelRequest, wanted: RecordRequest): Promise<Result> {
  if (wanted.action === 'RECORD') return recordHere(node, request, wanted)
  return wanted.action === 'START' ? startListening(node, request, wanted) : steer(node, request.uuid, wanted)
}

async function recordHere(node: NodeContext, request: ChannelRequest, wanted: RecordRequest): Promise<Result> {
  const beeped = await beepOn(node, request, wanted)
  if (beeped !== undefined) return beeped
  const first = await recordOnce(node, request, wanted)
  if (first !== 'in a bridge') return first
  const isAlone = (await node.calls.find(request.uuid))?.bridge === undefined
  const again = isAlone && (await passThrough(node, request.uuid)) ? await recordOnce(node, request, wanted) : first
  return again === 'in a bridge'
    ? bad('uuid: a channel that talks to others cannot be recorded by RECORD; want START')
    : again
}

/** Asterisk's words for a channel that it cannot record; it has no code for that. */
const IN_A_BRIDGE = /in bridge/

async function recordOnce(
  node: NodeContext,
  { uuid, stopped }: ChannelRequest,
  wanted: RecordRequest,
): Promise<Result | 'in a bridge'> {
  const [closing, timers] = [new AbortController(), [] as NodeJS.Timeout[]]
  const after = (ms: number, then: () => void) => void timers.push(setTimeout(then, ms))
  let [terminator, isOver, isBegun] = ['', false, false]
  // The end of the channel ends its recording first.
  const settle = () => {
    if (!isOver) after(SETTLE_MS, () => closing.abort())
    isOver = true
  }
  /** Of one that is over already nothing more may be told. */
  const end = async () => {
    if (!(await stopRecording(node, wanted.name)) && isBegun) settle()
  }
  const pick = (fact: Fact): FactOf<'recording'> | undefined => {
    if (fact.kind === 'dtmf' && !isOver && terminator === '' && wanted.terminators.has(fact.digit ?? '')) {
      terminator = fact.digit ?? ''
      void end()
    }
    if (fact.kind !== 'recording' || fact.name !== wanted.name || fact.state === 'started') return undefined
    if (fact.state === 'failed' || terminator !== '') return fact
    settle()
    return undefined
  }
  const over = node.happenings.wait(uuid, pick, {
    signal: AbortSignal.any([stopped, closing.signal]),
    timeoutMs: RECORD_MS,
  })
  try {
    await node.ari.request('POST', ['channels', uuid, 'record'], { body: bodyOf(wanted) })
    isBegun = true
    // The key may have come before there was something to end.
    if (terminator !== '') void end()
    // Without any sound coming in, Asterisk does not see that the time is over.
    if (wanted.limitSeconds > 0) after(wanted.limitSeconds * 1000 + LATE_MS, () => void end())
    const outcome = await over
    if (outcome.kind === 'told') {
      const { state, cause } = outcome.value
      if (state === 'failed' && IN_A_BRIDGE.test(cause ?? '')) return 'in a bridge'
      return endOf(outcome.value, terminator)
    }
    if (outcome.kind === 'stopped' && isOver) return done({ terminator })
    if (outcome.kind === 'ended' || outcome.kind === 'lost') return await resultOf(node, uuid, outcome, 'the recording')
    const late = await stopAndWait(node, uuid, wanted.name)
    return (
      late ?? (outcome.kind === 'stopped' ? cutShort({ terminator }) : await resultOf(node, uuid, outcome, 'Record'))
    )
  } catch (error) {
    return refusedToRecord(node, uuid, wanted, error)
  } finally {
    closing.abort()
    for (const timer of timers) clearTimeout(timer)
  }
}

/** A fact where it is about a recording. */
function ofRecording(fact: Fact, name: string): FactOf<'recording'> | undefined {
  return fact.kind === 'recording' && fact.name === name ? fact : undefined
}

/** Whether a fact tells that a recording is over. */
function endsRecording(fact: Fact, name: string): true | undefined {
  const told = ofRecording(fact, name)
  return told !== undefined && told.state !== 'started' ? true : undefined
}

function endOf({ state, cause }: FactOf<'recording'>, terminator: string): Result {
  return state === 'failed'
    ? failed(`Asterisk did not record: ${cause ?? 'it does not say why'}`)
    : done({ terminator })
}

/** Plays a tone before the recording; Asterisk's own beep it plays itself. */
async function beepOn(
  node: NodeContext,
  { uuid, stopped }: ChannelRequest,
  { beep }: RecordRequest,
): Promise<Result | undefined> {
  if (beep === undefined || beep === 'default') return undefined
  const medium = { uri: `tone:${beep.list}`, lastsMs: beep.lastsMs ?? 0 }
  const bounds = { signal: stopped, timeoutMs: medium.lastsMs + SLACK_MS }
  const played = await playProgramme(node, uuid, { media: [medium], times: 1 }, bounds)
  if (played.kind === 'over') return played.result
  return played.kind === 'stopped' ? cutShort({ terminator: '' }) : undefined
}

function bodyOf({ name, format, limitSeconds, silenceSeconds, beep }: RecordRequest) {
  return {
    name,
    format,
    maxDurationSeconds: limitSeconds,
    maxSilenceSeconds: silenceSeconds,
    ifExists: 'overwrite',
    beep: beep === 'default',
    terminateOn: 'none',
  }
}

async function refusedToRecord(node: NodeContext, uuid: string, { name, format }: RecordRequest, error: unknown) {
  if (hasStatus(error, 422)) return unsupported(`recording as ${format} here`)
  if (hasStatus(error, 409) && (await liveTarget(node, name)) !== undefined)
    return bad(`path: ${name} is being recorded already`)
  return refusal(node, error, uuid)
}

/** A result where the channel or the link ended meanwhile. */
async function stopAndWait(node: NodeContext, uuid: string, name: string): Promise<Result | undefined> {
  const absent = new AbortController()
  const bounds = { signal: absent.signal, timeoutMs: STOP_MS }
  const end = await whenTold(
    node,
    uuid,
    (fact) => endsRecording(fact, name),
    bounds,
    async () => {
      if (!(await stopRecording(node, name))) absent.abort()
    },
  )
  return end.kind === 'ended' || end.kind === 'lost' ? resultOf(node, uuid, end, 'the recording') : undefined
}

/** Has Asterisk end a recording; false where it has none. */
async function stopRecording({ ari, log }: NodeContext, name: string): Promise<boolean> {
  try {
    await ari.request('POST', ['recordings', 'live', name, 'stop'])
    return true
  } catch (error) {
    if (hasStatus(error, 404)) return false
    log.info('a recording could not be ended', { recording: name, err: error })
    return true
  }
}

/** Records by a channel that listens: so the call can be played to, bridged and recorded at the same time. */
async function startListening(node: NodeContext, request: ChannelRequest, wanted: RecordRequest): Promise<Result> {
  const { uuid } = request
  const listener = listenerId(uuid, wanted.name)
  if ((await liveTarget(node, wanted.name)) !== undefined) return bad(`path: ${wanted.name} is being recorded already`)
  const beeped = await beepOn(node, request, wanted)
  if (beeped !== undefined) return beeped
  try {
    await snoop(node, uuid, listener, { spy: 'both', whisper: 'none' }, request.stopped)
  } catch (error) {
    return request.stopped.aborted ? cutShort() : refusal(node, error, uuid)
  }
  const listening: Listening = { uuid, name: wanted.name, endsAt: Number.POSITIVE_INFINITY, isFollowed: true }
  heardBy(node).set(listener, listening)
  let first: Outcome<FactOf<'recording'>>
  try {
    const pick = (fact: Fact) => ofRecording(fact, wanted.name)
    first = await whenTold(node, listener, pick, { timeoutMs: TOLD_MS }, async () => {
      await node.ari.request('POST', ['channels', listener, 'record'], { body: bodyOf(wanted) })
      if (wanted.limitSeconds > 0) listening.endsAt = performance.now() + wanted.limitSeconds * 1000 + LATE_MS
      follow(node, listener, listening)
    })
  } catch (error) {
    await dropHidden(node, listener)
    return hasStatus(error, 404) ? lostEar(node, uuid) : refusedToRecord(node, uuid, wanted, error)
  }
  if (first.kind === 'ended') return lostEar(node, uuid)
  return first.kind === 'told' && first.value.state === 'failed' ? endOf(first.value, '') : done()
}

/** The result where the channel that listens is gone: as a rule because the one that it listens to is. */
async function lostEar(node: NodeContext, uuid: string): Promise<Result> {
  return (await hasGone(node, uuid)) ? gone() : failed('Asterisk ended the channel that listens for the recording')
}

/** A channel that listens for a recording. */
interface Listening {
  /** Who is recorded. */
  readonly uuid: string
  readonly name: string
  /** When the limit is over, on the clock of this process; milliseconds. */
  endsAt: number
  /** Whether somebody sees to the limit, or is about to. */
  isFollowed: boolean
}

/** What each channel that listens is there for. */
const listeners = new WeakMap<NodeContext, Map<string, Listening>>()

function heardBy(node: NodeContext): Map<string, Listening> {
  const known = listeners.get(node) ?? new Map<string, Listening>()
  listeners.set(node, known)
  return known
}

/**
 * Tells of a recording that a channel of ours makes as one of the channel that it listens to. Has the listener leave
 * when the recording is over by itself, by its limit, silence or a failure; also where that went by during an outage.
 */
export function noteListener(node: NodeContext, fact: Fact): void {
  if (fact.kind === 'recording') noteRecording(node, fact)
  if (fact.kind !== 'channel' || fact.id === undefined) return
  const { id, state, full } = fact
  const known = heardBy(node).get(id)
  if (known === undefined) return
  if (state === 'ended') heardBy(node).delete(id)
  else if (full === true && !known.isFollowed) {
    known.isFollowed = true
    resume(node, id, known).catch((error: unknown) => {
      known.isFollowed = false
      node.log.warn('a listener could not be looked after', { channel: id, err: error })
    })
  }
}

function noteRecording(node: NodeContext, fact: FactOf<'recording'>): void {
  const { channel: listener = '', meta: _, ...told } = fact
  const known = heardBy(node).get(listener)
  if (known !== undefined)
    node.calls
      .tell([{ ...told, channel: known.uuid }])
      .catch((error: unknown) => node.log.warn('a recording could not be told of', { channel: known.uuid, err: error }))
  // Also one that this process knows nothing of. Asterisk lists it until there is some sound, though it is gone.
  if (isListener(listener) && told.state !== 'started') void dropHidden(node, listener)
}

async function resume(node: NodeContext, listener: string, known: Listening): Promise<void> {
  if ((await liveTarget(node, known.name)) === undefined) await dropHidden(node, listener)
  else follow(node, listener, known)
}

/** Sees to the limit of a recording: without any sound Asterisk does not see that the time is over. */
function follow(node: NodeContext, listener: string, known: Listening): void {
  const { name, endsAt } = known
  const timeoutMs = Math.min(RECORD_MS, Math.max(0, endsAt - performance.now()))
  known.isFollowed = true
  node.happenings
    .wait(listener, (fact) => endsRecording(fact, name), { timeoutMs })
    .then(async ({ kind }) => {
      known.isFollowed = false
      if (kind !== 'late') return
      await stopRecording(node, name)
      await dropHidden(node, listener)
    })
    .catch((error: unknown) => node.log.error('a listener could not be left', { channel: listener, err: error }))
}

/** STOP, MASK and UNMASK. */
async function steer(node: NodeContext, uuid: string, { action, name }: RecordRequest): Promise<Result> {
  const listener = listenerId(uuid, name)
  const target = await liveTarget(node, name)
  if (target !== `channel:${listener}` && target !== `channel:${uuid}`)
    return bad(`path: ${name} is not being recorded on this channel`)
  try {
    if (action === 'STOP') {
      await stopWhole(node, target.slice('channel:'.length), name)
      if (target === `channel:${listener}`) await dropHidden(node, listener)
    } else await node.ari.request(action === 'MASK' ? 'POST' : 'DELETE', ['recordings', 'live', name, 'mute'])
    return done()
  } catch (error) {
    return hasStatus(error, 404) ? bad(`path: ${name} is not being recorded any more`) : refusal(node, error, uuid)
  }
}

/** Done when the file is whole; where there is no sound Asterisk takes longer to see to it than anybody would wait. */
async function stopWhole(node: NodeContext, recorded: string, name: string): Promise<void> {
  await whenTold(
    node,
    recorded,
    (fact) => endsRecording(fact, name),
    { timeoutMs: TOLD_MS },
    () => node.ari.request('POST', ['recordings', 'live', name, 'stop']),
  )
}

/** What a running recording takes from, as Asterisk says it: `channel:ID`. */
async function liveTarget({ ari }: NodeContext, name: string): Promise<string | undefined> {
  try {
    const live = (await ari.request('GET', ['recordings', 'live', name])) as
      | { readonly target_uri?: unknown }
      | undefined
    return typeof live?.target_uri === 'string' ? live.target_uri : ''
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}
