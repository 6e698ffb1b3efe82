import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { Msg } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'

/** What a controller reads from one message: whom it is about, what it says, and what names it. */
export interface Heard {
  readonly entity: string
  readonly word: string
  readonly id: string
}

interface Rpc {
  readonly method: string
  readonly params: {
    readonly uuid?: string
    readonly state?: string
    readonly held?: boolean
    readonly event?: { readonly serial?: string; readonly state?: string }
  }
}

/** Undefined for messages about nodes. */
function read(body: string, id: string): Heard | undefined {
  const { method, params } = JSON.parse(body) as Rpc // what the gateway writes is under test elsewhere
  if (method === 'Event.NativeEvent') return { entity: params.event?.serial ?? '', word: params.event?.state ?? '', id }
  if (method === 'Event.CDR') return { entity: params.uuid ?? '', word: 'CDR', id }
  if (method !== 'Event.Channel') return undefined
  return { entity: params.uuid ?? '', word: `${params.state}${params.held ? ' held' : ''}`, id }
}

/** How many messages a stream holds. */
export async function streamLength(url: string, name = 'PATCHBAY'): Promise<number> {
  const connection = await connect({ servers: url })
  try {
    return (await (await jetstreamManager(connection)).streams.info(name)).state.messages
  } finally {
    await connection.close()
  }
}

/** Everything a stream holds about calls and terminals, in its order. */
export async function readStream(url: string, name = 'PATCHBAY'): Promise<Heard[]> {
  const connection = await connect({ servers: url })
  try {
    const client = jetstream(connection)
    const { state } = await (await client.jetstreamManager()).streams.info(name)
    const heard: Heard[] = []
    if (state.messages === 0) return heard
    const consumer = await client.consumers.get(name, {})
    for await (const message of await consumer.fetch({ max_messages: state.messages, expires: 10_000 })) {
      const one = read(message.string(), message.headers?.get('Nats-Msg-Id') ?? '')
      if (one !== undefined) heard.push(one)
    }
    return heard
  } finally {
    await connection.close()
  }
}

/** A controller that listens while things happen. */
export interface Controller {
  readonly heard: Heard[]
  isConnected(): boolean
  close(): Promise<void>
}

/** Listens on everything; begins when it resolves. */
export async function listen(url: string): Promise<Controller> {
  const connection = await connect({ servers: url, reconnectTimeWait: 50, maxReconnectAttempts: -1 })
  const heard: Heard[] = []
  const take = (message: Msg) => {
    const one = read(message.string(), message.headers?.get('patchbay-id') ?? '')
    if (one !== undefined) heard.push(one)
  }
  connection.subscribe('cn.xswitch.>', { callback: (_error, message) => take(message) })
  await connection.flush()
  let connected = true
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') connected = false
      else if (type === 'reconnect') connected = true
    }
  })()
  return { heard, isConnected: () => connected, close: () => connection.close() }
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
