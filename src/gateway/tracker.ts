import type { Channel, ChannelFact, Durations, State, Times } from '../model/index.js'
import type { CallView } from './state.js'

/** What a fact added to what was known. */
export interface News {
  /** The channel was not known before. */
  readonly first: boolean
  /** The state it has now, where that is new. */
  readonly state?: State
  readonly bridge: boolean
  readonly hold: boolean
  readonly ready: boolean
}

const NOTHING: News = { first: false, bridge: false, hold: false, ready: false }

/**
 * Lays a fact over what is known of its channel. Direction is fixed by the first fact that tells one;
 * nothing that comes after the end changes anything. Times are those of the fact itself, or when it was
 * told; what is first seen in a full picture began at a time nobody told us.
 */
export function observe(
  before: CallView | undefined,
  fact: ChannelFact,
  link: string,
  now: number,
): { view: CallView; news: News } {
  if (before?.channel.state === 'ended') return { view: before, news: NOTHING }
  const known = before?.channel ?? {}
  const channel = merge(known, fact)
  const at = fact.meta?.at ?? now
  const state = fact.state !== undefined && fact.state !== known.state ? fact.state : undefined
  const times = timesOf(known, fact, state, at, before === undefined)
  if (times !== undefined) channel.times = times
  const seenFromStart = before?.seenFromStart ?? fact.full !== true
  if (channel.state === 'ended') {
    const durations = durationsOf(channel, seenFromStart)
    if (durations !== undefined) channel.durations = durations
  }
  const news: News = {
    first: before === undefined,
    ...(state !== undefined && { state }),
    bridge: changedBridge(known, channel),
    hold: (known.flags?.held ?? false) !== (channel.flags?.held ?? false),
    ready: channel.flags?.ready === true && known.flags?.ready !== true,
  }
  const ext = fact.ext ?? before?.ext
  const view: CallView = { link, channel, ...(ext && { ext }), told: before?.told ?? {}, seenFromStart, touched: now }
  return { view, news }
}

function changedBridge(known: Channel, channel: Channel): boolean {
  const was = known.flags?.bridged ?? false
  const is = channel.flags?.bridged ?? false
  return was !== is || (is && known.peers?.[0] !== channel.peers?.[0])
}

function merge(known: Channel, fact: ChannelFact): Channel {
  const { kind: _kind, meta: _meta, ext: _ext, full: _full, change: _change, ...told } = fact
  const channel: Channel = { ...known, ...told }
  if (known.direction !== undefined) channel.direction = known.direction
  if (known.caller !== undefined) channel.caller = { ...known.caller, ...told.caller }
  if (known.callee !== undefined) channel.callee = { ...known.callee, ...told.callee }
  if (known.flags !== undefined) channel.flags = { ...known.flags, ...told.flags }
  if (known.vars !== undefined) channel.vars = { ...known.vars, ...told.vars }
  if (known.cause !== undefined) channel.cause = { ...known.cause, ...told.cause }
  if (told.flags?.bridged === false) delete channel.peers
  return channel
}

function timesOf(
  known: Channel,
  fact: ChannelFact,
  state: State | undefined,
  at: number,
  isFirst: boolean,
): Times | undefined {
  const own: Times = {}
  // A full picture says how things are, not since when; only what is new beside it happened now.
  const happenedNow = fact.full !== true || !isFirst
  if (isFirst && happenedNow) own.created = at
  if (state !== undefined && happenedNow) {
    if (state === 'ringing') own.ringing = at
    else if (state === 'answered') own.answered = at
    else if (state === 'ended') own.ended = at
  }
  const times = { ...own, ...known.times, ...fact.times }
  return Object.keys(times).length === 0 ? undefined : times
}

/** Absent where one of the two times is not known; nobody is billed by guesswork. */
function durationsOf({ times, durations }: Channel, seenFromStart: boolean): Durations | undefined {
  const { created, answered, ended } = times ?? {}
  const own: Durations = {}
  if (created !== undefined && ended !== undefined) own.total = Math.max(0, ended - created)
  if (answered !== undefined && ended !== undefined) own.billed = Math.max(0, ended - answered)
  else if (answered === undefined && seenFromStart) own.billed = 0
  const all = { ...own, ...durations }
  return Object.keys(all).length === 0 ? undefined : all
}
