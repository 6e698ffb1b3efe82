import { connect } from 'amqplib'
import { expect, inject, onTestFinished, test } from 'vitest'
import type { GatewayProcess } from '../faults/gateway-process.js'
import { makeStories, publishStories } from '../faults/legacy-load.js'
import { openSite, startGateway } from '../faults/site.js'
import { freshVhost } from '../harness/index.js'

const CALLS = 100
const SAID_OF_A_CALL = ['EARLY', 'RINGING', 'ACTIVE', 'HELD', 'UNHELD', 'HANGUP']
const SOURCES = ['east', 'west'] as const
/** What one replica takes from; from `out` come questions for full pictures. */
const TAKEN_FROM = [...SOURCES, 'out']

/** What arrives of each call, copies of equal name once. */
async function consumer(url: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const model = await connect(url)
  onTestFinished(() => model.close())
  const channel = await model.createChannel()
  await channel.assertExchange('voice_events', 'topic', { durable: true })
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, 'voice_events', 'channel.call_state')
  const heard = new Map<string, string[]>()
  const names = new Set<string>()
  await channel.consume(
    queue,
    (message) => {
      const name = String(message?.properties.headers?.['patchbay-id'])
      if (names.has(name)) return
      names.add(name)
      const [, uuid] = /uuid: (\S+-call-\d+)/.exec(String(message?.content)) ?? []
      const [, state] = /state: (\w+)/.exec(String(message?.content)) ?? []
      heard.set(String(uuid), [...(heard.get(String(uuid)) ?? []), String(state)])
    },
    { noAck: true },
  )
  return heard
}

function publishTo(url: string, source: string): Promise<void> {
  const stories = [...makeStories(CALLS, 0, 0)].map(([name, story]) => {
    const called = `${source}-${name}`
    return [called, story.map((each) => ({ ...each, body: String(each.body).replaceAll(name, called) }))] as const
  })
  return publishStories(url, new Map(stories), { ids: false, atOnce: 20, perSecond: 100 }).done
}

async function held(gateway: GatewayProcess): Promise<number> {
  const leases = await Promise.all(TAKEN_FROM.map((link) => gateway.metric('gateway_lease_held', { link })))
  return leases.reduce((sum, each) => sum + each)
}

test('a replica that came later gets its share of the links while they carry messages, and nothing is lost, doubled or out of order', async () => {
  const { nats, amqpUrl: east } = await openSite(true)
  const newVhost = () => freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  const [west, out] = [await newVhost(), await newVhost()]
  const yaml = `
group: gw
state: jetstream
store: { spreadAfterMs: 1000 }
links:
  east: { type: amqp, dialect: voice-events, url: '${east}' }
  west: { type: amqp, dialect: voice-events, url: '${west}' }
  out: { type: amqp, dialect: voice-events, url: '${out}' }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
routes:
  - { from: east, to: out }
  - { from: west, to: out }
`
  const heard = await consumer(out)
  const first = await startGateway(yaml)
  await first.untilReady()
  await expect.poll(() => held(first)).toBe(3)
  const published = Promise.all([publishTo(east, 'east'), publishTo(west, 'west')])
  const second = await startGateway(yaml)
  await second.untilReady()
  await expect.poll(async () => [await held(first), await held(second)]).toEqual([2, 1])
  await published
  const names = SOURCES.flatMap((source) => [...makeStories(CALLS, 0, 0).keys()].map((name) => `${source}-${name}`))
  await expect.poll(() => [...heard.values()].flat().length).toBe(names.length * SAID_OF_A_CALL.length)
  for (const name of names) expect(heard.get(name), name).toEqual(SAID_OF_A_CALL)
  // What is spread stays where it is.
  expect([await held(first), await held(second)]).toEqual([2, 1])
}, 60_000)
