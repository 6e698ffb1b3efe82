import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy } from '../harness/index.js'
import { byEntity, type Heard, listen, readStream, withoutMarked } from './controller.js'
import type { GatewayProcess } from './gateway-process.js'
import { makeStories, publishStories } from './legacy-load.js'
import { configuration, openSite, startGateway, until } from './site.js'

const TURNS = 20
const SAID_OF_A_CALL = ['START', 'MEDIA', 'RINGING', 'ANSWERED', 'ANSWERED held', 'ANSWERED', 'CDR', 'DESTROY']
const COME_AND_GO = Array.from({ length: TURNS }, (_, turn) => (turn % 2 === 0 ? 'online' : 'offline'))

/** Asks for liveness all the time; tells what was answered other than 200. */
function watchLiveness(gateway: GatewayProcess) {
  const others: unknown[] = []
  let over = false
  const asking = (async () => {
    while (!over) {
      const status = await gateway.status('/livez')
      if (status !== 200) others.push(status)
      await delay(50)
    }
  })()
  return async () => {
    over = true
    await asking
    return others
  }
}

test('started before its brokers it is alive, not ready, and ready once they are there', async () => {
  const { amqpUrl, nats } = await openSite()
  const proxy = await startFaultProxy(Number(new URL(amqpUrl).port))
  proxy.faults.refusing = true
  await nats.kill9()
  const gateway = await startGateway(configuration(proxy.through(amqpUrl), nats.url))
  const liveness = watchLiveness(gateway)
  await delay(1000)
  expect(await gateway.status('/readyz')).toBe(503)
  await nats.restart()
  await until(() => gateway.lines.some((line) => line.includes('"link":"bus"') && line.includes('"link up"')))
  expect(await gateway.status('/readyz')).toBe(503)
  proxy.faults.refusing = false
  await gateway.untilReady()
  expect(await liveness()).toEqual([])
  gateway.signal('SIGTERM')
  expect((await gateway.ended).code).toBe(0)
  await proxy.close()
})

test('stopped before its brokers came it ends with 0', async () => {
  const { amqpUrl, nats } = await openSite()
  await nats.kill9()
  const gateway = await startGateway(configuration(amqpUrl, nats.url))
  await delay(300)
  gateway.signal('SIGTERM')
  expect((await gateway.ended).code).toBe(0)
})

/** A network that stands still, breaks and crawls, on both sides. */
async function misbehave(amqp: FaultProxy, nats: readonly FaultProxy[]): Promise<void> {
  const all = [amqp, ...nats]
  for (const { faults } of all) faults.stalled = true
  await delay(5000)
  for (const { faults } of all) faults.stalled = false
  await delay(1000)
  for (let turn = 0; turn < 3; turn++) {
    amqp.cut()
    await delay(400)
    for (const each of nats) each.cut()
    await delay(400)
  }
  for (const { faults } of all) Object.assign(faults, { latencyMs: 20, bytesPerSecond: 200_000 })
  await delay(1500)
  for (const { faults } of all) Object.assign(faults, { latencyMs: 0, bytesPerSecond: 0 })
}

function expectAll(heard: readonly Heard[], entities: Iterable<string>): void {
  const said = byEntity(withoutMarked(heard))
  for (const entity of entities) {
    expect(said.get(entity), entity).toEqual(entity.startsWith('call') ? SAID_OF_A_CALL : COME_AND_GO)
  }
}

test('links that stand still for 5 s, are cut and crawl: everything arrives, in order, what comes twice is marked', async () => {
  const core = await openSite()
  const stored = await openSite(true)
  const sites = [
    { ...core, bus: 'deliver: core' },
    { ...stored, bus: 'deliver: jetstream' },
  ]
  const amqp = await startFaultProxy(Number(new URL(core.amqpUrl).port))
  const proxies = await Promise.all(sites.map(({ nats }) => startFaultProxy(nats.port)))
  const gateways = await Promise.all(
    sites.map(({ amqpUrl, nats, bus }, at) =>
      startGateway(configuration(amqp.through(amqpUrl), proxies[at]!.through(nats.url), { bus })),
    ),
  )
  await Promise.all(gateways.map((gateway) => gateway.untilReady()))
  const controller = await listen(core.nats.url)
  const liveness = gateways.map(watchLiveness)
  const stories = makeStories(150, 40, TURNS)
  const loads = sites.map(({ amqpUrl }) => publishStories(amqpUrl, stories, { ids: false, atOnce: 50, perSecond: 170 }))
  await delay(500)
  await misbehave(amqp, proxies)
  await Promise.all(loads.map(({ done }) => done))
  await Promise.all(gateways.map((gateway) => gateway.untilReady()))
  const messages = 150 * SAID_OF_A_CALL.length + 40 * TURNS
  await until(() => withoutMarked(controller.heard).length >= messages)
  await until(async () => (await readStream(stored.nats.url)).length >= messages)
  expectAll(controller.heard, stories.keys())
  const inStream = await readStream(stored.nats.url)
  expectAll(inStream, stories.keys())
  expect(inStream).toHaveLength(messages)
  for (const others of liveness) expect(await others()).toEqual([])
  expect(loads.map((load) => load.doubtful())).toEqual([0, 0])
  await Promise.all([controller.close(), amqp.close(), ...proxies.map((proxy) => proxy.close())])
})
