import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAsterisk, startNats, type TestAsterisk, type TestNats } from '../harness/index.js'
import { startGateway } from '../integration/site.js'
import { type Answer, startController, type TestController, until } from './site.js'

const DIALS = 100

let asterisks: TestAsterisk[]
let nats: TestNats
let gateway: Awaited<ReturnType<typeof startGateway>>
let nc: NatsConnection
let app: TestController

beforeAll(async () => {
  const started = await Promise.all([startNats(), startAsterisk(), startAsterisk()])
  nats = started[0]
  asterisks = started.slice(1) as TestAsterisk[]
  gateway = await startGateway(`
group: gw
links:
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'], node: { shared: { queue: nodes } } }
${asterisks
  .map(
    ({ url, user, password, app }, index) =>
      `  ast${index + 1}: { type: ari, dialect: stasis, url: '${url}', username: ${user}, password: ${password}, app: ${app}, steer: {} }`,
  )
  .join('\n')}
routes:
  - { from: ast1, to: bus }
  - { from: ast2, to: bus }
`)
  nc = await connect({ servers: nats.url })
  app = await startController(nats.url, 'ast1', 'app-1')
})
afterAll(async () => {
  await app.close()
  await nc.close()
  await gateway.stop()
  await Promise.all([nats, ...asterisks].map((each) => each.stop()))
})

async function ask(method: string, params: object): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method, params: { ctrl_uuid: app.name, ...params } })
  return (await nc.request('cn.xswitch.node', body, { timeout: 10_000 })).json<{ result: Answer }>().result
}

const legsOn = async (asterisk: TestAsterisk) =>
  ((await asterisk.ari('GET', '/channels')).body as readonly { readonly id: string }[])
    .map(({ id }) => id)
    .filter((id) => /^any-\d+$/.test(id))

test(`${DIALS} Dials to any node, a real one among them: each is carried out once`, async () => {
  // A node of the other kind answers and does nothing else.
  const taken: string[] = []
  const other = nc.subscribe('cn.xswitch.node', {
    queue: 'nodes',
    callback(_error, message) {
      const { id, params } = message.json<{
        id: string
        params: { destination: { call_params: { uuid: string }[] } }
      }>()
      taken.push(params.destination.call_params[0]!.uuid)
      message.respond(JSON.stringify({ jsonrpc: '2.0', id, result: { code: 202, node_uuid: 'real' } }))
    },
  })
  await nc.flush()
  const uuids = Array.from({ length: DIALS }, (_, i) => `any-${i}`)
  const answers = await Promise.all(
    uuids.map((uuid) =>
      ask('XNode.Dial', { destination: { call_params: [{ uuid, dial_string: 'loopback/silent/services' }] } }),
    ),
  )
  expect(answers.filter(({ code }) => code !== 202)).toEqual([])
  const nodeOf = new Map(uuids.map((uuid, index) => [uuid, answers[index]!.node_uuid]))
  const ours = uuids.filter((uuid) => nodeOf.get(uuid) !== 'real')
  expect(uuids.filter((uuid) => nodeOf.get(uuid) === 'real').sort()).toEqual([...taken].sort())
  // A leg is told of before it is made.
  let legs: string[][] = []
  for (let tries = 0; tries < 200 && legs.flat().length < ours.length; tries++) {
    await delay(20)
    legs = await Promise.all(asterisks.map(legsOn))
  }
  expect(ours.length).toBeGreaterThan(0)
  expect(legs).toHaveLength(asterisks.length)
  for (const [index, there] of legs.entries()) {
    const wanted = ours.filter((uuid) => nodeOf.get(uuid) === `ast${index + 1}`)
    // Neither is left out, and what each has is what it said it took.
    expect(wanted.length).toBeGreaterThan(0)
    expect(there.sort()).toEqual(wanted.sort())
  }
  expect(taken.length).toBeGreaterThan(0)
  expect(taken.length + ours.length).toBe(DIALS)
  // What is asked about a channel is done where it is.
  other.unsubscribe()
  await nc.flush()
  const ends = await Promise.all(ours.map((uuid) => ask('XNode.Hangup', { uuid })))
  expect(ends.map(({ code, node_uuid }, index) => [code, node_uuid === nodeOf.get(ours[index]!)])).toEqual(
    ours.map(() => [200, true]),
  )
  await until(
    () => ours.every((uuid) => app.wordsOf(uuid).at(-1) === 'DESTROY'),
    () => 'not every leg ended',
  )
}, 60_000)
