import type { Channel, ChannelFact, Durations, State, Times } from '../model/index.js'
import type { CallView } from './state.js'

/**
 * Lays a fact over what is known of its channel. Direction is fixed by the first fact that tells one;
 * nothing that comes after the end changes anything. Times are those of the fact itself, or when it was
 * told.
 */
export function observe(
  before: CallView | undefined,
  fact: ChannelFact,
  link: string,
  now: number | undefined,
): CallView {
  if (before?.channel.state === 'ended') return before
  const known = before?.channel ?? {}
  const channel = merge(known, fact)
  const state = fact.state !== undefined && fact.state !== known.state ? fact.state : undefined
  // A call that is first heard of at its end, or in a full picture, began at a time nobody told us.
  const seenFromStart = before?.seenFromStart ?? (fact.full !== true && state !== 'ended')
  const times = timesOf(known, fact, state, fact.meta?.at ?? now, before === undefined)
  if (times !== undefined) channel.times = times
  if (channel.state === 'ended') {
    const durations = durationsOf(channel, seenFromStart)
    if (durations !== undefined) channel.durations = durations
  }
  const ext = fact.ext ?? before?.ext
  return { link, channel, ...(ext && { ext }), told: before?.told ?? {}, seenFromStart }
}

const OF_THE_FACT: ReadonlySet<string> = new Set(['kind', 'meta', 'ext', 'full', 'change'])

/** What the fact tells, over what was known; a group keeps what the fact does not tell. */
function merge(known: Channel, fact: ChannelFact): Channel {
  const channel = { ...known } as Record<string, unknown>
  const said = fact as unknown as Record<string, unknown> // read by name
  for (const key in said) {
    const told = said[key]
    if (told === undefined || OF_THE_FACT.has(key)) continue
    const before = channel[key]
    channel[key] = isGroup(told) ? over(isGroup(before) ? before : {}, told) : told
  }
  if (known.direction !== undefined) channel.direction = known.direction
  if (fact.flags?.bridged === false) delete channel.peers
  return channel as Channel
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function over(before: Record<string, unknown>, told: Record<string, unknown>): Record<string, unknown> {
  const out = { ...before }
  for (const key in told) if (told[key] !== undefined) out[key] = told[key]
  return out
}

function timesOf(
  known: Channel,
  fact: ChannelFact,
  state: State | undefined,
  at: number | undefined,
  isFirst: boolean,
): Times | undefined {
  if (!isFirst && state === undefined && fact.times === undefined) return known.times
  const own: Times = {}
  // A full picture says how things are, not since when; only what is new beside it happened now.
  const happenedNow = at !== undefined && (fact.full !== true || !isFirst)
  if (isFirst && happenedNow && state !== 'ended') own.created = at
  if (state !== undefined && happenedNow) {
    if (state === 'ringing') own.ringing = at
    else if (state === 'answered') own.answered = at
    else if (state === 'ended') own.ended = at
  }
  const times: Times = { ...own, ...known.times }
  if (fact.times !== undefined) Object.assign(times, over({}, { ...fact.times }))
  return Object.keys(times).length === 0 ? undefined : times
}

/** Absent where one of the two times is not known; nobody is billed by guesswork. */
function durationsOf({ times, durations }: Channel, seenFromStart: boolean): Durations | undefined {
  const { created, answered, ended } = times ?? {}
  const own: Durations = {}
  if (created !== undefined && ended !== undefined) own.total = Math.max(0, ended - created)
  if (answered !== undefined && ended !== undefined) own.billed = Math.max(0, ended - answered)
  else if (answered === undefined && seenFromStart) own.billed = 0
  const all: Durations = over({ ...own }, { ...durations })
  return Object.keys(all).length === 0 ? undefined : all
}
