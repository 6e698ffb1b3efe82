import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, runGateway } from '../faults/gateway-process.js'
import { placeCall, startAsterisk, startNats, type TestAsterisk, type TestNats, takeCall } from '../harness/index.js'
import { hears, outcomeOf, phoneAt } from '../xnode/legs.js'
import { LONG, OFFERING } from '../xnode/offering.js'
import { startController, until } from '../xnode/site.js'

const ACCEPT_WITHIN_MS = 4000

let asterisk: TestAsterisk
let nats: TestNats
const gateways: GatewayProcess[] = []

const yaml = () => `
group: gw
state: jetstream
links:
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
  ast1:
    type: ari
    dialect: stasis
    url: '${asterisk.url}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    app: ${asterisk.app}
    reconnect: { minDelayMs: 50, maxDelayMs: 300 }
    steer: { acceptWithinMs: ${ACCEPT_WITHIN_MS} }
routes:
  - { from: ast1, to: bus, loopback: true }
`

async function addGateway(): Promise<void> {
  gateways.push(await runGateway(yaml()))
}

beforeAll(async () => {
  ;[asterisk, nats] = await Promise.all([startAsterisk({ append: { 'extensions.conf': OFFERING } }), startNats()])
  await Promise.all([addGateway(), addGateway()])
  const consumes = ({ lines }: GatewayProcess) =>
    lines.some((line) => line.includes('"link consuming"') && line.includes('"ast1","source":"'))
  await until(
    () => gateways.some(consumes),
    () => 'no replica has the events of the Asterisk',
  )
})
afterAll(async () => {
  for (const each of gateways) await each.remove()
  await Promise.all([asterisk.stop(), nats.stop()])
})

const originate = (id: string) =>
  asterisk.ari('POST', '/channels', {
    endpoint: `Local/600@from-trunk`,
    extension: 'answer',
    context: 'services',
    channelId: id,
    otherChannelId: `${id}-2`,
  })

/** The one that began the duty last. */
function holder(): GatewayProcess {
  const time = ({ lines }: GatewayProcess) => {
    const line = lines.findLast((each) => each.includes('"duty begun"'))
    return line === undefined ? 0 : Date.parse((JSON.parse(line) as { time: string }).time)
  }
  return gateways.filter((each) => each.isRunning()).toSorted((one, other) => time(other) - time(one))[0]!
}

/** In which it is noted that something arrived; what is not may come twice under one name. Milliseconds. */
const NOTED_MS = 400

async function killHolder(): Promise<void> {
  const running = () => gateways.filter((each) => each.isRunning())
  await until(
    () => running().length > 1,
    () => 'nobody is there to take over',
  )
  await Promise.all(running().map((each) => each.untilReady()))
  const killed = holder()
  killed.signal('SIGKILL')
  await killed.ended
  void addGateway()
}

test('a call goes on when the replica that has it is killed: nothing is told twice, and commands are carried out', async () => {
  const app = await startController(nats.url, 'ast1', 'app')
  await originate('call-1')
  const uuid = await app.nextCall()
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  await delay(NOTED_MS)
  await killHolder()
  // Asked while nobody has the node: whoever takes over answers.
  expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, answer_state: 'answered' })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await hears(app, uuid, 'DESTROY')
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
  await app.close()
})

test('a command whose replica is killed ends as unknown, with the state that its channel was found in', async () => {
  const app = await startController(nats.url, 'ast1', 'app')
  await originate('call-2')
  const uuid = await app.nextCall()
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  const tone = { data: 'tone_stream://%(500,500,425)', loop: 100 }
  const playing = app.ask('Play', { uuid, media: tone })
  await app.tell('Play', { uuid, media: tone }, 'play-later')
  await delay(500)
  await killHolder()
  const unknown = { code: 500, message: 'unknown: the replica that carried out XNode.Play is gone; the channel is up' }
  expect(await playing).toMatchObject(unknown)
  expect(await outcomeOf(app, 'play-later')).toMatchObject(unknown)
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await hears(app, uuid, 'DESTROY')
  await app.close()
})

test('a call that nobody accepts ends in time, whoever has it by then', async () => {
  const app = await startController(nats.url, 'ast1', 'app')
  const caller = await placeCall(asterisk, { from: '1001', to: '600', steps: [{ refused: 408 }] })
  const uuid = await app.nextCall()
  await delay(NOTED_MS)
  await killHolder()
  await until(
    () => app.wordsOf(uuid).includes('DESTROY'),
    () => app.wordsOf(uuid).join(' '),
    ACCEPT_WITHIN_MS + 10_000,
  )
  expect(app.wordsOf(uuid)).toEqual(['START', 'CDR', 'DESTROY'])
  await caller.stop()
  await app.close()
})

test('a Dial that was begun has an outcome, also when its replica is killed meanwhile', async () => {
  const app = await startController(nats.url, 'ast1', 'app')
  const callee = await takeCall(asterisk, { steps: ['ring', 'cancelled'] })
  const leg = {
    uuid: 'dialled-1',
    dest_number: '1002',
    dial_string: phoneAt(callee.port),
    params: { leg_timeout: '20' },
  }
  await app.tell('Dial', { destination: { call_params: [leg] } }, 'dial-later')
  await hears(app, leg.uuid, 'RINGING')
  await killHolder()
  expect(await outcomeOf(app, 'dial-later')).toMatchObject({
    code: 500,
    message: 'unknown: the replica that carried out XNode.Dial is gone',
  })
  expect(await app.ask('Hangup', { uuid: leg.uuid })).toMatchObject({ code: 200 })
  await callee.done
  await app.close()
})

test('a command that was answered just before its replica is killed is not carried out again', async () => {
  const app = await startController(nats.url, 'ast1', 'app')
  await originate('call-3')
  const uuid = await app.nextCall()
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  const ids = Array.from({ length: 20 }, (_, index) => `once-${index}`)
  const results = () => app.heard.filter(({ id }) => ids.includes(String(id)))
  for (const id of ids) await app.tell('SetVar', { uuid, data: { once: id } }, id)
  await until(
    () => results().length === ids.length,
    () => `${results().length} results`,
  )
  await killHolder()
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await delay(500)
  expect(results()).toHaveLength(ids.length)
  await app.close()
})

test('a call on offer can be accepted where the replica that announced it is gone', async () => {
  const app = await startController(nats.url, 'ast1', 'app')
  const caller = await placeCall(asterisk, { to: LONG, steps: ['answered', 'hungUp'] })
  const uuid = await app.nextCall()
  await delay(NOTED_MS)
  await killHolder()
  // Nothing is claimed before the one that took over hears of what follows.
  expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await hears(app, uuid, 'DESTROY')
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
  await caller.stop()
  await app.close()
})

test('a replica that is to stop while the store is away stops in time, with exit code 0', async () => {
  const gateway = holder()
  await nats.kill9()
  await delay(500)
  gateway.signal('SIGTERM')
  const { code } = await gateway.ended
  expect(code).toBe(0)
  await nats.restart()
}, 60_000)
