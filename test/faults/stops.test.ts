import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { byEntity, type Heard, listen, readStream } from './controller.js'
import { makeStories, terminalState } from './legacy-load.js'
import type { LegacyMessage } from './legacy-publisher.js'
import {
  configuration,
  declareQueue,
  emptyQueue,
  openSite,
  publishAll,
  QUEUE,
  type Site,
  startGateway,
  until,
} from './site.js'

/** More than a gateway gets through while a busy test notices that it began. */
const MESSAGES = 8000
const CALLS = 200
const TURNS = 20
const COME_AND_GO = Array.from({ length: TURNS }, (_, turn) => (turn % 2 === 0 ? 'online' : 'offline'))
const serialOf = (at: number) => `sn-${String(at).padStart(5, '0')}`
const SERIALS = Array.from({ length: MESSAGES }, (_, at) => serialOf(at))

/** A queue with messages that wait for a gateway, each of another terminal. */
async function loadedSite(wishes: Parameters<typeof configuration>[2] = {}): Promise<Site & { yaml: string }> {
  const site = await openSite()
  const yaml = configuration(site.amqpUrl, site.nats.url, wishes)
  await declareQueue(site.legacy)
  await publishAll(
    site.legacy,
    SERIALS.map((serial) => terminalState(serial, 'online')),
  )
  return { ...site, yaml }
}

const serials = (heard: readonly Heard[]) => heard.map(({ entity }) => entity)
const sorted = (names: Iterable<string>) => [...names].sort()

describe('SIGTERM under load', () => {
  const kinds = [
    { name: 'core delivery', bus: 'deliver: core' },
    { name: 'delivery to a stream', bus: 'deliver: jetstream' },
  ]
  test.each(kinds)(
    '$name: it ends within 10 s with 0, and the next gateway goes on; nothing lost, nothing twice',
    async ({ bus }) => {
      const { nats, yaml } = await loadedSite({ bus })
      const controller = await listen(nats.url)
      const first = await startGateway(yaml)
      await until(() => controller.heard.length > 500)
      const asked = Date.now()
      first.signal('SIGTERM')
      expect(await first.ended).toEqual({ code: 0, signal: null })
      expect(Date.now() - asked).toBeLessThan(10_000)
      expect(controller.heard.length).toBeLessThan(MESSAGES)
      const second = await startGateway(yaml)
      await until(() => controller.heard.length >= MESSAGES)
      await second.untilReady()
      second.signal('SIGTERM')
      expect((await second.ended).code).toBe(0)
      expect(sorted(serials(controller.heard))).toEqual(SERIALS)
      await controller.close()
    },
  )

  test('while its target is down it gives up after its grace, and what it held is kept for the next one', async () => {
    const { nats, yaml } = await loadedSite({ top: 'stopGraceMs: 1000' })
    const controller = await listen(nats.url)
    const first = await startGateway(yaml)
    await until(() => controller.heard.length > 500)
    await nats.kill9()
    await delay(200)
    const asked = Date.now()
    first.signal('SIGTERM')
    expect(await first.ended).toEqual({ code: 0, signal: null })
    expect(Date.now() - asked).toBeLessThan(6000)
    await nats.restart()
    await until(() => controller.isConnected())
    const second = await startGateway(yaml)
    await until(() => new Set(serials(controller.heard)).size === MESSAGES)
    expect(sorted(new Set(serials(controller.heard)))).toEqual(SERIALS)
    second.signal('SIGTERM')
    expect((await second.ended).code).toBe(0)
    await controller.close()
  })

  test('a second signal ends it at once', async () => {
    const { nats, yaml } = await loadedSite()
    const controller = await listen(nats.url)
    const gateway = await startGateway(yaml)
    await until(() => controller.heard.length > 500)
    process.kill(nats.pid!, 'SIGSTOP') // so that the first signal has something to wait for
    await delay(200)
    gateway.signal('SIGTERM')
    await delay(500)
    expect(gateway.isRunning()).toBe(true)
    const asked = Date.now()
    gateway.signal('SIGTERM')
    expect((await gateway.ended).code).toBe(1)
    expect(Date.now() - asked).toBeLessThan(500)
    await nats.kill9()
    await controller.close()
  })
})

describe('SIGKILL of the gateway in mid-stream', () => {
  const kinds = [
    { name: 'classic queue, messages with ids', queueType: 'classic', ids: true },
    { name: 'quorum queue, messages without ids', queueType: 'quorum', ids: false },
  ] as const
  test.each(kinds)('$name: the next one goes on, nothing lost', async ({ queueType, ids }) => {
    const site = await openSite()
    await declareQueue(site.legacy, queueType)
    const stories = makeStories(CALLS, 60, TURNS)
    const rounds = Array.from({ length: TURNS }, (_, turn) =>
      [...stories.values()].flatMap((story) => story[turn] ?? []),
    )
    await publishAll(site.legacy, rounds.flat(), ids)
    const legacy = `queue: { type: ${queueType} }`
    const yaml = configuration(site.amqpUrl, site.nats.url, { legacy, bus: 'deliver: jetstream' })
    const controller = await listen(site.nats.url)
    const first = await startGateway(yaml)
    await until(() => controller.heard.length > 300)
    first.signal('SIGKILL')
    await first.ended
    const second = await startGateway(yaml)
    await second.untilReady()
    const ends = () => controller.heard.filter(({ word }) => word === 'DESTROY').length
    await until(() => ends() >= CALLS)
    // Between two deliveries nothing may be in the works: it is over when nothing more is heard either.
    await until(async () => {
      const heard = controller.heard.length
      await delay(700)
      const inFlight = await second.metric('gateway_in_flight_messages', { link: 'legacy' })
      return inFlight === 0 && controller.heard.length === heard
    })
    second.signal('SIGTERM')
    await second.ended
    await controller.close()
    const said = byEntity(await readStream(site.nats.url))
    for (const entity of stories.keys()) {
      const words = said.get(entity) ?? []
      const times = words.filter((word) => word === 'online').length
      if (entity.startsWith('call')) expect(words.at(-1), entity).toBe('DESTROY')
      else if (ids) expect(words, entity).toEqual(COME_AND_GO)
      else expect(times, entity).toBeGreaterThanOrEqual(TURNS / 2)
    }
  })
})

describe('core delivery', () => {
  const ends = [
    { name: 'stands still', signal: 'SIGSTOP' },
    { name: 'is killed', signal: 'SIGKILL' },
  ] as const
  test.each(ends)('nothing is acknowledged that the NATS server had not read when it $name', async ({ signal }) => {
    const { nats, legacy, yaml } = await loadedSite()
    const controller = await listen(nats.url)
    const gateway = await startGateway(yaml)
    await until(() => controller.heard.length > 500)
    process.kill(nats.pid!, signal)
    await delay(500) // whoever acknowledges too early has time to
    gateway.signal('SIGKILL')
    await gateway.ended
    if (signal === 'SIGSTOP') await nats.kill9()
    await delay(200)
    const read = new Set(serials(controller.heard))
    await until(async () => (await legacy.checkQueue(QUEUE)).messageCount > 0)
    const left = await emptyQueue(legacy, QUEUE)
    const kept = new Set(left.map(({ content }) => /sn-\d+/.exec(content.toString())?.[0] ?? ''))
    expect(kept.size).toBeGreaterThan(0)
    expect(SERIALS.filter((serial) => !kept.has(serial) && !read.has(serial))).toEqual([])
    await nats.restart()
    await until(() => controller.isConnected())
    await publishAll(
      legacy,
      left.map(
        ({ content }): LegacyMessage => ({
          exchange: 'voice_events',
          key: 'terminal.online_offline_states',
          body: content,
        }),
      ),
    )
    await startGateway(yaml)
    await until(() => new Set(serials(controller.heard)).size === MESSAGES)
    expect(sorted(new Set(serials(controller.heard)))).toEqual(SERIALS)
    await controller.close()
  })
})
