import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placeCall, takeCall } from '../harness/index.js'
import { endOf, hears, newUuid, nothingLeft, outcomeOf, phoneAt, takenCall } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController } from './site.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())

test('dial out, three phones ring, the first who answers has it, bridge, keys, hold, unhold, blind transfer', async () => {
  const [one, two, three, fourth] = await Promise.all([
    takeCall(site.asterisk, { steps: ['ring', 'cancelled'] }),
    takeCall(site.asterisk, { steps: ['ring', { pauseMs: 1500 }, 'answer', { getsKeys: '12#' }, 'hungUp'] }),
    takeCall(site.asterisk, { steps: ['ring', 'cancelled'] }),
    takeCall(site.asterisk, { steps: ['ring', 'answer', { pauseMs: 200 }, 'hangUp'] }),
  ])
  const caller = await placeCall(site.asterisk, { from: '1001', to: '600', steps: ['answered', 'hungUp'] })
  const uuid = await takenCall(app)
  const legs = [one, two, three].map(({ port }) => ({ uuid: newUuid(), dial_string: phoneAt(port) }))
  const [first, winner, last] = legs.map((leg) => leg.uuid) as [string, string, string]
  await app.tell('Dial', { destination: { ringall: true, call_params: legs } }, 'ring-all')
  expect(await outcomeOf(app, 'ring-all')).toMatchObject({ code: 200, uuid: winner })
  await Promise.all([one.done, three.done])
  for (const lost of [first, last]) expect(await endOf(app, lost)).toMatchObject({ cause: 'LOSE_RACE' })
  expect(await app.ask('ChannelBridge2', { uuid, peer_uuid: winner })).toMatchObject({ code: 200 })
  await hears(app, winner, 'BRIDGE')
  // The phone checks each key that arrives.
  expect(await app.ask('SendDTMF', { uuid: winner, dtmf: '12#' })).toMatchObject({ code: 200 })
  // Asterisk presses a key twice when a Hold comes amid the keys.
  await delay(2000)
  expect(await app.ask('Hold', { uuid: winner, action: 'ON' })).toMatchObject({ code: 200 })
  expect(await app.ask('GetState', { uuid: winner })).toMatchObject({ held: true, bridged: true })
  expect(await app.ask('Hold', { uuid: winner, action: 'OFF' })).toMatchObject({ code: 200 })
  expect(await app.ask('GetState', { uuid: winner })).toMatchObject({ held: false, bridged: true })
  const place = { extension: `9${fourth.port}`, context: 'numbers' }
  expect(await app.ask('Transfer', { uuid, ...place })).toMatchObject({ code: 200 })
  await hears(app, winner, 'UNBRIDGE')
  await fourth.done
  await caller.done
  await endOf(app, uuid)
  expect(await app.ask('GetState', { uuid: winner })).toMatchObject({ answered: true, bridged: false })
  expect(await app.ask('Hangup', { uuid: winner })).toMatchObject({ code: 200 })
  await two.done
  await endOf(app, winner)
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'])
  expect(app.wordsOf(winner)).toEqual([
    ...['CALLING', 'RINGING', 'ANSWERED', 'READY', 'BRIDGE', 'BRIDGE held', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'],
  ])
  for (const lost of [first, last]) expect(app.wordsOf(lost)).toEqual(['CALLING', 'RINGING', 'CDR', 'DESTROY'])
  await nothingLeft(site)
})
