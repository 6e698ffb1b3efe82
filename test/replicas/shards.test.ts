import { connect as connectNats } from '@nats-io/transport-node'
import { connect } from 'amqplib'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { byEntity, listen, withoutMarked } from '../faults/controller.js'
import type { GatewayProcess } from '../faults/gateway-process.js'
import { callState, makeStories, publishStories } from '../faults/legacy-load.js'
import { startGateway, until } from '../faults/site.js'
import { freshVhost, startNats, startRabbitMq, type TestRabbitMq } from '../harness/index.js'

const CALLS = 160
const SAID_OF_A_CALL = ['START', 'MEDIA', 'RINGING', 'ANSWERED', 'ANSWERED held', 'ANSWERED', 'CDR', 'DESTROY']
const SHARDS = [1, 2, 3, 4]
const HEADER = 'call-id'

/** A link and a bus of its own for each shard, as the operator's guide has it. */
const configuration = (amqpUrl: string, natsUrl: string, { top = '', more = '', last = '' } = {}) => `
group: gw
${top}
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', messages: [terminal-states, lifecycle] }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'] }
${SHARDS.map(
  (at) => `
  calls-${at}: { type: amqp, dialect: voice-events, url: '${amqpUrl}', shard: { exchange: patchbay.calls, by: 'header:${HEADER}'${at === SHARDS.length ? last : ''} } }
  bus-${at}: { type: nats, dialect: xcc, servers: ['${natsUrl}'], node: { uuid: gw-${at} } }`,
).join('')}
routes:
  - { from: legacy, to: bus }
${SHARDS.map((at) => `  - { from: calls-${at}, to: bus-${at} }`).join('\n')}
${more}
`

let rabbitMq: TestRabbitMq
beforeAll(async () => {
  rabbitMq = await startRabbitMq({ plugins: ['rabbitmq_consistent_hash_exchange'] })
})
afterAll(() => rabbitMq.stop())

async function brokers() {
  const [amqpUrl, nats] = await Promise.all([freshVhost(rabbitMq.url, rabbitMq.control), startNats()])
  onTestFinished(() => nats.stop())
  return { amqpUrl, natsUrl: nats.url }
}

/** Of the links of shards, by one replica. */
const taken = (gateway: GatewayProcess) =>
  Promise.all(SHARDS.map((at) => gateway.metric('gateway_taken_messages_total', { link: `calls-${at}` })))
const callsOf = (gateway: GatewayProcess) =>
  Promise.all(SHARDS.map((at) => gateway.metric('gateway_calls', { link: `calls-${at}` })))
const sum = (counts: readonly number[]) => counts.reduce((all, each) => all + each, 0)
const duties = (gateway: GatewayProcess) =>
  Promise.all(
    ['legacy', ...SHARDS.map((at) => `calls-${at}`)].map((link) => gateway.metric('gateway_lease_held', { link })),
  )
const held = async (gateway: GatewayProcess) => sum(await duties(gateway))

/** Calls whose messages say in a header which call they are of. */
const stories = () =>
  new Map(
    [...makeStories(CALLS, 0, 0)].map(([name, story]) => [
      name,
      story.map((message) => ({ ...message, headers: { [HEADER]: name } })),
    ]),
  )

/** A channel of the legacy side, and a controller that listens. */
async function bothSides(amqpUrl: string, natsUrl: string) {
  const [controller, nats, model] = await Promise.all([
    listen(natsUrl),
    connectNats({ servers: natsUrl }),
    connect(amqpUrl),
  ])
  onTestFinished(async () => void (await Promise.all([nats.close(), model.close(), controller.close()])))
  const channel = await model.createConfirmChannel()
  async function publish(names: readonly string[], state: string) {
    for (const name of names) {
      const { exchange, key, body } = callState(name, state)
      channel.publish(exchange, key, Buffer.from(body), { headers: { [HEADER]: name } })
    }
    await channel.waitForConfirms()
  }
  const calls = () => byEntity(controller.heard)
  return { controller, nats, channel, publish, calls }
}

const NAMES = Array.from({ length: 20 }, (_, at) => `call-${at}`)

test('replicas share the calls of one publisher, and when one is killed nothing is lost, doubled or out of order', async () => {
  const { amqpUrl, natsUrl } = await brokers()
  const yaml = configuration(amqpUrl, natsUrl, { top: 'state: jetstream\nstore: { link: bus, spreadAfterMs: 1000 }' })
  const first = await startGateway(yaml)
  await first.untilReady()
  expect(await held(first)).toBe(5)
  const controller = await listen(natsUrl)
  const load = publishStories(amqpUrl, stories(), { ids: false, atOnce: 40, perSecond: 60 })
  const second = await startGateway(yaml)
  await second.untilReady()
  await expect.poll(async () => [await held(first), await held(second)]).toEqual([3, 2])
  const before = [await taken(first), await taken(second)]
  const busy = async (gateway: GatewayProcess, at: number) =>
    (await taken(gateway)).filter((count, link) => count > before[at]![link]!).length
  await expect.poll(async () => (await busy(first, 0)) + (await busy(second, 1))).toBe(4)
  expect(await busy(second, 1)).toBeGreaterThan(0)
  second.signal('SIGKILL')
  await second.ended
  await expect.poll(() => held(first)).toBe(5)
  await load.done
  await until(() => withoutMarked(controller.heard).length >= CALLS * SAID_OF_A_CALL.length)
  const said = byEntity(withoutMarked(controller.heard))
  for (const name of stories().keys()) expect(said.get(name), name).toEqual(SAID_OF_A_CALL)
  await controller.close()
}, 120_000)

test('a node of each shard answers for its calls, which pictures do not end and a crash does', async () => {
  const { amqpUrl, natsUrl } = await brokers()
  const gateway = await startGateway(configuration(amqpUrl, natsUrl))
  await gateway.untilReady()
  const { nats, channel, publish, calls, controller } = await bothSides(amqpUrl, natsUrl)
  await publish(NAMES, 'ACTIVE')
  await until(() => NAMES.every((name) => calls().has(name)))
  const ask = async (at: number, uuid: string) => {
    const request = { jsonrpc: '2.0', id: '1', method: 'XNode.GetState', params: { uuid } }
    const answer = await nats.request(`cn.xswitch.node.gw-${at}`, JSON.stringify(request), { timeout: 5000 })
    return (answer.json() as { result: { code: number } }).result.code
  }
  const nodesOf = async (name: string) => {
    const codes = await Promise.all(SHARDS.map((at) => ask(at, name)))
    return SHARDS.filter((_, index) => codes[index] === 200)
  }
  const nodes = await Promise.all(NAMES.map(nodesOf))
  expect(nodes.map(({ length }) => length)).toEqual(NAMES.map(() => 1))
  expect(new Set(nodes.flat()).size).toBeGreaterThan(1)

  const before = controller.heard.length
  const { exchange, key, body } = callState('call-0', 'ACTIVE')
  channel.publish(exchange, key, Buffer.from(String(body).replace('is_sync: false', 'is_sync: true')))
  await expect.poll(() => gateway.metric('gateway_ignored_messages_total', { kind: 'picture' })).toBe(1)
  expect(controller.heard).toHaveLength(before)
  expect(await nodesOf('call-1')).toHaveLength(1)

  const crashes: string[] = []
  const crash = /"event":"voice-crash"/
  nats.subscribe('cn.xswitch.>', {
    callback: (_, message) => void (crash.test(message.string()) && crashes.push(message.subject)),
  })
  await nats.flush()
  channel.publish('voice_sync_events', '', Buffer.from("---\n- terminal.voice_crash\n- '0008'\n"))
  await until(() => NAMES.every((name) => calls().get(name)!.at(-1) === 'DESTROY'))
  expect(
    NAMES.map(
      (name) =>
        calls()
          .get(name)!
          .filter((word) => word === 'DESTROY').length,
    ),
  ).toEqual(NAMES.map(() => 1))
  await expect.poll(() => crashes.length).toBe(1)
}, 60_000)

test('a link that took everything before is told of nothing twice, and one that drains gets nothing more', async () => {
  const { amqpUrl, natsUrl } = await brokers()
  const whole = await startGateway(`
group: gw
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}' }
  bus: { type: nats, dialect: xcc, servers: ['${natsUrl}'] }
routes:
  - { from: legacy, to: bus }
`)
  await whole.untilReady()
  await whole.remove()
  const sharded = await startGateway(configuration(amqpUrl, natsUrl))
  await sharded.untilReady()
  const { publish, calls } = await bothSides(amqpUrl, natsUrl)
  await publish(NAMES, 'ACTIVE')
  await until(() => NAMES.every((name) => calls().has(name)))
  expect(await sharded.metric('gateway_calls', { link: 'legacy' })).toBe(0)
  expect(sum(await callsOf(sharded))).toBe(NAMES.length)
  sharded.signal('SIGTERM')
  await sharded.ended

  await publish(NAMES, 'HELD') // some of it waits for the link that is to go
  const draining = await startGateway(configuration(amqpUrl, natsUrl, { last: ', drain: true' }))
  await draining.untilReady()
  await expect.poll(async () => sum(await callsOf(draining))).toBe(NAMES.length)
  const left = (await callsOf(draining)).at(-1)!
  expect(left).toBeGreaterThan(0)
  const before = await taken(draining)
  await publish(NAMES, 'UNHELD')
  await expect.poll(async () => sum(await taken(draining))).toBe(sum(before) + NAMES.length)
  expect((await taken(draining)).at(-1)).toBe(before.at(-1))
}, 60_000)

test.each(['patchbay.calls', 'voice_events'])(
  '%s that is deleted makes links unready, and is made again with all that was bound to it',
  async (exchange) => {
    const { amqpUrl, natsUrl } = await brokers()
    const gateway = await startGateway(configuration(amqpUrl, natsUrl))
    await gateway.untilReady()
    const { channel, publish, calls } = await bothSides(amqpUrl, natsUrl)
    await channel.deleteExchange(exchange)
    await expect.poll(() => gateway.status('/readyz')).toBe(503)
    await gateway.untilReady()
    await publish(NAMES, 'ACTIVE')
    await until(() => NAMES.every((name) => calls().has(name)))
    expect((await callsOf(gateway)).filter((count) => count > 0)).toHaveLength(SHARDS.length)
  },
  60_000,
)

test('a broker without the plugin gives one clear line, and the readiness says which link', async () => {
  const nats = await startNats()
  onTestFinished(() => nats.stop())
  const amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  const model = await connect(amqpUrl)
  onTestFinished(() => model.close())
  const channel = await model.createConfirmChannel()
  // What took everything before goes on getting it.
  await channel.assertExchange('voice_events', 'topic', { durable: true })
  await channel.assertQueue('patchbay.gw.legacy', {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true },
  })
  await channel.bindQueue('patchbay.gw.legacy', 'voice_events', 'channel.call_state')
  const gateway = await startGateway(configuration(amqpUrl, nats.url))
  const told = () =>
    gateway.lines.filter((line) => line.includes('enable its plugin rabbitmq_consistent_hash_exchange'))
  await expect.poll(() => new Set(told().map((line) => (JSON.parse(line) as { link: string }).link)).size).toBe(5)
  const { links } = await gateway.json<{ links: Record<string, unknown> }>('/readyz')
  expect(JSON.stringify(links)).toContain('rabbitmq_consistent_hash_exchange')
  expect(await gateway.status('/readyz')).toBe(503)
  const { exchange, key, body } = callState('call-0', 'ACTIVE')
  channel.publish(exchange, key, Buffer.from(String(body)))
  await channel.waitForConfirms()
  await expect.poll(async () => (await channel.checkQueue('patchbay.gw.legacy')).messageCount).toBe(1)
}, 60_000)
