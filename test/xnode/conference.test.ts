import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallerStep } from '../harness/index.js'
import { answeredCaller, bridgesOf, endOf, hears, legTo } from './legs.js'
import { type Answer, type SteeredSite, startSteeredSite, type TestController, until } from './site.js'
import { comesToHear, samplesOf, speaks, voicesIn } from './sound.js'

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

async function caller(...steps: readonly CallerStep[]): Promise<Caller> {
  const { uuid, caller: run } = await answeredCaller(site, app, steps)
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

const bridges = () => bridgesOf(site)

describe('a conference', () => {
  test('of four: listed, one mute, one taken out, the rest leave one by one, and the room is gone', async () => {
    const callers: Caller[] = []
    for (let i = 0; i < 4; i++) callers.push(await caller('hungUp'))
    const stays: Promise<Answer>[] = []
    for (const [i, { uuid }] of callers.entries()) {
      const flags = i === 0 ? ['moderator'] : i === 1 ? ['mute'] : []
      stays.push(app.ask('Conference', { uuid, name: '3000', flags }))
      await untilMembers('3000', i + 1)
    }
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
    expect([...((await bridges())[0]?.channels ?? [])].sort()).toEqual([first, second, third, fourth].sort())
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
    for (const uuid of [first, second, third, fourth]) await hears(app, uuid, 'DESTROY')
    const told = (uuid: string) => app.heard.flatMap(({ params }) => (params?.uuid === uuid ? [params] : []))
    /** Its states with the peer of a bridge, and what is told of it in the conference: each in its order. */
    const wordsOf = (uuid: string) => ({
      states: told(uuid).flatMap(({ state, peer_uuid }) =>
        state === undefined ? [] : [state === 'BRIDGE' ? `BRIDGE ${String(peer_uuid)}` : state],
      ),
      actions: told(uuid).flatMap(({ action }) => (action === undefined ? [] : [action])),
    })
    const bridgedTo = (...peers: readonly string[]) => peers.flatMap((peer) => [`BRIDGE ${peer}`, 'UNBRIDGE'])
    // One of the others is the peer: whoever has been there longest.
    for (const [uuid, between, ...hushed] of [
      [first, bridgedTo(second, third, fourth)],
      [second, bridgedTo(first)],
      [third, bridgedTo(first), 'mute', 'unmute'],
      [fourth, bridgedTo(first)],
    ] as const)
      expect(wordsOf(uuid)).toEqual({
        states: ['START', 'ANSWERED', ...between, 'DESTROY'],
        actions: ['join', ...hushed, 'leave'],
      })
    for (const { uuid } of callers) expect(app.wordsOf(uuid).filter((word) => word === 'CDR')).toHaveLength(1)
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

  test('hears a member that is not mute, and one that is mute not, until it is again', async () => {
    const [speaker, listener] = [await legTo(app, speaks('a')), await legTo(app, speaks('b'))]
    const stays = [
      app.ask('Conference', { uuid: speaker, name: 'loud', flags: ['mute'] }),
      app.ask('Conference', { uuid: listener, name: 'loud' }),
    ]
    await untilMembers('loud', 2)
    const heard = (voices: string, what: string) => comesToHear(site.asterisk, listener, voices, what)
    await heard('', 'who came in mute')
    const mute = (level: number) => app.ask('Mute', { uuid: speaker, direction: 'READ', level })
    for (const [say, hush] of [
      [() => native(`loud unmute ${speaker}`), () => native(`loud mute ${speaker}`)],
      [() => mute(0), () => mute(1)],
    ] as const) {
      expect(await say()).toMatchObject({ code: 200 })
      await heard('a', 'not mute any more')
      expect(await hush()).toMatchObject({ code: 200 })
      await heard('', 'mute')
    }
    // It hears the others all the while.
    await comesToHear(site.asterisk, speaker, 'b', 'the one that is mute')
    for (const uuid of [speaker, listener]) expect(await app.ask('Hangup', { uuid })).toMatchObject({ code: 200 })
    expect((await Promise.all(stays)).map(({ code }) => code)).toEqual([410, 410])
    for (const uuid of [speaker, listener]) await endOf(app, uuid)
  })

  test('is recorded; what is recorded is there', async () => {
    const one = await legTo(app, speaks('c'))
    const stay = app.ask('Conference', { uuid: one, name: 'noted' })
    await untilMembers('noted', 1)
    expect(await native('noted record ../../etc/passwd')).toMatchObject({ code: 400 })
    expect(await native('noted record rooms-noted.wav')).toMatchObject({ code: 200 })
    expect(await info('noted')).toMatchObject({ data: { recording: true } })
    const live = async () => (await site.asterisk.ari('GET', '/recordings/live/rooms-noted')).body
    await expect.poll(live).toMatchObject({ state: 'recording' })
    await delay(1500) // what is recorded is as long as this
    expect(await native('noted norecord')).toMatchObject({ code: 200 })
    const samples = await samplesOf(site.asterisk, 'rooms-noted')
    expect(samples.length / 8000).toBeGreaterThan(1)
    expect(voicesIn(samples)).toBe('c')
    await app.ask('Hangup', { uuid: one })
    expect((await stay).code).toBe(410)
    await endOf(app, one)
  })

  test('says what it cannot be asked for', async () => {
    const one = await caller('hungUp')
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
    const two = [await caller('hungUp'), await caller('hungUp')]
    const stays = two.map(({ uuid }) => app.ask('Conference', { uuid, name: 'pair', flags: ['mintwo'] }))
    await untilMembers('pair', 2)
    await app.ask('Hangup', { uuid: two[0]!.uuid })
    expect((await Promise.all(stays)).map(({ code }) => code)).toEqual([410, 200])
    await app.ask('Hangup', { uuid: two[1]!.uuid })
    await Promise.all(two.map(({ done }) => done))
  })
})
