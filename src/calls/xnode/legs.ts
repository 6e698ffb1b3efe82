import type { Cause, ChannelFact, Fact } from '../../model/index.js'
import { completeCause } from '../../model/index.js'
import { AriError, hasStatus } from '../../transports/ari-client/index.js'
import type { DialPlan, LegPlan } from './destination.js'
import { entersApp, when } from './facts.js'
import type { Outcome } from './happenings.js'
import type { NodeContext } from './method.js'
import { subscribe } from './methods/variables.js'
import { whenTold } from './told.js'

/** How dialling came out. */
export type Dialled =
  /** A leg was answered, or with `early` sends sound before that. */
  | { readonly kind: 'ready'; readonly leg: LegPlan; readonly early: boolean }
  | { readonly kind: 'failed'; readonly leg: LegPlan; readonly cause: string }
  | { readonly kind: 'stopped' }
  /** The link went away; what became of the leg is not known. */
  | { readonly kind: 'lost'; readonly leg: LegPlan }

/** Who dials, and what ends it. */
export interface Dialling {
  /** Owner of the legs. */
  readonly controller: string | undefined
  /** Ends all legs that nobody took yet. */
  readonly stopped: AbortSignal
  /** Called when a leg rings. */
  rings?(): void
}

type LegEnd =
  | { readonly kind: 'ready'; readonly early: boolean }
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'lost' }

/** Why a leg is given up: what its end is told with, and what Asterisk is to tell the phone. */
interface GivenUp {
  readonly cause: Cause
  readonly code: number
}

const LOST_THE_RACE: GivenUp = { cause: { name: 'LOSE_RACE' }, code: 26 }
/** Q.850 has no number for a call that its caller cancelled, and Asterisk no text for this one that would replace ours. */
const CANCELLED: GivenUp = { cause: { name: 'ORIGINATOR_CANCEL' }, code: 487 }
const NOT_ANSWERED: GivenUp = { cause: { name: 'NO_ANSWER' }, code: 19 }
const NOT_REACHED: Cause = { code: 3, name: 'NO_ROUTE_DESTINATION' }
/** A channel that was made is in the application at once; this is for a machine that is very busy. */
const ENTRY_MS = 3000
const FAULT: Cause = { code: 41, name: 'NORMAL_TEMPORARY_FAILURE' }
/** What an end without a cause counts as. */
const NO_CAUSE = 'NORMAL_UNSPECIFIED'
/** How much later than asked a leg may end by itself. Milliseconds. */
const GRACE_MS = 3000
/** How long the end of a leg may take to be told. */
const END_MS = 2000

/** Dials, and comes back with the first leg that is taken, or when there is none. All other legs are ended. */
export function dialLegs(node: NodeContext, plan: DialPlan, dialling: Dialling): Promise<Dialled> {
  return plan.ringAll ? race(node, plan.legs, dialling) : oneByOne(node, plan.legs, dialling)
}

async function oneByOne(node: NodeContext, legs: readonly LegPlan[], dialling: Dialling): Promise<Dialled> {
  for (const [index, leg] of legs.entries()) {
    const end = await dialLeg(node, leg, dialling, () => CANCELLED)
    if (end.kind === 'stopped') return end
    if (end.kind !== 'failed' || index === legs.length - 1) return { ...end, leg }
  }
  return { kind: 'stopped' }
}

function race(node: NodeContext, legs: readonly LegPlan[], dialling: Dialling): Promise<Dialled> {
  const decided = new AbortController()
  let winner: LegPlan | undefined
  const each = { ...dialling, stopped: AbortSignal.any([dialling.stopped, decided.signal]) }
  const whyNot = () => (winner === undefined ? CANCELLED : LOST_THE_RACE)
  return new Promise((resolve, reject) => {
    let last: Dialled = { kind: 'stopped' }
    const run = async (leg: LegPlan) => {
      const end = await dialLeg(node, leg, each, whyNot)
      if (end.kind === 'stopped') return
      if (end.kind !== 'ready') {
        last = { ...end, leg }
      } else if (winner === undefined) {
        winner = leg
        decided.abort()
        resolve({ ...end, leg })
      } else {
        await giveUp(node, leg.uuid, LOST_THE_RACE)
      }
    }
    Promise.all(legs.map(run)).then(
      () => resolve(dialling.stopped.aborted ? { kind: 'stopped' } : last),
      (error: unknown) => {
        // Nobody would end those that still ring.
        decided.abort()
        reject(error)
      },
    )
  })
}

/** Legs that are dialled and not taken yet. */
const dialled = new WeakMap<NodeContext, Set<string>>()

/** Whether a leg is announced that nobody took yet: Asterisk may not have made its channel. */
export function isDialled(node: NodeContext, uuid: string): boolean {
  return dialled.get(node)?.has(uuid) === true
}

/** Dials a leg that can be stopped like a channel; one that was is a leg that failed. */
async function dialLeg(node: NodeContext, leg: LegPlan, dialling: Dialling, whyNot: () => GivenUp): Promise<LegEnd> {
  const all = dialled.get(node) ?? new Set<string>()
  dialled.set(node, all.add(leg.uuid))
  try {
    const end = await node.goesOn(leg.uuid, (ended) => {
      const stopped = AbortSignal.any([dialling.stopped, ended])
      return untilTaken(node, leg, { ...dialling, stopped }, () => (ended.aborted ? CANCELLED : whyNot()))
    })
    const isAlone = end.kind === 'stopped' && !dialling.stopped.aborted
    return isAlone ? { kind: 'failed', cause: CANCELLED.cause.name! } : end
  } finally {
    all.delete(leg.uuid)
  }
}

async function untilTaken(node: NodeContext, leg: LegPlan, dialling: Dialling, whyNot: () => GivenUp): Promise<LegEnd> {
  const { controller, stopped, rings } = dialling
  if (stopped.aborted) return { kind: 'stopped' }
  const broken = new AbortController()
  await node.calls.plan([announcement(node, leg, controller)])
  const taken = node.happenings.wait(
    leg.uuid,
    (fact) => {
      if (fact.kind === 'channel' && fact.state === 'ringing') rings?.()
      return takenBy(fact, leg)
    },
    { signal: AbortSignal.any([stopped, broken.signal]), timeoutMs: leg.timeoutS * 1000 + GRACE_MS },
  )
  const fault = await begin(node, leg, stopped)
  if (fault !== undefined) return end(node, leg, fault, taken, broken)
  const outcome = await taken
  switch (outcome.kind) {
    case 'told':
      if (outcome.value === 'up') await limit(node, leg)
      return { kind: 'ready', early: outcome.value === 'early' }
    case 'ended':
      return { kind: 'failed', cause: causeIn(outcome.end) }
    case 'late':
      await giveUp(node, leg.uuid, NOT_ANSWERED)
      return { kind: 'failed', cause: 'NO_ANSWER' }
    case 'stopped':
      await giveUp(node, leg.uuid, whyNot())
      return { kind: 'stopped' }
    case 'lost':
      // Nobody is left who would do something with it.
      await node.calls.unplan(leg.uuid)
      await giveUp(node, leg.uuid, CANCELLED)
      return { kind: 'lost' }
  }
}

function announcement({ nodeUuid }: NodeContext, leg: LegPlan, controller: string | undefined): ChannelFact {
  const { uuid, caller, dialled, variables, subscribed } = leg
  const vars = Object.fromEntries(subscribed.flatMap((name) => (name in variables ? [[name, variables[name]!]] : [])))
  return {
    kind: 'channel',
    id: uuid,
    node: nodeUuid,
    state: 'new',
    change: 'state',
    direction: 'outbound',
    flags: { controllable: true },
    ...(controller !== undefined && { controller }),
    caller,
    callee: { number: dialled },
    dialled,
    vars,
  }
}

function takenBy(fact: Fact, { ignoresEarlyMedia }: LegPlan): 'early' | 'up' | undefined {
  if (fact.kind !== 'channel') return undefined
  if (fact.state === 'answered') return 'up'
  return fact.state === 'early' && !ignoresEarlyMedia ? 'early' : undefined
}

/**
 * Makes the channel within the application first, so that it can be steered before it is answered, and dials then.
 * Gives what kept it from that, unless whoever waits for the leg is told so anyway.
 */
async function begin(node: NodeContext, leg: LegPlan, stopped: AbortSignal): Promise<Cause | undefined> {
  const { ari, app } = node
  const { uuid, endpoint, caller, dialled, variables, timeoutS } = leg
  const { number = '', name = '' } = caller
  const parties = {
    'CALLERID(num)': dialled,
    ...(number !== '' && { 'CONNECTEDLINE(num,i)': number }),
    ...(name !== '' && { 'CONNECTEDLINE(name,i)': name }),
  }
  const body = { endpoint, app, channelId: uuid, variables: { ...parties, ...variables } }
  try {
    // The request is answered before the channel is in the application, and only there it can be dialled.
    const entry = await whenTold(node, uuid, when(entersApp), { signal: stopped, timeoutMs: ENTRY_MS }, () =>
      ari.request('POST', ['channels', 'create'], { body }),
    )
    if (entry.kind !== 'told') return entry.kind === 'late' ? FAULT : undefined
    await subscribe(node, { uuid, params: { channel_params: leg.subscribed } })
    await ari.request('POST', ['channels', uuid, 'dial'], { body: { timeout: timeoutS } })
    return undefined
  } catch (error) {
    node.log.info('a leg could not be dialled', { channel: uuid, endpoint, err: error })
    return error instanceof AriError && error.status >= 500 ? NOT_REACHED : FAULT
  }
}

/**
 * Ends a leg that could not be dialled: by the switch where it has it, else by ourselves. Where neither is known to have
 * happened the leg is where the next picture shows it.
 */
async function end(
  node: NodeContext,
  leg: LegPlan,
  cause: Cause,
  taken: Promise<Outcome<unknown>>,
  broken: AbortController,
): Promise<LegEnd> {
  const given = await giveUp(node, leg.uuid, { cause, code: cause.code! })
  const timer = setTimeout(() => broken.abort(), given === 'absent' ? 0 : END_MS)
  const outcome = await taken
  clearTimeout(timer)
  if (outcome.kind === 'ended') return { kind: 'failed', cause: causeIn(outcome.end) }
  if (outcome.kind === 'lost' || given === 'unknown') {
    await node.calls.unplan(leg.uuid)
    return { kind: 'lost' }
  }
  await node.calls.tell([
    { kind: 'channel', id: leg.uuid, node: node.nodeUuid, state: 'ended', change: 'state', cause: { ...cause } },
  ])
  return { kind: 'failed', cause: cause.name! }
}

/** Hangs a channel up; answers whether there was one. */
async function giveUp(
  node: NodeContext,
  uuid: string,
  { cause, code }: GivenUp,
): Promise<'ended' | 'absent' | 'unknown'> {
  const { ari, calls, log, nodeUuid } = node
  await calls.tell([{ kind: 'channel', id: uuid, node: nodeUuid, change: 'hangup', cause: { ...cause } }])
  try {
    await ari.request('DELETE', ['channels', uuid], { query: { reason_code: String(code) }, deadlineMs: END_MS })
    return 'ended'
  } catch (error) {
    if (hasStatus(error, 404)) return 'absent'
    log.warn('a leg could not be ended', { channel: uuid, err: error })
    return 'unknown'
  }
}

/** Has Asterisk end an answered leg after its time. */
export async function limit({ ari, log }: NodeContext, { uuid, maxDurationS }: LegPlan): Promise<void> {
  if (maxDurationS === 0) return
  const body = { variable: 'TIMEOUT(absolute)', value: String(maxDurationS) }
  await ari.request('POST', ['channels', uuid, 'variable'], { body }).catch((error: unknown) => {
    log.warn('the duration of a leg could not be limited', { channel: uuid, err: error })
  })
}

/** Name of the cause that an end came with. */
export function causeIn({ cause }: ChannelFact): string {
  return completeCause(cause)?.name ?? NO_CAUSE
}

const PICKED_OFF: GivenUp = { cause: { name: 'PICKED_OFF' }, code: 26 }
const REASONS: Readonly<Record<string, GivenUp>> = {
  ORIGINATOR_CANCEL: CANCELLED,
  LOSE_RACE: LOST_THE_RACE,
  PICKED_OFF,
}

/** Ends a channel with a cause by its FreeSWITCH name; one that is gone is gone. */
export async function hangUp(node: NodeContext, uuid: string, cause: string): Promise<void> {
  const code = node.tables.causeNumber(cause) ?? FAULT.code!
  await giveUp(node, uuid, REASONS[cause] ?? { cause: { name: cause }, code })
}
