import { AckPolicy, type ConsumerInfo, DeliverPolicy, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/nats-core'

/** How the consumers of a capture are made. */
export interface ConsumerOptions {
  /** Beginning of their names, the same for all replicas. */
  readonly base: string
  /** Tells ours from those of other replicas. */
  readonly instance: string
  readonly ackWaitMs: number
  readonly maxUnacked: number
}

/** Where we stood when we took last. */
export interface Standing {
  readonly turn: number
  /** The first sequence that is not settled. */
  readonly next: number
}

/** A consumer of our own, from which nobody else takes. */
export interface OwnConsumer {
  readonly info: ConsumerInfo
  readonly turn: number
  /** The sequence it begins at. */
  readonly start: number
  /** Up to this sequence another replica may have been told already. */
  readonly told: number
}

/** What it takes to ask about consumers. */
export interface ConsumerDesk {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly timeoutMs: number
}

interface Former {
  readonly name: string
  readonly turn: number
  readonly instance: string
}

/** `BASE=TURN-INSTANCE`. No name that BASE is made of can hold a `=`. */
const NAME = /^(.+)=(\d+)-([0-9a-z]+)$/

/** A page of names as the server tells it. */
interface NamesPage {
  readonly consumers?: readonly string[] | null
  readonly total?: number
  readonly error?: { readonly description?: string }
}

/** By names alone, which the client library does not ask for: telling more, a cluster waits for consumers that have no leader. */
async function consumerNames({ connection, timeoutMs }: ConsumerDesk, stream: string): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const question = JSON.stringify({ offset: names.length })
    const reply = await connection.request(`$JS.API.CONSUMER.NAMES.${stream}`, question, { timeout: timeoutMs })
    const { consumers, total = 0, error } = reply.json<NamesPage>()
    if (error !== undefined) throw new Error(error.description ?? 'the names of consumers are refused')
    names.push(...(consumers ?? []))
    if (names.length >= total || !consumers?.length) return names
  }
}

interface Place {
  readonly next: number
  readonly told: number
}

/** Those who took before, the last one first. */
async function formers(desk: ConsumerDesk, stream: string, base: string): Promise<Former[]> {
  const found: Former[] = []
  for (const name of await consumerNames(desk, stream)) {
    const [, beginning, turn, instance] = NAME.exec(name) ?? []
    if (beginning === base && instance !== undefined) found.push({ name, turn: Number(turn), instance })
  }
  return found.sort((a, b) => b.turn - a.turn)
}

/** Where they stood who took last: of two that began at a time the one that is behind counts. */
async function lastPlace({ manager }: ConsumerDesk, stream: string, before: readonly Former[]): Promise<Place> {
  const last = before.filter(({ turn }) => turn === before[0]?.turn)
  const infos = await Promise.all(last.map(({ name }) => manager.consumers.info(stream, name)))
  return {
    next: Math.min(...infos.map(unsettledOf)),
    told: Math.max(...infos.map(({ delivered }) => delivered.stream_seq)),
  }
}

/** A server tells no floor before the first acknowledgement. */
function unsettledOf({ config, ack_floor }: ConsumerInfo): number {
  return Math.max(config.opt_start_seq ?? 1, ack_floor.stream_seq + 1)
}

function add(
  { manager }: ConsumerDesk,
  stream: StreamInfo,
  { base, instance, ackWaitMs, maxUnacked }: ConsumerOptions,
  turn: number,
  start: number,
): Promise<ConsumerInfo> {
  return manager.consumers.add(stream.config.name, {
    durable_name: `${base}=${turn}-${instance}`,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: maxUnacked,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: start,
  })
}

/**
 * Makes a consumer that goes on where the last one stood, and removes that one: what it still owed comes by
 * the new one at once and in order, and whoever took from it, not knowing that his turn is over, gets nothing
 * more. Without a last one it begins at the end of the stream.
 * @param from where we stand; absent for whoever takes over. @returns undefined where another has taken over from us.
 */
export async function nextConsumer(
  desk: ConsumerDesk,
  stream: StreamInfo,
  options: ConsumerOptions,
  from: Standing | undefined,
): Promise<OwnConsumer | undefined> {
  const { name } = stream.config
  const before = await formers(desk, name, options.base)
  const [last] = before
  if (from !== undefined && last !== undefined && last.instance !== options.instance && last.turn >= from.turn) {
    return undefined
  }
  const end = stream.state.last_seq + 1
  const unknown: Place = { next: from?.next ?? end, told: 0 }
  const { next, told } = from !== undefined || last === undefined ? unknown : await lastPlace(desk, name, before)
  const start = Math.min(next, end)
  const turn = Math.max(from?.turn ?? 0, last?.turn ?? 0) + 1
  const info = await add(desk, stream, options, turn, start)
  const removals = before.map(async (old) => {
    await desk.manager.consumers.delete(name, old.name).catch(() => undefined) // the next one tries again
  })
  // From one of ours nobody takes any more, and where its leader is gone the answer comes late.
  await Promise.all(removals.filter((_, at) => before[at]?.instance !== options.instance))
  return { info, turn, start, told }
}

/** Sees to it that whoever takes first gets all that is recorded from now on. */
export async function holdPlace(desk: ConsumerDesk, stream: StreamInfo, options: ConsumerOptions): Promise<void> {
  const before = await formers(desk, stream.config.name, options.base)
  if (before.length === 0) await add(desk, stream, options, 0, stream.state.last_seq + 1)
}
