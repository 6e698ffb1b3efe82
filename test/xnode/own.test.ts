import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { placeCall } from '../harness/index.js'
import { type SteeredSite, startSteeredSite, type TestController, until } from './site.js'

let site: SteeredSite
let app: TestController
let other: TestController

const ACCEPT_WITHIN_MS = 4000
/** What follows a time that is over, follows within this. */
const SOON_MS = 1500

beforeAll(async () => {
  site = await startSteeredSite({ steer: `acceptWithinMs: ${ACCEPT_WITHIN_MS}, hangup: USER_BUSY` })
  app = await site.controller()
  other = await site.controller()
})
afterAll(() => site.stop())

const ended = (uuid: string) => () => app.wordsOf(uuid).includes('DESTROY')

describe('a call that enters the application', () => {
  test('is announced, answered, asked about, given variables and hung up', async () => {
    const caller = await placeCall(site.asterisk, { from: '1001', to: '600', steps: ['answered', 'hungUp'] })
    const uuid = await app.nextCall()
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, answered: false })
    expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200, uuid, node_uuid: 'ast1' })
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 200, answered: true, call_state: 'ACTIVE' })
    expect(await app.ask('SetVar', { uuid, data: { colour: 'red' }, channel_params: ['colour'] })).toMatchObject({
      code: 200,
    })
    expect(await app.ask('SetVar', { uuid, data: { colour: 'blue' } })).toMatchObject({ code: 200 })
    // As it is, not as it was last told.
    expect(await app.ask('GetVar', { uuid, data: ['colour'] })).toMatchObject({ data: { colour: 'blue' } })
    // It goes on to be told, though nobody says so again.
    await app.ask('SetVar', { uuid, data: { colour: 'red' } })
    expect(await app.ask('GetVar', { uuid, data: ['colour', 'caller_id_number', 'nothing'] })).toMatchObject({
      data: { colour: 'red', caller_id_number: '1001' },
    })
    expect(await app.ask('GetChannelData', { uuid })).toMatchObject({
      format: 'JSON',
      data: { variable_direction: 'inbound' },
    })
    expect(await app.ask('Hangup', { uuid, cause: 'NORMAL_CLEARING' })).toMatchObject({ code: 200 })
    await caller.done
    await until(ended(uuid), () => app.wordsOf(uuid).join(' '))
    expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
    await until(
      () => other.wordsOf(uuid).includes('CDR'),
      () => 'the account did not come to all',
    )
    expect(other.wordsOf(uuid)).toEqual(['START', 'CDR'])
    const end = app.heard.find(({ params }) => params?.uuid === uuid && params.state === 'DESTROY')
    expect(end?.params).toMatchObject({ cause: 'NORMAL_CLEARING', params: { colour: 'red' } })
    expect(await app.ask('GetState', { uuid })).toMatchObject({ code: 400 })
  })

  test('belongs to the first who accepts it; a takeover moves later events', async () => {
    const caller = await placeCall(site.asterisk, { from: '1001', to: '600', steps: ['answered', 'hungUp'] })
    const uuid = await app.nextCall()
    const [first, second] = await Promise.all([app.ask('Accept', { uuid }), other.ask('Accept', { uuid })])
    expect([first.code, second.code].sort()).toEqual([200, 419])
    const [owner, loser] = first.code === 200 ? [app, other] : [other, app]
    expect(await owner.ask('Accept', { uuid })).toMatchObject({ code: 200 })
    expect(await loser.ask('Accept', { uuid, takeover: true })).toMatchObject({ code: 200 })
    expect(await loser.ask('Answer', { uuid })).toMatchObject({ code: 200 })
    expect(await loser.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
    await caller.done
    await until(
      () => loser.wordsOf(uuid).includes('DESTROY'),
      () => loser.wordsOf(uuid).join(' '),
    )
    // Each controller has a connection of its own, so what one heard the other may hear later.
    await until(
      () => owner.wordsOf(uuid).includes('CDR'),
      () => 'the account did not come to all',
    )
    expect(owner.wordsOf(uuid)).toEqual(['START', 'CDR'])
    expect(loser.wordsOf(uuid).filter((word) => word !== 'START')).toEqual(['ANSWERED', 'CDR', 'DESTROY'])
  })

  test('is hung up with the cause that was set when nobody accepts it', async () => {
    const placedAt = performance.now()
    const caller = await placeCall(site.asterisk, { from: '1001', to: '600', steps: [{ refused: 486 }] })
    const uuid = await app.nextCall()
    const announcedAt = performance.now()
    await until(ended(uuid), () => app.wordsOf(uuid).join(' '))
    const endedAt = performance.now()
    expect(endedAt - placedAt).toBeGreaterThan(ACCEPT_WITHIN_MS)
    expect(endedAt - announcedAt).toBeLessThan(ACCEPT_WITHIN_MS + SOON_MS)
    await caller.done
    expect(app.wordsOf(uuid)).toEqual(['START', 'CDR', 'DESTROY'])
  })
})

test('a call that nobody accepts goes on in the dialplan where that is set', async () => {
  const continued = await startSteeredSite({
    steer: 'acceptWithinMs: 1500, continueAt: { context: services, extension: wait-0.2 }',
  })
  try {
    const controller = await continued.controller()
    const placedAt = performance.now()
    const caller = await placeCall(continued.asterisk, { from: '1001', to: '600', steps: ['answered', 'hungUp'] })
    const uuid = await controller.nextCall()
    const announcedAt = performance.now()
    await until(
      () => controller.wordsOf(uuid).includes('ANSWERED'),
      () => controller.wordsOf(uuid).join(' '),
    )
    const wentOnAt = performance.now()
    expect(wentOnAt - placedAt).toBeGreaterThan(1500)
    expect(wentOnAt - announcedAt).toBeLessThan(1500 + SOON_MS)
    await caller.done
    await until(
      () => controller.wordsOf(uuid).includes('DESTROY'),
      () => controller.wordsOf(uuid).join(' '),
    )
    expect(controller.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
  } finally {
    await continued.stop()
  }
})

test('a call that is transferred leaves the application and goes on in the dialplan', async () => {
  const caller = await placeCall(site.asterisk, { from: '1001', to: '600', steps: ['answered', 'hungUp'] })
  const uuid = await app.nextCall()
  await app.ask('Answer', { uuid })
  expect(await app.ask('Transfer', { uuid, extension: 'no such/place' })).toMatchObject({ code: 400 })
  expect(await app.ask('Transfer', { uuid, extension: 'after', context: 'services' })).toMatchObject({ code: 200 })
  await caller.done
  await until(ended(uuid), () => app.wordsOf(uuid).join(' '))
  expect(app.wordsOf(uuid)).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
})

describe('styles of requests', () => {
  test('one that was published with an id is answered on the subject of its controller', async () => {
    const caller = await placeCall(site.asterisk, { from: '1001', to: '600', steps: ['answered', 'hungUp'] })
    const uuid = await app.nextCall()
    await app.tell('Answer', { uuid }, 'late-1')
    const result = () => app.heard.find(({ id }) => id === 'late-1')
    await until(
      () => result() !== undefined,
      () => 'no result',
    )
    expect(result()).toMatchObject({ subject: `cn.xswitch.ctrl.${app.name}`, result: { code: 200, uuid } })
    await app.ask('Hangup', { uuid })
    await caller.done
  })

  test('results that come later are events where that is set', async () => {
    const named = await startSteeredSite({ bus: 'node: { results: Event.Result }' })
    try {
      const controller = await named.controller()
      await controller.tell('JStatus', { data: { command: 'status' } }, 'named-1')
      const event = () => controller.heard.find(({ id }) => id === 'named-1')
      await until(
        () => event() !== undefined,
        () => 'no result',
      )
      expect(event()).toMatchObject({ method: 'Event.Result', params: { code: 200, node_uuid: 'ast1' } })
      expect(event()).not.toHaveProperty('result')
    } finally {
      await named.stop()
    }
  })

  test('what cannot be understood is refused with a text', async () => {
    expect(await app.ask('GetState', {})).toMatchObject({ code: 400, message: expect.stringContaining('uuid') })
    expect(await app.ask('GetState', { uuid: 'nobody' })).toMatchObject({
      code: 400,
      message: 'there is no channel nobody',
    })
    await expect(app.ask('Juggle', {})).rejects.toThrow('-32601')
  })
})
