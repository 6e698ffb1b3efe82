import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallerStep, placeCall } from '../harness/index.js'
import { answeredCaller, nothingLeft } from './legs.js'
import { type SteeredSite, startSteeredSite, steeringFile, type TestController, until } from './site.js'

/** Queues as a dialplan has them: one lets a caller out again, one keeps it. */
const QUEUES = `
[queues]
exten => sales,1,Wait(0.3)
 same => n,Set(SEEN=\${PATCHBAY_NAME}/\${PATCHBAY_PRIORITY})
 same => n,Stasis(patchbay,back)
 same => n,Hangup()
exten => long,1,Wait(3600)
exten => count,1,Set(SEEN=\${PATCHBAY_ARGS})
 same => n,Stasis(patchbay,back)
 same => n,Hangup()
`
const HOOKS = `
hooks:
  fifo: { default: { context: queues, extension: '{name}' } }
  callcenter: { support: { context: queues, extension: long } }
  app: { count: { context: queues, extension: count } }
`

let file: ReturnType<typeof steeringFile>
let site: SteeredSite
let app: TestController

beforeAll(async () => {
  file = steeringFile(HOOKS)
  site = await startSteeredSite({
    asterisk: { append: { 'extensions.conf': QUEUES } },
    steer: `tables: '${file.path}', shutdownWithinMs: 1500`,
  })
  app = await site.controller()
})
afterAll(async () => {
  await site.stop()
  file.remove()
})

async function caller(...steps: readonly CallerStep[]) {
  const { uuid, caller: run } = await answeredCaller(site, app, steps)
  return { uuid, done: run.done }
}

describe('figures', () => {
  test('JStatus comes as a JSON command, as the real client sends it', async () => {
    const { uuid, done } = await caller('hungUp')
    const { code, data } = (await app.ask('NativeJSAPI', { data: { command: 'status', data: '' } })) as unknown as {
      code: number
      data: { systemStatus: string; version: string; uptime: object; sessions: { count: Record<string, number> } }
    }
    expect(code).toBe(200)
    expect(data.systemStatus).toBe('ready')
    expect(data.version).toMatch(/^22\./)
    expect(data.uptime).toMatchObject({ years: 0, days: 0, hours: 0 })
    expect(data.sessions.count).toMatchObject({ active: 1, total: 1, peak: 1, peak5Min: 1 })
    await app.ask('Hangup', { uuid })
    await done
  })

  test('native commands of a short list answer, others are 501', async () => {
    const { uuid, done } = await caller('hungUp')
    const native = (cmd: string, args?: string) => app.ask('NativeAPI', { cmd, ...(args !== undefined && { args }) })
    expect(await native('status')).toMatchObject({ code: 200, data: expect.stringContaining('is ready') })
    expect(await native('version')).toMatchObject({ data: expect.stringMatching(/^Asterisk 22\./) })
    expect(await native('uuid_exists', uuid)).toMatchObject({ data: 'true' })
    expect(await native('uuid_exists', 'nobody')).toMatchObject({ data: 'false' })
    expect(await native('show', 'channels count')).toMatchObject({ data: '1 total.' })
    expect(await native('show channels count')).toMatchObject({ data: '1 total.' })
    expect(await native('show', 'registrations')).toMatchObject({ code: 501 })
    expect(await native('reloadxml')).toMatchObject({ code: 501, message: expect.stringContaining('reloadxml') })
    await app.ask('Hangup', { uuid })
    await done
  })

  test('Register has the node announced again', async () => {
    const said = () => app.heard.filter(({ method }) => method === 'Event.NodeRegister').length
    const before = said()
    expect(await app.ask('Register')).toMatchObject({ code: 200 })
    await until(
      () => said() > before,
      () => 'no announcement',
    )
    const { body } = await site.asterisk.ari('GET', '/asterisk/info?only=status')
    const { status } = body as { status: { startup_time: string } } // as Asterisk says it
    const { uptime } = app.heard.filter(({ method }) => method === 'Event.NodeRegister').at(-1)!.params!
    const seconds = (Date.now() - Date.parse(status.startup_time)) / 1000
    expect(Math.abs(Number(uptime) - seconds)).toBeLessThan(3)
  })
})

describe('places in the dialplan', () => {
  test('a queue is over when the channel comes back', async () => {
    const { uuid, done } = await caller('hungUp')
    expect(await app.ask('FIFO', { uuid, name: 'sales', priority: 3 })).toMatchObject({ code: 200 })
    expect(await app.ask('GetVar', { uuid, data: ['SEEN'] })).toMatchObject({ data: { SEEN: 'sales/3' } })
    await app.ask('Hangup', { uuid })
    await done
  })

  test('or when the caller gives up', async () => {
    const { uuid, done } = await caller({ pauseMs: 2500 }, 'hangUp')
    expect(await app.ask('Callcenter', { uuid, name: 'support' })).toMatchObject({ code: 410 })
    await done
    await until(
      () => app.wordsOf(uuid).includes('DESTROY'),
      () => app.wordsOf(uuid).join(' '),
    )
  })

  test('none is gone to that nobody declared, or whose name is no extension', async () => {
    const { uuid, done } = await caller('hungUp')
    expect(await app.ask('Callcenter', { uuid, name: 'other' })).toMatchObject({ code: 501 })
    expect(await app.ask('FIFO', { uuid, name: 'a,b' })).toMatchObject({ code: 400 })
    expect(await app.ask('NativeApp', { uuid, cmd: 'bridge', args: 'user/1000' })).toMatchObject({ code: 501 })
    await app.ask('Hangup', { uuid })
    await done
  })

  test('a native application is a place, too; break ends what runs', async () => {
    const { uuid, done } = await caller('hungUp')
    expect(await app.ask('NativeApp', { uuid, cmd: 'count', args: 'to ten' })).toMatchObject({ code: 200 })
    expect(await app.ask('GetVar', { uuid, data: ['SEEN'] })).toMatchObject({ data: { SEEN: 'to ten' } })
    const stay = app.ask('Conference', { uuid, name: 'broken' })
    await until(
      () => app.heard.some(({ params }) => params?.conference === 'broken'),
      () => 'nobody joined',
    )
    expect(await app.ask('NativeApp', { uuid, cmd: 'break', sync: true })).toMatchObject({ code: 200 })
    expect((await stay).code).toBe(206)
    await app.ask('Hangup', { uuid })
    await done
  })
})

describe('a fork', () => {
  test('has the sound of a channel at another host, until it is stopped', async () => {
    const ear = createSocket('udp4')
    ear.bind(0, '127.0.0.1')
    await once(ear, 'listening')
    let packets = 0
    ear.on('message', () => packets++)
    const url = `rtp://127.0.0.1:${ear.address().port}?format=ulaw`
    const { uuid, done } = await caller('hungUp')
    const before = app.heard.length
    expect(await app.ask('MediaFork', { uuid, action: 'start', url })).toMatchObject({ code: 200, message: 'OK' })
    expect(await app.ask('MediaFork', { uuid, action: 'start', url })).toMatchObject({ code: 400 })
    await until(
      () => packets > 10,
      () => `${packets} packets came`,
    )
    expect(await app.ask('MediaFork', { uuid, action: 'stop' })).toMatchObject({ code: 200 })
    expect(await app.ask('MediaFork', { uuid, action: 'stop' })).toMatchObject({ code: 400 })
    // What was on its way still comes; then nothing does.
    let then = -1
    for (let tries = 0; then !== packets && tries < 25; tries++) {
      then = packets
      await delay(200)
    }
    expect(packets).toBe(then)
    await app.ask('MediaFork', { uuid, action: 'start', url })
    await app.ask('Hangup', { uuid })
    await done
    await nothingLeft(site)
    // What the fork is made of is no call.
    expect(app.heard.slice(before).filter(({ params }) => params?.state === 'START')).toEqual([])
    ear.close()
  })

  test.each([
    'ftp://127.0.0.1:1',
    'rtp://127.0.0.1',
    'rtp://a b:5000',
    'rtp://u:p@h:5000',
    'rtp://h:5000?format=mp3',
    'nonsense',
  ])('is refused to %s', async (url) => {
    const { uuid, done } = await caller('hungUp')
    expect(await app.ask('MediaFork', { uuid, action: 'start', url })).toMatchObject({
      code: 400,
      message: expect.stringContaining('url'),
    })
    await app.ask('Hangup', { uuid })
    await done
  })
})

describe('Shutdown', () => {
  test('is refused where another node is meant', async () => {
    expect(await app.ask('Shutdown', { node_uuid: 'other' })).toMatchObject({ code: 400 })
  })

  test('refuses new calls, lets the running one go on for its time, and then the node is gone', async () => {
    const told = (method: string) => app.heard.filter((each) => each.method === method)
    const running = await caller('hungUp')
    expect(await app.ask('Shutdown', { node_uuid: 'ast1' })).toMatchObject({ code: 200 })
    expect(await app.ask('GetState', { uuid: running.uuid })).toMatchObject({ code: 200, answered: true })
    const destination = { call_params: [{ dial_string: 'Local/answer@services' }] }
    expect(await app.ask('Dial', { destination })).toMatchObject({ code: 603 })
    await until(
      () => told('Event.NodeUpdate').at(-1)?.params?.shutdown === true,
      () => 'no NodeUpdate',
    )
    const late = await placeCall(site.asterisk, { from: '1002', to: '600', steps: [{ refused: 503 }] })
    await late.done
    await running.done
    await until(
      () => told('Event.NodeUnregister').length === 1,
      () => 'no NodeUnregister',
    )
    expect(await app.ask('NativeAPI', { cmd: 'status' })).toMatchObject({
      data: expect.stringContaining('shutting down'),
    })
  })
})
