import { afterAll, beforeAll, expect, test } from 'vitest'
import { placeCall, startAsterisk, startNats, type TestAsterisk, type TestNats } from '../harness/index.js'
import { startGateway } from '../integration/site.js'
import { endOf } from './legs.js'
import { startController, type TestController } from './site.js'

let asterisk: TestAsterisk
let nats: TestNats
let gateway: Awaited<ReturnType<typeof startGateway>>
let app: TestController

beforeAll(async () => {
  ;[nats, asterisk] = await Promise.all([startNats(), startAsterisk()])
  const { url, user, password } = asterisk
  gateway = await startGateway(`
group: gw
links:
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
  ast1: { type: ari, dialect: stasis, url: '${url}', username: ${user}, password: ${password}, subscribe: { all: true } }
routes:
  - { from: ast1, to: bus }
`)
  app = await startController(nats.url, 'ast1', 'app-1')
})
afterAll(async () => {
  await app.close()
  await gateway.stop()
  await Promise.all([nats, asterisk].map((each) => each.stop()))
})

test('calls of an Asterisk that is not steered are accepted and asked about under its name, and not commanded', async () => {
  const caller = await placeCall(asterisk, { from: '1001', to: 'wait-2', steps: ['answered', 'hungUp'] })
  const uuid = await app.nextCall()
  expect(app.heard.find(({ params }) => params?.uuid === uuid)?.params).toMatchObject({ node_uuid: 'ast1' })
  expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 501 })
  await caller.done
  expect(await endOf(app, uuid)).toMatchObject({ uuid })
})
