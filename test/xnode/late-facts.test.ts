import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { answeredCaller, endOf, hears, legTo, newUuid, nothingLeft, outcomeOf } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController } from './site.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())
afterEach(() => nothingLeft(site))

/** A call with sound: without any, Asterisk keeps a channel that listens to it after its end. */
const sounding = () => legTo(app, 'music')

async function hangUp(uuid: string) {
  await app.ask('Hangup', { uuid })
  await endOf(app, uuid)
}

describe('what is stopped', () => {
  const start = { MediaFork: { action: 'start', url: 'rtp://127.0.0.1:9' }, Echo2: { action: 'START' } }

  test.each(Object.entries(start))('%s can be started again at once', async (method, params) => {
    const uuid = await sounding()
    for (let round = 0; round < 5; round++) {
      expect(await app.ask(method, { uuid, ...params })).toMatchObject({ code: 200 })
      expect(await app.ask(method, { uuid, action: 'STOP' })).toMatchObject({ code: 200 })
    }
    await hangUp(uuid)
  })

  test('a recording can be started again at once', async () => {
    const uuid = await sounding()
    for (let round = 0; round < 3; round++)
      for (const action of ['START', 'STOP'])
        expect(await app.ask('Record', { uuid, action, path: 'again.wav' })).toMatchObject({ code: 200 })
    await hangUp(uuid)
  })
})

test('what a call is listened to with is no call', async () => {
  const uuid = await sounding()
  expect(await app.ask('MediaFork', { uuid, action: 'start', url: 'rtp://127.0.0.1:9' })).toMatchObject({ code: 200 })
  expect(await app.ask('Record', { uuid, action: 'START', path: 'counted.wav' })).toMatchObject({ code: 200 })
  expect(await app.ask('JStatus')).toMatchObject({ data: { sessions: { count: { active: 1 } } } })
  await hangUp(uuid)
})

test('a leg that is hung up as soon as it is told of does not ring on', async () => {
  for (let round = 0; round < 5; round++) {
    const uuid = newUuid()
    const destination = { call_params: [{ uuid, dial_string: 'loopback/answer/services' }] }
    await app.tell('Dial', { destination }, uuid)
    await hears(app, uuid, 'CALLING')
    expect((await app.ask('Hangup', { uuid })).code).toSatisfy((code: number) => code === 200 || code === 410)
    await endOf(app, uuid)
    await outcomeOf(app, uuid)
  }
})

describe('a command of a controller that does not say its name', () => {
  test('has its result told to the owner, also of a call that ended', async () => {
    const { uuid, caller } = await answeredCaller(site, app)
    const media = { data: 'tone_stream://%(500,500,425)', loop: 100 }
    for (const id of ['playing', 'queued']) await app.tell('Play', { uuid, media, ctrl_uuid: '' }, id)
    await hears(app, uuid, 'Event.PLAYBACK_START')
    await site.asterisk.ari('DELETE', `/channels/${uuid}`)
    await caller.done
    for (const id of ['playing', 'queued']) expect(await outcomeOf(app, id)).toMatchObject({ code: 410, uuid })
  })

  test('is carried out, and that of one whose name cannot be is not', async () => {
    const uuid = await legTo(app, 'answer')
    expect(await app.ask('Hangup', { uuid, ctrl_uuid: 'no body' })).toMatchObject({ code: 400 })
    expect(await app.ask('GetState', { uuid, ctrl_uuid: '' })).toMatchObject({ code: 200 })
    await hangUp(uuid)
  })
})
