import { randomUUID } from 'node:crypto'
import type { Fact } from '../../model/index.js'
import { hasStatus } from '../../transports/ari-client/index.js'
import type { Outcome } from './happenings.js'
import type { Medium, Programme } from './media.js'
import type { NodeContext } from './method.js'
import { refusal, resultOf } from './outcome.js'
import { done, failed, type Result } from './result.js'

/** How playing ended: all was played, or a result that says what came between. */
export type Played =
  | { readonly kind: 'played' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'over'; readonly result: Result }

/** What bounds playing. */
export interface PlayBounds {
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly timeoutMs: number
  /** Called when the first medium was taken by Asterisk. */
  readonly begun?: () => void
}

/** How long a failure is held back to see whether the channel went away. */
const SETTLE_MS = 500
/** How long Asterisk may take to end what it was told to end. */
const STOP_MS = 2000
/** How often a playback of which nothing is heard is asked for. */
const WATCH_MS = 10_000

/** Plays a programme on a channel, medium by medium. What was begun is ended when it returns. */
export async function playProgramme(
  node: NodeContext,
  uuid: string,
  { media, times }: Programme,
  { signal, timeoutMs, begun }: PlayBounds,
): Promise<Played> {
  const end = performance.now() + timeoutMs
  for (let round = 0; round < times; round++) {
    for (const medium of media) {
      if (signal.aborted) return { kind: 'stopped' }
      const leftMs = Math.max(1, end - performance.now())
      const played = await playMedium(node, uuid, medium, { signal, timeoutMs: leftMs, ...(begun && { begun }) })
      if (played.kind !== 'played') return played
    }
  }
  return { kind: 'played' }
}

/** The result of a command that was to play. */
export function playedResult(played: Played, stopped: Result): Result {
  if (played.kind === 'over') return played.result
  return played.kind === 'stopped' ? stopped : done()
}

async function playMedium(
  node: NodeContext,
  uuid: string,
  medium: Medium,
  { signal, timeoutMs, begun }: PlayBounds,
): Promise<Played> {
  const id = randomUUID()
  const settled = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const after = (ms: number, then: () => void) => void timers.push(setTimeout(then, ms))
  let trouble: string | undefined
  const fail = (text: string) => {
    trouble ??= text
    after(SETTLE_MS, () => settled.abort())
  }
  const pick = (fact: Fact): true | undefined => {
    if (fact.kind !== 'playback' || fact.id !== id) return undefined
    if (fact.state === 'finished') return true
    if (fact.state === 'failed') fail(`Asterisk cannot play ${medium.uri}: it is not there, or not readable`)
    else if (fact.state === 'started' && medium.lastsMs !== undefined)
      after(medium.lastsMs, () => void endPlayback(node, id))
    return undefined
  }
  const over = node.happenings.wait(uuid, pick, { signal: AbortSignal.any([signal, settled.signal]), timeoutMs })
  const watch = setInterval(
    () => void isThere(node, id).then((there) => there || fail('Asterisk lost the playback')),
    WATCH_MS,
  )
  try {
    await node.ari.request('POST', ['channels', uuid, 'play', id], { body: bodyOf(medium) })
    begun?.()
    const outcome = await over
    if (trouble !== undefined && outcome.kind === 'stopped') return { kind: 'over', result: failed(trouble) }
    return await endOf(node, uuid, id, outcome)
  } catch (error) {
    return { kind: 'over', result: await refusal(node, error, uuid) }
  } finally {
    settled.abort()
    clearInterval(watch)
    for (const timer of timers) clearTimeout(timer)
  }
}

function bodyOf({ uri, skipMs }: Medium): Readonly<Record<string, unknown>> {
  return { media: [uri], ...(skipMs !== undefined && { offsetms: skipMs }) }
}

async function endOf(node: NodeContext, uuid: string, id: string, outcome: Outcome<true>): Promise<Played> {
  if (outcome.kind === 'told') return { kind: 'played' }
  if (outcome.kind === 'ended' || outcome.kind === 'lost')
    return { kind: 'over', result: await resultOf(node, uuid, outcome, 'the playback') }
  const silent = node.happenings.wait(
    uuid,
    (fact) => (fact.kind === 'playback' && fact.id === id && isOver(fact.state) ? true : undefined),
    { timeoutMs: STOP_MS },
  )
  await endPlayback(node, id)
  const end = await silent
  if (outcome.kind === 'late' || end.kind === 'ended' || end.kind === 'lost') {
    const why = end.kind === 'ended' || end.kind === 'lost' ? end : outcome
    return { kind: 'over', result: await resultOf(node, uuid, why, 'the playback') }
  }
  return { kind: 'stopped' }
}

const isOver = (state: unknown) => state === 'finished' || state === 'failed'

/** Whether it was there to be ended does not matter. */
async function endPlayback({ ari, log }: NodeContext, id: string): Promise<void> {
  await ari.request('DELETE', ['playbacks', id]).catch((error: unknown) => {
    if (!hasStatus(error, 404)) log.info('a playback could not be ended', { playback: id, err: error })
  })
}

async function isThere({ ari }: NodeContext, id: string): Promise<boolean> {
  try {
    await ari.request('GET', ['playbacks', id])
    return true
  } catch (error) {
    return !hasStatus(error, 404)
  }
}
