import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy } from '../harness/index.js'
import { endOf, hears, newUuid, outcomeOf } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController, until } from './site.js'

let site: SteeredSite
let app: TestController
afterEach(() => site.stop())

const CALLS = 50
const OUTAGE_MS = 10_000

/** A leg of the controller that is up. */
async function leg(): Promise<string> {
  const uuid = newUuid()
  const destination = { call_params: [{ uuid, dial_string: 'loopback/answer/services' }] }
  expect(await app.ask('Dial', { destination })).toMatchObject({ code: 202 })
  await hears(app, uuid, 'READY')
  return uuid
}

const legsUp = async () =>
  ((await site.asterisk.ari('GET', '/channels')).body as readonly { readonly id: string }[])
    .map(({ id }) => id)
    .filter((id) => /^leg-\d+$/.test(id))

test(`NATS is away for ${OUTAGE_MS / 1000} s in the middle of ${CALLS} calls`, async () => {
  // Controllers try every two seconds to come back; on a busy machine some of them late.
  site = await startSteeredSite({ bus: 'resumeAfterMs: 5000' })
  app = await site.controller()
  const uuids = await Promise.all(Array.from({ length: CALLS }, leg))
  const gone = uuids.slice(0, 10)
  const [player, reader, changed] = uuids.slice(10)
  const stay = uuids.slice(10)
  // Commands that run through the outage, the one published with an id, the other asked by a request.
  await app.tell('Play', { uuid: player, media: { data: 'tone_stream://%(500,500,425)', loop: 14 } }, 'play-on')
  const reading = app.ask('ReadDTMF', { uuid: reader, max_digits: 1, timeout: 60_000 })
  const lost = reading.catch(() => ({ code: undefined }))
  await hears(app, player!, 'Event.PLAYBACK_START')
  const before = app.heard.length
  await site.nats.kill9()
  await delay(1000)
  expect((await legsUp()).sort()).toEqual([...uuids].sort())
  for (const uuid of gone) await site.asterisk.ari('DELETE', `/channels/${uuid}`)
  await site.asterisk.ari('POST', `/channels/${stay[3]}/hold`)
  // A command that cannot be sent is the sender's: nobody carries it out later.
  app.ask('SetVar', { uuid: changed, data: { STALE: '1' } }, 1000).catch(() => undefined)
  await delay(OUTAGE_MS - 1000)
  await site.nats.restart()
  for (const uuid of gone) expect(await endOf(app, uuid)).toMatchObject({ state: 'DESTROY' })
  // What fell into the gap was told in its order, once.
  for (const uuid of gone) expect(app.wordsOf(uuid).slice(-2)).toEqual(['CDR', 'DESTROY'])
  await until(
    () => app.heard.slice(before).some(({ method }) => method === 'Event.NodeRegister'),
    () => 'the node did not announce itself again',
  )
  expect((await legsUp()).sort()).toEqual([...stay].sort())
  expect((await app.ask('GetVar', { uuid: changed, data: ['STALE'] })).data).toEqual({})
  expect(await app.ask('SetVar', { uuid: changed, data: { FRESH: '1' } })).toMatchObject({ code: 200 })
  expect(await app.ask('GetVar', { uuid: changed, data: ['FRESH'] })).toMatchObject({ data: { FRESH: '1' } })
  // A command that ran through it comes to its end, and is heard of by whoever can be.
  expect(await outcomeOf(app, 'play-on', 15_000)).toMatchObject({ code: 200 })
  expect(await app.ask('Stop', { uuid: reader })).toMatchObject({ code: 200 })
  // The answer went to an inbox that was asked for before the outage; its asker may have given it up.
  expect([206, undefined]).toContain((await Promise.race([lost, delay(1000, { code: undefined })])).code)
  for (const uuid of stay) expect(app.wordsOf(uuid)).not.toContain('DESTROY')
  expect(await Promise.all(stay.map(async (uuid) => (await app.ask('Hangup', { uuid })).code))).toEqual(
    stay.map(() => 200),
  )
  for (const uuid of stay) await endOf(app, uuid)
}, 90_000)

test('Asterisk is silent: what waited behind others for longer than its time is not done afterwards', async () => {
  let proxy: FaultProxy | undefined
  site = await startSteeredSite({
    reach: async ({ httpPort, url }) => {
      proxy = await startFaultProxy(httpPort)
      return proxy.through(url)
    },
  })
  app = await site.controller()
  const uuid = await leg()
  proxy!.faults.stalled = true
  const set = (name: string) => app.ask('SetVar', { uuid, data: { [name]: '1' } })
  const names = ['ONE', 'TWO', 'THREE', 'FOUR']
  const answers = await Promise.all(
    names.map(async (name) => {
      const answer = await set(name)
      // The third one would find Asterisk well again.
      if (name === 'TWO') proxy!.faults.stalled = false
      return answer
    }),
  )
  expect(answers.map(({ code, message }) => [code, message])).toEqual([
    [500, expect.stringMatching(/^unknown: .*; the channel is /)],
    [500, expect.stringMatching(/^unknown: .*; the channel is /)],
    [500, expect.stringMatching(/^not done: it waited for [12]\d s$/)],
    [500, expect.stringMatching(/^not done: it waited for [12]\d s$/)],
  ])
  const again = async () => (await app.ask('GetVar', { uuid, data: names })).data
  let seen = await again().catch(() => undefined)
  for (let tries = 0; seen === undefined && tries < 100; tries++) {
    await delay(100)
    seen = await again()
  }
  expect(seen).not.toHaveProperty('THREE')
  expect(seen).not.toHaveProperty('FOUR')
  expect(await set('FIVE')).toMatchObject({ code: 200 })
  await proxy!.close()
}, 90_000)
