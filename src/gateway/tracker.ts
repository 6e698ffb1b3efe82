import {
  type Channel,
  type ChannelFact,
  type Draft,
  type Durations,
  type Extension,
  FACT_ACCESS,
  type State,
  type Times,
} from '../model/index.js'
import { settleCause } from './cause.js'
import { settleMembership } from './membership.js'
import { ownRecord, ownTexts } from './own-text.js'
import { settleParties } from './parties.js'
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
  const channel = before === undefined ? bodyOf(fact) : merge(known, fact)
  if (isStepBack(known.state, fact)) channel.state = known.state!
  // All legs of a call know it by one name from their first sight on, or never.
  if (before !== undefined && known.call === undefined && channel.call !== undefined) delete channel.call
  if (fact.bridge?.members !== undefined) settleMembership(channel, known.peers, fact.bridge)
  if (channel.own !== undefined || channel.far !== undefined) settleParties(channel)
  if (channel.flags?.offered !== undefined) settleOffer(channel, fact)
  const state = channel.state !== known.state ? channel.state : undefined
  // A call that is first heard of at its end, or in a full picture, began at a time nobody told us.
  const seenFromStart = before?.seenFromStart ?? (fact.full !== true && state !== 'ended')
  const times = timesOf(known, fact, state, fact.meta?.at ?? now, before === undefined)
  if (times !== undefined) channel.times = times
  if (channel.state === 'ended') {
    if (channel.cause !== undefined) settleCause(channel)
    const durations = durationsOf(channel, seenFromStart)
    if (durations !== undefined) channel.durations = durations
  }
  return { link, channel, ext: rememberedExt(fact) ?? before?.ext, told: before?.told ?? NOTHING_TOLD, seenFromStart }
}

/**
 * Whether the state a fact comes with is older than what is known: sight of a call that is known already; a
 * full picture, which may have been drawn before the last change was told; or ringing beside news of something
 * else, for a switch that has one word for ringing and early media says it of both.
 */
function isStepBack(known: State | undefined, { state, full, change }: ChannelFact): boolean {
  if (known === undefined || state === undefined) return false
  if (state === 'new' || (full === true && known === 'answered' && state !== 'ended')) return true
  return state === 'ringing' && change !== 'state' && (known === 'early' || known === 'answered')
}

/**
 * What our application has, or had since, is on offer no more. That it was claimed is told without order beside that
 * it came in.
 */
function settleOffer(channel: Channel, { flags: told }: ChannelFact): void {
  const { flags } = channel
  const isTaken = told?.offered === false && flags?.controllable === true
  if (told?.controllable !== undefined || isTaken) channel.flags = { ...flags, offered: undefined as never } // absent
}

const NOTHING_TOLD: CallView['told'] = Object.freeze({})

/** What a first fact tells of its channel. */
function bodyOf(fact: ChannelFact): Channel {
  const body = FACT_ACCESS.channel.body(fact as unknown as Draft) as Record<string, unknown> // set by name
  for (const key in body) if (body[key] !== undefined) body[key] = ownTexts(body[key])
  const channel: Channel = body // by its maker
  if (channel.change !== undefined) channel.change = undefined as never // absent, as other fields are
  if (channel.flags?.bridged === false && channel.peers !== undefined) channel.peers = undefined as never
  return channel
}

/** What a fact says beyond the model, with texts of its own. */
function rememberedExt({ ext }: ChannelFact): CallView['ext'] {
  if (ext === undefined) return undefined
  const own: Record<string, Extension> = {}
  for (const dialect in ext) own[dialect] = ownRecord(ext[dialect]!)
  return own
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
    if (told === before) continue
    channel[key] = isGroup(told) ? over(isGroup(before) ? before : {}, told) : ownTexts(told)
  }
  if (known.direction !== undefined) channel.direction = known.direction
  if (fact.flags?.bridged === false && channel.peers !== undefined) channel.peers = undefined
  return channel as Channel
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The very same group where nothing is news. */
function over(before: Record<string, unknown>, told: Record<string, unknown>): Record<string, unknown> {
  let out = before
  for (const key in told) {
    if (told[key] === undefined || told[key] === before[key]) continue
    if (out === before) out = { ...before }
    out[key] = ownTexts(told[key])
  }
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
  // A full picture says how things are, not since when; only what is new beside it happened now.
  const happenedNow = at !== undefined && (fact.full !== true || !isFirst)
  const times: Times = { ...known.times }
  if (isFirst && happenedNow && state !== 'ended') times.created ??= at
  if (state !== undefined && happenedNow) {
    if (state === 'ringing') times.ringing ??= at
    else if (state === 'answered') times.answered ??= at
    else if (state === 'ended') times.ended ??= at
  }
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
