import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { takeCall } from '../harness/index.js'
import { endOf, hears, newUuid, nothingLeft, outcomeOf, phoneAt } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController, until } from './site.js'

let site: SteeredSite
let app: TestController
let other: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
  other = await site.controller()
})
afterAll(() => site.stop())
afterEach(() => nothingLeft(site))

const legTo = (dial_string: string, more: object = {}) => ({ uuid: newUuid(), dial_string, ...more })

describe('Dial', () => {
  test('is answered at once; the leg is told from CALLING on, and its outcome later', async () => {
    const callee = await takeCall(site.asterisk, { steps: ['ring', { pauseMs: 100 }, 'answer', 'hungUp'] })
    const uuid = newUuid()
    const leg = { uuid, cid_name: 'Desk', cid_number: '9000', dest_number: '1002', dial_string: phoneAt(callee.port) }
    const params = { colour: 'red', leg_timeout: '20' }
    const destination = { call_params: [{ ...leg, params, channel_params: ['colour'] }] }
    await app.tell('Dial', { destination }, 'dial-1')
    expect(await outcomeOf(app, 'dial-1')).toEqual({ code: 200, message: 'OK', node_uuid: 'ast1', uuid })
    await hears(app, uuid, 'READY')
    expect(app.wordsOf(uuid)).toEqual(['CALLING', 'RINGING', 'ANSWERED', 'READY'])
    const calling = app.heard.find(({ params: told }) => told?.uuid === uuid)
    expect(calling?.params).toMatchObject({
      direction: 'outbound',
      cid_name: 'Desk',
      cid_number: '9000',
      dest_number: '1002',
      params: { colour: 'red' },
    })
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, answered: true, ready: true })
    expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
    await callee.done
    expect(await endOf(app, uuid)).toMatchObject({ cause: 'NORMAL_CLEARING', params: { colour: 'red' } })
    expect(app.wordsOf(uuid)).toEqual(['CALLING', 'RINGING', 'ANSWERED', 'READY', 'CDR', 'DESTROY'])
    await until(
      () => other.wordsOf(uuid).includes('CDR'),
      () => 'the account did not come to all',
    )
    expect(other.wordsOf(uuid)).toEqual(['CDR'])
  })

  test('shows the caller that was asked for', async () => {
    const leg = legTo(`sofia/trunk/600@127.0.0.1:${site.asterisk.sipPort}`, { cid_name: 'Desk', cid_number: '9000' })
    await app.ask('Dial', { destination: { call_params: [leg] } })
    const called = await app.nextCall()
    const start = app.heard.find(({ params }) => params?.uuid === called)
    expect(start?.params).toMatchObject({ cid_name: 'Desk', cid_number: '9000', dest_number: '600' })
    await app.ask('Accept', { uuid: called })
    await app.ask('Hangup', { uuid: called })
    await endOf(app, leg.uuid)
  })

  test.each([
    [486, 486, 'USER_BUSY'],
    [603, 603, 'CALL_REJECTED'],
    [404, 404, 'UNALLOCATED_NUMBER'],
    [480, 480, 'NO_ANSWER'],
    [503, 500, 'NORMAL_CIRCUIT_CONGESTION'],
  ])('a phone that answers %i gives %i %s', async (refuse, code, cause) => {
    const callee = await takeCall(site.asterisk, { steps: ['ring', { refuse }] })
    const leg = legTo(phoneAt(callee.port))
    const id = `refused-${refuse}`
    await app.tell('Dial', { destination: { call_params: [leg] } }, id)
    expect(await outcomeOf(app, id)).toEqual({ code, message: 'Dial Error', cause, node_uuid: 'ast1', uuid: leg.uuid })
    expect(await endOf(app, leg.uuid)).toMatchObject({ cause })
    expect(app.wordsOf(leg.uuid)).toEqual(['CALLING', 'RINGING', 'CDR', 'DESTROY'])
    await callee.done
  })

  test('a leg that Asterisk cannot make begins and ends all the same', async () => {
    const leg = legTo('user/1005')
    const accepted = await app.ask('Dial', { destination: { call_params: [leg] } })
    expect(accepted).toEqual({ code: 202, message: 'Accepted', node_uuid: 'ast1', uuid: leg.uuid })
    expect(await endOf(app, leg.uuid)).toMatchObject({ cause: 'NO_ROUTE_DESTINATION' })
    expect(app.wordsOf(leg.uuid)).toEqual(['CALLING', 'CDR', 'DESTROY'])
  })

  test('a phone that is not answered in time is not rung any longer', async () => {
    const callee = await takeCall(site.asterisk, { steps: ['ring', 'cancelled'] })
    const leg = legTo(phoneAt(callee.port), { timeout: 1 })
    await app.tell('Dial', { destination: { call_params: [leg] } }, 'late')
    expect(await outcomeOf(app, 'late')).toMatchObject({ code: 480, cause: 'NO_ANSWER', uuid: leg.uuid })
    await callee.done
    expect(await endOf(app, leg.uuid)).toMatchObject({ cause: 'NO_ANSWER' })
    expect(app.wordsOf(leg.uuid)).toEqual(['CALLING', 'RINGING', 'CDR', 'DESTROY'])
  })

  test('legs one after another until one is answered', async () => {
    const legs = [legTo('loopback/busy/services'), legTo('loopback/wait-2/services'), legTo('loopback/answer/services')]
    await app.tell('Dial', { destination: { call_params: legs } }, 'serial')
    expect(await outcomeOf(app, 'serial')).toMatchObject({ code: 200, uuid: legs[1]!.uuid })
    await endOf(app, legs[1]!.uuid)
    expect(app.wordsOf(legs[0]!.uuid)).toEqual(['CALLING', 'CDR', 'DESTROY'])
    expect(app.wordsOf(legs[1]!.uuid)).toEqual(['CALLING', 'ANSWERED', 'READY', 'CDR', 'DESTROY'])
    expect(app.wordsOf(legs[2]!.uuid)).toEqual([])
  })

  test('all legs at once: the first who answers has it, the others are cancelled', async () => {
    const [first, second, third] = await Promise.all([
      takeCall(site.asterisk, { steps: ['ring', 'cancelled'] }),
      takeCall(site.asterisk, { steps: ['ring', { pauseMs: 1500 }, 'answer', 'hungUp'] }),
      takeCall(site.asterisk, { steps: ['ring', 'cancelled'] }),
    ])
    const legs = [first, second, third].map(({ port }) => legTo(phoneAt(port)))
    await app.tell('Dial', { destination: { ringall: true, call_params: legs } }, 'all')
    const winner = legs[1]!.uuid
    expect(await outcomeOf(app, 'all')).toMatchObject({ code: 200, uuid: winner })
    await Promise.all([first.done, third.done])
    for (const { uuid } of [legs[0]!, legs[2]!]) {
      expect(await endOf(app, uuid)).toMatchObject({ cause: 'LOSE_RACE' })
      expect(app.wordsOf(uuid)).toEqual(['CALLING', 'RINGING', 'CDR', 'DESTROY'])
    }
    await app.ask('Hangup', { uuid: winner })
    await second.done
    await endOf(app, winner)
    expect(app.wordsOf(winner)).toEqual(['CALLING', 'RINGING', 'ANSWERED', 'READY', 'CDR', 'DESTROY'])
  })

  test('sound before the answer takes the call, unless it is to be ignored', async () => {
    for (const ignored of [false, true]) {
      const callee = await takeCall(site.asterisk, {
        steps: ['ring', { pauseMs: 50 }, 'progress', { pauseMs: 2000 }, 'answer', 'hungUp'],
      })
      const leg = legTo(phoneAt(callee.port), { params: { ignore_early_media: String(ignored) } })
      await app.ask('Dial', { destination: { call_params: [leg] } })
      await hears(app, leg.uuid, 'ANSWERED')
      await hears(app, leg.uuid, 'READY')
      const [fourth, fifth] = ignored ? ['ANSWERED', 'READY'] : ['READY', 'ANSWERED']
      expect(app.wordsOf(leg.uuid)).toEqual(['CALLING', 'RINGING', 'MEDIA', fourth, fifth])
      await app.ask('Hangup', { uuid: leg.uuid })
      await callee.done
      await endOf(app, leg.uuid)
    }
  })

  test('a call ends after its longest duration', async () => {
    const leg = legTo('loopback/answer/services', { max_duration: 1 })
    const since = performance.now()
    await app.ask('Dial', { destination: { call_params: [leg] } })
    await hears(app, leg.uuid, 'READY')
    await endOf(app, leg.uuid)
    expect(performance.now() - since).toBeGreaterThan(950)
  })

  test('what cannot be dialled is refused with the field that is wrong', async () => {
    const wrong: readonly (readonly [object, string])[] = [
      [{}, 'destination.call_params: want at least one leg'],
      [{ call_params: [{ dial_string: 'carrier pigeon' }] }, 'carrier pigeon'],
      [{ call_params: [{ dial_string: 'user/1&user/2' }] }, 'user/1&user/2'],
      [{ call_params: [{ uuid: 'a/b', dial_string: 'user/1001' }] }, 'uuid: want'],
      [{ call_params: [{ dial_string: 'user/1001', params: { 'SHELL(ls)': 'x' } }] }, 'params.SHELL(ls)'],
      [{ call_params: [{ dial_string: 'user/1001', params: { leg_timeout: 'soon' } }] }, 'timeout: want'],
      [
        {
          call_params: [
            { uuid: 'twice', dial_string: 'user/1001' },
            { uuid: 'twice', dial_string: 'user/1002' },
          ],
        },
        'a channel twice already',
      ],
    ]
    for (const [destination, text] of wrong) {
      const { code, message } = await app.ask('Dial', { destination })
      expect([code, message]).toEqual([400, expect.stringContaining(text)])
    }
    const apps = [{ app: 'playback', data: 'x' }]
    expect(await app.ask('Dial', { apps, destination: {} })).toMatchObject({ code: 501 })
  })
})
