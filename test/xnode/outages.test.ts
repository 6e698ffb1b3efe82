import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { placeCall } from '../harness/index.js'
import { endOf, hears, legTo, outcomeOf } from './legs.js'
import { type SteeredSite, startProxiedSite, startSteeredSite, type TestController, until } from './site.js'

let site: SteeredSite
let app: TestController
afterEach(() => site.stop())

async function openProxied(steer = '') {
  const opened = await startProxiedSite({ steer })
  site = opened.site
  return opened
}

/** Channels that stand in an application of Stasis. */
async function standing(): Promise<number> {
  const channels = (await site.asterisk.ari('GET', '/channels')).body as readonly { dialplan: { app_name: string } }[]
  return channels.filter(({ dialplan }) => dialplan.app_name === 'Stasis').length
}

const CALLS = 50
const OUTAGE_MS = 10_000

const legsUp = async () =>
  ((await site.asterisk.ari('GET', '/channels')).body as readonly { readonly id: string }[])
    .map(({ id }) => id)
    .filter((id) => /^leg-\d+$/.test(id))

test(`NATS is away for ${OUTAGE_MS / 1000} s in the middle of ${CALLS} calls`, async () => {
  // Controllers try every two seconds to come back; on a busy machine some of them late.
  site = await startSteeredSite({ bus: 'resumeAfterMs: 5000' })
  app = await site.controller()
  const uuids = await Promise.all(Array.from({ length: CALLS }, () => legTo(app, 'answer')))
  const gone = uuids.slice(0, 10)
  const stay = uuids.slice(10)
  const [player, reader, changed, one, two] = stay
  // Commands that run through the outage.
  await app.tell('Play', { uuid: player, media: { data: 'tone_stream://%(500,500,425)', loop: 14 } }, 'play-on')
  await app.tell('ReadDTMF', { uuid: reader, max_digits: 1, timeout: 60_000 }, 'read-on')
  await hears(app, player!, 'Event.PLAYBACK_START')
  const before = app.heard.length
  await site.nats.kill9()
  await delay(1000)
  expect((await legsUp()).sort()).toEqual([...uuids].sort())
  for (const uuid of gone) await site.asterisk.ari('DELETE', `/channels/${uuid}`)
  await site.asterisk.ari('POST', '/bridges/meanwhile', { type: 'mixing' })
  expect((await site.asterisk.ari('POST', `/bridges/meanwhile/addChannel?channel=${one},${two}`)).status).toBe(204)
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
  // Two who began to talk meanwhile: told, and known.
  for (const [uuid, peer_uuid] of [
    [one!, two],
    [two!, one],
  ] as const) {
    await hears(app, uuid, 'BRIDGE')
    expect(app.wordsOf(uuid)).toEqual(['CALLING', 'ANSWERED', 'READY', 'BRIDGE'])
    const told = app.heard.find(({ params }) => params?.uuid === uuid && params.state === 'BRIDGE')
    expect(told?.params).toMatchObject({ peer_uuid })
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, bridged: true })
  }
  expect(await app.ask('SetVar', { uuid: changed, data: { FRESH: '1' } })).toMatchObject({ code: 200 })
  expect(await app.ask('GetVar', { uuid: changed, data: ['FRESH'] })).toMatchObject({ data: { FRESH: '1' } })
  // A command that ran through it comes to its end, and is heard of by whoever can be.
  expect(await outcomeOf(app, 'play-on', 15_000)).toMatchObject({ code: 200 })
  expect(await app.ask('Stop', { uuid: reader })).toMatchObject({ code: 200 })
  expect(await outcomeOf(app, 'read-on')).toMatchObject({ code: 206, uuid: reader })
  for (const uuid of stay) expect(app.wordsOf(uuid)).not.toContain('DESTROY')
  expect(await Promise.all(stay.map(async (uuid) => (await app.ask('Hangup', { uuid })).code))).toEqual(
    stay.map(() => 200),
  )
  for (const uuid of stay) await endOf(app, uuid)
}, 90_000)

test('Asterisk is silent: what waited behind others for longer than its time is not done afterwards', async () => {
  const { proxy } = await openProxied()
  app = await site.controller()
  const uuid = await legTo(app, 'answer')
  proxy.faults.stalled = true
  const set = (name: string) => app.ask('SetVar', { uuid, data: { [name]: '1' } })
  const names = ['ONE', 'TWO', 'THREE', 'FOUR']
  const answers = await Promise.all(
    names.map(async (name) => {
      const answer = await set(name)
      // The third one would find Asterisk well again.
      if (name === 'TWO') proxy.faults.stalled = false
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
}, 90_000)

test('a call that entered while nobody heard of it is announced by the picture after that', async () => {
  const { proxy } = await openProxied()
  app = await site.controller()
  proxy.faults.stalled = true
  const caller = await placeCall(site.asterisk, { to: '600', steps: ['answered', 'hungUp'] })
  await expect.poll(standing).toBe(1)
  // What Asterisk wrote to the connection dies with it.
  proxy.cut()
  proxy.faults.stalled = false
  const uuid = await app.nextCall()
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await endOf(app, uuid)
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
  await caller.done
}, 60_000)

test('nor is a call for ever that nobody accepts and whose entry nobody heard of', async () => {
  const { proxy } = await openProxied('acceptWithinMs: 1000')
  app = await site.controller()
  proxy.faults.stalled = true
  const caller = await placeCall(site.asterisk, { to: '600', steps: [{ refused: 408 }] })
  await expect.poll(standing).toBe(1)
  proxy.cut()
  proxy.faults.stalled = false
  const uuid = await app.nextCall()
  await endOf(app, uuid)
  expect(app.wordsOf(uuid)).toEqual(['START', 'CDR', 'DESTROY'])
  await caller.done
}, 60_000)
