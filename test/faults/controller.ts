import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type Msg, millis } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { type Arrivals, noArrivals } from './arrivals.js'
import { type Heard, readHeard } from './heard.js'

export type { Heard } from './heard.js'

/** How many messages a stream holds. */
export async function streamLength(url: string, name = 'PATCHBAY'): Promise<number> {
  const connection = await connect({ servers: url })
  try {
    return (await (await jetstreamManager(connection)).streams.info(name)).state.messages
  } finally {
    await connection.close()
  }
}

/** Gives everything that a stream holds about calls and terminals, in its order, with the time when it was stored. */
async function eachInStream(
  servers: string | readonly string[],
  name: string,
  take: (heard: Heard, atMs: number) => void,
): Promise<void> {
  const connection = await connect({ servers: [servers].flat() })
  try {
    const client = jetstream(connection)
    const { state } = await (await client.jetstreamManager()).streams.info(name)
    if (state.messages === 0) return
    const consumer = await client.consumers.get(name, {})
    for await (const message of await consumer.fetch({ max_messages: state.messages, expires: 10_000 })) {
      const one = readHeard(message.string(), message.headers?.get('Nats-Msg-Id') ?? '')
      if (one !== undefined) take(one, millis(message.info.timestampNanos))
    }
  } finally {
    await connection.close()
  }
}

/** Everything a stream holds about calls and terminals, in its order. */
export async function readStream(servers: string | readonly string[], name = 'PATCHBAY'): Promise<Heard[]> {
  const heard: Heard[] = []
  await eachInStream(servers, name, (one) => heard.push(one))
  return heard
}

/** What a stream took of a load, as {@link countArrivals} counts it. */
export async function countStream(servers: string | readonly string[], name = 'PATCHBAY'): Promise<Arrivals> {
  const arrivals = noArrivals()
  await eachInStream(servers, name, arrivals.take)
  return arrivals
}

/** A controller that listens while things happen. */
export interface Controller {
  readonly heard: Heard[]
  isConnected(): boolean
  close(): Promise<void>
}

/** Gives everything that is published from now on; closed by what it resolves with. */
async function eachPublished(servers: string | readonly string[], take: (heard: Heard) => void) {
  const connection = await connect({ servers: [servers].flat(), reconnectTimeWait: 50, maxReconnectAttempts: -1 })
  const pass = (message: Msg) => {
    const one = readHeard(message.string(), message.headers?.get('patchbay-id') ?? '')
    if (one !== undefined) take(one)
  }
  connection.subscribe('cn.xswitch.>', { callback: (_error, message) => pass(message) })
  await connection.flush()
  return connection
}

/** Listens on everything; begins when it resolves. */
export async function listen(url: string): Promise<Controller> {
  const heard: Heard[] = []
  const connection = await eachPublished(url, (one) => heard.push(one))
  let connected = true
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') connected = false
      else if (type === 'reconnect') connected = true
    }
  })()
  return { heard, isConnected: () => connected, close: () => connection.close() }
}

/** A controller that counts, and keeps no message. */
export interface Counter {
  readonly arrivals: Arrivals
  close(): Promise<void>
}

/** Counts everything that is published; begins when it resolves. */
export async function countArrivals(servers: string | readonly string[]): Promise<Counter> {
  const arrivals = noArrivals()
  const connection = await eachPublished(servers, (one) => arrivals.take(one, performance.now()))
  return { arrivals, close: () => connection.close() }
}

/** What was said of each, in order. */
export function byEntity(heard: readonly Heard[]): Map<string, string[]> {
  const said = new Map<string, string[]>()
  for (const { entity, word } of heard) {
    const words = said.get(entity)
    if (words === undefined) said.set(entity, [word])
    else words.push(word)
  }
  return said
}

/** Without the messages whose id was there before. */
export function withoutMarked(heard: readonly Heard[]): Heard[] {
  const seen = new Set<string>()
  return heard.filter(({ id }) => !seen.has(id) && seen.add(id))
}
