import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse, toTyped } from '../../src/codecs/ruby-yaml/index.js'
import {
  freshVhost,
  placeCall,
  registerPhone,
  rubyLoad,
  startAsterisk,
  startFaultProxy,
  startNats,
  type TestAsterisk,
  type TestNats,
  takeCall,
  unregisterPhone,
} from '../harness/index.js'
import { type LegacySide, legacySide, startGateway, until, type XccSide, xccSide } from './site.js'

const CLASSES = ['Channel_states', 'TerminalDialno', 'Terminal::TerminalDialno']

let ast1: TestAsterisk
let ast2: TestAsterisk
let nats: TestNats
let legacy: LegacySide
let bus: XccSide
let gateway: Awaited<ReturnType<typeof startGateway>>
let proxy: Awaited<ReturnType<typeof startFaultProxy>>

beforeAll(async () => {
  ast1 = await startAsterisk()
  ast2 = await startAsterisk()
})
afterAll(async () => {
  await Promise.all([ast1.stop(), ast2.stop()])
})

const link = (asterisk: TestAsterisk, url = asterisk.url) =>
  `{ type: ari, dialect: stasis, url: '${url}', username: ${asterisk.user}, password: ${asterisk.password}, reconnect: { minDelayMs: 50, maxDelayMs: 300 } }`

beforeEach(async () => {
  const amqpUrl = await freshVhost(inject('amqpUrl'), inject('rabbitMqControl'))
  nats = await startNats()
  legacy = await legacySide(amqpUrl)
  bus = await xccSide(nats.url)
  proxy = await startFaultProxy(ast1.httpPort)
  gateway = await startGateway(`
group: gw
sync: { publisher: none }
links:
  legacy: { type: amqp, dialect: voice-events, url: '${amqpUrl}', queue: { type: classic } }
  bus: { type: nats, dialect: xcc, servers: ['${nats.url}'] }
  ast1: ${link(ast1, `http://127.0.0.1:${proxy.port}`)}
  ast2: ${link(ast2)}
routes:
  - { from: ast1, to: legacy }
  - { from: ast1, to: bus }
  - { from: ast2, to: legacy }
  - { from: ast2, to: bus }
  - { from: legacy, to: bus }
`)
})

afterEach(async () => {
  await gateway?.stop()
  await proxy.close()
  for (const { id } of await channelsOf(ast1)) await ast1.ari('DELETE', `/channels/${encodeURIComponent(id)}`)
  await expectRubyAgrees()
  await bus.close()
  await legacy.close()
  await nats.stop()
})

/** Every YAML that reached the legacy side is to Ruby what it is to us. */
async function expectRubyAgrees(): Promise<void> {
  const bodies = legacy.seen.filter((each) => each.headers['patchbay-path'] !== undefined).map(({ body }) => body)
  expect(bodies.length).toBeGreaterThan(0)
  expect(await rubyLoad(bodies)).toEqual(bodies.map((body) => toTyped(parse(body, { classes: CLASSES }))))
}

interface AriChannel {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly caller: { readonly number: string }
}

async function channelsOf(asterisk: TestAsterisk): Promise<readonly AriChannel[]> {
  const { body } = await asterisk.ari('GET', '/channels')
  return body as AriChannel[] // as Asterisk documents it
}

/** The one channel that a call from `number` came in on, once it is there. */
async function channelOf(asterisk: TestAsterisk, number: string): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const found = (await channelsOf(asterisk)).find((each) => each.caller.number === number)
    if (found !== undefined) return found.id
    await delay(20)
  }
  throw new Error(`no channel of ${number}`)
}

/** What controllers heard of a call, in short words. */
function xccOf(uuid: string): string[] {
  return bus.events().flatMap(({ method, params }) => {
    if (params.uuid !== uuid) return []
    if (method === 'Event.CDR') return ['CDR']
    if (method === 'Event.DTMF') return [`DTMF ${String(params.dtmf_digit)}`]
    if (method !== 'Event.Channel') return [method]
    return [`${String(params.state)}${params.held === true ? ' held' : ''}`]
  })
}

interface LegacyEvent {
  readonly uuid: string
  readonly state: string
  readonly r_uuid: string
  readonly s_id: number
  readonly from: string
  readonly to: string
  readonly des: string
}

function legacyEvents(): LegacyEvent[] {
  return legacy.seen.filter(({ at }) => at === 'voice_events/channel.call_state').flatMap(({ body }) => eventsOf(body))
}

/** Events of a call message, read field by field as it is written. */
function eventsOf(body: Buffer): LegacyEvent[] {
  const parts = body.toString('utf8').split(/^- (?=uuid:)/m)
  return parts.slice(1).map((part) => {
    const fields = [...part.matchAll(/^ *(\w+): ?(.*)$/gm)].map(([, key, value]) => [key, unquoted(value!)])
    const event = Object.fromEntries(fields) as Record<keyof LegacyEvent, string> // what the mapping writes
    return { ...event, s_id: Number(event.s_id) }
  })
}

const unquoted = (text: string) => text.replace(/^(['"])(.*)\1$/, '$2')
const legacyOf = (uuid: string) => legacyEvents().filter((each) => each.uuid === uuid)
const legacyStates = (uuid: string) =>
  legacyOf(uuid).map(({ state, r_uuid }) => `${state}${r_uuid === '' ? '' : ` ${r_uuid}`}`)
const ended = (uuid: string) =>
  xccOf(uuid).at(-1) === 'DESTROY' && legacyStates(uuid).at(-1)?.startsWith('HANGUP') === true
const cdrOf = (uuid: string) => {
  const { params } = bus.events('Event.CDR').find((each) => each.params.uuid === uuid)!
  return params.cdr as Record<string, string>
}

/** What was seen of something, by the clock of the test: it happened in between. Milliseconds. */
type Between = readonly [after: number, before: number]

/** Holds whole seconds of an account to what the clock of the test says, one second up or down. */
function expectSeconds(told: string | undefined, from: Between, to: Between): void {
  expect(told).toMatch(/^\d+$/)
  expect(Number(told)).toBeGreaterThanOrEqual((to[0] - from[1]) / 1000 - 1)
  expect(Number(told)).toBeLessThanOrEqual((to[1] - from[0]) / 1000 + 1)
}

describe('a call through a real Asterisk', () => {
  test('answered, bridged, held, unheld, keys pressed, hung up: both sides see it in order', async () => {
    const callee = await takeCall(ast1, { steps: ['ring', { pauseMs: 100 }, 'answer', 'hungUp'] })
    const placedAt = Date.now()
    const caller = await placeCall(ast1, {
      from: '1001',
      to: '600',
      steps: [
        'answered',
        { pauseMs: 900 },
        'hold',
        { pauseMs: 200 },
        'unhold',
        { keys: '5#' },
        { pauseMs: 200 },
        'hangUp',
      ],
    })
    const a = await channelOf(ast1, '1001')
    const began: Between = [placedAt, Date.now()]
    await until(() => xccOf(a).includes('START'))
    const askedAt = Date.now()
    await ast1.ari('POST', `/channels/${a}/answer`)
    await until(() => xccOf(a).includes('ANSWERED'))
    const answered: Between = [askedAt, Date.now()]
    const b = `${a}-callee`
    await ast1.ari('POST', '/channels', {
      endpoint: `PJSIP/trunk/sip:callee@127.0.0.1:${callee.port}`,
      app: ast1.app,
      channelId: b,
      originator: a,
    })
    await until(() => xccOf(b).includes('ANSWERED'))
    await ast1.ari('POST', '/bridges/talk?type=mixing,dtmf_events')
    await ast1.ari('POST', `/bridges/talk/addChannel?channel=${a},${b}`)
    await until(() => xccOf(a).includes('DTMF #'))
    const stillUpAt = Date.now()
    await caller.done
    await until(() => ended(a))
    const over: Between = [stillUpAt, Date.now()]
    await ast1.ari('DELETE', `/channels/${b}`)
    await callee.done
    await until(() => ended(b))
    await ast1.ari('DELETE', '/bridges/talk')

    expect(xccOf(a)).toEqual([
      'START',
      'ANSWERED',
      'BRIDGE',
      'BRIDGE held',
      'BRIDGE',
      'DTMF 5',
      'DTMF #',
      'UNBRIDGE',
      'CDR',
      'DESTROY',
    ])
    expect(xccOf(b)).toEqual(['CALLING', 'RINGING', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'])
    expect(legacyStates(a)).toEqual(['EARLY', 'ACTIVE', `ACTIVE ${b}`, `HELD ${b}`, `UNHELD ${b}`, 'ACTIVE', 'HANGUP'])
    expect(legacyStates(b)).toEqual(['EARLY', 'RINGING', 'ACTIVE', `ACTIVE ${a}`, 'ACTIVE', 'HANGUP'])
    const [first] = legacyOf(a)
    expect(first).toMatchObject({ from: '1001', des: '600' })
    expect(Number.isSafeInteger(first!.s_id)).toBe(true)
    expect(new Set(legacyOf(a).map(({ s_id }) => s_id)).size).toBe(1)
    expect(cdrOf(a)).toMatchObject({
      hangup_cause: 'NORMAL_CLEARING',
      caller_id_number: '1001',
      destination_number: '600',
    })
    expectSeconds(cdrOf(a).billsec, answered, over)
    expectSeconds(cdrOf(a).duration, began, over)
  }, 20_000)

  const failures: readonly {
    readonly name: string
    readonly steps: Parameters<typeof takeCall>[1]['steps']
    readonly cause: string
    readonly xcc: readonly string[]
    readonly states: readonly string[]
  }[] = [
    { name: 'busy', steps: [{ refuse: 486 }], cause: 'USER_BUSY', xcc: ['CALLING'], states: ['EARLY'] },
    {
      name: 'rejected',
      steps: ['ring', { refuse: 603 }],
      cause: 'CALL_REJECTED',
      xcc: ['CALLING', 'RINGING'],
      states: ['EARLY', 'RINGING'],
    },
    {
      name: 'no answer',
      steps: ['ring', 'cancelled'],
      cause: 'NO_ANSWER',
      xcc: ['CALLING', 'RINGING'],
      states: ['EARLY', 'RINGING'],
    },
  ]
  test.each(failures)('$name: one account with its cause, nothing billed', async ({ steps, cause, xcc, states }) => {
    const callee = await takeCall(ast1, { steps })
    const uuid = `out-${cause}`
    const askedAt = Date.now()
    await ast1.ari('POST', '/channels', {
      endpoint: `PJSIP/trunk/sip:callee@127.0.0.1:${callee.port}`,
      app: ast1.app,
      channelId: uuid,
      timeout: 1,
    })
    const began: Between = [askedAt, Date.now()]
    await callee.done
    await until(() => ended(uuid))
    expect(xccOf(uuid)).toEqual([...xcc, 'CDR', 'DESTROY'])
    expect(legacyStates(uuid)).toEqual([...states, 'HANGUP'])
    expect(cdrOf(uuid)).toMatchObject({ hangup_cause: cause, billsec: '0' })
    // It rings for a second where nobody answers.
    const earliest = cause === 'NO_ANSWER' ? began[0] + 1000 : began[1]
    expectSeconds(cdrOf(uuid).duration, began, [earliest, Date.now()])
  })

  test('a caller who gives up', async () => {
    const placedAt = Date.now()
    const caller = await placeCall(ast1, { from: '1002', to: '600', steps: ['ringing', { pauseMs: 2300 }, 'cancel'] })
    const uuid = await channelOf(ast1, '1002')
    const began: Between = [placedAt, Date.now()]
    await until(() => xccOf(uuid).includes('START'))
    await ast1.ari('POST', `/channels/${uuid}/ring`)
    const rangAt = Date.now()
    await caller.done
    await until(() => ended(uuid))
    // Of the ringing that it is asked for Asterisk tells nobody.
    expect(xccOf(uuid)).toEqual(['START', 'CDR', 'DESTROY'])
    expect(legacyStates(uuid)).toEqual(['EARLY', 'HANGUP'])
    expect(cdrOf(uuid)).toMatchObject({ hangup_cause: 'ORIGINATOR_CANCEL', billsec: '0' })
    expectSeconds(cdrOf(uuid).duration, began, [rangAt + 2200, Date.now()])
  })

  test('media before the answer is told as early media', async () => {
    const callee = await takeCall(ast1, { steps: ['progress', { pauseMs: 200 }, 'answer', { pauseMs: 100 }, 'hangUp'] })
    await ast1.ari('POST', '/channels', {
      endpoint: `PJSIP/trunk/sip:callee@127.0.0.1:${callee.port}`,
      app: ast1.app,
      channelId: 'early-1',
    })
    await callee.done
    await until(() => ended('early-1'))
    expect(xccOf('early-1')).toEqual(['CALLING', 'MEDIA', 'ANSWERED', 'CDR', 'DESTROY'])
  })
})

const online = (body: Buffer, list: string) =>
  [...(new RegExp(`^${list}:\\n((?:- .*\\n)*)`, 'm').exec(body.toString())?.[1] ?? '').matchAll(/- (.*)\n/g)].map(
    ([, item]) => unquoted(item!),
  )
const terminalMessages = () => legacy.seen.filter(({ at }) => at === 'voice_events/terminal.online_offline_states')

describe('telephones of two Asterisks', () => {
  test('come and go as terminals, and a sync has those of both', async () => {
    await registerPhone(ast1, '1001')
    await registerPhone(ast2, '1002')
    const told = (serial: string, list: string) =>
      terminalMessages().some(({ body }) => online(body, list).includes(serial))
    await until(() => told('1001', 'online') && told('1002', 'online'))
    legacy.seen.length = 0
    await legacy.publish('voice_sync_online', '', 'sync_terminal_states')
    await until(() => terminalMessages().length > 0)
    expect(terminalMessages().map(({ body }) => [online(body, 'online').sort(), online(body, 'offline')])).toEqual([
      [['1001', '1002'], []],
    ])
    await unregisterPhone(ast1, '1001')
    await until(() => told('1001', 'offline'))
    await unregisterPhone(ast2, '1002')
    await until(() => told('1002', 'offline'))
    expect(told('1001', 'offline') && told('1002', 'offline')).toBe(true)
  })
})

/** Calls of a side that it was not told the end of. */
function alive(told: readonly string[], words: (uuid: string) => string[], isEnd: (word: string) => boolean): string[] {
  return [...new Set(told)].filter((uuid) => !words(uuid).some(isEnd)).sort()
}
const aliveInXcc = () =>
  alive(
    bus.events('Event.Channel').map(({ params }) => String(params.uuid)),
    xccOf,
    (word) => word === 'DESTROY',
  )
const aliveInLegacy = () =>
  alive(
    legacyEvents().map(({ uuid }) => uuid),
    legacyStates,
    (word) => word.startsWith('HANGUP'),
  )
const gaps = () =>
  bus
    .events('Event.NativeEvent')
    .filter(({ params }) => (params.event as Record<string, string>)['Event-Subclass'] === 'gap')

/** There is one gap: it begins not after something was lost, not long before, and ends with the connection. */
function expectOneGap(quiet: Between, back: Between): void {
  expect(gaps()).toHaveLength(1)
  const { from_ms, until_ms } = gaps()[0]!.params.event as { from_ms: string; until_ms: string }
  const [from, to] = [Number(from_ms), Number(until_ms)]
  expect(from).toBeGreaterThanOrEqual(quiet[0])
  expect(from).toBeLessThanOrEqual(quiet[1])
  expect(to).toBeGreaterThanOrEqual(back[0])
  expect(to).toBeLessThanOrEqual(back[1])
}

const phoneCall = async (id: string) => {
  const callee = await takeCall(ast1, { steps: ['answer', 'hungUp'] })
  await ast1.ari('POST', '/channels', {
    endpoint: `PJSIP/trunk/sip:callee@127.0.0.1:${callee.port}`,
    app: ast1.app,
    channelId: id,
  })
  return callee
}

describe('after an outage both views are those of Asterisk', () => {
  /** How often each side was told that a call is over, and the account. */
  const ends = (uuid: string) => ({
    destroyed: xccOf(uuid).filter((word) => word === 'DESTROY').length,
    accounts: xccOf(uuid).filter((word) => word === 'CDR').length,
    hungUp: legacyStates(uuid).filter((word) => word.startsWith('HANGUP')).length,
  })
  const ONCE = { destroyed: 1, accounts: 1, hungUp: 1 }
  const NEVER = { destroyed: 0, accounts: 0, hungUp: 0 }

  test('Asterisk is killed in mid-call and started again', async () => {
    const callee = await phoneCall('killed-1')
    const beforeAnswer = Date.now()
    await until(() => xccOf('killed-1').includes('ANSWERED'))
    await ast1.kill()
    const killedAt = Date.now()
    await delay(300)
    const startedAt = Date.now()
    await ast1.restart()
    await until(
      () => ended('killed-1'),
      () => xccOf('killed-1').join(' '),
      15_000,
    )
    await callee.stop()
    expect(cdrOf('killed-1')).toMatchObject({ hangup_cause: 'NETWORK_OUT_OF_ORDER' })
    await until(() => gaps().length > 0)
    expectOneGap([beforeAnswer, killedAt], [startedAt, Date.now()])
    expect(aliveInXcc()).toEqual([])
    expect(aliveInLegacy()).toEqual([])
    expect(ends('killed-1')).toEqual(ONCE)
  }, 30_000)

  test('the socket is cut while calls come and go', async () => {
    const stays = await phoneCall('stays')
    const goes = await phoneCall('goes')
    const beforeAnswer = Date.now()
    await until(() => xccOf('stays').includes('ANSWERED') && xccOf('goes').includes('ANSWERED'))
    proxy.faults.refusing = true
    proxy.cut()
    const cutAt = Date.now()
    await ast1.ari('DELETE', '/channels/goes')
    await goes.done
    const fresh = await placeCall(ast1, {
      from: '1003',
      to: 'answer',
      steps: ['answered', { pauseMs: 12_000 }, 'hangUp'],
    })
    const brief = await placeCall(ast1, { from: '1004', to: 'wait-0.5', steps: ['answered', 'hungUp'] })
    const passing = await channelOf(ast1, '1004')
    await brief.done
    await delay(10_000)
    const backAt = Date.now()
    proxy.faults.refusing = false
    const uuid = await channelOf(ast1, '1003')
    await until(
      () => xccOf(uuid).includes('ANSWERED') && ended('goes') && legacyStates(uuid).includes('ACTIVE'),
      () => `${xccOf(uuid).join(' ')}, ${xccOf('goes').join(' ')}`,
      10_000,
    )
    const there = (await channelsOf(ast1)).map(({ id }) => id).sort()
    expect(there).toEqual([uuid, 'stays'].sort())
    expect(aliveInXcc()).toEqual(there)
    expect(aliveInLegacy()).toEqual(there)
    expect(ends('goes')).toEqual(ONCE)
    for (const each of ['stays', uuid]) expect(ends(each)).toEqual(NEVER)
    // Nobody saw that one begin, so nobody is told of its end.
    expect([...xccOf(passing), ...legacyStates(passing)]).toEqual([])
    expectOneGap([beforeAnswer, cutAt], [backAt, Date.now()])
    expect(xccOf('stays')).toEqual(['CALLING', 'ANSWERED'])
    await ast1.ari('DELETE', '/channels/stays')
    await stays.done
    await fresh.stop()
    await until(() => ended('stays'))
    expect(ends('stays')).toEqual(ONCE)
  }, 40_000)
})
