import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type AriGate,
  type AriListener,
  type CallerStep,
  listenToAri,
  placeCall,
  type SippRun,
  startAriGate,
} from '../harness/index.js'
import { startGateway } from '../integration/site.js'
import { endOf, hears, nothingLeft } from './legs.js'
import { BRIEF, claimFor, OFFERING, RIVAL, TOLD, UNTOLD } from './offering.js'
import { type SteeredSite, startController, startSteeredSite, type TestController, until } from './site.js'

const RACES = 20
const ANSWERED: readonly CallerStep[] = ['answered', 'hungUp']

let gate: AriGate
let site: SteeredSite
let app: TestController
let other: TestController
/** Claims that the gateway made. */
let claims: string[] = []
const running: SippRun[] = []

beforeAll(async () => {
  site = await startSteeredSite({
    asterisk: { append: { 'extensions.conf': OFFERING } },
    reach: async ({ httpPort }) => {
      gate = await startAriGate(httpPort)
      return gate.url
    },
  })
  app = await site.controller()
  other = await site.controller()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ done }) => done))
  await nothingLeft(site)
})
afterAll(async () => {
  await site.stop()
  await gate.close()
})

const note = ({ path }: { readonly path: string }) => {
  if (path.startsWith('/ari/events/claim')) claims.push(path)
}

/** A caller whose call ends as it is told to: by default it is never answered. */
async function offered(to: string, calls = 1, steps: readonly CallerStep[] = [{ refused: 603 }]): Promise<void> {
  claims = []
  gate.onRequest = note
  running.push(await placeCall(site.asterisk, { from: '5550100', to, steps, calls, callsPerSecond: 20 }))
}

/** Events that the gateway took from Asterisk. */
async function taken(): Promise<number> {
  const text = await site.gateway.metrics.text()
  return Number(/^gateway_taken_messages_total\{link="ast1"\} (\d+)$/m.exec(text)?.[1])
}

describe('a call that is offered to several applications', () => {
  test('is announced, claimed by Accept, and steered from then on', async () => {
    await offered(TOLD, 1, ANSWERED)
    const uuid = await app.nextCall()
    const start = app.heard.find(({ params }) => params?.uuid === uuid)
    const params = { 'patchbay_flags.offered': '!true' }
    expect(start?.params).toMatchObject({ state: 'START', direction: 'inbound', dest_number: TOLD, params })
    expect(await app.ask('SetVar', { uuid, data: { early: '1' } })).toMatchObject({ code: 400 })
    const counted = () => app.ask('NativeAPI', { cmd: 'show', args: 'channels count' })
    expect([claims, await counted()]).toMatchObject([[], { data: '0 total.' }])
    expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 200, uuid, node_uuid: 'ast1' })
    expect([claims.length, await counted()]).toMatchObject([1, { data: '1 total.' }])
    expect(await other.ask('Accept', { uuid })).toMatchObject({ code: 419 })
    expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 200 })
    expect(await app.ask('SetVar', { uuid, data: { late: '1' } })).toMatchObject({ code: 200 })
    expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
    expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
    await endOf(app, uuid)
    expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
    expect(claims).toHaveLength(1)
  })

  test('is claimed by Answer as well', async () => {
    await offered(UNTOLD, 1, ANSWERED)
    const uuid = await app.nextCall()
    expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, answered: true, controlled: true })
    expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
    await endOf(app, uuid)
    expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
  })

  test('belongs to one of two controllers that race for it', async () => {
    await offered(TOLD, RACES)
    for (let race = 0; race < RACES; race++) {
      const uuid = await app.nextCall()
      const [one, two] = await Promise.all([app.ask('Accept', { uuid }), other.ask('Accept', { uuid })])
      expect([one.code, two.code].sort()).toEqual([200, 419])
      await app.ask('Hangup', { uuid })
    }
    expect(claims).toHaveLength(RACES)
  })

  test('goes on in the dialplan when nobody claims it, and is told of to its end', async () => {
    await offered(BRIEF, 1, ANSWERED)
    const uuid = await app.nextCall()
    await hears(app, uuid, 'ANSWERED')
    expect(claims).toEqual([])
    expect(await app.ask('Accept', { uuid })).toMatchObject({
      code: 410,
      message: 'the channel is on offer no more, and went on in the dialplan',
    })
    await endOf(app, uuid)
    expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
    expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 400, message: `there is no channel ${uuid}` })
  })

  test('ends for all when the caller hangs up before', async () => {
    await offered(TOLD, 1, ['ringing', { pauseMs: 300 }, 'cancel'])
    const uuid = await app.nextCall()
    await endOf(app, uuid)
    expect(app.wordsOf(uuid)).toEqual(['START', 'CDR', 'DESTROY'])
    expect(claims).toEqual([])
  })

  test('is gone for who accepts it while the caller hangs up', async () => {
    await offered(TOLD)
    const uuid = await app.nextCall()
    gate.onRequest = async ({ path }) => {
      if (!path.startsWith('/ari/events/claim')) return
      await site.asterisk.ari('DELETE', `/channels/${uuid}`)
      await endOf(app, uuid)
    }
    expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 410, message: 'the channel is gone' })
  })

  test('may be heard of after it is over: there is nothing left to accept', async () => {
    let letThrough = () => {}
    const late = new Promise<void>((resolve) => {
      letThrough = resolve
    })
    gate.onEvents = () => late
    await offered(BRIEF, 1, ANSWERED)
    await delay(1500)
    gate.onEvents = () => undefined
    letThrough()
    const uuid = await app.nextCall()
    expect((await app.ask('Accept', { uuid })).code).toBeOneOf([400, 410])
    await endOf(app, uuid)
  })
})

describe('another application', () => {
  let rival: AriListener
  beforeAll(async () => {
    rival = await listenToAri(site.asterisk, { app: RIVAL })
  })
  afterAll(() => rival.close())

  test('that claims the call and is not told of leaves a refusal to those who come later', async () => {
    await offered(UNTOLD)
    const uuid = await app.nextCall()
    expect(await claimFor(site, RIVAL, uuid)).toMatchObject({ status: 204 })
    await rival.until('StasisStart', ({ channel }) => (channel as { id?: string }).id === uuid)
    const taken = { code: 419, message: 'another application claimed the call' }
    expect(await app.ask('Accept', { uuid })).toMatchObject(taken)
    expect(await app.ask('Answer', { uuid })).toMatchObject(taken)
    expect(await app.ask('Accept', { uuid, takeover: true })).toMatchObject(taken)
    expect(claims).toHaveLength(3)
    await site.asterisk.ari('DELETE', `/channels/${uuid}`)
    await endOf(app, uuid)
    expect(app.wordsOf(uuid)).toEqual(['START', 'CDR', 'DESTROY'])
  })

  test('that claims the call, as Asterisk tells, has it without another try', async () => {
    await offered(TOLD)
    const uuid = await app.nextCall()
    const before = await taken()
    expect(await claimFor(site, RIVAL, uuid)).toMatchObject({ status: 204 })
    await rival.until('CallClaimed', ({ channel }) => (channel as { id?: string }).id === uuid)
    await expect.poll(taken).toBeGreaterThan(before)
    expect(await app.ask('Accept', { uuid })).toMatchObject({
      code: 419,
      message: 'another application claimed the call',
    })
    expect(claims).toEqual([])
    await site.asterisk.ari('DELETE', `/channels/${uuid}`)
    await endOf(app, uuid)
  })

  test('races with a controller, and one of them has the call', async () => {
    await offered(UNTOLD, RACES)
    const winners: string[] = []
    for (let race = 0; race < RACES; race++) {
      const uuid = await app.nextCall()
      const [ours, theirs] = await Promise.all([app.ask('Accept', { uuid }), claimFor(site, RIVAL, uuid)])
      expect([ours.code, theirs.status]).toBeOneOf([
        [200, 409],
        [419, 204],
      ])
      winners.push(ours.code === 200 ? 'ours' : 'theirs')
      await site.asterisk.ari('DELETE', `/channels/${uuid}`)
    }
    expect(winners).toHaveLength(RACES)
  })
})

describe('two gateways of different groups', () => {
  let second: Awaited<ReturnType<typeof startGateway>>
  let desk: TestController
  beforeAll(async () => {
    const { asterisk, nats } = site
    second = await startGateway(`
group: second
links:
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
  ast1:
    type: ari
    dialect: stasis
    url: '${asterisk.url}'
    username: ${asterisk.user}
    password: ${asterisk.password}
    app: ${RIVAL}
    node: ast1-desk
    steer: {}
routes:
  - { from: ast1, to: bus }
`)
    desk = await startController(nats.url, 'ast1-desk', 'desk-1')
  })
  afterAll(async () => {
    await desk.close()
    await second.stop()
  })

  test.each([TOLD, UNTOLD])(
    'race for a call to %s, and the controllers of one have it',
    async (to) => {
      await offered(to, RACES)
      for (let race = 0; race < RACES; race++) {
        const uuid = await app.nextCall()
        const announced = (node: string) =>
          desk.heard.some(({ params }) => params?.uuid === uuid && params.node_uuid === node)
        await until(
          () => announced('ast1') && announced('ast1-desk'),
          () => `${uuid} was not announced by both`,
        )
        const [one, two] = await Promise.all([app.ask('Accept', { uuid }), desk.ask('Accept', { uuid })])
        expect([one.code, two.code].sort()).toEqual([200, 419])
        const winner = one.code === 200 ? app : desk
        expect(await winner.ask('SetVar', { uuid, data: { whose: 'mine' } })).toMatchObject({ code: 200 })
        expect(await winner.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
      }
    },
    30_000,
  )
})
