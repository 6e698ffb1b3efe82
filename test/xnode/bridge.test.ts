import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { placeCall, takeCall } from '../harness/index.js'
import { endOf, hears, newUuid, nothingLeft, phoneAt, takenCall } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController } from './site.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())
afterEach(() => nothingLeft(site))

const legTo = (dial_string: string, more: object = {}) => ({ uuid: newUuid(), dial_string, ...more })
const callIn = (steps: Parameters<typeof placeCall>[1]['steps']) =>
  placeCall(site.asterisk, { from: '1001', to: '600', steps })

describe('Bridge', () => {
  test('dials, connects, and is over when the callee hangs up; the caller stays', async () => {
    const callee = await takeCall(site.asterisk, {
      steps: ['ring', { pauseMs: 100 }, 'answer', { pauseMs: 2000 }, 'hangUp'],
    })
    const caller = await callIn(['answered', 'hungUp'])
    const uuid = await takenCall(app)
    const leg = legTo(phoneAt(callee.port), { cid_number: '1001' })
    const result = await app.ask('Bridge', { uuid, destination: { call_params: [leg] } })
    expect(result).toMatchObject({ code: 200, uuid, cause: 'NORMAL_CLEARING' })
    await callee.done
    await endOf(app, leg.uuid)
    expect(app.wordsOf(leg.uuid)).toEqual(['CALLING', 'RINGING', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'])
    expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE'])
    const bridged = app.heard.find(({ params }) => params?.uuid === uuid && params.state === 'BRIDGE')
    expect(bridged?.params).toMatchObject({ peer_uuid: leg.uuid, peers: [leg.uuid], bridged: true })
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, bridged: false })
    await app.ask('Hangup', { uuid })
    await caller.done
    await endOf(app, uuid)
  })

  test('is 410 when the caller hangs up while it rings; the callee is cancelled', async () => {
    const callee = await takeCall(site.asterisk, { steps: ['ring', 'cancelled'] })
    const caller = await callIn(['answered', { pauseMs: 2500 }, 'hangUp'])
    const uuid = await takenCall(app)
    const leg = legTo(phoneAt(callee.port))
    expect(await app.ask('Bridge', { uuid, destination: { call_params: [leg] } })).toMatchObject({ code: 410, uuid })
    await Promise.all([caller.done, callee.done])
    expect(await endOf(app, leg.uuid)).toMatchObject({ cause: 'ORIGINATOR_CANCEL' })
    await endOf(app, uuid)
  })

  test('is 410 when the caller hangs up while they talk; the callee is hung up', async () => {
    const callee = await takeCall(site.asterisk, { steps: ['answer', 'hungUp'] })
    const caller = await callIn(['answered', { pauseMs: 2500 }, 'hangUp'])
    const uuid = await takenCall(app)
    const leg = legTo(phoneAt(callee.port))
    expect(await app.ask('Bridge', { uuid, destination: { call_params: [leg] } })).toMatchObject({ code: 410, uuid })
    await Promise.all([caller.done, callee.done])
    await endOf(app, leg.uuid)
    await endOf(app, uuid)
    expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'])
  })

  test('flow_control says who stays', async () => {
    const caller = await callIn(['answered', 'hungUp'])
    const uuid = await takenCall(app)
    const leg = legTo('loopback/wait-2/services')
    const result = await app.ask('Bridge', { uuid, flow_control: 'NONE', destination: { call_params: [leg] } })
    expect(result).toMatchObject({ code: 200 })
    await caller.done
    await endOf(app, uuid)
    const second = await callIn(['answered', { pauseMs: 2500 }, 'hangUp'])
    const next = await takenCall(app)
    const stays = legTo('loopback/answer/services')
    const over = await app.ask('Bridge', { uuid: next, flow_control: 'ANY', destination: { call_params: [stays] } })
    expect(over).toMatchObject({ code: 410 })
    await second.done
    expect(await app.ask('GetState', { uuid: stays.uuid })).toMatchObject({ code: 200, answered: true })
    await app.ask('Hangup', { uuid: stays.uuid })
  })

  test('a callee that is busy: the caller ends likewise, unless it is to go on', async () => {
    for (const goesOn of ['false', 'true', 'NO_ANSWER, USER_BUSY']) {
      const callee = await takeCall(site.asterisk, { steps: ['ring', { refuse: 486 }] })
      const caller = await callIn(['answered', 'hungUp'])
      const uuid = await takenCall(app)
      const leg = legTo(phoneAt(callee.port))
      const asked = { uuid, continue_on_fail: goesOn, destination: { call_params: [leg] } }
      expect(await app.ask('Bridge', asked)).toMatchObject({ code: 486, cause: 'USER_BUSY', uuid })
      if (goesOn === 'false') expect(await endOf(app, uuid)).toMatchObject({ cause: 'USER_BUSY' })
      else await app.ask('Hangup', { uuid })
      await Promise.all([caller.done, callee.done])
      await endOf(app, uuid)
      await endOf(app, leg.uuid)
    }
  })

  test('Stop ends it: 206, the callee is hung up and the caller stays', async () => {
    for (const steps of [['ring', 'cancelled'] as const, ['answer', 'hungUp'] as const]) {
      const callee = await takeCall(site.asterisk, { steps: [...steps] })
      const caller = await callIn(['answered', 'hungUp'])
      const uuid = await takenCall(app)
      const leg = legTo(phoneAt(callee.port))
      const bridging = app.ask('Bridge', { uuid, destination: { call_params: [leg] } })
      await hears(app, leg.uuid, steps[0] === 'ring' ? 'RINGING' : 'BRIDGE')
      expect(await app.ask('Stop', { uuid })).toMatchObject({ code: 200 })
      expect(await bridging).toMatchObject({ code: 206 })
      await callee.done
      await endOf(app, leg.uuid)
      await app.ask('Hangup', { uuid })
      await caller.done
      await endOf(app, uuid)
    }
  })

  test('the caller hears what it is to hear until somebody answers', async () => {
    const callee = await takeCall(site.asterisk, { steps: ['ring', { pauseMs: 1500 }, 'answer', 'hungUp'] })
    const caller = await callIn(['answered', 'hungUp'])
    const uuid = await takenCall(app)
    const destination = { call_params: [legTo(phoneAt(callee.port))] }
    expect(await app.ask('Bridge', { uuid, ringback: '../../x', destination })).toMatchObject({
      code: 400,
      message: expect.stringContaining('ringback'),
    })
    const ringback = 'tone_stream://%(200,100,440,480);loops=-1'
    const bridging = app.ask('Bridge', { uuid, ringback, destination })
    for (const each of [destination.call_params[0]!.uuid, uuid]) await hears(app, each, 'BRIDGE')
    const sounds = app.wordsOf(uuid).filter((word) => /PLAYBACK|BRIDGE/.test(word))
    expect(sounds).toEqual(['Event.PLAYBACK_START', 'Event.PLAYBACK_STOP', 'BRIDGE'])
    await app.ask('Hangup', { uuid })
    expect(await bridging).toMatchObject({ code: 410 })
    await Promise.all([caller.done, callee.done])
    await endOf(app, uuid)
  })

  test('sound of the callee is heard before the answer, by a caller that is not answered either', async () => {
    const callee = await takeCall(site.asterisk, {
      steps: ['ring', { pauseMs: 50 }, 'progress', { pauseMs: 2000 }, 'answer', { pauseMs: 1500 }, 'hangUp'],
    })
    const caller = await callIn(['progress', 'answered', 'hungUp'])
    const uuid = await app.nextCall()
    await app.ask('Accept', { uuid })
    const leg = legTo(phoneAt(callee.port))
    expect(await app.ask('Bridge', { uuid, destination: { call_params: [leg] } })).toMatchObject({ code: 200 })
    expect(app.wordsOf(leg.uuid).slice(0, 5)).toEqual(['CALLING', 'RINGING', 'MEDIA', 'BRIDGE', 'ANSWERED'])
    expect(app.wordsOf(uuid)).toContain('ANSWERED')
    await app.ask('Hangup', { uuid })
    await Promise.all([caller.done, callee.done])
    await endOf(app, leg.uuid)
    await endOf(app, uuid)
  })
})

describe('channels that are there', () => {
  test('are connected and parted, and either may go', async () => {
    const [first, second] = await Promise.all([
      callIn(['answered', 'hungUp']),
      placeCall(site.asterisk, { from: '1002', to: '600', steps: ['answered', 'hungUp'] }),
    ])
    const one = await takenCall(app)
    const two = await takenCall(app)
    expect(await app.ask('ChannelBridge2', { uuid: one, peer_uuid: two })).toMatchObject({ code: 200, uuid: one })
    await hears(app, one, 'BRIDGE')
    await hears(app, two, 'BRIDGE')
    expect(await app.ask('UnBridge', { uuid: one })).toMatchObject({ code: 200 })
    await hears(app, two, 'UNBRIDGE')
    expect(await app.ask('UnBridge2', { uuid: one })).toMatchObject({ code: 400 })
    const blocking = app.ask('ChannelBridge', { uuid: one, peer_uuid: two, bridge_delay: 50 })
    await hears(app, two, 'BRIDGE', 2)
    await app.ask('Hangup', { uuid: two })
    expect(await blocking).toMatchObject({ code: 200, cause: 'NORMAL_CLEARING' })
    expect(await app.ask('GetState', { uuid: one })).toMatchObject({ code: 200, bridged: false })
    await app.ask('Hangup', { uuid: one })
    await Promise.all([first.done, second.done])
    await endOf(app, one)
    expect(app.wordsOf(one)).toEqual([
      ...['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'],
    ])
  })

  test('must be two that there are', async () => {
    const caller = await callIn(['answered', 'hungUp'])
    const uuid = await takenCall(app)
    for (const more of [{}, { peer_uuid: uuid }, { peer_uuid: 'nobody' }, { peer_uuid: 'x', flow_control: 'ALL' }]) {
      expect(await app.ask('ChannelBridge', { uuid, ...more })).toMatchObject({ code: 400 })
      expect(await app.ask('ChannelBridge2', { uuid, ...more })).toMatchObject({ code: 400 })
    }
    await app.ask('Hangup', { uuid })
    await caller.done
  })
})
