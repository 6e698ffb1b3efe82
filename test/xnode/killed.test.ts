import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeCall } from '../harness/index.js'
import { endOf, hears, legTo, newUuid, outcomeOf, phoneAt, waitsOf } from './legs.js'
import { type Answer, type SteeredSite, startSteeredSite, type TestController, until } from './site.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())

const LONG_TONE = { data: 'tone_stream://%(500,500,425)', loop: 100 }
const BOUND_MS = 5000

/** Timers of the process, which is the gateway's and the test's. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
/** Those of the test itself, and of connections, come and go. */
const SLACK = 3

test('Asterisk is killed while commands run: each has its end, each call its account, and nothing is left', async () => {
  expect(await waitsOf(site)).toBe(0)
  const timersBefore = timers()
  const ringing = await takeCall(site.asterisk, { steps: ['ring', { pauseMs: 60_000 }] })
  const ringingToo = await takeCall(site.asterisk, { steps: ['ring', { pauseMs: 60_000 }] })
  const uuids = await Promise.all(Array.from({ length: 11 }, () => legTo(app, 'answer')))
  const [player, reader, bridged, peer, dialler, recorder, guest, listener, spoken, queued, talker] = uuids
  await app.ask('MediaFork', { uuid: spoken, action: 'start', url: 'rtp://127.0.0.1:9' })
  await app.ask('Broadcast', { uuid: spoken, media: LONG_TONE, option: 'ALEG' })
  const dialled = newUuid()
  await app.tell(
    'Dial',
    { destination: { call_params: [{ uuid: dialled, dial_string: phoneAt(ringing.port) }] } },
    'dial-killed',
  )
  await hears(app, dialled, 'RINGING')
  const destination = { call_params: [{ uuid: newUuid(), dial_string: phoneAt(ringingToo.port) }] }
  const spokenTo = newUuid()
  const talk = { call_params: [{ uuid: spokenTo, dial_string: 'loopback/answer/services' }] }
  const begun: Readonly<Record<string, Promise<Answer>>> = {
    Play: app.ask('Play', { uuid: player, media: LONG_TONE }),
    'Play behind it': app.ask('Play', { uuid: player, media: LONG_TONE }),
    ReadDTMF: app.ask('ReadDTMF', { uuid: reader, max_digits: 9, timeout: 60_000 }),
    'a talk by ChannelBridge': app.ask('ChannelBridge', { uuid: bridged, peer_uuid: peer }),
    'Bridge, in its talk': app.ask('Bridge', { uuid: talker, destination: talk }),
    'Bridge, ringing': app.ask('Bridge', { uuid: dialler, destination }),
    Record: app.ask('Record', { uuid: recorder, path: 'killed.wav', action: 'RECORD' }),
    Conference: app.ask('Conference', { uuid: guest, name: 'killed' }),
    ThreeWay: app.ask('ThreeWay', { uuid: listener, target_uuid: bridged, direction: 'LISTEN' }),
  }
  await until(
    () => app.heard.some(({ params }) => params?.conference === 'killed'),
    () => 'nobody joined',
  )
  await hears(app, bridged!, 'BRIDGE')
  await hears(app, destination.call_params[0]!.uuid, 'RINGING')
  await hears(app, talker!, 'BRIDGE')
  await hears(app, spokenTo, 'BRIDGE')
  expect(await waitsOf(site)).toBeGreaterThan(5)
  expect(timers()).toBeGreaterThan(timersBefore + 5)
  await site.asterisk.kill()
  const killedAt = Date.now()
  const ends = await Promise.all(
    Object.entries(begun).map(async ([what, answer]) => {
      const { code, message } = await answer
      return { what, code, message, ms: Date.now() - killedAt }
    }),
  )
  const dialEnd = { what: 'Dial', ...(await outcomeOf(app, 'dial-killed')), ms: Date.now() - killedAt }
  for (const { what, code, message, ms } of [...ends, dialEnd]) {
    expect([what, code, message]).toEqual([
      what,
      500,
      expect.stringMatching(/^(unknown: .*; the channel is (out of reach|gone)$|not done, )/),
    ])
    expect(ms, what).toBeLessThan(BOUND_MS)
  }
  // While it is away a command is refused, and none waits for it to come back.
  expect(await app.ask('Play', { uuid: queued, media: LONG_TONE })).toMatchObject({
    code: 500,
    message: expect.stringMatching(/^not done, Asterisk is out of reach: /),
  })
  const before = Date.now()
  await site.asterisk.restart()
  const every = [...uuids, dialled, spokenTo, destination.call_params[0]!.uuid]
  for (const uuid of every) {
    expect(await endOf(app, uuid)).toMatchObject({ cause: 'NETWORK_OUT_OF_ORDER' })
    // That it left its conference is told of the conference.
    const words = app.wordsOf(uuid).filter((word) => word !== 'Event.Conference')
    expect(words.slice(-2)).toEqual(['CDR', 'DESTROY'])
    expect(words.filter((word) => word === 'DESTROY')).toHaveLength(1)
  }
  expect(Date.now() - before).toBeLessThan(30_000)
  expect(await waitsOf(site)).toBe(0)
  const conferences = () => app.ask('ConferenceList', { data: { command: 'conferenceInfo', data: {} } })
  await expect.poll(conferences).toMatchObject({ data: [] })
  // The node is as good as before.
  const uuid = await legTo(app, 'answer')
  expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
  await endOf(app, uuid)
  expect(await waitsOf(site)).toBe(0)
  await expect.poll(timers).toBeLessThanOrEqual(timersBefore + SLACK)
  await Promise.all([ringing.stop(), ringingToo.stop()])
}, 90_000)
