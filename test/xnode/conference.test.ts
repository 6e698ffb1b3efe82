import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallerStep, placeCall } from '../harness/index.js'
import { type SteeredSite, startSteeredSite, type TestController, until } from './site.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())

interface Caller {
  readonly uuid: string
  readonly done: Promise<void>
}

async function caller(...steps: CallerStep[]): Promise<Caller> {
  const run = await placeCall(site.asterisk, { from: '1001', to: '600', steps })
  const uuid = await app.nextCall()
  expect(await app.ask('Answer', { uuid })).toMatchObject({ code: 200 })
  return { uuid, done: run.done }
}

const query = (data: object) => app.ask('NativeJSAPI', { data: { command: 'conferenceInfo', data } })
const info = (conferenceName: string) => query({ conferenceName, showMembers: true })
const native = (args: string) => app.ask('NativeAPI', { cmd: 'conference', args })
const actions = () =>
  app.heard
    .filter(({ method }) => method === 'Event.Conference')
    .map(({ params }) => `${String(params?.action)} ${String(params?.uuid)}`)

/** Waits until so many are listed, and are in it. */
async function untilMembers(name: string, count: number): Promise<void> {
  const joined = () => app.heard.filter(({ params }) => params?.conference === name && params.action === 'join').length
  for (let tries = 0; tries < 500; tries++) {
    const { data } = (await info(name)) as { data?: { member_count?: number } }
    if ((data?.member_count ?? 0) === count && joined() === count) return
    await delay(10)
  }
  throw new Error(`${name} has not ${count} members`)
}

const bridges = async () => (await site.asterisk.ari('GET', '/bridges')).body as { id: string; channels: string[] }[]

describe('a conference', () => {
  test('of four: listed, one mute, one taken out, the rest leave one by one, and the room is gone', async () => {
    const callers: Caller[] = []
    for (let i = 0; i < 4; i++) callers.push(await caller('answered', 'hungUp'))
    const stays = callers.map(({ uuid }, i) =>
      app.ask('Conference', { uuid, name: '3000', flags: i === 0 ? ['moderator'] : i === 1 ? ['mute'] : [] }),
    )
    await untilMembers('3000', 4)
    const [first, second, third, fourth] = callers.map(({ uuid }) => uuid) as [string, string, string, string]
    const { data } = (await info('3000')) as unknown as { data: { members: { uuid: string; flags: object }[] } }
    const flagsOf = (uuid: string) => data.members.find((each) => each.uuid === uuid)?.flags
    for (const [method, asked, wanted] of [
      ['ConferenceInfo', { conferenceName: '3000', showMembers: true }, data],
      ['ConferenceList', {}, [data]],
    ] as const)
      expect(await app.ask(method, { data: { command: 'conferenceInfo', data: asked } })).toMatchObject({
        code: 200,
        data: JSON.parse(JSON.stringify(wanted, (key, value: unknown) => (/_time$/.test(key) ? undefined : value))),
      })
    expect(flagsOf(first)).toMatchObject({ is_moderator: true, can_speak: true, can_hear: true })
    expect(flagsOf(second)).toMatchObject({ is_moderator: false, can_speak: false })
    expect((await bridges())[0]?.channels.sort()).toEqual([first, second, third, fourth].sort())
    expect(await query({ domain: '' })).toMatchObject({
      code: 200,
      data: [{ conference_name: '3000', member_count: 4 }],
    })

    expect(await native(`3000 mute ${third}`)).toMatchObject({ code: 200 })
    expect(await native('3000 list')).toMatchObject({
      data: expect.stringContaining(`${third};Phone 1001;1001;hear\n`),
    })
    expect(await native(`3000 unmute ${third}`)).toMatchObject({ code: 200 })
    expect(await app.ask('Mute', { uuid: third, direction: 'READ', level: 1 })).toMatchObject({ code: 200 })
    expect(await native('3000 list')).toMatchObject({
      data: expect.stringContaining(`${third};Phone 1001;1001;hear\n`),
    })
    expect(await app.ask('Mute', { uuid: third, direction: 'READ', level: 0 })).toMatchObject({ code: 200 })
    expect(await native(`3000 kick ${second}`)).toMatchObject({ code: 200 })
    expect(await stays[1]).toMatchObject({ code: 200, uuid: second })
    expect(await app.ask('GetState', { uuid: second })).toMatchObject({ answered: true, bridged: false })
    expect(await app.ask('Stop', { uuid: third })).toMatchObject({ code: 200 })
    expect(await stays[2]).toMatchObject({ code: 206, uuid: third })
    await app.ask('Hangup', { uuid: fourth })
    expect(await stays[3]).toMatchObject({ code: 410 })
    await native('3000 kick all')
    expect(await stays[0]).toMatchObject({ code: 200 })
    expect(await info('3000')).toMatchObject({ code: 400, message: 'there is no conference 3000' })
    for (const uuid of [first, second, third]) await app.ask('Hangup', { uuid })
    await Promise.all(callers.map(({ done }) => done))
    for (let tries = 0; (await bridges()).length > 0 && tries < 100; tries++) await delay(20)
    expect(await bridges()).toEqual([])
    await until(
      () => actions().filter((each) => each.startsWith('leave')).length === 4,
      () => actions().join(', '),
    )
    expect(actions().slice(0, 4).sort()).toEqual([first, second, third, fourth].map((uuid) => `join ${uuid}`).sort())
    expect(actions().slice(4)).toEqual([
      `mute ${third}`,
      `unmute ${third}`,
      `leave ${second}`,
      `leave ${third}`,
      `leave ${fourth}`,
      `leave ${first}`,
    ])
  })

  test('is recorded; what is recorded is there', async () => {
    const one = await caller('answered', 'hungUp')
    const stay = app.ask('Conference', { uuid: one.uuid, name: 'noted' })
    await untilMembers('noted', 1)
    expect(await native('noted record ../../etc/passwd')).toMatchObject({ code: 400 })
    expect(await native('noted record rooms-noted.wav')).toMatchObject({ code: 200 })
    expect(await info('noted')).toMatchObject({ data: { recording: true } })
    const live = async () => (await site.asterisk.ari('GET', '/recordings/live/rooms-noted')).body
    await expect.poll(live).toMatchObject({ state: 'recording' })
    expect(await native('noted norecord')).toMatchObject({ code: 200 })
    const stored = async () => (await site.asterisk.ari('GET', '/recordings/stored/rooms-noted')).status
    await expect.poll(stored).toBe(200)
    await app.ask('Hangup', { uuid: one.uuid })
    expect((await stay).code).toBe(410)
    await one.done
  })

  test('says what it cannot be asked for', async () => {
    const one = await caller('answered', 'hungUp')
    const { uuid } = one
    expect(await app.ask('Conference', { uuid, name: 'a b' })).toMatchObject({ code: 400 })
    expect(await app.ask('Conference', { uuid, name: 'a/../b' })).toMatchObject({ code: 400 })
    expect(await app.ask('Conference', { uuid, name: 'x', flags: ['waste'] })).toMatchObject({ code: 501 })
    expect(await native('nobody list')).toMatchObject({ code: 400 })
    // That of the conference before may still be on its way out.
    await expect.poll(bridges).toEqual([])
    await app.ask('Hangup', { uuid })
    await one.done
  })

  test('with mintwo ends when only one is left', async () => {
    const two = [await caller('answered', 'hungUp'), await caller('answered', 'hungUp')]
    const stays = two.map(({ uuid }) => app.ask('Conference', { uuid, name: 'pair', flags: ['mintwo'] }))
    await untilMembers('pair', 2)
    await app.ask('Hangup', { uuid: two[0]!.uuid })
    expect((await Promise.all(stays)).map(({ code }) => code)).toEqual([410, 200])
    await app.ask('Hangup', { uuid: two[1]!.uuid })
    await Promise.all(two.map(({ done }) => done))
  })
})
