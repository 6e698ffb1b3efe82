import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { takeCall } from '../harness/index.js'
import { answeredCaller, bridgesOf, endOf, hears, legTo, newUuid, nothingLeft, phoneAt } from './legs.js'
import { type SteeredSite, startSteeredSite, type TestController } from './site.js'
import { comesToHear, heardBy, heardIn, speaks } from './sound.js'

let site: SteeredSite
let app: TestController

beforeAll(async () => {
  site = await startSteeredSite()
  app = await site.controller()
})
afterAll(() => site.stop())
afterEach(() => nothingLeft(site))

const callIn = (from: string) => answeredCaller(site, app, ['hungUp'], from)

/** A caller, and a leg that plays music to it. */
async function talk() {
  const { uuid: a, caller } = await callIn('1001')
  const b = await legTo(app, 'music')
  expect(await app.ask('ChannelBridge2', { uuid: a, peer_uuid: b })).toMatchObject({ code: 200 })
  await hears(app, a, 'BRIDGE')
  return { a, b, caller }
}

async function hangUp(...uuids: readonly string[]) {
  for (const uuid of uuids) {
    await app.ask('Hangup', { uuid })
    await endOf(app, uuid)
  }
}

/** The loudest sample of what is heard and said on a channel for a while, of 32,767. */
async function peakOf(uuid: string): Promise<number> {
  const name = `party-${newUuid()}`
  const of = (action: string) => app.ask('Record', { uuid, action, path: `${name}.wav` })
  expect(await of('START')).toMatchObject({ code: 200 })
  await delay(1500) // what is recorded is as long as this
  expect(await of('STOP')).toMatchObject({ code: 200 })
  return (await heardIn(site.asterisk, name)).peak
}

/** Waits until a third party is seated: its ear and itself are in a bridge. */
async function seated(uuid: string) {
  for (let tries = 0; ; tries++) {
    const bridges = await bridgesOf(site)
    if (bridges.some(({ channels }) => channels.length === 2 && channels.includes(uuid) && isTapped(channels))) return
    if (tries > 400) throw new Error(`${uuid} has no seat: ${JSON.stringify(bridges)}`)
    await delay(20)
  }
}

const isTapped = (channels: readonly string[]) => channels.some((id) => id.startsWith('patchbay-ear-'))

/** Nobody was told of the channels that listen, not as a peer either. */
function nothingToldOfEars() {
  expect(app.heard.filter((each) => JSON.stringify(each).includes('patchbay-ear-'))).toEqual([])
}

describe('ThreeWay', () => {
  test('LISTEN: the third party hears the talk, and STOP ends it', async () => {
    const { a, b, caller } = await talk()
    const third = await callIn('1002')
    const c = third.uuid
    expect(await peakOf(c)).toBeLessThan(50)
    const listening = app.ask('ThreeWay', { uuid: c, target_uuid: a, direction: 'LISTEN' })
    await seated(c)
    expect(await peakOf(c)).toBeGreaterThan(500)
    expect(await app.ask('ThreeWay', { uuid: c, direction: 'STOP' })).toMatchObject({ code: 200 })
    expect(await listening).toMatchObject({ code: 206, uuid: c })
    expect(await app.ask('ThreeWay', { uuid: c, direction: 'STOP' })).toMatchObject({ code: 400 })
    await hangUp(c, a, b)
    await Promise.all([caller.done, third.caller.done])
    nothingToldOfEars()
    expect(app.wordsOf(c).filter((word) => /^[A-Z]+$/.test(word))).toEqual(['START', 'ANSWERED', 'CDR', 'DESTROY'])
  })
})

/** Two callers that talk to each other. */
async function twoCallers() {
  const one = await callIn('1001')
  const two = await callIn('1002')
  expect(await app.ask('ChannelBridge2', { uuid: one.uuid, peer_uuid: two.uuid })).toMatchObject({ code: 200 })
  await hears(app, one.uuid, 'BRIDGE')
  await hears(app, two.uuid, 'BRIDGE')
  return { a: one.uuid, b: two.uuid, done: Promise.all([one.caller.done, two.caller.done]) }
}

const bridges = async () =>
  (await site.asterisk.ari('GET', '/bridges')).body as readonly {
    readonly channels: readonly string[]
  }[]

/** Waits until exactly these are in one bridge. */
async function talking(...uuids: readonly string[]) {
  const wanted = [...uuids].sort().join(' ')
  for (let tries = 0; ; tries++) {
    const there = await bridges()
    if (there.some(({ channels }) => [...channels].sort().join(' ') === wanted)) return
    if (tries > 400) throw new Error(`${wanted} do not talk: ${JSON.stringify(there)}`)
    await delay(20)
  }
}

describe('a third party', () => {
  /** Two that are silent, and one that plays music. */
  async function party(direction: string) {
    const [a, b, c] = [await legTo(app, 'answer'), await legTo(app, 'answer'), await legTo(app, 'music')]
    expect(await app.ask('ChannelBridge2', { uuid: a, peer_uuid: b })).toMatchObject({ code: 200 })
    await hears(app, b, 'BRIDGE')
    const over = app.ask('ThreeWay', { uuid: c, target_uuid: a, direction }, 120_000)
    await seated(c)
    return { a, b, c, over }
  }

  test('ends its part by hanging up: 410, and the talk goes on', async () => {
    const { a, b, c, over } = await party('ABC')
    await hangUp(c)
    expect(await over).toMatchObject({ code: 410, uuid: c })
    await talking(a, b)
    await hangUp(a, b)
  })

  test.each([0, 1])(
    'is free when a side of the talk hangs up (%i): the target ends it, its peer does not',
    async (which) => {
      const { a, b, c, over } = await party('LISTEN')
      await hangUp([a, b][which]!)
      if (which === 1) await hangUp(a)
      expect(await over).toMatchObject({ code: 200, uuid: c })
      expect(await app.ask('GetState', { uuid: c })).toMatchObject({ code: 200, bridged: false })
      await hangUp(c, ...(which === 0 ? [b] : []))
    },
  )

  test('changes what it hears, and Stop ends it', async () => {
    const { a, b, c, over } = await party('LISTEN')
    const next = app.ask('ThreeWay', { uuid: c, target_uuid: a, direction: 'TOB' })
    expect(await over).toMatchObject({ code: 206 })
    await seated(c)
    await app.ask('Stop', { uuid: c })
    expect(await next).toMatchObject({ code: 206 })
    await talking(a, b)
    await hangUp(a, b, c)
    nothingToldOfEars()
  })

  test('must be another, of a talk there is, in a way there is', async () => {
    const { uuid, caller } = await callIn('1001')
    const other = await legTo(app, 'answer')
    for (const more of [
      {},
      { target_uuid: uuid },
      { target_uuid: 'nobody' },
      { target_uuid: other, direction: 'SHOUT' },
      { target_uuid: other, direction: 'TOB' },
      { direction: 'STOP' },
    ])
      expect(await app.ask('ThreeWay', { uuid, ...more }), JSON.stringify(more)).toMatchObject({ code: 400 })
    await hangUp(uuid, other)
    await caller.done
  })
})

describe('three-party listen and barge', () => {
  test('each hears whom it is to hear, way after way, and the two talk on afterwards', async () => {
    const [a, b, c] = [await legTo(app, speaks('a')), await legTo(app, speaks('b')), await legTo(app, speaks('c'))]
    expect(await app.ask('ChannelBridge2', { uuid: a, peer_uuid: b })).toMatchObject({ code: 200 })
    await hears(app, b, 'BRIDGE')
    const hearing = () => Promise.all([a, b, c].map((leg) => heardBy(site.asterisk, leg)))
    const comeToHear = async (wanted: readonly string[], what: string) => {
      // Sound that changes its way may be away for a moment.
      for (let tries = 0; tries < 3; tries++) if ((await hearing()).join() === wanted.join()) return
      expect(await hearing(), what).toEqual(wanted)
    }
    await comeToHear(['b', 'a', ''], 'before')
    let before: Promise<unknown> | undefined
    for (const [direction, ...wanted] of [
      ['LISTEN', 'b', 'a', 'ab'],
      ['TOA', 'bc', 'a', 'ab'],
      ['TOB', 'b', 'ac', 'ab'],
      ['AC', 'bc', 'a', 'a'],
      ['BC', 'b', 'ac', 'b'],
      ['ABC', 'bc', 'ac', 'ab'],
    ] as const) {
      const over = app.ask('ThreeWay', { uuid: c, target_uuid: a, direction }, 120_000)
      if (before !== undefined) expect(await before).toMatchObject({ code: 206, uuid: c })
      await seated(c)
      await comeToHear(wanted, direction)
      before = over
    }
    expect(await app.ask('ThreeWay', { uuid: c, direction: 'STOP' })).toMatchObject({ code: 200 })
    expect(await before).toMatchObject({ code: 206, uuid: c })
    await comeToHear(['b', 'a', ''], 'afterwards')
    await hangUp(c, a, b)
    nothingToldOfEars()
    const states = (uuid: string) => app.wordsOf(uuid).filter((word) => /^[A-Z]+$/.test(word))
    for (const uuid of [a, b]) expect(states(uuid).slice(-4)).toEqual(['BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'])
    expect(states(c)).not.toContain('BRIDGE')
  })
})

describe('Echo2', () => {
  test('SELF: who is at the far end hears itself, until STOP', async () => {
    const a = await legTo(app, speaks('a'))
    await comesToHear(site.asterisk, a, '')
    expect(await app.ask('Echo2', { uuid: a, action: 'START' })).toMatchObject({ code: 200, uuid: a })
    expect(await app.ask('Echo2', { uuid: a, action: 'START' })).toMatchObject({ code: 400 })
    await comesToHear(site.asterisk, a, 'a')
    expect(await app.ask('Echo2', { uuid: a, action: 'STOP' })).toMatchObject({ code: 200 })
    expect(await app.ask('Echo2', { uuid: a, action: 'STOP' })).toMatchObject({ code: 400 })
    await comesToHear(site.asterisk, a, '')
    await hangUp(a)
  })

  test('OTHER: the peer hears itself beside the channel; it ends with the peer', async () => {
    const [a, b] = [await legTo(app, speaks('a')), await legTo(app, speaks('b'))]
    expect(await app.ask('Echo2', { uuid: a, direction: 'OTHER' })).toMatchObject({ code: 400 })
    expect(await app.ask('ChannelBridge2', { uuid: a, peer_uuid: b })).toMatchObject({ code: 200 })
    await hears(app, a, 'BRIDGE')
    expect(await app.ask('Echo2', { uuid: a, direction: 'OTHER' })).toMatchObject({ code: 200 })
    await comesToHear(site.asterisk, b, 'ab')
    await comesToHear(site.asterisk, a, 'b')
    await hangUp(b, a)
    nothingToldOfEars()
  })

  test('refuses what it does not know', async () => {
    const a = await legTo(app, 'answer')
    for (const more of [{ action: 'MAYBE' }, { action: 'START', direction: 'ALL' }])
      expect(await app.ask('Echo2', { uuid: a, ...more })).toMatchObject({ code: 400 })
    await hangUp(a)
  })
})

describe('Consult', () => {
  const asked = (uuid: string, port: number) => {
    const leg = { uuid: newUuid(), dial_string: phoneAt(port) }
    return { leg: leg.uuid, over: app.ask('Consult', { uuid, destination: { call_params: [leg] } }) }
  }

  test('consult transfer: the peer waits with music, the two talk, and who consulted leaves the others together', async () => {
    const { a, b, done } = await twoCallers()
    expect(await peakOf(b)).toBeLessThan(50)
    const callee = await takeCall(site.asterisk, { steps: ['ring', { pauseMs: 2500 }, 'answer', 'hungUp'] })
    const { leg, over } = asked(a, callee.port)
    await hears(app, leg, 'RINGING')
    expect(await peakOf(b)).toBeGreaterThan(500)
    await talking(a, leg)
    await hears(app, leg, 'BRIDGE')
    await hangUp(a)
    expect(await over).toMatchObject({ code: 200, uuid: a })
    await talking(b, leg)
    await hears(app, b, 'BRIDGE', 2)
    expect(await peakOf(b)).toBeLessThan(50)
    await hangUp(b, leg)
    await Promise.all([done, callee.done])
    const states = (uuid: string) => app.wordsOf(uuid).filter((word) => /^[A-Z]+$/.test(word))
    expect(states(a)).toEqual([...['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY']])
    expect(states(b)).toEqual([...['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY']])
    expect(states(leg)).toEqual([
      ...['CALLING', 'RINGING', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'],
    ])
  })

  test('who was consulted hangs up, or is busy: the talk before goes on', async () => {
    const { a, b, done } = await twoCallers()
    const answers = await takeCall(site.asterisk, { steps: ['answer', { pauseMs: 1500 }, 'hangUp'] })
    expect(await asked(a, answers.port).over).toMatchObject({ code: 200, cause: 'NORMAL_CLEARING' })
    await talking(a, b)
    const busy = await takeCall(site.asterisk, { steps: ['ring', { refuse: 486 }] })
    expect(await asked(a, busy.port).over).toMatchObject({ code: 486, cause: 'USER_BUSY' })
    await talking(a, b)
    const late = await takeCall(site.asterisk, { steps: ['answer', 'hungUp'] })
    const { leg, over } = asked(a, late.port)
    await talking(a, leg)
    await app.ask('Stop', { uuid: a })
    expect(await over).toMatchObject({ code: 206 })
    await talking(a, b)
    await hangUp(a, b)
    await Promise.all([done, answers.done, busy.done, late.done])
  })

  test('who consults hangs up while it rings: 410, and the other is cancelled', async () => {
    const { a, b, done } = await twoCallers()
    const callee = await takeCall(site.asterisk, { steps: ['ring', 'cancelled'] })
    const { leg, over } = asked(a, callee.port)
    await hears(app, leg, 'RINGING')
    await hangUp(a)
    expect(await over).toMatchObject({ code: 410, uuid: a })
    await endOf(app, leg)
    await hangUp(b)
    await Promise.all([done, callee.done])
  })

  test('the peer hangs up meanwhile: the two go on, and end together', async () => {
    const { a, b, done } = await twoCallers()
    const callee = await takeCall(site.asterisk, { steps: ['answer', 'hungUp'] })
    const { leg, over } = asked(a, callee.port)
    await talking(a, leg)
    await hangUp(b)
    await talking(a, leg)
    await hangUp(a)
    expect(await over).toMatchObject({ code: 410, uuid: a })
    await endOf(app, leg)
    await Promise.all([done, callee.done])
  })

  /** A caller, and a leg that its Bridge talks to. */
  async function bridgedCaller() {
    const { uuid: a, caller } = await callIn('1001')
    const b = newUuid()
    const destination = { call_params: [{ uuid: b, dial_string: 'loopback/answer/services' }] }
    const bridging = app.ask('Bridge', { uuid: a, destination })
    await hears(app, b, 'BRIDGE')
    return { a, b, bridging, caller }
  }

  const consults = (uuid: string, service: string) => {
    const leg = { uuid: newUuid(), dial_string: `loopback/${service}/services` }
    return { leg: leg.uuid, over: app.ask('Consult', { uuid, destination: { call_params: [leg] } }) }
  }

  test('Stop ends it and not the Bridge below; that ends when its callee is gone in the meantime', async () => {
    const { a, b, bridging, caller } = await bridgedCaller()
    const stopped = consults(a, 'ring')
    await hears(app, stopped.leg, 'RINGING')
    expect(await app.ask('Stop', { uuid: a })).toMatchObject({ code: 200 })
    expect(await stopped.over).toMatchObject({ code: 206 })
    await talking(a, b)
    const { leg, over } = consults(a, 'answer')
    await talking(a, leg)
    await hangUp(b)
    expect(await Promise.race([bridging, delay(300, 'runs')])).toBe('runs')
    await hangUp(leg)
    expect(await over).toMatchObject({ code: 200 })
    expect(await bridging).toMatchObject({ code: 200, uuid: a })
    // Nothing holds back what is played next.
    const media = { data: 'silence_stream://100' }
    expect(await app.ask('Play', { uuid: a, media })).toMatchObject({ code: 200 })
    await hangUp(a)
    await caller.done
  })

  test('who hangs up while it rings leaves nobody behind of its Bridge', async () => {
    const { a, b, bridging, caller } = await bridgedCaller()
    const { leg, over } = consults(a, 'ring')
    await hears(app, leg, 'RINGING')
    await hangUp(a)
    expect(await over).toMatchObject({ code: 410 })
    expect(await bridging).toMatchObject({ code: 410 })
    for (const uuid of [leg, b]) await endOf(app, uuid)
    await caller.done
  })

  test('wants somebody to wait', async () => {
    const { uuid, caller } = await callIn('1001')
    expect(await asked(uuid, 9).over).toMatchObject({ code: 400, message: expect.stringContaining('talks to nobody') })
    await hangUp(uuid)
    await caller.done
  })
})

describe('Intercept', () => {
  test('takes the place of one that talks, which is hung up', async () => {
    const { a, b, done } = await twoCallers()
    const { uuid: c, caller } = await callIn('1003')
    expect(await app.ask('Intercept', { uuid: c, target_uuid: c })).toMatchObject({ code: 400 })
    const over = app.ask('Intercept', { uuid: c, target_uuid: a })
    expect(await endOf(app, a)).toMatchObject({ cause: 'PICKED_OFF' })
    await talking(b, c)
    await hangUp(b)
    expect(await over).toMatchObject({ code: 200, uuid: c })
    await hangUp(c)
    await Promise.all([done, caller.done])
    expect(app.wordsOf(c)).toEqual(['START', 'ANSWERED', 'BRIDGE', 'UNBRIDGE', 'CDR', 'DESTROY'])
  })

  test('is 410 when the channel hangs up, 206 when it is stopped, 400 where nobody talks', async () => {
    for (const [end, code] of [
      ['Hangup', 410],
      ['Stop', 206],
    ] as const) {
      const { a, b, done } = await twoCallers()
      const { uuid: c, caller } = await callIn('1003')
      const over = app.ask('Intercept', { uuid: c, target_uuid: a })
      await endOf(app, a)
      await talking(b, c)
      await app.ask(end, { uuid: c })
      expect(await over).toMatchObject({ code, uuid: c })
      // The answer is about the one that was asked; of the other one Asterisk tells a moment later.
      await expect.poll(async () => (await app.ask('GetState', { uuid: b })).bridged).toBe(false)
      expect(await app.ask('Intercept', { uuid: b, target_uuid: 'nobody' })).toMatchObject({ code: 400 })
      await hangUp(b, ...(end === 'Stop' ? [c] : []))
      await Promise.all([done, caller.done])
    }
  })
})
