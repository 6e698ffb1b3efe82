import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshVhost, startNats, startRabbitMq, type TestNats, type TestRabbitMq } from '../harness/index.js'
import { byEntity, type Heard, readStream, streamLength } from './controller.js'
import { type GatewayProcess, runGateway } from './gateway-process.js'
import { type Load, makeStories, publishStories } from './legacy-load.js'

const CALLS = 500
const TERMINALS = 100
/** How often each terminal comes and goes; it says the same bytes every second time. */
const TURNS = 20
const EVENTS = CALLS * 6 + TERMINALS * TURNS
/** A quorum queue younger than that may not survive its broker. Milliseconds. */
const SETTLE_MS = 2000

const SAID_OF_A_CALL = ['START', 'MEDIA', 'RINGING', 'ANSWERED', 'ANSWERED held', 'ANSWERED', 'CDR', 'DESTROY']
const SAID_OF_A_TERMINAL = Array.from({ length: TURNS }, (_, turn) => (turn % 2 === 0 ? 'online' : 'offline'))

const RUNS = [
  { name: 'from a publisher without message ids, through a classic queue', ids: false, queueType: 'classic' },
  { name: 'from a publisher without message ids, through a quorum queue', ids: false, queueType: 'quorum' },
  { name: 'from a publisher with message ids, through a quorum queue', ids: true, queueType: 'quorum' },
] as const

interface Run {
  readonly gateway: GatewayProcess
  readonly nats: TestNats
  readonly load: Load
  readonly heard: Heard[]
}

let broker: TestRabbitMq
let runs: Run[]

const configuration = (amqpUrl: string, natsUrl: string, queueType: string) => `
group: gw
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', queue: { type: ${queueType} }, reconnect: { maxDelayMs: 500 } }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'], deliver: jetstream }
routes:
  - { from: legacy, to: bus }
`

async function openGateway(queueType: string) {
  const [url, nats] = await Promise.all([freshVhost(broker.url, broker.control), startNats()])
  const gateway = await runGateway(configuration(url, nats.url, queueType))
  await gateway.untilReady()
  return { url, nats, gateway }
}

const until = async (holds: () => boolean) => {
  while (!holds()) await delay(5)
}

/** Waits until the gateway has nothing in hand and the stream does not grow any more. */
async function settled({ gateway, nats }: { gateway: GatewayProcess; nats: TestNats }): Promise<void> {
  const end = Date.now() + 20_000
  for (let before = -1; Date.now() < end; ) {
    const length = await streamLength(nats.url)
    if (length === before && (await gateway.metric('gateway_in_flight_messages')) === 0) return
    before = length
    await delay(500)
  }
}

beforeAll(async () => {
  broker = await startRabbitMq()
  const open = await Promise.all(RUNS.map(({ queueType }) => openGateway(queueType)))
  await delay(SETTLE_MS)
  const stories = makeStories(CALLS, TERMINALS, TURNS)
  const loads = open.map(({ url }, at) =>
    publishStories(url, stories, { ids: RUNS[at]!.ids, atOnce: 100, perSecond: 1000 }),
  )
  await until(() => loads.every((load) => load.confirmed() > EVENTS * 0.3))
  await broker.kill9()
  await delay(300)
  await broker.restart()
  await until(() => loads.every((load) => load.confirmed() > EVENTS * 0.7))
  await Promise.all(open.map(({ nats }) => nats.kill9()))
  await delay(500)
  await Promise.all(open.map(({ nats }) => nats.restart()))
  await Promise.all(loads.map((load) => load.done))
  await Promise.all(open.map(settled))
  runs = await Promise.all(
    open.map(async ({ gateway, nats }, at) => ({ gateway, nats, load: loads[at]!, heard: await readStream(nats.url) })),
  )
})

afterAll(async () => {
  await Promise.all((runs ?? []).flatMap(({ gateway, nats }) => [gateway.remove(), nats.stop()]))
  await broker?.stop()
})

/** Without words that are said again at once: a publisher that was not told of its success says things twice. */
const withoutEchoes = (words: readonly string[]) => words.filter((word, at) => word !== words[at - 1])

describe.each(RUNS.map((run, at) => [run.name, { ...run, at }] as const))('5,000 events %s', (_name, { ids, at }) => {
  test('are all in the stream, in order for each call and terminal, after both brokers were killed', () => {
    const { heard } = runs[at]!
    const said = byEntity(heard)
    const others = [...makeStories(CALLS, TERMINALS, TURNS).keys()].flatMap((entity) => {
      const words = withoutEchoes(said.get(entity) ?? []).join(', ')
      const wanted = (entity.startsWith('call') ? SAID_OF_A_CALL : SAID_OF_A_TERMINAL).join(', ')
      return words === wanted ? [] : [`${entity}: ${words}`]
    })
    expect(others).toEqual([])
  })
  test('are there once, but for those that the publisher itself sent again under no name', () => {
    const { heard, load } = runs[at]!
    expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length)
    const extra = heard.length - CALLS * SAID_OF_A_CALL.length - TERMINALS * TURNS
    expect(extra).toBeLessThanOrEqual(ids ? 0 : load.doubtful())
  })
})
