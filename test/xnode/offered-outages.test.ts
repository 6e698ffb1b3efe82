import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FaultProxy, listenToAri, placeCall, type SippRun } from '../harness/index.js'
import { endOf, hears } from './legs.js'
import { claimFor, LONG, OFFERING, RIVAL } from './offering.js'
import { type SteeredSite, startProxiedSite, type TestController, until } from './site.js'

let proxy: FaultProxy
let site: SteeredSite
let app: TestController
let caller: SippRun
let uuid: string

beforeEach(async () => {
  ;({ site, proxy } = await startProxiedSite({ asterisk: { append: { 'extensions.conf': OFFERING } } }))
  app = await site.controller()
  caller = await placeCall(site.asterisk, { to: LONG, steps: ['answered', 'hungUp'] })
  uuid = await app.nextCall()
}, 60_000)
afterEach(async () => {
  await caller.stop()
  await site.stop()
})

/** News of the link to the Asterisk. */
const news = (what: string) =>
  site.gateway.lines.filter((line) => line.includes(`"link ${what}"`) && line.includes('"ast1"')).length

test('a call stays on offer while the connection to Asterisk breaks and comes back', async () => {
  const before = news('up')
  proxy.cut()
  await until(
    () => news('up') > before,
    () => site.gateway.lines.slice(-5).join('\n'),
  )
  expect(await app.ask('Accept', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await endOf(app, uuid)
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
})

test('a claim that Asterisk does not answer ends as unknown; what came of it can be accepted once it is back', async () => {
  proxy.faults.stalled = true
  const answer = await app.ask('Accept', { uuid })
  expect(answer).toMatchObject({
    code: 500,
    message: expect.stringMatching(/^unknown: .*; the channel is out of reach$/),
  })
  expect(await app.ask('Accept', { uuid })).toMatchObject({
    code: 500,
    message: 'not done, Asterisk is out of reach: there is no event socket',
  })
  proxy.faults.stalled = false
  await expect.poll(async () => (await app.ask('Accept', { uuid })).code, { timeout: 10_000 }).toBe(200)
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await hears(app, uuid, 'DESTROY')
}, 60_000)

test('a call that was claimed for an application that is gone is on offer again', async () => {
  expect(await claimFor(site, 'patchbay-that-is-gone', uuid)).toMatchObject({ status: 204 })
  await expect.poll(async () => (await app.ask('Accept', { uuid })).code, { timeout: 5000 }).toBe(200)
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await endOf(app, uuid)
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
})

test('an application that somebody else has taken claims nothing: the call stays on offer to others', async () => {
  const thief = await listenToAri(site.asterisk)
  const rival = await listenToAri(site.asterisk, { app: RIVAL })
  await until(
    () => news('down') > 0,
    () => 'the link did not go down',
  )
  expect(await app.ask('Accept', { uuid })).toMatchObject({
    code: 500,
    message: 'not done, Asterisk is out of reach: there is no event socket',
  })
  expect(await claimFor(site, RIVAL, uuid)).toMatchObject({ status: 204 })
  await rival.until('StasisStart')
  await site.asterisk.ari('POST', `/channels/${uuid}/answer`)
  await site.asterisk.ari('DELETE', `/channels/${uuid}`)
  await Promise.all([thief.close(), rival.close()])
})

test('Asterisk dies while a call is on offer: the claim is refused, and the call ends', async () => {
  await site.asterisk.kill()
  await until(
    () => news('down') > 0,
    () => 'the link did not go down',
  )
  expect(await app.ask('Accept', { uuid })).toMatchObject({
    code: 500,
    message: expect.stringMatching(/^not done, Asterisk is out of reach: /),
  })
  await site.asterisk.restart()
  expect(await endOf(app, uuid)).toMatchObject({ cause: 'NETWORK_OUT_OF_ORDER' })
}, 30_000)
