import { setTimeout as delay } from 'node:timers/promises'
import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy, type TestNats } from '../harness/index.js'
import { readStream } from './controller.js'
import { watchMemory } from './gateway-process.js'
import { terminalState } from './legacy-load.js'
import { configuration, openSite, publishAll, QUEUE, startGateway, until } from './site.js'

const PREFETCH = 64
const STREAM = 'PATCHBAY'
/** What a stream of the tests takes before it is full, and messages of ours that are certainly more than that. */
const FULL_BYTES = 100_000
const BEFORE = 50
const MESSAGES = 8000
/** What a gateway's memory may grow by while a backlog of any size waits at its source: heaps breathe. */
const BREATH_BYTES = 64 * 1024 * 1024

const serialOf = (at: number) => `sn-${String(at).padStart(5, '0')}`
const terminals = (from: number, until: number) =>
  Array.from({ length: until - from }, (_, at) => terminalState(serialOf(from + at), 'online'))

async function withStreams<T>(
  { url }: TestNats,
  work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>,
) {
  const connection = await connect({ servers: url })
  try {
    return await work(await jetstreamManager(connection))
  } finally {
    await connection.close()
  }
}

/** A stream that refuses what exceeds its bounds, as an operator may make it, and what may get in the way of it. */
interface Place {
  readonly nats: TestNats
  readonly proxy: FaultProxy
}

interface Obstacle {
  readonly name: string
  begin(place: Place): Promise<void>
  end(place: Place): Promise<void>
}

const setBytes = ({ nats }: Place, bytes: number) =>
  withStreams(nats, (manager) => manager.streams.update(STREAM, { max_bytes: bytes, discard: DiscardPolicy.New }))

const OBSTACLES: readonly Obstacle[] = [
  {
    name: 'is full',
    begin: (place) => setBytes(place, FULL_BYTES).then(() => undefined),
    end: (place) => setBytes(place, -1).then(() => undefined),
  },
  {
    name: 'does not answer',
    async begin({ proxy }) {
      proxy.faults.stalled = true
    },
    async end({ proxy }) {
      proxy.faults.stalled = false
    },
  },
]

describe.each(OBSTACLES)('while the stream $name', ({ begin, end }) => {
  test('at most `prefetch` messages are held, the queue grows instead of the gateway; then everything arrives, once', {
    timeout: 120_000,
  }, async () => {
    const { amqpUrl, nats, legacy } = await openSite()
    const proxy = await startFaultProxy(nats.port)
    const place = { nats, proxy }
    const wishes = {
      legacy: `queue: { type: classic }, prefetch: ${PREFETCH}`,
      bus: 'deliver: jetstream, ackTimeoutMs: 1000',
    }
    const gateway = await startGateway(configuration(amqpUrl, proxy.through(nats.url), wishes))
    await gateway.untilReady()
    await publishAll(legacy, terminals(0, BEFORE))
    await until(async () => (await readStream(nats.url)).length === BEFORE)
    const memory = await watchMemory([gateway])
    const waiting = async () => (await legacy.checkQueue(QUEUE)).messageCount
    const held = () => gateway.metric('gateway_in_flight_messages', { link: 'legacy' })

    await begin(place)
    const publishing = publishAll(legacy, terminals(BEFORE, MESSAGES))
    let mostHeld = 0
    const looking = new AbortController()
    const watching = (async () => {
      while (!looking.signal.aborted) {
        mostHeld = Math.max(mostHeld, await held())
        await delay(50)
      }
    })()
    await publishing
    await delay(3000)
    const left = await waiting()
    const arrived = (await readStream(nats.url)).length
    const { firstBytes, mostBytes } = await memory.stop()
    await end(place)
    await until(async () => (await readStream(nats.url)).length >= MESSAGES, 50_000)
    looking.abort()
    await watching

    expect(mostHeld).toBe(PREFETCH)
    expect(left).toBe(MESSAGES - arrived - PREFETCH)
    expect(left).toBeGreaterThan(MESSAGES / 2)
    expect(mostBytes - firstBytes).toBeLessThan(BREATH_BYTES)
    await until(async () => (await held()) === 0)
    const heard = await readStream(nats.url)
    expect(heard.map(({ entity }) => entity).sort()).toEqual(Array.from({ length: MESSAGES }, (_, at) => serialOf(at)))
    expect(new Set(heard.map(({ id }) => id)).size).toBe(MESSAGES)
    expect(await gateway.metric('gateway_dropped_messages_total')).toBe(0)
    expect(await gateway.metric('gateway_dead_letter_messages_total')).toBe(0)
    expect(await waiting()).toBe(0)
    await proxy.close()
  })
})
