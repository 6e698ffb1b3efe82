import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEADLINE_MS } from '../../src/calls/xnode/method.js'
import { METHODS } from '../../src/calls/xnode/methods/table.js'
import { SUPPORT } from '../tools/support.js'
import { type Answer, type SteeredSite, startSteeredSite, type TestController } from './site.js'

interface Field {
  readonly name: string
  readonly type: string
  readonly label: string
}

const definition = JSON.parse(readFileSync('test/fixtures/xcc/xcc-messages.json', 'utf8')) as {
  readonly services: readonly { readonly service: string; readonly rpc: string; readonly request: string }[]
  readonly messages: Readonly<Record<string, { readonly fields: readonly Field[] }>>
}
const RPCS = definition.services.filter(({ service }) => service === 'XNode')

type Params = Readonly<Record<string, unknown>>

/** A leg that rings and is not answered, for methods that make one. */
const destination = { call_params: [{ dial_string: 'Local/wait-1@services', timeout: 5 }] }
const media = { data: 'sound:hello-world' }

/** Params with which each method can do something; without a channel's uuid, which is added where it is wanted. */
const GOOD: Readonly<Record<string, Params>> = {
  Dial: { destination },
  Answer: {},
  Accept: {},
  Play: { media },
  Stop: {},
  Broadcast: { media, option: 'ALEG' },
  Mute: { direction: 'WRITE', flag: 'FIRST' },
  Record: { path: 'every-method.wav', action: 'START' },
  Hangup: {},
  Bridge: { destination },
  ChannelBridge: { peer_uuid: 'PEER' },
  ChannelBridge2: { peer_uuid: 'PEER' },
  UnBridge: {},
  UnBridge2: {},
  Hold: { action: 'ON' },
  Transfer: { extension: 'silent', context: 'services' },
  ThreeWay: { target_uuid: 'PEER', direction: 'LISTEN' },
  Echo2: { action: 'START', direction: 'SELF' },
  Intercept: { target_uuid: 'PEER' },
  Consult: { destination },
  SetVar: { data: { colour: 'red' } },
  GetVar: { data: ['colour'] },
  GetState: {},
  GetChannelData: {},
  ReadDTMF: { timeout: 300 },
  ReadDigits: { timeout: 300 },
  DetectSpeech: { speech: { engine: 'any' } },
  StopDetectSpeech: {},
  DetectSpeechFeedTTS: { text: 'hello' },
  RingBackDetection: {},
  DetectFace: { action: 'START' },
  SendDTMF: { dtmf: '12' },
  SendINFO: { content_type: 'text/plain', data: 'x' },
  NativeApp: { cmd: 'break' },
  NativeAPI: { cmd: 'status' },
  NativeJSAPI: { data: { command: 'anything', data: {} } },
  JStatus: { data: { command: 'status' } },
  ConferenceInfo: { data: { command: 'conferenceInfo', data: { conferenceName: 'nobody-there' } } },
  ConferenceList: { data: { command: 'conferenceInfo', data: {} } },
  FIFO: { name: 'sales' },
  Callcenter: { name: 'sales' },
  Conference: { name: 'every-method' },
  AI: { url: 'http://127.0.0.1/' },
  HttAPI: { url: 'http://127.0.0.1/' },
  TTSPreheat: { data: ['hello'] },
  Lua: { script: 'x.lua' },
  Register: {},
  Shutdown: {},
  MediaFork: { action: 'start', url: 'rtp://127.0.0.1:30000' },
}

/** Methods that are about no channel, with good params and the uuid of nobody: none of them looks for a channel. */
const ABOUT_NOBODY: Readonly<Record<string, number>> = {
  Dial: 202,
  NativeAPI: 200,
  NativeJSAPI: 501,
  JStatus: 200,
  ConferenceInfo: 400,
  ConferenceList: 200,
  TTSPreheat: 501,
  Register: 200,
  // Of another node.
  Shutdown: 400,
}
/** Methods that are about the node, and answer well also when nothing is said. */
const WITHOUT_PARAMS = new Set(['JStatus', 'ConferenceList', 'Register', 'Shutdown'])
/** Good params may still meet a node that has not what is asked for. */
const LACKING: Readonly<Record<string, number>> = { ConferenceInfo: 400, FIFO: 501, Callcenter: 501, NativeJSAPI: 501 }
/** The channel talks to somebody, or the one that is meant does. */
const TALKING = new Set(['UnBridge', 'UnBridge2', 'Consult'])
const OF_A_TALK = new Set(['Intercept', 'ThreeWay'])
/** Until they are ended from outside. */
const LASTING = new Set(['ChannelBridge', 'ThreeWay', 'Intercept', 'Conference'])

const fieldsOf = (rpc: string) =>
  definition.messages[RPCS.find((each) => each.rpc === rpc)!.request.replace(/^.*\./, '')]?.fields ?? []
const isOnChannel = (rpc: string) => {
  const method = METHODS.get(`XNode.${rpc}`)
  if (method?.on === 'channel') return true
  return method?.on !== 'node' && fieldsOf(rpc).some(({ name }) => name === 'uuid')
}
const isMissing = (rpc: string) => METHODS.get(`XNode.${rpc}`)?.on === 'nothing'

/** A message that the definition leaves open has its frame in ours. */
const FRAMED: Readonly<Record<string, readonly string[]>> = { NativeJSAPI: ['ctrl_uuid', 'data'] }
const namesOf = (rpc: string) => FRAMED[rpc] ?? fieldsOf(rpc).map(({ name }) => name)

/** What a request comes to that says nothing its method knows. */
function codeOfNothing(rpc: string): number {
  if (isOnChannel(rpc)) return 400
  if (WITHOUT_PARAMS.has(rpc)) return 200
  return isMissing(rpc) ? 501 : 400
}

/** A value that the field cannot hold. */
function wrong({ type, label }: Field): unknown {
  if (label === 'repeated') return 'no list'
  return type === 'string' ? 7 : 'no such thing'
}

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())

/** Asks, and holds the answer to the time that the method has. */
async function ask(rpc: string, params: Params = {}): Promise<Answer> {
  const method = METHODS.get(`XNode.${rpc}`)
  const withinMs = (method?.on === 'nothing' ? undefined : method?.deadlineMs) ?? DEADLINE_MS
  const since = performance.now()
  const answer = await app.ask(rpc, params)
  expect(performance.now() - since, `${rpc}, milliseconds`).toBeLessThan(withinMs)
  return answer
}

/** A channel in the application, with somebody at its other end. */
async function freshChannel(): Promise<string> {
  const id = randomUUID()
  const made = { endpoint: 'Local/answer@services', app: site.asterisk.app, channelId: id }
  expect((await site.asterisk.ari('POST', '/channels', made)).status).toBe(200)
  for (let tries = 0; tries < 200; tries++) {
    if ((await app.ask('GetState', { uuid: id })).answered === true) return id
    await delay(10)
  }
  throw new Error('no channel came up')
}

async function talk(uuid: string, peer_uuid: string): Promise<void> {
  expect(await app.ask('ChannelBridge2', { uuid, peer_uuid })).toMatchObject({ code: 200 })
  await expect.poll(async () => (await app.ask('GetState', { uuid })).bridged).toBe(true)
}

/** What lasts is ended after this time; everything else ends before, also where the machine is busy. */
const GRACE_MS = 1500
const PATIENCE_MS = 15_000

/** Sends a request; what still runs after a while is ended by ending its channel. */
async function outcome(rpc: string, params: Params, uuid?: string): Promise<Answer> {
  const answer = ask(rpc, params)
  if (uuid === undefined) return answer
  await Promise.race([answer, delay(LASTING.has(rpc) ? GRACE_MS : PATIENCE_MS)])
  await site.asterisk.ari('DELETE', `/channels/${uuid}`)
  return answer
}

test('the table of support names every method that does something, and tests that are there', () => {
  const doing = [...METHODS].filter(([, { on }]) => on !== 'nothing').map(([name]) => name.replace('XNode.', ''))
  expect(Object.keys(SUPPORT).sort()).toEqual(doing.sort())
  expect([...METHODS.keys()].sort()).toEqual(RPCS.map(({ rpc }) => `XNode.${rpc}`).sort())
  for (const [
    rpc,
    {
      test: [file, title],
      lacks,
      refused,
    },
  ] of Object.entries(SUPPORT)) {
    const text = readFileSync(`test/xnode/${file}.test.ts`, 'utf8')
    expect(text, rpc).toContain(`'${title}'`)
    expect(text, rpc).toMatch(new RegExp(`'${rpc}'|\\b${rpc}\\b`))
    // What is missing is asked for below.
    expect(refused !== undefined, rpc).toBe(lacks !== undefined)
  }
})

test('the table here names every method of the service', () => {
  expect(Object.keys(GOOD).sort()).toEqual(RPCS.map(({ rpc }) => rpc).sort())
  expect(RPCS).toHaveLength(49)
})

// Shutdown is the last: the node takes no calls after it.
const ORDERED = [...RPCS.map(({ rpc }) => rpc).filter((rpc) => rpc !== 'Shutdown'), 'Shutdown']

describe.each(ORDERED)('XNode.%s', (rpc) => {
  test('with an unknown uuid', async () => {
    const { code, message } = await ask(rpc, {
      ...GOOD[rpc],
      uuid: 'nobody',
      ...(rpc === 'Shutdown' && { node_uuid: 'other' }),
    })
    if (!isOnChannel(rpc)) {
      expect([rpc, code]).toEqual([rpc, ABOUT_NOBODY[rpc]])
      return
    }
    expect([code, message]).toEqual(
      isMissing(rpc)
        ? [501, expect.stringContaining('not possible on Asterisk')]
        : [400, expect.stringMatching(/nobody|unknown method/)],
    )
  })

  test('with wrong types', async () => {
    const names = namesOf(rpc)
    const fields = fieldsOf(rpc)
    if (fields.length > 0) {
      // All at once: every one of them is told.
      const all = await ask(rpc, Object.fromEntries(fields.map((field) => [field.name, wrong(field)])))
      expect(all.code).toBe(400)
      const told = all.message.split('; ').map((fault) => /^params\.(\w+)\S*: want /.exec(fault)?.[1])
      expect(told.sort()).toEqual([...names].sort())
    }
    for (const name of ['data', 'ctrl_uuid']) {
      const { code, message } = await ask(rpc, { [name]: 7 })
      // What a method does not know is not looked at.
      if (names.includes(name)) expect([code, message]).toEqual([400, expect.stringMatching(`${name}: want `)])
      else expect([name, code]).toEqual([name, rpc === 'Shutdown' ? 200 : codeOfNothing(rpc)])
    }
  })

  test('with none', async () => {
    if (rpc === 'Shutdown') return // its good params are none
    const { code, message } = await ask(rpc)
    expect(code).toBe(codeOfNothing(rpc))
    if (isOnChannel(rpc)) expect(message).toContain('uuid')
  })

  const refused = SUPPORT[rpc]?.refused ?? []
  test.each(refused.map((params) => [params] as const))('with what Asterisk has nothing for, %j', async (params) => {
    const uuid = isOnChannel(rpc) ? await freshChannel() : undefined
    const { code, message } = await ask(rpc, { ...params, ...(uuid !== undefined && { uuid }) })
    expect([code, message]).toEqual([501, expect.stringMatching(/^not possible on Asterisk: /)])
    if (uuid !== undefined) await site.asterisk.ari('DELETE', `/channels/${uuid}`)
  })

  test('with good ones', async () => {
    const uuid = isOnChannel(rpc) ? await freshChannel() : undefined
    const peer = JSON.stringify(GOOD[rpc]).includes('PEER') ? await freshChannel() : undefined
    if (uuid !== undefined && TALKING.has(rpc)) await talk(uuid, await freshChannel())
    if (peer !== undefined && OF_A_TALK.has(rpc)) await talk(peer, await freshChannel())
    const good = JSON.parse(JSON.stringify(GOOD[rpc]).replaceAll('PEER', peer ?? '')) as Params
    const { code, message, node_uuid } = await outcome(rpc, { ...good, ...(uuid !== undefined && { uuid }) }, uuid)
    if (peer !== undefined) await site.asterisk.ari('DELETE', `/channels/${peer}`)
    const done = rpc === 'Dial' ? 202 : LASTING.has(rpc) ? 410 : 200
    expect([code, message]).toEqual([isMissing(rpc) ? 501 : (LACKING[rpc] ?? done), expect.any(String)])
    expect(node_uuid).toBe('ast1')
  })
})
