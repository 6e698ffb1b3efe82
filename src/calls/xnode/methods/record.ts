import type { Fact, FactOf } from '../../../model/index.js'
import { hasStatus } from '../../../transports/ari-client/index.js'
import { passThrough } from '../bridges.js'
import { dropHidden, snoop } from '../hidden.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { refusal, resultOf } from '../outcome.js'
import { playProgramme } from '../player.js'
import { listenerId, type RecordRequest, recordRequestOf } from '../record-request.js'
import { bad, cutShort, done, failed, gone, type Result, unsupported } from '../result.js'

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
  let [terminator, isOver] = ['', false]
  const pick = (fact: Fact): FactOf<'recording'> | undefined => {
    if (fact.kind === 'dtmf' && !isOver && terminator === '' && wanted.terminators.has(fact.digit ?? '')) {
      terminator = fact.digit ?? ''
      void stopRecording(node, wanted.name)
    }
    if (fact.kind !== 'recording' || fact.name !== wanted.name || fact.state === 'started') return undefined
    if (fact.state === 'failed' || terminator !== '') return fact
    // The end of the channel ends its recording first.
    if (!isOver) after(SETTLE_MS, () => closing.abort())
    isOver = true
    return undefined
  }
  const over = node.happenings.wait(uuid, pick, {
    signal: AbortSignal.any([stopped, closing.signal]),
    timeoutMs: RECORD_MS,
  })
  try {
    await node.ari.request('POST', ['channels', uuid, 'record'], { body: bodyOf(wanted) })
    // The key may have come before there was something to end.
    if (terminator !== '') void stopRecording(node, wanted.name)
    // Without any sound coming in, Asterisk does not see that the time is over.
    if (wanted.limitSeconds > 0)
      after(wanted.limitSeconds * 1000 + LATE_MS, () => void stopRecording(node, wanted.name))
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
  const silent = node.happenings.wait(uuid, (fact) => endsRecording(fact, name), { timeoutMs: STOP_MS })
  await stopRecording(node, name)
  const end = await silent
  return end.kind === 'ended' || end.kind === 'lost' ? resultOf(node, uuid, end, 'the recording') : undefined
}

/** Whether it was there to be ended does not matter. */
async function stopRecording({ ari, log }: NodeContext, name: string): Promise<void> {
  await ari.request('POST', ['recordings', 'live', name, 'stop']).catch((error: unknown) => {
    if (!hasStatus(error, 404)) log.info('a recording could not be ended', { recording: name, err: error })
  })
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
  heardBy(node).set(listener, uuid)
  const refused = new AbortController()
  const begun = node.happenings.wait(listener, (fact) => ofRecording(fact, wanted.name), {
    signal: refused.signal,
    timeoutMs: TOLD_MS,
  })
  try {
    await node.ari.request('POST', ['channels', listener, 'record'], { body: bodyOf(wanted) })
  } catch (error) {
    refused.abort()
    await dropHidden(node, listener)
    return hasStatus(error, 404) ? gone() : refusedToRecord(node, uuid, wanted, error)
  }
  leaveWhenOver(node, listener, wanted)
  const first = await begun
  if (first.kind === 'ended') return gone()
  return first.kind === 'told' && first.value.state === 'failed' ? endOf(first.value, '') : done()
}

/** Who is recorded by each channel that listens. */
const listeners = new WeakMap<NodeContext, Map<string, string>>()

function heardBy(node: NodeContext): Map<string, string> {
  const known = listeners.get(node) ?? new Map<string, string>()
  listeners.set(node, known)
  return known
}

/** Tells of a recording that a channel of ours makes as one of the channel that it listens to. */
export function noteListener(node: NodeContext, fact: Fact): void {
  if (fact.kind === 'channel' && fact.state === 'ended' && fact.id !== undefined) heardBy(node).delete(fact.id)
  const channel = fact.kind === 'recording' ? heardBy(node).get(fact.channel ?? '') : undefined
  if (channel === undefined) return
  const { meta: _, ...told } = fact
  node.calls
    .tell([{ ...told, channel } as FactOf<'recording'>]) // as it was but for the channel
    .catch((error: unknown) => node.log.warn('a recording could not be told of', { channel, err: error }))
}

/** A recording that ends by itself, by its limit, silence or a failure, leaves its listener behind. */
function leaveWhenOver(node: NodeContext, listener: string, { name, limitSeconds }: RecordRequest): void {
  // Without any sound Asterisk does not see that the time is over. It lists the listener until there is some, though it is gone.
  const timeoutMs = limitSeconds > 0 ? limitSeconds * 1000 + LATE_MS : RECORD_MS
  node.happenings
    .wait(listener, (fact) => endsRecording(fact, name), { timeoutMs })
    .then(async ({ kind }) => {
      if (kind === 'late') await stopRecording(node, name)
      if (kind === 'told' || kind === 'late') await dropHidden(node, listener)
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
  const refused = new AbortController()
  const bounds = { signal: refused.signal, timeoutMs: TOLD_MS }
  const whole = node.happenings.wait(recorded, (fact) => endsRecording(fact, name), bounds)
  try {
    await node.ari.request('POST', ['recordings', 'live', name, 'stop'])
  } catch (error) {
    refused.abort()
    throw error
  }
  await whole
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
