import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { METHODS } from '../../src/calls/xnode/methods/table.js'
import { type AriGate, startAriGate } from '../harness/index.js'
import { endOf, hears, legTo, newUuid, waitsOf } from './legs.js'
import { LONG, OFFERING } from './offering.js'
import { type Answer, type SteeredSite, startSteeredSite, steeringFile, type TestController } from './site.js'

/** A caller may go before each request that a method makes of Asterisk, and while it waits for what happens. */
const MOST_REQUESTS = 40
/** A method that makes no request for so long waits for somebody. Milliseconds. */
const QUIET_MS = 600
const ANSWER_MS = 6000

type Params = Readonly<Record<string, unknown>>

/** A method that takes several steps: what it is asked with, and what it may answer when the caller hangs up. */
interface Subject {
  readonly method: string
  readonly of?: string
  params(others: { readonly peer: string; readonly free: string }): Params
  /**
   * How the caller is when it is asked: an answered leg that is alone, one that talks to somebody, a call that came in, or
   * one that is offered to others as well.
   */
  readonly caller?: 'talks' | 'rings' | 'offered'
  /** Default: 410. */
  readonly codes?: readonly number[]
  /** How many moments there are at least. Default 2: before its request, and after. */
  readonly moments?: number
  /** It runs until it is stopped. */
  readonly lasts?: true
}

const prompt = { data: 'silence_stream://300' }
const dial = (service: string) => () => ({
  destination: { call_params: [{ uuid: newUuid(), dial_string: `loopback/${service}/services`, timeout: 5 }] },
})
const digits = { media: prompt, max_digits: 4, timeout: 200, max_tries: 2, media_invalid: prompt }

const SUBJECTS: readonly Subject[] = [
  {
    method: 'Play',
    params: () => ({ media: { data: 'silence_stream://120!tone_stream://%(500,500,425)', loop: 2 } }),
    lasts: true,
  },
  { method: 'ReadDTMF', params: () => ({ media: prompt, max_digits: 4, timeout: 60_000 }), lasts: true },
  { method: 'ReadDigits', params: () => digits },
  {
    method: 'Record',
    of: 'RECORD',
    params: () => ({ path: 'moments.wav', beep: '%(100,0,425)', limit: 60 }),
    lasts: true,
  },
  { method: 'Record', of: 'START', params: () => ({ path: `${newUuid()}.wav`, action: 'START' }) },
  { method: 'Bridge', of: 'ringing', params: dial('ring'), moments: 4, lasts: true },
  { method: 'Bridge', of: 'answered', params: dial('answer'), moments: 6, lasts: true },
  { method: 'Bridge', of: 'with early sound', params: dial('progress'), caller: 'rings', lasts: true },
  { method: 'ChannelBridge', params: ({ free }) => ({ peer_uuid: free }), moments: 4, lasts: true },
  { method: 'ChannelBridge2', params: ({ free }) => ({ peer_uuid: free }) },
  { method: 'Conference', params: () => ({ name: newUuid() }), lasts: true },
  { method: 'Conference', of: 'unanswered', params: () => ({ name: newUuid() }), caller: 'rings', lasts: true },
  { method: 'ThreeWay', moments: 4, params: ({ peer }) => ({ target_uuid: peer, direction: 'ABC' }), lasts: true },
  {
    method: 'ThreeWay',
    of: 'to one',
    moments: 4,
    params: ({ peer }) => ({ target_uuid: peer, direction: 'TOA' }),
    lasts: true,
  },
  {
    method: 'ThreeWay',
    of: 'to listen',
    moments: 4,
    params: ({ peer }) => ({ target_uuid: peer, direction: 'LISTEN' }),
    lasts: true,
  },
  { method: 'Intercept', moments: 4, params: ({ peer }) => ({ target_uuid: peer }), lasts: true },
  { method: 'Consult', of: 'ringing', params: dial('ring'), moments: 5, caller: 'talks', lasts: true },
  // Who hangs up while those two talk has transferred them.
  { method: 'Consult', of: 'answered', params: dial('answer'), caller: 'talks', lasts: true, codes: [410, 200] },
  { method: 'FIFO', params: () => ({ name: 'long' }), lasts: true },
  { method: 'Callcenter', params: () => ({ name: 'long' }), lasts: true },
  { method: 'NativeApp', moments: 4, params: () => ({ cmd: 'long', args: 'to ten' }), lasts: true },
  { method: 'Transfer', params: () => ({ extension: 'silent', context: 'services' }) },
  { method: 'MediaFork', moments: 5, params: () => ({ action: 'start', url: 'rtp://127.0.0.1:9' }) },
  // Done once it has begun.
  { method: 'Broadcast', params: () => ({ media: prompt, option: 'ALEG' }), codes: [410, 200] },
  { method: 'Echo2', params: () => ({ action: 'START', direction: 'SELF' }) },
  // Done when the channel is in no bridge.
  { method: 'UnBridge', params: () => ({}), caller: 'talks', codes: [410, 200] },
  { method: 'UnBridge2', params: () => ({}), caller: 'talks', codes: [410, 200] },
  // Done as well where the caller was over by its own request, and its peer is now.
  { method: 'Hangup', of: 'BOTH', params: () => ({ flag: 'BOTH' }), caller: 'talks', codes: [410, 200] },
  { method: 'Mute', params: () => ({ direction: 'READ', level: 1 }) },
  { method: 'Hold', params: () => ({ action: 'ON' }) },
  { method: 'SendDTMF', params: () => ({ dtmf: '123' }) },
  { method: 'SetVar', params: () => ({ data: { one: '1', two: '2', three: '3' } }) },
  { method: 'GetVar', params: () => ({ data: ['one', 'two', 'three'] }) },
  { method: 'Accept', params: () => ({ channel_params: ['one'] }), caller: 'rings' },
  { method: 'Answer', params: () => ({ channel_params: ['one'] }), caller: 'rings' },
  { method: 'Answer', of: 'on offer', params: () => ({ channel_params: ['one'] }), caller: 'offered', moments: 4 },
]

/** Methods of a channel that are not tried at every moment, because they make one request at most. */
const BRIEF: Readonly<Record<string, Params>> = { Stop: {}, GetState: {}, GetChannelData: {} }

const PLACE = "{ long: { context: services, extension: 'silent' } }"
const HOOKS = `hooks: { fifo: ${PLACE}, callcenter: ${PLACE}, app: ${PLACE} }`

let file: ReturnType<typeof steeringFile>
let gate: AriGate
let site: SteeredSite
let app: TestController
/** Paths of requests since the last look. */
let asked: string[] = []

beforeAll(async () => {
  file = steeringFile(HOOKS)
  site = await startSteeredSite({
    asterisk: { append: { 'extensions.conf': OFFERING } },
    steer: `tables: '${file.path}'`,
    reach: async ({ httpPort }) => {
      gate = await startAriGate(httpPort)
      return gate.url
    },
  })
  app = await site.controller()
})
afterAll(async () => {
  await site.stop()
  await gate.close()
  file.remove()
})

const leg = () => legTo(app, 'answer')

async function talk(one: string, other: string): Promise<void> {
  expect(await app.ask('ChannelBridge2', { uuid: one, peer_uuid: other })).toMatchObject({ code: 200 })
  await hears(app, one, 'BRIDGE')
}

/** A channel for a method, and how its other end hangs up. */
interface Caller {
  readonly uuid: string
  readonly hangUp: () => Promise<void>
}

async function hungUp(path: string, uuid: string): Promise<void> {
  await site.asterisk.ari('DELETE', path)
  const end = Date.now() + 3000
  while ((await site.asterisk.ari('GET', `/channels/${uuid}`)).status !== 404) {
    if (Date.now() > end) throw new Error(`${uuid} does not end`)
    await delay(5)
  }
}

/** A call over the wire that nobody has answered. */
async function ringing(extension: string): Promise<Caller> {
  const from = newUuid()
  const dial_string = `sofia/trunk/${extension}@127.0.0.1:${site.asterisk.sipPort}`
  await app.ask('Dial', { destination: { call_params: [{ uuid: from, dial_string }] } })
  const uuid = await app.nextCall()
  return { uuid, hangUp: () => hungUp(`/channels/${from}`, uuid) }
}

async function callerFor({ caller }: Subject): Promise<Caller> {
  if (caller === 'rings') return ringing('600')
  if (caller === 'offered') return ringing(LONG)
  const uuid = await leg()
  return { uuid, hangUp: () => hungUp(`/channels/${uuid};2`, uuid) }
}

async function untilQuiet(): Promise<void> {
  for (let before = -1; before !== asked.length; await delay(QUIET_MS)) before = asked.length
}

/** Requests that the link makes for itself, whatever is asked of the node. */
function ofTheLink(path: string): boolean {
  return /^\/ari\/(applications\/|(channels|bridges|endpoints|deviceStates)(\?|$))/.test(path)
}

type Going = 'hangs up' | 'is stopped'

interface Run {
  readonly answer: Answer | 'no answer'
  /** Requests that were made, the held one last. */
  readonly requests: readonly string[]
  /** It was over before the caller went. */
  readonly wasOver: boolean
}

/** Asks a method of a fresh caller, who goes before the given request, or where there is none once it is quiet. */
async function run(subject: Subject, moment: number, going: Going): Promise<Run> {
  const { uuid, hangUp } = await callerFor(subject)
  const [peer, free] = [await leg(), await leg()]
  await talk(peer, subject.caller === 'talks' ? uuid : await leg())
  asked = []
  let wasOver = false
  let left: Promise<unknown> | undefined
  let answer: Answer | undefined
  const reached = new Promise<void>((resolve) => {
    const go = () => {
      if (left !== undefined) return
      wasOver = answer !== undefined
      left = going === 'hangs up' ? hangUp() : app.ask('Stop', { uuid })
      resolve()
    }
    gate.onRequest = async ({ method: verb, path }) => {
      if (ofTheLink(path)) return
      asked.push(
        `${verb} ${path
          .replace(/\?.*/, '')
          .replaceAll(uuid, 'CALLER')
          .replace(/[0-9a-f-]{32,}/g, 'ID')}`,
      )
      if (asked.length !== moment + 1 || left !== undefined) return
      go()
      // What a stop makes of Asterisk passes.
      await left
    }
    void untilQuiet().then(go)
  })
  const asking = app
    .ask(subject.method, { uuid, ...subject.params({ peer, free }) }, ANSWER_MS + 4000)
    .then((given) => (answer = given))
    .catch(() => undefined)
  await reached
  const requests = asked.slice(0, moment + 1)
  await left
  await Promise.race([asking, delay(ANSWER_MS)])
  gate.onRequest = () => undefined
  if (going === 'hangs up') expect(await endOf(app, uuid)).toMatchObject({ uuid })
  return { answer: answer ?? 'no answer', requests, wasOver }
}

/** Ends whatever is up. */
async function clear(): Promise<void> {
  for (const path of ['channels', 'bridges']) {
    for (let tries = 0; tries < 100; tries++) {
      const there = (await site.asterisk.ari('GET', `/${path}`)).body as readonly { readonly id: string }[]
      if (there.length === 0) break
      for (const { id } of there) await site.asterisk.ari('DELETE', `/${path}/${encodeURIComponent(id)}`)
      await delay(20)
    }
  }
}

/** Every moment of a method, with what it answered, and those at which that was wrong. */
async function everyMoment(subject: Subject, going: Going, codes: readonly number[]) {
  const [moments, wrong] = [[] as string[], [] as string[]]
  for (let moment = 0; moment < MOST_REQUESTS; moment++) {
    const { answer, requests, wasOver } = await run(subject, moment, going)
    const isLast = requests.length <= moment
    const when = isLast ? 'while it waits' : `before ${requests[moment]}`
    moments.push(`${when}: ${answer === 'no answer' ? answer : `${answer.code} ${answer.message}`}`)
    const isRight = answer !== 'no answer' && (wasOver ? answer.code === 200 : codes.includes(answer.code))
    if (!isRight) wrong.push(moments.at(-1)!)
    await clear()
    if (isLast) break
  }
  return { moments, wrong }
}

async function check(subject: Subject, going: Going, codes: readonly number[]): Promise<void> {
  const { moments, wrong } = await everyMoment(subject, going, codes)
  // For whoever wants to read the table.
  if (process.env.MOMENTS)
    process.stderr.write(`${subject.method} ${subject.of ?? ''} ${going}\n  ${moments.join('\n  ')}\n`)
  expect(wrong).toEqual([])
  expect(moments.length).toBeLessThan(MOST_REQUESTS)
  expect(moments.length).toBeGreaterThanOrEqual(subject.moments ?? 2)
  await expect.poll(() => waitsOf(site)).toBe(0)
}

test('every method of a channel is tried at every moment, or makes one request at most', async () => {
  const ofChannels = [...METHODS].flatMap(([name, { on }]) => (on === 'channel' ? [name.replace('XNode.', '')] : []))
  const tried = new Set(SUBJECTS.map(({ method }) => method))
  expect([...tried, ...Object.keys(BRIEF)].sort()).toEqual(ofChannels.sort())
  const uuid = await leg()
  for (const [method, params] of Object.entries(BRIEF)) {
    asked = []
    gate.onRequest = ({ path }) => {
      if (!ofTheLink(path)) asked.push(path)
    }
    expect(await app.ask(method, { uuid, ...params })).toMatchObject({ code: 200 })
    gate.onRequest = () => undefined
    expect(asked.length, `${method}: ${asked.join(', ')}`).toBeLessThanOrEqual(1)
  }
  await clear()
})

describe('a caller hangs up at every moment of', () => {
  test.each(SUBJECTS)('$method $of', (subject) => check(subject, 'hangs up', subject.codes ?? [410]), 120_000)
})

describe('a caller is stopped at every moment of', () => {
  const lasting = SUBJECTS.filter(({ lasts }) => lasts)
  test.each(lasting)('$method $of', (subject) => check(subject, 'is stopped', [206]), 120_000)
})

describe('what Asterisk tells later than it answers', () => {
  afterEach(async () => {
    gate.onRequest = () => undefined
    gate.onEvents = () => undefined
    await clear()
  })

  test('that one left a talk does not end it for the two that have it now', async () => {
    const [a, b, c] = [await leg(), await leg(), await leg()]
    await talk(a, b)
    const ended: string[] = []
    let go = () => {}
    const late = new Promise<void>((resolve) => {
      go = resolve
    })
    gate.onRequest = ({ method: verb, path }) => {
      if (path.includes('/removeChannel')) gate.onEvents = () => late
      if (verb === 'DELETE' && path.startsWith('/ari/bridges/')) ended.push(path)
      if (verb === 'DELETE' && path.includes(a)) go()
    }
    const over = app.ask('Intercept', { uuid: c, target_uuid: a })
    await endOf(app, a)
    await hears(app, c, 'BRIDGE')
    expect(await app.ask('GetState', { uuid: b })).toMatchObject({ code: 200, bridged: true })
    expect(ended).toEqual([])
    await app.ask('Hangup', { uuid: b })
    expect(await over).toMatchObject({ code: 200, uuid: c })
  })

  test('whom a channel talks to is known once its ChannelBridge2 is done', async () => {
    const [a, b] = [await leg(), await leg()]
    gate.onEvents = () => delay(30)
    expect(await app.ask('ChannelBridge2', { uuid: a, peer_uuid: b })).toMatchObject({ code: 200 })
    expect(await app.ask('GetState', { uuid: a })).toMatchObject({ code: 200, bridged: true })
    const consulting = app.ask('Consult', { uuid: a, ...dial('ring')() })
    await expect.poll(async () => (await app.ask('GetState', { uuid: a })).bridged).toBe(false)
    await app.ask('Stop', { uuid: a })
    expect(await consulting).toMatchObject({ code: 206, uuid: a })
    expect(await app.ask('GetState', { uuid: a })).toMatchObject({ code: 200, bridged: true })
  })
})
