import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { freshVhost, startNats, type TestNats } from '../harness/index.js'
import { type LegacySide, legacySide, startGateway, until, type XccSide, xccSide } from '../integration/site.js'
import { blocks } from './documents.js'

const stages = blocks(readFileSync('docs/migrating.md', 'utf8'), 'yaml')
const fixture = (name: string) => readFileSync(`test/fixtures/voice-events/${name}.yaml`)
const CALL = '65da6180-877b-4378-a0bc-161f969fe643'

let amqpUrl: string
let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let trial: XccSide
let gateway: Awaited<ReturnType<typeof startGateway>>

// One after another on the same brokers, as a company would.
beforeAll(async () => {
  amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  trial = await xccSide(nats.url, 'trial.>')
})

afterEach(() => gateway.stop())

afterAll(async () => {
  await trial.close()
  await bus.close()
  await legacy.close()
  await nats.stop()
})

/** Runs the configuration of a stage, on the brokers of the test. */
async function enter(stage: 1 | 2 | 3 | 4): Promise<void> {
  const text = stages[stage - 1]!.replace('amqp://rabbit.example:5672', amqpUrl)
    .replace('nats://nats.example:4222', nats.url)
    .replaceAll(/^ {4}(username|password): .*\n/gm, '') // those of the address
    .replaceAll(/\{ env: \w+ \}/g, 'secret')
    .replace('port: 8089', 'port: 0')
  gateway = await startGateway(text)
  await until(() => gateway.health.read().ready)
}

/** The sum of the series of a metric whose labels hold a text. */
async function metric(name: string, labels = ''): Promise<number> {
  const lines = (await gateway.metrics.text()).split('\n')
  const series = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
  return series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const isOurs = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) =>
  headers['patchbay-path'] !== undefined

const xcc = (uuid: string, state: string) => ({
  jsonrpc: '2.0',
  method: 'Event.Channel',
  params: { node_uuid: 'edge-1', uuid, direction: 'inbound', state, cid_number: '1001', dest_number: '9000' },
})

test('stage 1 tells the trial subjects everything and nobody else anything', async () => {
  await enter(1)
  await legacy.publish('voice_events', 'channel.call_state', fixture('seed-channel-call-state'))
  await legacy.publish('voice_events', 'terminal.online_offline_states', fixture('seed-online-offline-change'))
  await legacy.publish('voice_events', 'channel.call_state', fixture('made-call-state-hangup'))
  const subjects = ['trial.ctrl', 'trial.terminal', 'trial.cdr']
  await until(() => subjects.every((subject) => trial.seen.some(({ at }) => at === subject)))
  await expect.poll(() => metric('gateway_in_flight_messages', 'link="legacy"')).toBe(0)
  expect(bus.seen).toEqual([])
  expect(legacy.seen.filter(isOurs)).toEqual([])
  expect(await metric('gateway_taken_messages_total', 'link="legacy"')).toBe(3)
  expect(await metric('gateway_dead_letter_messages_total')).toBe(0)
})

test('stage 2 tells each side of the other, cuts its own words, and lets legacy calls be watched alone', async () => {
  await enter(2)
  for (const state of ['START', 'ANSWERED', 'DESTROY']) await bus.publish('cn.xswitch.ctrl', xcc('x-1', state))
  const heard = () => legacy.seen.filter((each) => isOurs(each) && each.body.includes('x-1'))
  await until(() => heard().length >= 3)
  await expect
    .poll(() => metric('gateway_looped_messages_total', 'link="legacy"'))
    .toBe(legacy.seen.filter(isOurs).length)

  await legacy.publish('voice_events', 'channel.call_state', fixture('seed-channel-call-state'))
  const told = () => bus.events('Event.Channel').find(({ params }) => params.uuid === CALL)
  await until(() => told() !== undefined)
  expect(told()?.params).toMatchObject({ node_uuid: 'hq', params: { patchbay_steerable: 'false' } })
  const params = { ctrl_uuid: 'desk', uuid: CALL }
  const answer = { jsonrpc: '2.0', id: '1', method: 'XNode.Answer', params }
  expect(await bus.request('cn.xswitch.node.hq', answer)).toMatchObject({ result: { code: 501 } })

  await legacy.publish('voice_sync_online', '', 'sync_terminal_states')
  await until(() => gateway.lines.some((line) => line.includes('sync answered with changes only')))
})

test('stage 3 answers a consumer at once, with the calls of the XSwitch alone', async () => {
  await enter(3)
  await bus.publish('cn.xswitch.ctrl', xcc('x-2', 'START'))
  await until(() => legacy.seen.some((each) => isOurs(each) && each.body.includes('x-2')))
  await legacy.publish('voice_sync_events', '', 'channel.call_state')
  await until(() => legacy.seen.some(({ body }) => body.includes('is_sync: true') && body.includes('x-2')))
})

test('stage 4 needs no RabbitMQ', async () => {
  await enter(4)
  expect(Object.keys(gateway.health.read().links).sort()).toEqual(['apps', 'bus'])
})
